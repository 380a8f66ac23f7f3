"""A sheet of episodes: what the learners see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from harness.plots import style, texts
from harness.plots.heading import Heading

SIDE, GAP, LEFT, HEAD = 0.36, 0.28, 0.62, 0.45  # inches; SIDE is that of an image


def sheet(
    support: np.ndarray, query: np.ndarray, names: Sequence[Sequence[str]] | None, title: str, path: Path
) -> Path:
    """Draw tasks one below the other, with a column for each class: support images above query images.

    support [tasks, n_way, k_shot, 28, 28] and query [tasks, n_way, k_query, 28, 28], uint8, 255 = ink (drawn
    black on white); `names` [tasks][n_way] head the columns; None: 1, 2, ...
    Returns `path`, a .png.
    """
    with style.applied():
        style.save(draw(support, query, names, title), path)
    return path


def draw(support: np.ndarray, query: np.ndarray, names: Sequence[Sequence[str]] | None, title: str) -> Figure:
    """The figure that `sheet` writes."""
    tasks, n_way, k_shot = support.shape[:3]
    images = np.concatenate([support, query], axis=2)
    shots = images.shape[2]
    names = names or [[str(k + 1) for k in range(n_way)]] * tasks
    longest = max(len(name) for task in names for name in task)
    upright = 0.0 if longest <= 4 else 0.062 * longest + 0.05  # room for rotated names
    width = max(LEFT + n_way * SIDE + style.MARGIN, 3.5)
    text = texts.wrapped(title, width - 2 * style.MARGIN, style.TITLE, bold=True)
    top = HEAD + text.count("\n") * 0.19
    step = 0.2 + upright + shots * SIDE + GAP
    fig = Figure(figsize=(width, top + tasks * step))
    Heading(title=text).draw(fig)
    for t in range(tasks):
        upper = top + t * step + 0.2 + upright
        ax = style.axes_at(fig, LEFT, upper, n_way * SIDE, shots * SIDE, label=f"task {t + 1}")
        mosaic = images[t].transpose(1, 2, 0, 3).reshape(shots * 28, n_way * 28)
        ax.imshow(mosaic, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest", aspect="auto")
        heads = [texts.literal(name) for name in names[t]]
        ax.set_xticks(np.arange(n_way) * 28 + 13.5, heads, rotation=90 if upright else 0)
        ax.set_yticks([k_shot * 14 - 0.5, (k_shot + shots) * 14 - 0.5], ["support", "query"])
        ax.tick_params(length=0, top=False, labeltop=True, labelbottom=False, pad=2, labelsize=style.SMALL)
        for k in range(1, n_way):
            ax.axvline(k * 28 - 0.5, color="0.8", lw=0.4)
        for k in range(1, shots):
            ax.axhline(k * 28 - 0.5, color="black" if k == k_shot else "0.8", lw=0.8 if k == k_shot else 0.4)
        ax.spines[:].set_visible(True)
    return fig
