"""Iterations to a target, counted from the training losses in a grid's tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.summary import finished, numbers
from harness.common.errors import UserError
from harness.records.passages import first_passage, outcome, sustained_passage
from harness.records.tables import Tables

Losses = Mapping[str, NDArray[np.float64]]
"""Cell id -> its training losses [iterations]."""
STOPPED = ("stopped", "failed")
"""Endings of runs that say nothing of what would have come after."""


def training_losses(tables: Tables, trials: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    """Those of the cells of these `trials`, by cell id."""
    curves = tables.trajectories[tables.trajectories["cell_id"].isin(trials["cell_id"])]
    return {str(cell): numbers(rows["train_loss"]) for cell, rows in curves.groupby("cell_id", sort=False)}


def counts(name: str, trials: pd.DataFrame, losses: Losses, sustained: bool) -> NDArray[np.float64]:
    """[rows] iterations to the training loss in the column `target`, NaN: a miss, or no target. `trials`: of
    cells with a result. UserError, which begins with `name`: a run stopped before."""
    of = sustained_passage if sustained else first_passage
    found = np.full(len(trials), np.nan)
    rows = zip(*(trials[key] for key in ("cell_id", "target", "ending", "target_loss")), strict=True)
    for at, (cell, goal, ending, own) in enumerate(rows):
        passage = None if np.isnan(goal) else of(losses[cell], goal)
        if passage is not None:
            found[at] = passage
        elif not np.isnan(goal) and ending in STOPPED:
            raise UserError(
                f"{name}: runs stopped at their target, before they reached a training loss of {goal:g}; ask "
                f"for {own:g} or more, or sweep the grid with a lower target_loss"
            )
    return found


def counted_to(name: str, tables: Tables, target: float) -> pd.DataFrame:
    """The trials as if the grid's target were this training loss: target_loss, both counts and the outcome.
    UserError, which begins with `name`: a run stopped before."""
    trials = tables.trials.assign(target_loss=target)
    done = finished(tables.trials)
    losses = training_losses(tables, done)
    asked = done.assign(target=target)
    for column, sustained in (("iterations_to_target", False), ("iterations_to_target_sustained", True)):
        values = pd.Series(counts(name, asked, losses, sustained), done.index)
        trials[column] = values.reindex(trials.index).astype("Int64")
    outcomes = [
        outcome(losses[cell], ending, int(run), target, int(budget))
        for cell, ending, run, budget in zip(
            *(done[key] for key in ("cell_id", "ending", "iterations_run", "max_iterations")), strict=True
        )
    ]
    trials.loc[done.index, "outcome"] = outcomes
    return trials
