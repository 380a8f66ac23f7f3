"""Which hyper-parameter the results hang on: exact shares of the variance over a full factorial design."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.analysis.sensitivity.resamples import NOISE, Array

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


def shares_by_resample(values: Array, factors: Sequence[str], weights: Array) -> dict[str, Array]:
    """The shares of the effects that do not involve the seed, once for each weighting of the seeds.

    `values` [levels ..., S] as above, the seeds last, which `factors` leaves out; `weights` [R, S], each row
    adds up to 1 -> effect -> [R]; NaN where all values of the seeds that are drawn are equal. With equal
    weights they are those of `variance_shares`. (Shares that involve the seed shrink where a resample repeats
    one, so they get no interval.)
    """
    over_all = tuple(range(values.ndim - 1))
    size = (np.abs(values).max(over_all) * (weights > 0)).max(-1)
    values = values - np.median(values)  # so that they are rounded by their own size, wherever one seed is
    of_seed = values.mean(over_all)
    # The variance within seeds and that between them, by pairs: no difference of large squares.
    apart = (of_seed[:, None] - of_seed) ** 2 / 2
    total = (weights * (values.var(over_all) + weights @ apart)).sum(-1)
    total = np.where(total > (NOISE * size) ** 2, total, np.nan)
    means = values @ weights.T
    return {
        JOINT.join(factors[axis] for axis in axes): (part**2).mean(over_all) / total
        for axes, part in _effects(means, values.ndim - 1).items()
    }


def _constant(values: Array) -> bool:
    """Whether all are equal."""
    return bool(values.size == 0 or values.max() == values.min())


def _effects(values: Array, factors: int | None = None) -> dict[tuple[int, ...], Array]:
    """Axes of an effect -> its values, with one level along the axes of all other factors; without the mean
    of all. `factors`: how many axes are factors, the first ones (None: all)."""
    count = values.ndim if factors is None else factors
    parts: dict[tuple[int, ...], Array] = {(): values}
    for axis in range(count):
        split = {}
        for axes, part in parts.items():
            mean = part.mean(axis, keepdims=True)
            split[axes] = mean
            split[*axes, axis] = part - mean
        parts = split
    order = [axes for n in range(1, count + 1) for axes in combinations(range(count), n)]
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
