"""What random search has found after so many iterations: exact, for any costs of its runs.

All settings are tried in random order, each once. K of N are hits; D of the misses are short (they diverged),
and F cost the whole budget T. The misses before the first hit are then a whole and d short ones with
probability C(F, a) C(D, d) K m! (N-m-1)! / N!, m = a + d, each choice of d short ones as likely as any other.
So only the sums of d short costs need counting.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from harness.analysis.sensitivity.resamples import Array


class Misses:
    """Runs that are gone through before the first hit."""

    def __init__(self, budget: int, last: int) -> None:
        """budget: T, in iterations; last: sums beyond this are not asked for."""
        self.whole, self.short = 0, 0
        self._budget, self._last = budget, last
        self._share = np.ones((1, 1))
        """[d, s]: of all choices of d short ones, the share that costs s in all."""
        self._below: Array | None = None

    def add(self, cost: int) -> None:
        """One more."""
        if cost >= self._budget:
            self.whole += 1
            return
        before, width = self._share, min(self._share.shape[1] + cost, self._last + 1)
        self.short += 1
        self._share, self._below = np.zeros((self.short + 1, width)), None
        # Of all choices of d of them, the share (short - d) / short is without the new one.
        d = np.arange(self.short + 1)[:, None] / self.short
        without, with_it = before[:, :width], before[:, : max(width - cost, 0)]
        self._share[:-1, : without.shape[1]] = without * (1 - d[:-1])
        self._share[1:, cost : cost + with_it.shape[1]] += with_it * d[1:]

    def reached(self, hits: ArrayLike, runs: int, extra: int = 0) -> Array:
        """The probability that a hit has ended after n budgets and `extra` < T iterations, n = 0 ... `runs`.

        `hits` [K]: what each hit costs, in iterations. [runs + 1].
        """
        costs, times = np.unique(np.asarray(hits, np.int64), return_counts=True)
        if costs.size == 0:
            return np.zeros(runs + 1)
        if self._below is None:
            self._below = np.cumsum(self._share, axis=1)
        width = self._below.shape[1]
        some = min(runs, 2 + width // self._budget)  # from there on, all short ones have ended
        left = self._budget * np.arange(some + 1) + extra - costs[:, None]  # [costs, n]
        found = np.where(left >= 0, self._below[:, np.clip(left, 0, width - 1)], 0.0)
        within = np.einsum("dcn,c->dn", found, times / times.sum())
        within = within[:, np.minimum(np.arange(runs + 1), some)]
        both = self._chance(int(times.sum()), runs) @ within  # [a, n]
        return np.array([np.trace(both[: n + 1, : n + 1][::-1]) for n in range(runs + 1)])

    def _chance(self, hits: int, runs: int) -> Array:
        """[a, d]: the probability that a whole and d short ones come before the first hit; a = 0 ...
        `runs`."""
        a, d = np.arange(min(self.whole, runs) + 1)[:, None], np.arange(self.short + 1)
        m, every = a + d, self.whole + self.short + hits
        logs = _choose(self.whole, a) + _choose(self.short, d) + np.log(hits)
        chance = np.zeros((runs + 1, self.short + 1))
        chance[: len(a)] = np.exp(logs + gammaln(m + 1) + gammaln(every - m) - gammaln(every + 1))
        return chance


def _choose(n: int, k: NDArray[np.int64]) -> Array:
    """The logarithm of C(n, k)."""
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), float)


def chance_by(cost: ArrayLike, hit: ArrayLike, budget: int, runs: int, parts: int) -> Array:
    """The probability that the target is reached, at x = 0, T / parts, 2 T / parts, ... `runs` T iterations.

    `cost` [B]: the passage of a hit, all that a miss ran; `hit` [B]: flags. -> [runs * parts + 1].
    """
    cost, hit = np.asarray(cost, np.int64), np.asarray(hit, bool)
    misses = Misses(budget, budget * (runs + 1))
    for one in cost[~hit]:
        misses.add(int(one))
    extras = [budget * part // parts for part in range(parts)]
    found = np.stack([misses.reached(cost[hit], runs, extra) for extra in extras], 1)
    return found.ravel()[: runs * parts + 1]


def best_by(loss: ArrayLike, ran: ArrayLike, budget: int, runs: int) -> Array:
    """The expected lowest loss of the runs that have ended after n budgets, n = 1 ... `runs`.

    `loss` [B], `ran` [B]: iterations that each costs, at most the budget. -> [runs].
    """
    loss, ran = np.asarray(loss, float), np.asarray(ran, np.int64)
    order = np.argsort(-loss, kind="stable")
    ordered, costs = loss[order], ran[order]
    misses, best = Misses(budget, budget * (runs + 1)), np.full(runs, ordered[0])
    for at, gained in enumerate(-np.diff(ordered), 1):  # a run that is better than the worst `at` of them
        misses.add(int(costs[at - 1]))
        if gained > 0:
            best -= gained * misses.reached(costs[at:], runs)[1:]
    return best
