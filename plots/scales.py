"""The vertical axes of Figure 1: where they end, so that the curves can be read, and where their ticks are.

An axis is made for what its curves show most of the time: a spike of some iterations must not take the height
from the rest. What leaves the axis is marked at its edge, see plots/curves.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.scale import LogTransform, SymmetricalLogTransform
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator
from matplotlib.transforms import IdentityTransform, Transform

from harness.plots import texts

SMALLEST, LARGEST = 1e-306, 5e307  # of what an axis can show
RARE = 0.1
"""The share of a curve, above and below, for which an axis is made longer by at most SPARE of its height."""
SPARE = 0.3
DECADES = 8  # of a symlog axis, at most, between its largest value and where it turns linear
CUT = 1.3
APART = 0.165  # inches between the middles of two labels

Band = tuple[np.ndarray, np.ndarray]
"""The lower and the upper edge of all that is drawn of a curve, iteration by iteration; all finite."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A vertical axis."""

    kind: str
    """linear, log or symlog."""
    low: float
    high: float
    turns: float = 1.0
    """Where symlog turns linear."""

    def places(self, values: np.ndarray) -> np.ndarray:
        """Where values are: 0 at the lower end, 1 at the upper one. A log axis has those <= 0 far below."""
        low, high, *rest = _transform(self.kind, self.turns).transform(
            np.concatenate([[self.low, self.high], np.clip(values, -LARGEST, LARGEST)])
        )
        return (np.array(rest) - low) / (high - low)

    def apply(self, ax: Axes, inches: float) -> None:
        """To axes of this height."""
        more = {"nonpositive": "mask"} if self.kind == "log" else {}
        ax.set_yscale(self.kind, **({"linthresh": self.turns} if self.kind == "symlog" else more))
        ax.yaxis.set_minor_locator(NullLocator())
        if self.kind != "linear":
            major, minor = self._ticks(inches)
            ax.set_yticks(major, self.labels(inches))
            ax.yaxis.set_minor_locator(FixedLocator(minor))
            ax.yaxis.set_minor_formatter(NullFormatter())
        ax.set_ylim(self.low, self.high)

    def labels(self, inches: float) -> list[str]:
        """At the ticks of axes of this height, but for a linear scale."""
        return [] if self.kind == "linear" else [texts.number(tick) for tick in self._ticks(inches)[0]]

    def _ticks(self, inches: float) -> tuple[list[float], list[float]]:
        """With a label, and without: powers of ten and 0; or, if these are fewer than two, 1, 2 and 5 times a
        power of ten. Without one, the rest of these."""
        powers = self._within(_powers(self))
        zero = [0.0] * (self.kind == "symlog")
        every = self._within(sign * m * abs(p) for p in _powers(self) for m in (1, 2, 5) for sign in (1, -1))
        for stride in (1, 2, 3, 5, 10, 20, 50, 100, 200):
            chosen = sorted({p for p in powers if round(math.log10(abs(p))) % stride == 0} | {*zero})
            if self._spaced(chosen, inches):
                break
        if len(chosen) < min(2, len(every)) and self._spaced(every, inches):
            chosen = every
        fine = self._spaced(powers, inches)
        return chosen, [tick for tick in (every if fine else powers) if tick not in chosen]

    def _within(self, values: Iterable[float]) -> list[float]:
        return sorted({value for value in values if self.low <= value <= self.high})

    def _spaced(self, ticks: Sequence[float], inches: float) -> bool:
        """Whether labels at all of these can be read."""
        return bool(np.all(np.diff(self.places(np.array(ticks, float))) * inches >= APART))


def _powers(scale: Scale) -> list[float]:
    """The powers of ten of an axis and around it, on a symlog axis those where it is not linear."""
    high = max(abs(scale.low), abs(scale.high))
    low = scale.turns if scale.kind == "symlog" else scale.low
    sizes = [10.0**k for k in range(math.floor(math.log10(low) + 1e-9), math.floor(math.log10(high)) + 1)]
    return [*sizes, *(-size for size in sizes)] if scale.kind == "symlog" else sizes


def rates(curves: Sequence[Band]) -> Scale:
    """A log axis; symlog if a curve starts, ends or lingers at what is not positive (or as good as 0)."""
    if not curves:
        return Scale(kind="log", low=1e-5, high=1.0)
    lives = np.concatenate([_lives(lower, upper) for lower, upper in curves])
    low, high = float(lives.min()), float(lives.max())
    kind, turns = ("log", 1.0) if low > SMALLEST else ("symlog", _turns(lives))
    least = min(float(lower.min()) for lower, _ in curves)
    most = max(float(upper.max()) for _, upper in curves)
    bottom, first, last, top = _transform(kind, turns).transform(
        np.clip([least, low, high, most], -LARGEST, LARGEST)
    )
    room = SPARE * (last - first)
    low, high = least if first - bottom <= room else low, most if top - last <= room else high
    if kind == "log":
        return Scale(kind=kind, low=low / 2, high=min(high * 2, LARGEST))
    edge = 0.3 * turns  # of the linear part, so that a curve at 0 is off the edge
    low, high = min(low * 2, -2 * turns) if low < 0 else -edge, max(high * 2, 2 * turns) if high > 0 else edge
    return Scale(kind=kind, low=max(low, -LARGEST), high=min(high, LARGEST), turns=turns)


def _lives(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Where a curve starts, where it ends, and between what it is but for RARE below and above."""
    last = max(len(lower) // 10, 1)
    ends = [np.quantile(values[-last:], 0.5, method="nearest") for values in (lower, upper)]
    most = [np.quantile(lower, RARE, method="nearest"), np.quantile(upper, 1 - RARE, method="nearest")]
    return np.array([lower[0], upper[0], *ends, *most])


def _turns(lives: np.ndarray) -> float:
    """The decade of the smallest of these but 0, at most DECADES below the largest."""
    sizes = np.abs(lives[np.abs(lives) > SMALLEST])
    return (
        float(10.0 ** np.floor(np.log10(max(sizes.min(), sizes.max() / 10**DECADES)))) if sizes.size else 1.0
    )


def losses(curves: Sequence[Band], chance: float) -> Scale:
    """A linear axis with `chance` in it; a loss above CUT times the larger of chance and the median is cut
    off too."""
    curves = [(np.minimum(lower, LARGEST), np.minimum(upper, LARGEST)) for lower, upper in curves]
    values = np.concatenate([*(part for curve in curves for part in curve), []])
    low = min(float(values.min()), chance) if values.size else 0.0
    most = CUT * max(chance, float(np.median(values))) if values.size else chance
    usual = [_lives(lower, upper)[2:].max() for lower, upper in curves]  # where it starts is like chance
    high = max([chance, *map(float, usual)])
    if values.size and values.max() - high <= SPARE * (high - low):
        high = float(values.max())
    high = max(min(high, most), chance)
    room = 0.06 * max(high - low, 0.1 * chance)
    return Scale(kind="linear", low=low - room, high=high + room)


def _transform(kind: str, turns: float) -> Transform:
    if kind == "log":
        return LogTransform(10)
    return SymmetricalLogTransform(10, turns, 1) if kind == "symlog" else IdentityTransform()
