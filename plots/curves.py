"""The curves of Figure 1: what a row shows of a line, where it leaves the axis, and what it covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from harness.plots.lines import Line
from harness.plots.scales import Band, Scale

WIDTH, WIDER, WIDEST = 1.3, 2.6, 8.0
"""Points: of a line, by how much more one is wide that a line covers, and the most of it."""
PALE = 0.5
MARK = 4.5
"""Points: the side of a triangle."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What a row shows of a line: arrays with a value for each of its iterations; NaN: none."""

    line: Line
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray
    high: np.ndarray
    """The band over seeds."""
    thin: tuple[np.ndarray, ...]
    """What is drawn thin beside it."""
    whole: np.ndarray
    """Where all seeds are still there."""

    @property
    def band(self) -> Band:
        """The edges of all that is drawn of it, where there is something."""
        lower, upper = self._edges()
        there = ~np.isnan(lower)
        return lower[there], upper[there]

    def _edges(self) -> Band:
        parts = np.array([self.y, self.low, self.high, *self.thin], float)
        parts[~np.isfinite(parts)] = np.nan
        return np.fmin.reduce(parts), np.fmax.reduce(parts)

    def leaves(self, scale: Scale, above: bool, gap: float) -> list[float]:
        """The iterations at which it leaves the axis, above or below, between two where that is known; of
        those within `gap` iterations the first."""
        edge = self._edges()[above]
        there = ~np.isnan(edge)
        x, past = self.x[there], scale.places(edge[there])
        past = past - 1 if above else -past  # the axis ends at 0
        kept: list[float] = []
        for at in np.flatnonzero(past > 0).tolist():
            if at and past[at - 1] > 0:
                continue  # outside already
            back = past[at] / (past[at] - past[at - 1]) * (x[at] - x[at - 1]) if at else 0.0
            if not kept or x[at] - back - kept[-1] >= gap:
                kept.append(float(x[at] - back))
        return kept


def curve_of(line: Line, rows: pd.DataFrame, name: str, thin: Sequence[str]) -> Curve:
    """The column `name` of a line's rows of analysis.summary.bands, and the columns `thin`."""

    def values(column: str) -> np.ndarray:
        found = rows[column].to_numpy(float)
        return np.where(np.isfinite(found), found, np.nan)

    return Curve(
        line=line,
        x=rows["iteration"].to_numpy(int),
        y=values(f"{name}_median"),
        low=values(f"{name}_low"),
        high=values(f"{name}_high"),
        thin=tuple(values(f"{one}_median") for one in thin),
        whole=(rows["seeds"] == rows["all_seeds"]).to_numpy(bool),
    )


def covered(curves: Sequence[Curve], scale: Scale, inches: float) -> list[list[np.ndarray]]:
    """For each curve, the iterations that it shares with each curve that is drawn over it and coincides with
    it: wherever both have a value they are less than half a line apart, on an axis of this height."""
    near = WIDTH / 2 / 72 / inches
    shown = []
    for curve in curves:
        there = ~np.isnan(curve.y)
        shown.append((curve.x[there], scale.places(curve.y[there])))
    order = [(curve.line.on_top, at) for at, curve in enumerate(curves)]

    def shared(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> np.ndarray | None:
        both, mine, theirs = np.intersect1d(a[0], b[0], assume_unique=True, return_indices=True)
        apart = np.abs(a[1][mine] - b[1][theirs])
        return both if 2 * len(both) > min(len(a[0]), len(b[0])) and np.all(apart <= near) else None

    found = [
        [shared(shown[at], shown[over]) for over in range(len(curves)) if order[over] > order[at]]
        for at in range(len(curves))
    ]
    return [[one for one in shares if one is not None] for shares in found]


def draw(
    ax: Axes, curve: Curve, *, dots: bool, banded: bool, faint: bool, beneath: list[np.ndarray], most: int
) -> None:
    """Its lines, the thin ones `faint` or not, and its band if `banded`. beneath: its part of `covered`,
    where it is drawn wide and pale too; most: the most parts of any in these axes."""
    line = curve.line
    style_of: dict[str, Any] = {"color": line.colour, "zorder": 3 if line.on_top else 2}
    for values in curve.thin:
        ax.plot(curve.x, values, lw=0.5, alpha=0.4 if faint else 1, **style_of)
    there = np.isfinite(curve.y)
    x, y, whole = curve.x[there], curve.y[there], curve.whole[there]
    if beneath:
        pale = tuple(1 - (1 - part) * PALE for part in to_rgb(line.colour))
        width = WIDTH + min(WIDER, WIDEST / most) * len(beneath)
        wide = np.isin(x, np.concatenate(beneath))
        behind = 1.5 - len(beneath) / 100
        ax.plot(x[wide], y[wide], color=pale, lw=width, zorder=behind, solid_capstyle="butt")
    alone = len(x) == 1  # as a line it could not be seen
    style_of |= {"marker": "." if alone or dots else "", "ms": 3, "clip_on": not alone}
    ax.plot(x[whole], y[whole], ls=line.dash, lw=WIDTH, label=line.label, **style_of)
    if not whole.all():
        ax.plot(x[~whole], y[~whole], ls=":", lw=0.9, **style_of)
    if banded:
        low, high = (np.maximum(edge[there], ax.get_ylim()[0]) for edge in (curve.low, curve.high))
        ax.fill_between(x, low, high, alpha=0.18, lw=0, color=line.colour, zorder=style_of["zorder"])


def mark(ax: Axes, curves: Sequence[Curve], scale: Scale, width: float, height: float) -> int:
    """A triangle at the edge of the axes, `width` by `height` inches, where a curve leaves them; where there
    is one already, beneath it. Returns how many."""
    first, last = ax.get_xlim()
    gap = (last - first) * MARK / 72 / width
    count = 0
    for above in (False, True):
        placed: list[tuple[float, int]] = []
        for curve in curves:
            for x in curve.leaves(scale, above, gap):
                taken = {level for other, level in placed if abs(other - x) < gap}
                level = next(level for level in range(len(placed) + 1) if level not in taken)
                placed.append((x, level))
                y = (level + 0.5) * MARK / 72 / height
                ax.plot(
                    x,
                    1 - y if above else y,
                    "^" if above else "v",
                    color=curve.line.colour,
                    ms=MARK,
                    mec="white",
                    mew=0.4,
                    clip_on=False,
                    zorder=4,
                    transform=ax.get_xaxis_transform(),
                )
        count += len(placed)
    return count
