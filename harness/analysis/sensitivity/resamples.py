"""Intervals: the bootstrap over seeds, with the same resampled seeds for all cells and methods."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import factorial, prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

EXACT = 6
"""With at most as many seeds, all resamples are taken, each with its chance."""
DRAWS = 10_000
"""Resamples that are drawn where there are more seeds."""
LEVEL = 0.95
FEW = 5
"""With as many seeds or fewer, the interval comes with a warning."""
NOISE = 1e-12
"""What differs by no more than this share of its size differs by rounding alone."""


@dataclass(frozen=True, kw_only=True)
class Resamples:
    """Weights of the seeds: first those of the seeds as they are, then of every resample.

    A statistic is computed once for each row of `weights`; `value` and `interval` then read it.
    """

    weights: Array
    """[R + 1, S]: each row adds up to 1. Row 0 is the estimate: the same weight for each seed that is
    used."""
    chance: Array
    """[R]: the probability of each resample."""

    @property
    def seeds(self) -> int:
        """How many are used; the others have no weight."""
        return int(np.count_nonzero(self.weights[0]))

    @property
    def counts(self) -> NDArray[np.int64]:
        """[R + 1, S]: how often each seed is drawn."""
        return np.rint(self.weights * self.seeds).astype(np.int64)

    def mean(self, values: Array) -> Array:
        """[..., S] -> [..., R + 1]: the mean over seeds; inf where a seed that is drawn is inf, NaN where a
        seed that is used is NaN. What a seed without weight has is left out."""
        used = self.weights[0] > 0
        some, weights = values[..., used], self.weights[:, used]
        infinite = some == np.inf
        means = np.where(infinite, 0.0, some) @ weights.T
        return np.where(infinite @ (weights.T > 0), np.inf, means)

    def interval(self, stats: Array) -> tuple[float, float]:
        """The percentile interval: the middle 95 % of a statistic [R + 1] over the resamples.

        At most 2.5 % of the chance lies below the lower end, and at most 2.5 % above the upper one; that of
        -`stats` is the same with its ends swapped. NaN with one seed, or where the statistic has no value in
        some resample.
        """
        drawn = np.asarray(stats, float)[1:]
        if drawn.size == 0 or np.isnan(drawn).any():
            return np.nan, np.nan
        low, high = (sign * quantiles(sign * drawn, self.chance, (1 - LEVEL) / 2) for sign in (1, -1))
        return float(low), float(high)


def resamples(used: ArrayLike, draws: int = DRAWS, rng: np.random.Generator | None = None) -> Resamples:
    """Bootstrap over the seeds that are `used` [S] (flags): all of them with replacement.

    With up to 6 seeds all C(2S-1, S) resamples, each with its multinomial probability: five seeds have 126.
    With more, `draws` of them from `rng` (None: one that always draws the same). One seed has no resample;
    without any, every weight is 0.
    """
    used = np.asarray(used, bool)
    places, count = np.flatnonzero(used), int(used.sum())
    if count < 2:
        drawn, chance = np.empty((0, count), int), np.empty(0)
    elif count <= EXACT:
        drawn, chance = _all(count)
    else:
        rng = np.random.default_rng(0) if rng is None else rng
        every = rng.multinomial(count, [1 / count] * count, draws)
        drawn, times = np.unique(every, axis=0, return_counts=True)  # of 8 seeds a third are distinct
        chance = times / draws
    weights = np.zeros((len(drawn) + 1, used.size))
    weights[:, places] = np.concatenate([np.ones((1, count)), drawn]) / max(count, 1)
    return Resamples(weights=weights, chance=chance)


def _all(count: int) -> tuple[NDArray[np.int64], Array]:
    """How often each seed is drawn [R, count] in every resample of `count` seeds, and its probability."""
    drawn = np.array(
        [np.bincount(some, minlength=count) for some in combinations_with_replacement(range(count), count)]
    )
    ways = np.array([factorial(count) // prod(map(factorial, row.tolist())) for row in drawn])
    return drawn, ways / count**count


def first_best(values: ArrayLike) -> NDArray[np.int64]:
    """The place of the largest of `values` [N, ...] -> [...]; of those that differ from it by rounding alone
    the first, so that ties do not depend on the order of a sum."""
    values = np.asarray(values, float)
    size = np.max(np.abs(values), axis=0, where=np.isfinite(values), initial=0.0)
    return np.asarray((values >= values.max(0) - NOISE * size).argmax(0))


def quantiles(values: ArrayLike, weights: ArrayLike, shares: ArrayLike) -> Array:
    """Quantiles of weighted values [n]: the smallest value at or below which lies at least that share of the
    weight; numpy's `inverted_cdf`. `shares` [...], above 0 -> [...]. Infinite values are values like any
    other."""
    values, weights = np.asarray(values, float), np.asarray(weights, float)
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    # A sum of n floats may fall short, by n roundings, of a share that it reaches exactly.
    enough = 1 - (len(values) + 8) * np.finfo(float).eps
    return values[order][np.searchsorted(below, np.asarray(shares) * below[-1] * enough)]
