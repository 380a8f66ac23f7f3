"""Robust summaries of many runs, as in rliable: Agarwal et al. (2021), "Deep reinforcement learning at the
edge of the statistical precipice"."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from harness.analysis.sensitivity.resamples import Array

CUT = 0.25
"""The share of the runs that is left out at either end."""


def interquartile_mean(scores: ArrayLike, counts: ArrayLike | None = None) -> Array:
    """Mean of the middle half of all scores: scipy's trim_mean with floor(n / 4) scores cut at either end.

    `scores` [n], of all runs and environments, in their unit. `counts` [..., n]: how often each is taken,
    whole numbers (None: each once) -> [...]. A score that is cut may be infinite. Agarwal et al. 2021.
    """
    scores = np.asarray(scores, float)
    taken = np.ones(scores.size) if counts is None else np.asarray(counts, float)
    order = np.argsort(scores)
    upto = np.cumsum(taken[..., order], axis=-1)
    size = upto[..., -1:]
    cut = np.floor(CUT * size)
    inside = np.diff(np.clip(upto, cut, size - cut), axis=-1, prepend=cut)
    return np.asarray((inside * np.where(inside > 0, scores[order], 0.0)).sum(-1) / inside.sum(-1))


def chance_of_improvement(ours: ArrayLike, theirs: ArrayLike) -> Array:
    """The probability that a run of ours is better than one of theirs; a tie counts half.

    `ours` [n, ...], `theirs` [m, ...], more is better: every one of ours beside every one of theirs, within
    the same trailing index (a seed, an environment) -> [...]. With n = m = 1 and one index for each seed it
    is paired by seeds. The Mann-Whitney statistic over n m; Agarwal et al. 2021, who average it over tasks.
    """
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    shape = np.broadcast_shapes(ours.shape[1:], theirs.shape[1:])
    mine, others = (np.broadcast_to(x, (len(x), *shape)).reshape(len(x), -1) for x in (ours, theirs))
    shares = []
    for one, other in zip(mine.T, np.sort(others, axis=0).T, strict=True):
        below, upto = (np.searchsorted(other, one, side=side) for side in ("left", "right"))
        shares.append((below + upto).mean() / 2 / len(other))
    return np.reshape(shares, shape)
