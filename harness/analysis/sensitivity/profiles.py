"""How many settings come close to the best, and how many targets are reached in how many iterations."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from harness.analysis.sensitivity.resamples import NOISE, Array


def robust_area(counts: ArrayLike, factor: float = 2.0) -> Array:
    """Share of a method's settings whose count is within a factor of the method's own best.

    `counts` [N, ...]: iterations to the target, inf: a miss -> [...], 0 where all miss. Without a unit.
    """
    counts = np.asarray(counts, float)
    best = counts.min(0)
    return np.where(np.isfinite(best), (counts <= _just(factor * best)).mean(0), 0.0)


def profile(counts: ArrayLike, best: ArrayLike, factors: ArrayLike) -> Array:
    """Performance profile: rho(tau), the share of settings whose count is within a factor tau of the best of
    all methods. Dolan and Moré 2002, "Benchmarking optimization software with performance profiles", with
    settings in the place of their problems.

    `counts` [N, S], inf: a miss; `best` [S]: of all methods, seed by seed (inf: nobody reached it);
    `factors` [T] -> [T, S]. Without a unit; does not decrease in tau; its limit is the share that reaches the
    target at all.
    """
    counts, best = np.asarray(counts, float), np.asarray(best, float)
    limits = _just(np.asarray(factors, float)[:, None] * best)
    return (np.isfinite(counts) & (counts <= limits[:, None])).mean(1)


def _just(limits: Array) -> Array:
    """Limits that whole numbers meet: 1.16 * 25 is rounded to less than 29."""
    return limits * (1 + NOISE)


def passages(losses: ArrayLike, targets: ArrayLike) -> Array:
    """The first iteration, from 1, at which each target is reached: one trajectory answers all of them.

    `losses` [I]; `targets` [T] -> [T], inf: not reached. A loss that is not finite reaches nothing.
    """
    losses = np.asarray(losses, float)
    lowest = np.minimum.accumulate(np.where(np.isfinite(losses), losses, np.inf))
    at = np.searchsorted(-lowest, -np.asarray(targets, float))  # -lowest rises
    return np.where(at < len(losses), at + 1.0, np.inf)


def reached_by(counts: ArrayLike, iterations: ArrayLike) -> Array:
    """ECDF of counts over many targets: the share of (setting, target) that is reached by an iteration.

    `counts` [..., n], inf: a miss; `iterations` [I] -> [..., I]. Without a unit. COCO's distribution of
    runtimes over targets (Hansen et al. 2016, "COCO: Performance assessment"), with settings in the place of
    its problems.
    """
    ordered = np.sort(np.asarray(counts, float), axis=-1)
    flat = ordered.reshape(-1, ordered.shape[-1])
    shares = [np.searchsorted(row, iterations, side="right") / len(row) for row in flat]
    return np.reshape(shares, (*ordered.shape[:-1], -1))
