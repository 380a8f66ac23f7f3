"""Which hyper-parameter the results hang on: exact shares of the variance over a full factorial design."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.analysis.intervals import student
from harness.analysis.sensitivity.resamples import Array

SEED = "seed"
JOINT = ":"
"""Between the factors of an interaction: `alpha0:beta0`."""


def variance_shares(values: ArrayLike, factors: Sequence[str]) -> dict[str, float]:
    """Functional ANOVA on a full factorial design: each effect's share of the variance of `values`.

    `values` [levels of the first factor, levels of the second, ...]. The main effect of j is
    V_j = mean over its levels of (E[y given x_j] - E y)^2; an interaction has what its factors explain
    together beyond all effects of fewer of them. Shares of Var y (of the population: divided by the number of
    values), without a unit; they add up to 1. All NaN where all values are equal. Effect -> share, single
    factors first: `alpha0`, `seed`, `alpha0:seed`, ...

    Hutter, Hoos and Leyton-Brown 2014, "An efficient approach for assessing hyperparameter importance",
    estimate these shares from a random forest; here they are exact. (Hooker 2007 treats the case of dependent
    factors, which a full factorial design does not have.)
    """
    values = np.asarray(values, float)
    total = np.nan if _constant(values) else values.var()
    centred = values - values.mean()  # so that effects are rounded by their own size
    return {
        JOINT.join(factors[axis] for axis in axes): float(np.mean(part**2) / total)
        for axes, part in _effects(centred).items()
    }


def jackknife(values: ArrayLike, factors: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Intervals of the shares of the effects that do not involve the seed, at 95 %: effect -> (low, high).

    `values` [levels ..., S] as above, the seeds last, which `factors` leaves out. The share, plus and minus
    Student's t (S - 1 degrees of freedom) times its delete-one jackknife standard error,
    sqrt((S-1)/S sum_i (share without seed i - their mean)^2), cut at 0 and 1 (Efron and Tibshirani 1993,
    chapter 11). NaN with one seed, or where all values are equal without some seed.

    No bootstrap: a resample repeats seeds, whose noise then no longer averages out. The shares that involve
    the seed shrink, all others grow, and an interval may leave its own estimate out.
    """
    values = np.asarray(values, float)
    seeds = values.shape[-1]
    found = _without_seed(values, factors)
    left = [_without_seed(np.delete(values, seed, -1), factors) for seed in range(seeds)] if seeds > 1 else []
    intervals = {}
    for effect, share in found.items():
        parts = np.array([one[effect] for one in left])
        error = np.sqrt((seeds - 1) * parts.var()) if seeds > 1 else np.nan
        half = float(student(seeds) * error)
        intervals[effect] = (max(0.0, share - half), min(1.0, share + half)) if half == half else (half, half)
    return intervals


def _without_seed(values: Array, factors: Sequence[str]) -> dict[str, float]:
    """The shares of the effects of `factors` alone, of a design with the seeds as its last factor."""
    one = values.shape[-1] == 1
    shares = variance_shares(values[..., 0] if one else values, factors if one else [*factors, SEED])
    return {effect: share for effect, share in shares.items() if SEED not in effect.split(JOINT)}


def _constant(values: Array) -> bool:
    """Whether all are equal."""
    return bool(values.size == 0 or values.max() == values.min())


def _effects(values: Array) -> dict[tuple[int, ...], Array]:
    """Axes of an effect -> its values, with one level along all other axes; without the mean of all."""
    parts: dict[tuple[int, ...], Array] = {(): values}
    for axis in range(values.ndim):
        split = {}
        for axes, part in parts.items():
            mean = part.mean(axis, keepdims=True)
            split[axes] = mean
            split[*axes, axis] = part - mean
        parts = split
    order = [axes for n in range(1, values.ndim + 1) for axes in combinations(range(values.ndim), n)]
    return {axes: parts[axes] for axes in order}


def factorial(
    settings: ArrayLike, groups: Sequence[Sequence[int]]
) -> tuple[NDArray[np.int64], tuple[int, ...]] | None:
    """Where each setting stands in a full factorial design: its level along each factor.

    `settings` [N, H]: the level of each hyper-parameter; `groups`: the columns of each factor (more than one:
    they were varied together). Returns the settings' places in the flattened design [N] and the numbers of
    levels; None: some combination is missing or there twice, so it is no full factorial.
    """
    codes = np.asarray(settings)
    levels = [np.unique(codes[:, list(columns)], axis=0, return_inverse=True) for columns in groups]
    shape = tuple(len(distinct) for distinct, _ in levels)
    if np.prod(shape, dtype=float) != len(codes):
        return None
    places = (
        np.ravel_multi_index([inverse.ravel() for _, inverse in levels], shape) if shape else np.zeros(1, int)
    )
    return None if len(np.unique(places)) < len(places) else (places, shape)
