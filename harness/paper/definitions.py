"""What all claims share: targets, budget, pairs of rates, and what its words are taken to mean.

Meanings and thresholds were fixed after the first small sets of records and before the full grids were run.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

TARGETS = (2.5, 2.99)
"""Training losses of Figures 2 and 3, nats."""
BUDGET = 500
"""Iterations that the paper gave each cell."""
PAPER_COUNT = 165
"""MAML's iterations to 2.99 from (1e-4, 1e-6), as the paper says of its Figure 3."""

DIAGONALS = {
    "paper-adam": ((1e-1, 1e-3), (1e-2, 1e-4), (1e-3, 1e-5), (1e-4, 1e-6), (1e-5, 1e-7)),
    "paper-sgd": ((1.0, 1e-1), (1e-1, 1e-2), (1e-2, 1e-3), (1e-3, 1e-4), (1e-4, 1e-5)),
}
"""By preset: (alpha0, beta0) of Figure 2's panels, from the tuned pair down by decades."""
TUNED = DIAGONALS["paper-adam"][0]
"""The pair of the original MAML."""

ENOUGH_VALUES = 3
"""Values of each hyper-rate that a share of the choices needs."""

RATES = ("alpha0", "beta0", "alpha_hyperlr", "beta_hyperlr")
HYPER_RATES = RATES[2:]
"""Those of Alpha-MAML alone."""
Passage = Callable[[np.ndarray, float], int | None]
"""first_passage or sustained_passage of harness.records.passages: (losses, target) -> iteration."""

MEANINGS = {
    "count": "the first iteration, counted from 1, with a training loss at or below the target (the first "
    "passage). Sustained: the first iteration at which the mean of the last 10 losses is at or below it, "
    "which lags by construction",
    "miss": f"a run that does not pass the target within {BUDGET} iterations, or that diverges first; a miss "
    "is slower than any count, and two misses are equally slow",
    "tuned": "the pair of initial rates (alpha0, beta0) from which Figure 2 goes down by decades: (1e-1, "
    "1e-3) under paper-adam, that of the original MAML. The pairs that the paper names have both rates 2, 3 "
    "and 4 decades below it (decades off). Under paper-sgd, 2, 3 and 4 decades are counted from (1, 1e-1), "
    "MAML's fastest pair there",
}
"""Words that several claims use. A word of one claim is explained with it."""
ON_VERDICTS = {
    "choice of hyper-rates": "a pair (alpha_hyperlr, beta_hyperlr). A share of the choices is judged only "
    f"where the grids have at least {ENOUGH_VALUES} values of each and half of their combinations, and where "
    "it does not depend on the grid's edges: with the smallest or the largest value of either left out, the "
    "verdict does not turn into its opposite",
    "on few cells": "paper-adam judged again, on only the cells that all the readings beside it have, each "
    "run cut where theirs would have ended. If a reading without further cells or longer runs differs from "
    "this by more than rounding, the reading makes the difference, not the choice of cells",
    "over seeds": "each claim is judged seed by seed; a verdict stands if all seeds with a verdict agree",
    "cannot be told": "the cells that were not run could change the verdict; or the seeds disagree; or it "
    "turns into its opposite when an edge of the grid of hyper-rates is left out",
}
"""Words for how a verdict is reached."""


def from_pair(trials: pd.DataFrame, pair: tuple[float, float]) -> pd.Series:
    """Which rows of a trials table start from these initial rates (alpha0, beta0)."""
    return (trials["alpha0"] == pair[0]) & (trials["beta0"] == pair[1])
