"""Performance, and what tuning for each environment adds to it: Adkins, Bowling and White (2024), "A method
for evaluating hyperparameter sensitivity in reinforcement learning", with the code of their figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import lcm

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.analysis.sensitivity.resamples import NOISE, Array, first_best

LOW, HIGH = 5, 95
"""The percentiles of an environment's scores that become 0 and 1."""
ENOUGH = 0.95
"""The share of the tuned score that the effective dimension asks for."""
MAX_KNOBS = 16


def scale(scores: Sequence[Array]) -> tuple[Array, Array]:
    """p5 and p95 of one environment's scores, from which Gamma follows.

    `scores`: for each method [settings, ...], at least one setting, more is better -> [...] each. Percentiles
    over all settings of all methods where each method has the same total weight, else the one with most
    settings would set everybody's scale: the smallest score at or below which lies at least that share of the
    weight. The trailing axes are resamples: each has percentiles of its own.
    """
    both = np.concatenate(list(scores))
    whole = lcm(*map(len, scores))  # weights in whole numbers, so that shares are compared exactly
    total = whole * len(scores)
    kind = np.int64 if total * 100 < 2**62 else object
    weights = np.concatenate([np.full(len(one), whole // len(one), dtype=kind) for one in scores])
    order = np.argsort(both, axis=0)
    ordered, below = np.take_along_axis(both, order, 0), np.cumsum(weights[order], axis=0)
    at = (np.argmax(below * 100 >= share * total, axis=0)[None] for share in (LOW, HIGH))
    low, high = (np.take_along_axis(ordered, one, 0)[0] for one in at)
    return low, high


def gamma(scores: Array, low: ArrayLike, high: ArrayLike) -> Array:
    """Normalised scores, Gamma = (G - p5) / (p95 - p5), not clipped, without a unit; NaN where p5 = p95 but
    for rounding.

    `scores` [settings, ...]; `low`, `high`: see `scale`. Adkins et al. 2024.
    """
    low, high = np.asarray(low, float), np.asarray(high, float)
    return (scores - low) / np.where(apart(low, high), high - low, np.nan)


def apart(low: ArrayLike, high: ArrayLike) -> NDArray[np.bool_]:
    """Whether p5 and p95 [...] differ by more than rounding."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    return np.asarray(high - low > NOISE * np.maximum(np.abs(low), np.abs(high)))


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What tuning is worth to one method: see `tuned`. R weightings of the seeds."""

    per_environment: Array
    """[R] mean over environments of the best Gamma there: P_all."""
    default: Array
    """[R] the mean over environments of the one setting that is best for all: P_0."""
    chosen: NDArray[np.int64]
    """[R] that setting."""

    @property
    def phi(self) -> Array:
        """[R] hyper-parameter sensitivity: what tuning for each environment adds to tuning once for all. At
        least 0, as no mean exceeds that of the maxima."""
        return np.maximum(self.per_environment - self.default, 0.0)


def tuned(normalised: Array, ran: ArrayLike) -> Tuned:
    """Hyper-parameter sensitivity, Phi = mean_e max_h Gamma(e, h) - max_h mean_e Gamma(e, h), without a unit.

    `normalised` [E, N, R]: Gamma in E >= 2 environments; `ran` [E, N]: which settings were run where. The
    first maximum is over all settings of an environment, the second over those that were run in every one;
    ties go to the first of the table. Adkins et al. 2024, as in their code. NaN where Gamma of a setting that
    was run is. Raises ValueError if no setting was run in every environment.
    """
    ran = np.asarray(ran, bool)
    best = np.where(ran[..., None], normalised, -np.inf).max(1).mean(0)
    common = np.flatnonzero(ran.all(0))
    if common.size == 0:
        raise ValueError("no setting was run in every environment")
    means = normalised[:, common].mean(0)
    chosen = first_best(means)
    default = np.take_along_axis(means, chosen[None], 0)[0]
    return Tuned(per_environment=best, default=default, chosen=common[chosen])


def subset_scores(normalised: Array, ran: ArrayLike, knobs: ArrayLike, default: int) -> Array:
    """P_k, k = 0 ... H: the best mean score when k factors are tuned for each environment: hyper-parameters,
    or such as were varied together.

    `normalised` [E, N, ...], `ran` [E, N]; `knobs` [N, H]: the level of each hyper-parameter in each setting;
    `default`: the setting, run in every environment, whose values the others keep -> [H + 1, ...]. P_k is the
    maximum over all subsets of k factors of mean_e max_h Gamma, h over the settings that every
    environment has and that agree with the default outside the subset. P_H is P_all: over all settings of
    each environment. P_k does not decrease in k.

    Settings are grouped by the set of factors in which they differ from the default, once, and each
    subset then takes what its groups reached. The plain version is `subset_scores_plain`.
    """
    ran, knobs = np.asarray(ran, bool), np.asarray(knobs)
    count = knobs.shape[1]
    common = np.flatnonzero(ran.all(0))
    differs = (knobs[common] != knobs[default]) @ (1 << np.arange(count))
    groups = np.unique(differs)
    reached = np.stack([normalised[:, common[differs == group]].max(1) for group in groups])
    scores = np.empty((count + 1, *normalised.shape[2:]))
    for k in range(count):
        subsets = [sum(1 << knob for knob in some) for some in combinations(range(count), k)]
        scores[k] = np.max([reached[(groups & ~one) == 0].max(0).mean(0) for one in subsets], axis=0)
    everywhere = ran.reshape(*ran.shape, *[1] * (normalised.ndim - 2))
    scores[count] = np.where(everywhere, normalised, -np.inf).max(1).mean(0)
    return scores


def subset_scores_plain(normalised: Array, ran: ArrayLike, knobs: ArrayLike, default: int) -> Array:
    """The same for [E, N] by the definition: a loop over subsets, environments and settings."""
    ran, knobs = np.asarray(ran, bool), np.asarray(knobs)
    environments, settings, count = range(len(ran)), range(len(knobs)), knobs.shape[1]
    scores = []
    for k in range(count):
        best = -np.inf
        for free in combinations(range(count), k):
            fixed = [knob for knob in range(count) if knob not in free]
            kept = [
                h
                for h in settings
                if ran[:, h].all() and all(knobs[h, knob] == knobs[default, knob] for knob in fixed)
            ]
            best = max(best, np.mean([max(normalised[e, h] for h in kept) for e in environments]))
        scores.append(best)
    scores.append(np.mean([max(normalised[e, h] for h in settings if ran[e, h]) for e in environments]))
    return np.array(scores)


def dimension(scores: ArrayLike) -> Array:
    """Effective dimension: how many factors have to be tuned for each environment.

    `scores` [H + 1, ...]: P_0 ... P_H of `subset_scores` -> [...]: the k at which P_k reaches 0.95 P_H,
    linear in between; 0 if P_0 does; NaN if P_H <= 0, where 95 % of it means nothing, or is NaN. A score that
    falls short of it by rounding alone reaches it. Adkins et al. 2024, as in the code of their figures.
    """
    scores = np.asarray(scores, float)
    goal = ENOUGH * scores[-1]
    first = np.argmax(scores >= goal * (1 - NOISE), axis=0)
    after = np.take_along_axis(scores, first[None], 0)[0]
    before = np.take_along_axis(scores, np.maximum(first - 1, 0)[None], 0)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        between = first - 1 + np.minimum((goal - before) / (after - before), 1.0)
    return np.where(scores[-1] > 0, np.where(first == 0, 0.0, between), np.nan)
