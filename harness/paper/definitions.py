"""What all claims share: targets, budget, pairs of rates, and words whose meaning was fixed beforehand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.analysis.summary import RATES

TARGETS = (2.5, 2.99)
"""Training losses of Figures 2 and 3, nats."""
BUDGET = 500
"""Iterations that the paper gave each cell."""
PAPER_COUNT = 165
"""Iterations of MAML at (1e-4, 1e-6) to 2.99, says Figure 3."""

DIAGONALS = {
    "paper-adam": ((1e-1, 1e-3), (1e-2, 1e-4), (1e-3, 1e-5), (1e-4, 1e-6), (1e-5, 1e-7)),
    "paper-sgd": ((1.0, 1e-1), (1e-1, 1e-2), (1e-2, 1e-3), (1e-3, 1e-4), (1e-4, 1e-5)),
}
"""(alpha0, beta0) of Figure 2's panels by preset, from the tuned pair down by decades."""
TUNED = DIAGONALS["paper-adam"][0]
"""That of the original MAML."""

ENOUGH_VALUES = 3
"""Of each hyper-rate."""

HYPER_RATES = RATES[2:]
Passage = Callable[[np.ndarray, float], int | None]
"""One of harness.records.passages: losses and target to the iteration."""

MEANINGS = {
    "count": "the first iteration, counted from 1, whose training loss is at or below the target; sustained: "
    "the first at which the mean of the last 10 losses is, which lags by construction",
    "miss": f"a run of {BUDGET} iterations without a passage, or one that diverged; it is slower than any "
    "count and ties with another miss",
    "tuned": "the pair of initial rates at the top of Figure 2's diagonal: (1e-1, 1e-3) under paper-adam, "
    "that of the original MAML. The pairs that the paper names lie 2, 3 and 4 decades below it, and so they "
    "are read under paper-sgd, whose diagonal starts from MAML's fastest pair there, (1, 1e-1)",
}
"""Of words that several claims use. Those of one claim are explained with it."""
ON_VERDICTS = {
    "choice of hyper-rates": f"a share is told where at least {ENOUGH_VALUES} values of each hyper-rate and "
    "half of their combinations were asked, and where it does not hang on the grid's edges: without the "
    "least or the largest decade of either the verdict does not turn into its opposite",
    "on few cells": "paper-adam judged once more, on just those cells that the readings beside it were all "
    "asked on, each run only as far as they all asked: where a reading of no more cells and no longer runs "
    "differs from it by more than rounding, the reading makes the difference, and not the choice of cells",
    "over seeds": "the predicate is judged seed by seed; it is told if all that can be told agree",
    "cannot be told": "cells not run leave bounds, and the verdict differs between them",
}
"""How a verdict comes about."""
