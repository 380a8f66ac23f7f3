"""Figures for a paper's column: as wide as it, in parts that are no higher than its page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from harness.common.files import COLUMN, in_columns
from harness.plots import style

# Inches.
HIGHEST, LEAST = 9.0, 7.0
"""Of a part: it ends at the widest gap between the two, or else before them."""
GAP = 0.02
"""Less room than this between two things is none: they stay together."""


def write(draw: Callable[[], Figure], base: Path) -> list[Path]:
    """Draw for a column and write <base>-column.png, .svg and .pdf; if that would be higher than HIGHEST, it
    goes on in <base>-column-2 and so on. Returns the paths. Older parts are removed. NotWritten."""
    with style.applied(style.COLUMN):
        fig = draw()
        found = parts(fig)
        names = [f"{base.name}{COLUMN}" + f"-{at + 1}" * (at > 0) for at in range(len(found))]
        paths = style.write_parts(
            fig, {base.with_name(name): part for name, part in zip(names, found, strict=True)}
        )
    for path in {*in_columns(base)} - {*paths}:
        path.unlink(missing_ok=True)
    return paths


def parts(fig: Figure) -> list[Bbox]:
    """The figure from top to bottom, cut where nothing is drawn: in inches from its lower left. What is
    higher in one piece stays whole."""
    width, height = map(float, fig.get_size_inches())
    found, top = [], height
    gaps = _gaps(fig)
    while top > HIGHEST:
        below = [gap for gap in gaps if _middle(gap) < top - GAP]
        if not below:
            break
        end = _middle(min(below, key=partial(_rank, top=top)))
        found.append(Bbox.from_extents(0, end, width, top))
        top = end
    return [*found, Bbox.from_extents(0, 0, width, top)]


def _middle(gap: tuple[float, float]) -> float:
    return (gap[0] + gap[1]) / 2


def _rank(gap: tuple[float, float], top: float) -> tuple[float, ...]:
    """Of the gap where a part that begins at `top` ends it is the least."""
    part = top - _middle(gap)
    if part > HIGHEST:
        return 2, part
    return (1, -part) if part < LEAST else (0, round(gap[0] - gap[1], 2), -part)


def _gaps(fig: Figure) -> list[tuple[float, float]]:
    """From which height to which nothing is drawn, all across."""
    fig.draw_without_rendering()
    boxes = [artist.get_tightbbox() for artist in style.pieces(fig)]
    ends = np.array(sorted((box.y0, box.y1) for box in boxes if box is not None)).reshape(-1, 2) / fig.dpi
    highest = np.maximum.accumulate(ends[:, 1])
    pairs = zip(highest[:-1].tolist(), ends[1:, 0].tolist(), strict=True)
    return [(low, high) for low, high in pairs if high - low > GAP]
