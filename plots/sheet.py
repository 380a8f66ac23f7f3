"""A sheet of episodes: what the learners see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from harness.plots import style, texts
from harness.plots.heading import Heading

SIDE, GAP, LEFT, HEAD = 0.36, 0.28, 0.62, 0.45  # inches; SIDE is that of an image of 28 pixels or fewer


def sheet(
    support: np.ndarray,
    query: np.ndarray,
    names: Sequence[Sequence[str]] | None,
    title: str,
    path: Path,
    ink: bool = True,
) -> Path:
    """Draw tasks one below the other, with a column for each class: support images above query images.

    support [tasks, n_way, k_shot, height, width] and query [tasks, n_way, k_query, height, width], uint8, or
    with red, green and blue as a last axis. ink: without colours, 255 is drawn black on white; else white.
    `names` [tasks][n_way] head the columns; None: 1, 2, ...
    Returns `path`, a .png.
    """
    with style.applied():
        style.save(draw(support, query, names, title, ink), path)
    return path


def draw(
    support: np.ndarray,
    query: np.ndarray,
    names: Sequence[Sequence[str]] | None,
    title: str,
    ink: bool = True,
) -> Figure:
    """The figure that `sheet` writes."""
    tasks, n_way, k_shot = support.shape[:3]
    images = np.concatenate([support, query], axis=2)
    shots, height, width = images.shape[2:5]
    side = SIDE * min(max(height / 28, width / 28, 1), 2.5) / max(height, width)  # inches of a pixel
    high, wide = height * side, width * side
    names = names or [[str(k + 1) for k in range(n_way)]] * tasks
    longest = max(len(name) for task in names for name in task)
    upright = 0.0 if longest <= round(wide / 0.09) else 0.062 * longest + 0.05  # room for rotated names
    whole = max(LEFT + n_way * wide + style.MARGIN, 3.5)
    text = texts.wrapped(title, whole - 2 * style.MARGIN, style.TITLE, bold=True)
    top = HEAD + text.count("\n") * 0.19
    step = 0.2 + upright + shots * high + GAP
    fig = Figure(figsize=(whole, top + tasks * step))
    Heading(title=text).draw(fig)
    for t in range(tasks):
        upper = top + t * step + 0.2 + upright
        ax = style.axes_at(fig, LEFT, upper, n_way * wide, shots * high, label=f"task {t + 1}")
        mosaic = np.moveaxis(images[t], 0, 2).reshape(shots * height, n_way * width, *images.shape[5:])
        colours = "gray_r" if ink else "gray"
        ax.imshow(mosaic, cmap=colours, vmin=0, vmax=255, interpolation="nearest", aspect="auto")
        heads = [texts.literal(name) for name in names[t]]
        ax.set_xticks((np.arange(n_way) + 0.5) * width - 0.5, heads, rotation=90 if upright else 0)
        ax.set_yticks([k_shot * height / 2 - 0.5, (k_shot + shots) * height / 2 - 0.5], ["support", "query"])
        ax.tick_params(length=0, top=False, labeltop=True, labelbottom=False, pad=2, labelsize=style.SMALL)
        for k in range(1, n_way):
            ax.axvline(k * width - 0.5, color="0.8", lw=0.4)
        for k in range(1, shots):
            border = ("black", 0.8) if ink else ("white", 3.0)  # which shows between dark images too
            colour, thick = border if k == k_shot else ("0.8", 0.4)
            ax.axhline(k * height - 0.5, color=colour, lw=thick)
        ax.spines[:].set_visible(True)
    return fig
