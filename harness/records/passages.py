"""When a training loss passes its target, and how a run ended: one pure function each.

Iterations are counted from 1. A loss that is not finite never passes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

WINDOW = 10
"""Losses whose mean has to be at or below the target for a sustained passage."""


def first_passage(losses: ArrayLike, target: float) -> int | None:
    """The first iteration whose training loss is <= target; None if there is none.

    `losses` [iterations], nats: those of iterations 1, 2, ...
    """
    return _first(np.asarray(losses, float), target)


def sustained_passage(losses: ArrayLike, target: float, window: int = WINDOW) -> int | None:
    """The first iteration i >= window at which the mean of the last `window` losses is <= target.

    It lags by construction: the losses i-window+1 ... i have all been seen. None if there is none.
    """
    passage = _first(running_mean(losses, window), target)
    return None if passage is None else passage + window - 1


def lowest_sustained(losses: ArrayLike) -> float:
    """The lowest mean of 10 consecutive losses: the lowest target with a sustained passage here.

    inf if there are fewer than 10, or none with a mean.
    """
    means = running_mean(losses)
    return float(np.min(means, where=~np.isnan(means), initial=math.inf))


def running_mean(losses: ArrayLike, window: int = WINDOW) -> NDArray[np.float64]:
    """Means over `window` consecutive losses: [max(iterations - window + 1, 0)], the first of 1 ... window.

    A mean depends on its own losses alone, wherever they stand, and is exact if they are all equal: it is
    summed in one fixed order, as differences from the window's first loss.
    """
    x = np.asarray(losses, float)
    count = x.size - window + 1
    if count <= 0:
        return np.empty(0)
    first = x[:count]
    with np.errstate(invalid="ignore", over="ignore"):  # inf - inf: a mean that never passes
        total = np.zeros(count)
        for k in range(1, window):
            total += x[k : k + count] - first
        return first + total / window


def outcome(
    losses: ArrayLike,
    ending: str | None,
    iterations_run: int | None,
    target: float | None,
    max_iterations: int,
) -> str | None:
    """A record's answer to a grid's question: reached, budget, diverged or failed; None: not run yet.

    Reached if there is a first passage within the budget, whatever follows. Otherwise what ended the run, if
    that was within the budget: a divergence is in the last row, a failure comes after it. `losses` and
    `iterations_run` are the record's own and may go beyond the budget.
    """
    if ending is None or iterations_run is None:
        return None
    if target is not None and first_passage(np.asarray(losses, float)[:max_iterations], target) is not None:
        return "reached"
    if ending == "diverged" and iterations_run <= max_iterations:
        return "diverged"
    if ending == "failed" and iterations_run < max_iterations:
        return "failed"
    return "budget"


def _first(values: NDArray[np.float64], target: float) -> int | None:
    hits = np.flatnonzero(np.isfinite(values) & (values <= target))
    return int(hits[0]) + 1 if hits.size else None
