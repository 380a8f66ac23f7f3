"""What the page keeps of a run: where its loss falls, exactly, and its curves, thinned."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.records.passages import WINDOW, running_mean

POINTS = 200
"""Of a curve, at most, in a page with few runs."""
FEWEST = 24
"""Of a curve, in a page with many."""
NUMBERS = 3_000_000
"""Points of all curves of a page together, about."""

Falls = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Iterations, and the values there."""


def first(losses: ArrayLike) -> Falls:
    """The iterations at which the lowest loss so far falls, and the losses there, of losses [iterations].

    The first passage of any target is the first of these iterations with a loss at or below it, exactly as
    records.passages.first_passage has it: values that are not finite never count.
    """
    return _falls(np.asarray(losses, float), 1)


def sustained(losses: ArrayLike) -> Falls:
    """The same of the mean of the last WINDOW losses, for the sustained passage."""
    return _falls(running_mean(losses), WINDOW)


def _falls(values: NDArray[np.float64], begin: int) -> Falls:
    """`begin`: the iteration of the first value."""
    known = np.where(np.isfinite(values), values, np.inf)
    lowest = np.minimum.accumulate(known)
    before = np.concatenate([[np.inf], lowest[:-1]])
    at = np.flatnonzero(lowest < before)
    return at + begin, values[at]


def points(curves: int) -> int:
    """How many points a curve may have on a page of so many curves: POINTS, or as few as FEWEST."""
    return int(np.clip(NUMBERS // max(curves, 1), FEWEST, POINTS))


def thinned(values: NDArray[Any], most: int) -> NDArray[np.int64]:
    """Which of these values [n] to draw, in order: all, or about `most`: the first, the last, and the least
    and the largest of each stretch, so that no spike is lost."""
    if values.size <= most:
        return np.arange(values.size)
    edges = np.linspace(0, values.size, max(most // 2, 2)).astype(int)[:-1]
    known = np.isfinite(values)
    kept = {0, values.size - 1}
    for low, high in zip(edges, [*edges[1:], values.size], strict=True):
        part, fine = values[low:high], known[low:high]
        kept |= {low + int(np.argmin(np.where(fine, part, np.inf)))}
        kept |= {low + int(np.argmax(np.where(fine, part, -np.inf)))}
    return np.array(sorted(kept))
