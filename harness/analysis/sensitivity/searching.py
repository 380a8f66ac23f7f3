"""What random search over a method's settings costs and finds: exact expectations, without simulation.

B settings are tried in random order, each once. Search space and budget belong to every number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from harness.analysis.sensitivity.resamples import Array


def expected_best(values: ArrayLike, more_is_better: bool = True) -> Array:
    """The budget curve: the expected best of n of B settings, drawn without replacement.

    `values` [..., B], in any order -> [..., B] for n = 1 ... B, in their unit. With v_(1) <= ... <= v_(B) it
    is sum_j v_(j) C(j-1, n-1) / C(B, n) where more is better; where less is, sum_j v_(j) C(B-j, n-1) / C(B,
    n). Exact for these B values, and unbiased for those that they are a sample of (Tang et al. 2020, "Showing
    your work doesn't always work"). The estimate of Dodge et al. 2019, "Show your work", draws with
    replacement and is never better. A setting that failed may have the worst value, -inf or inf: the
    expectation is infinite for as long as all n may have failed.
    """
    ordered = np.sort(np.asarray(values, float), axis=-1)
    if not more_is_better:
        return -expected_best(-ordered)
    failed, chance = ordered == -np.inf, chance_of_rank(ordered.shape[-1])
    best = np.where(failed, 0.0, ordered) @ chance.T
    n = np.arange(1, ordered.shape[-1] + 1)
    return np.where(n <= np.count_nonzero(failed, axis=-1)[..., None], -np.inf, best)


def chance_of_rank(size: int) -> Array:
    """[n, j]: the probability that the largest of n of `size` values, drawn without replacement, is the j-th
    smallest: C(j-1, n-1) / C(size, n); n, j = 1 ... size. Each row adds up to 1."""
    rank = np.arange(1, size + 1)
    chance = np.empty((size, size))
    chance[0] = 1 / size
    for n in range(1, size):
        # C(j-1, n) / C(B, n+1) from C(j-1, n-1) / C(B, n): no binomial is ever large.
        chance[n] = chance[n - 1] * (n + 1) / n * np.maximum(rank - n, 0) / (size - n)
    return chance


def chance_of_hit(hits: ArrayLike, size: int) -> Array:
    """The probability that n of B settings, drawn without replacement, include one that reaches the target.

    `hits` [...]: K, how many of the `size` = B settings do -> [..., B] for n = 1 ... B:
    1 - C(B-K, n) / C(B, n), of the hypergeometric distribution. (The expected best count is infinite as long
    as n <= B - K.)
    """
    missing = size - np.asarray(hits)[..., None]
    drawn = np.arange(size)  # before this draw
    return np.asarray(1 - np.cumprod(np.maximum(missing - drawn, 0) / (size - drawn), axis=-1), float)


def tuning_cost(cost: ArrayLike, hit: ArrayLike, replacement: bool = False) -> Array:
    """What random search is expected to spend until its first run that reaches the target, abandoned runs
    included.

    `cost` [B, ...]: of each setting, up to its passage if it hits, else all that it ran; any unit, such as
    meta-iterations or gradient evaluations. `hit` [B, ...]: whether it reaches the target -> [...], infinite
    if none does. Of K that do, without replacement: (B-K) / (K+1) * mean cost of a miss + mean cost of a hit;
    with replacement sum of all costs / K, which is COCO's average runtime (aRT, also ERT; Hansen et al. 2016,
    "COCO: Performance assessment"). K hits part the B-K misses, in random order, into K+1 gaps of the same
    expected length; the first gap is paid for.

    It charges a method for every hyper-parameter that it brings: a useless one, which repeats each setting k
    times, never makes it cheaper, as k (B-K) / (k K+1) >= (B-K) / (K+1).
    """
    cost, hit = np.asarray(cost, float), np.asarray(hit, bool)
    size, hits = len(cost), np.count_nonzero(hit, axis=0)
    misses = size - hits
    of_hits, of_misses = np.where(hit, cost, 0.0).sum(0), np.where(hit, 0.0, cost).sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        if replacement:
            spent = (of_hits + of_misses) / hits
        else:
            mean_miss = np.where(misses > 0, of_misses / np.maximum(misses, 1), 0.0)
            spent = misses / (hits + 1) * mean_miss + of_hits / hits
    return np.asarray(np.where(hits == 0, np.inf, spent), float)
