"""What one gains over a default, in total and by each hyper-parameter; and how flat a range of rates is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.analysis.sensitivity.resamples import Array, first_best


def best_everywhere(risk: Array, ran: ArrayLike) -> int:
    """The default h* = argmin over the settings that were run in every environment of their mean risk there;
    ties go to the first. `risk` [E, N], less is better -> its place in N. Probst, Boulesteix and Bischl 2019,
    "Tunability: importance of hyperparameters of machine learning algorithms", where an environment is a data
    set. ValueError: there is none."""
    common = np.flatnonzero(np.asarray(ran, bool).all(0))
    if common.size == 0:
        raise ValueError("no setting was run in every environment")
    return int(common[first_best(-risk[:, common].mean(0))])


def tunability(risk: ArrayLike, default: int, free: ArrayLike) -> Array:
    """risk(h*) - min_h risk(h), h over the `free` settings: what tuning them gains over the default.

    `risk` [N, ...], less is better, in any unit; `default`: h*; `free` [N]: flags, h* among them -> [...], in
    the unit of the risk, at least 0. Probst et al. 2019, of an algorithm (all settings are free) and of one
    hyper-parameter (those of `along` are).
    """
    risk = np.asarray(risk, float)
    return risk[default] - risk[np.asarray(free, bool)].min(0)


def along(knobs: ArrayLike, default: int, factor: Sequence[int]) -> NDArray[np.bool_]:
    """Flags [N]: the settings that differ from the default in nothing but one factor: some columns of `knobs`
    [N, H], more than one where they were varied together."""
    others = np.delete(np.asarray(knobs), list(factor), axis=1)
    return (others == others[default]).all(1)


def rate_sensitivity(final: ArrayLike, start: ArrayLike) -> Array:
    """Learning-rate sensitivity: mean over the settings of [min(final loss, loss at the start) - best].

    `final` [N, ...] at the end of training (inf or NaN: diverged); `start` [N, ...] of the untrained network,
    so that a run that diverges counts as one that learns nothing; the best is the lowest of these minima ->
    [...] in the unit of the loss, at least 0; 0: any rate of the range is as good as the best, or none learns
    anything. It depends on the range. Wortsman et al. 2024, "Small-scale proxies for large-scale transformer
    training instabilities", section 2.2, where the best is the lowest final loss: the same where any run ends
    below its start.
    """
    capped = np.fmin(np.asarray(final, float), np.asarray(start, float))
    return np.asarray((capped - capped.min(0)).mean(0))
