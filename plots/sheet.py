"""A sheet of episodes: what the learners see."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.plots import style, texts
from harness.plots.heading import Heading

# Inches. SIDE is that of an image of 28 pixels or fewer, SMALLEST where there are many shots.
SIDE, SMALLEST, LEFT, GAP, APART, LINE = 0.62, 0.36, 0.62, 0.16, 0.34, 0.115
ACROSS = 10
"""Classes in a row; more go on in rows below, as even as can be."""
HIGH = 3.0  # inches, of a row of classes, unless its images would be too small


def sheet(
    support: np.ndarray,
    query: np.ndarray,
    names: Sequence[Sequence[str]] | None,
    title: str,
    path: Path,
    ink: bool = True,
) -> Path:
    """Draw tasks one below the other, in each a column for each class, in rows of at most ACROSS: support
    images above query images.

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
    longest = max(min(SIDE, HIGH / shots), SMALLEST) * min(max(height / 28, width / 28, 1), 2.5)
    high, wide = longest * height / max(height, width), longest * width / max(height, width)
    names = names or [[str(k + 1) for k in range(n_way)]] * tasks
    heads = [[texts.wrapped(name, wide - 0.04, style.SMALL) for name in task] for task in names]
    rows = np.array_split(np.arange(n_way), math.ceil(n_way / ACROSS))
    across = len(rows[0]) * wide
    whole = max(LEFT + across + style.MARGIN, 3.5)
    heading = Heading(title=texts.wrapped(title, whole - 2 * style.MARGIN, style.TITLE, bold=True))
    lines = [[max(task[k].count("\n") + 1 for k in row) for row in rows] for task in heads]
    room = [[LINE * count + 0.05 for count in some] for some in lines]
    top = heading.height
    ends = top + sum(map(sum, room)) + tasks * (len(rows) * (shots * high + GAP) + APART - GAP)
    fig = Figure(figsize=(whole, ends - APART + style.MARGIN))
    heading.draw(fig)
    for t in range(tasks):
        for r, row in enumerate(rows):
            top += room[t][r]
            size = len(row) * wide, shots * high
            ax = style.axes_at(fig, LEFT, top, *size, label=f"task {t + 1}" + f", row {r + 1}" * (r > 0))
            _row(ax, images[t, row], k_shot, [heads[t][k] for k in row], ink)
            top += shots * high + (GAP if r + 1 < len(rows) else APART)
    return fig


def _row(ax: Axes, images: np.ndarray, k_shot: int, heads: Sequence[str], ink: bool) -> None:
    """images [classes, shots, height, width, ...]: a column for each class below its head."""
    classes, shots, height, width = images.shape[:4]
    mosaic = np.moveaxis(images, 0, 2).reshape(shots * height, classes * width, *images.shape[4:])
    ax.imshow(
        mosaic, cmap="gray_r" if ink else "gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto"
    )
    ax.set_xticks((np.arange(classes) + 0.5) * width - 0.5, heads, linespacing=1.05)
    ax.set_yticks([k_shot * height / 2 - 0.5, (k_shot + shots) * height / 2 - 0.5], ["support", "query"])
    ax.tick_params(length=0, top=False, labeltop=True, labelbottom=False, pad=2, labelsize=style.SMALL)
    for k in range(1, classes):
        ax.axvline(k * width - 0.5, color="0.8", lw=0.4)
    for k in range(1, shots):
        border = ("black", 0.8) if ink else ("white", 3.0)  # which shows between dark images too
        colour, thick = border if k == k_shot else ("0.8", 0.4)
        ax.axhline(k * height - 0.5, color=colour, lw=thick)
    ax.spines[:].set_visible(True)
