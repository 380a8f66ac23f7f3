"""The control of the readings that change one field: paper-adam on only the cells that all of them have."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from harness.analysis.summary import numbers
from harness.paper.definitions import RATES
from harness.paper.reading import MAIN, ON_FEW_CELLS, Records
from harness.records.passages import first_passage, outcome, sustained_passage

POINT = ["method", *RATES, "seed"]
"""What identifies a cell across readings."""


def with_few_cells(records: Sequence[Records]) -> list[Records]:
    """The records, with paper-adam on few cells put before those that change a field of it.

    Its cells are those shared by all readings that change a field and have both methods; its runs are cut
    where they would have ended with the targets and budgets of those. If they share no cells, it is left out.
    """
    base = next((one for one in records if one.reading == MAIN), None)
    changed = [one for one in records if one.reading.preset == MAIN.preset and one.reading != MAIN]
    both = [one.trials for one in changed if one.trials["method"].nunique() > 1]
    if base is None or not both:
        return list(records)
    by = pd.concat(both).groupby(POINT, dropna=False, sort=False)  # MAML's null hyper-rates are equal
    # With several targets, the highest ends a run first.
    asked = by.agg({"target_loss": "max", "max_iterations": "min"})[by.size() == len(both)].reset_index()
    few = base.trials.drop(columns=["target_loss", "max_iterations"]).merge(asked, on=POINT)
    if few.empty:
        return list(records)
    curves = dict(list(base.trajectories.sort_values("iteration").groupby("cell_id")))
    rows, cuts = [], []
    for trial in few.to_dict("records"):
        curve = curves.get(trial["cell_id"], base.trajectories.iloc[:0])
        row, cut = _cut(trial, curve) if len(curve) else (trial, curve)
        rows.append(row)
        cuts.append(cut)
    table = pd.DataFrame(rows, columns=base.trials.columns).astype(base.trials.dtypes)
    few_cells = Records(reading=ON_FEW_CELLS, trials=table, trajectories=pd.concat(cuts))
    before = [one.reading for one in records].index(changed[0].reading)
    return [*records[:before], few_cells, *records[before:]]


def _cut(trial: dict[Any, Any], curve: pd.DataFrame) -> tuple[dict[Any, Any], pd.DataFrame]:
    """The trial, and as much of its curve as a run with this target and budget would have."""
    budget, target = int(trial["max_iterations"]), float(trial["target_loss"])
    goal = None if math.isnan(target) else target
    within = numbers(curve["train_loss"])[:budget]
    at = None if goal is None else sustained_passage(within, goal)
    cut = curve.iloc[: at or len(within)]
    ending = "stopped" if at else "budget" if len(curve) > budget else trial["ending"]
    last = cut.ffill().iloc[-1]  # beta of the last update, the last validation
    return trial | {
        "ending": ending,
        "outcome": outcome(within, ending, len(cut), goal, budget),
        "iterations_run": len(cut),
        "iterations_to_target": None if goal is None else first_passage(within, goal),
        "iterations_to_target_sustained": at,
        "final_alpha": last["alpha"],
        "final_beta": trial["beta0"] if pd.isna(last["beta"]) else last["beta"],
        "final_train_loss": cut["train_loss"].iloc[-1],
        "final_val_loss": last["val_loss"],
        "final_val_accuracy": last["val_accuracy"],
    }, cut
