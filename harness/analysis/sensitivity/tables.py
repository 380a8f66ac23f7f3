"""Our own tables as runs: an environment is a protocol with its target, a cost is in iterations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis import labels
from harness.analysis.learned import learned
from harness.analysis.sensitivity import profiles
from harness.analysis.sensitivity.runs import Array, Runs, runs
from harness.analysis.summary import finished, hyper_columns, numbers
from harness.common import places
from harness.common.errors import UserError
from harness.common.frozen import Frozen
from harness.common.plugins import NotLoaded
from harness.common.text import counted
from harness.methods import METHODS
from harness.records.passages import WINDOW, first_passage, running_mean, sustained_passage
from harness.records.tables import Tables, grid_of

TARGETS = 51
"""Of the ECDF: evenly spaced from the loss of untrained weights down to the target."""


class Passage(Frozen):
    """What is asked of a run."""

    target: float | None = None
    """A training loss; None: each grid's own."""
    sustained: bool = False
    """Whether the target is reached at the sustained passage, not at the first."""


FIRST = Passage()


def of_tables(asked: Mapping[str, Tables], passage: Passage = FIRST) -> Runs:
    """The runs of one or several grids, by name (see records.tables), each cell once.

    An environment is a protocol with its data set, target and budget. The score is minus the validation loss
    at the budget (of a run that diverged: that of iteration 1) where no run stopped at a target, else it is
    that of the counts. Cells that were not run, or failed, are left out and counted in the notes. Raises
    UserError: no cell was run; a grid's runs stop at a target before they could reach a lower one; only some
    of the grids have a target.
    """
    notes = [line for name, tables in asked.items() for line in _not_run(name, tables)]
    parts = {name: _rows(name, tables, passage) for name, tables in asked.items()}
    if not any(len(rows) for rows, _ in parts.values()):
        raise UserError(f"{' and '.join(asked)}: no cell was run; {places.typed('sweep')} runs them")
    rows = pd.concat([rows for rows, _ in parts.values() if len(rows)], ignore_index=True)
    losses = {cell: some for _, known in parts.values() for cell, some in known.items()}
    rows["environment"] = _environments(rows)
    rows = rows.drop_duplicates(["environment", "cell_id"], ignore_index=True)
    has_target, whole = rows["target"].notna(), not rows["ending"].eq("stopped").any()
    known: dict[str, Any] = {"loss": "loss", "start": "start"} if whole else {}
    if has_target.all():
        known |= {"count": "count", "cost": "cost", "budget": "max_iterations"}
        if rows["evaluations"].notna().all():
            known["evaluations"] = "evaluations"
        targets = {name: _targets(own, losses) for name, own in rows.groupby("environment", sort=False)}
        known |= {"targets": targets, "passages": _passages(rows, losses, targets, passage)}
    elif has_target.any():
        raise UserError("some of these grids have a target and some have none; --target gives them one")
    first = next(tables for name, tables in asked.items() if len(parts[name][0]))
    found = runs(
        rows,
        hyper=[*dict.fromkeys(name for tables in asked.values() for name in hyper_columns(tables.trials))],
        environment="environment",
        seed="seed",
        unit=learned(first.trials, first.about).unit,
        paired=_paired(asked),
        words="validation loss at the budget" if whole else None,
        **known,
    )
    return found.noting(notes)


def _not_run(name: str, tables: Tables) -> list[str]:
    """A line, if some cells have no result."""
    missing, cells = len(tables.trials) - len(finished(tables.trials)), counted(len(tables.trials), "cell")
    again = places.typed("sweep", tables.about.get("file") or name)
    return [f"{name}: {missing} of {cells} not run, so not measured; {again} runs them"] * (missing > 0)


def _rows(name: str, tables: Tables, passage: Passage) -> tuple[pd.DataFrame, dict[str, Array]]:
    """The cells with a result, with what the measures need of each, and their training losses by cell."""
    trials = finished(tables.trials).reset_index(drop=True)
    curves = tables.trajectories[tables.trajectories["cell_id"].isin(trials["cell_id"])]
    by_cell = curves.groupby("cell_id", sort=False)
    losses = {str(cell): numbers(rows["train_loss"]) for cell, rows in by_cell}
    own = trials["target_loss"]
    target = own if passage.target is None else pd.Series(float(passage.target), own.index)
    for at in trials.index[trials["ending"].eq("stopped") & (numbers(target) < numbers(own))][:1]:
        raise UserError(
            f"{name}: its runs stop at a training loss of {own[at]:g}, so nothing is known of {target[at]:g}"
        )
    start = trials["cell_id"].map(by_cell["val_loss"].first())
    final = trials["final_val_loss"].where(trials["ending"] != "diverged", start)
    of = sustained_passage if passage.sustained else first_passage
    goals = zip(trials["cell_id"], numbers(target), strict=True)
    counts = [of(losses[cell], goal) if np.isfinite(goal) else None for cell, goal in goals]
    count = pd.Series(counts, trials.index, dtype=float)
    return trials.assign(
        loss=numbers(final),
        start=numbers(start),
        target=numbers(target),
        count=count,
        cost=count.fillna(trials["iterations_run"].astype(float)),
        evaluations=trials["cell_id"].map(_evaluations(tables)).astype(float),
    ), losses


def _evaluations(tables: Tables) -> dict[str, int]:
    """Cell id -> gradient evaluations in one iteration: of all its tasks, without validation. Empty: a
    plug-in of the grid's is not loaded, so nobody knows."""
    try:
        cells = grid_of(tables.about).cells(tables.trials["seed"].unique().tolist())
    except (NotLoaded, UserError):
        return {}
    return {
        cell.cell_id: cell.protocol.meta_batch
        * METHODS[cell.method].gradients(cell.hyper.model_dump(), cell.protocol)
        for cell in cells
    }


def _environments(rows: pd.DataFrame) -> pd.Series:
    """`paper-adam, target 2.5`; data set and budget too where these differ."""
    names = labels.in_full(rows)
    if "dataset" in rows and rows["dataset"].nunique(dropna=False) > 1:
        names += ", " + rows["dataset"].fillna("no data set")
    names += [f", target {goal:g}" if np.isfinite(goal) else "" for goal in numbers(rows["target"])]
    if rows["max_iterations"].nunique() > 1:
        names += ", budget " + rows["max_iterations"].astype(str)
    return names


def _targets(rows: pd.DataFrame, losses: Mapping[str, Array]) -> Array:
    """[T] from the median loss of iteration 1 down to the target of these rows; the target alone where that
    is no lower."""
    start = float(np.median([losses[cell][0] for cell in rows["cell_id"]]))
    goal = float(rows["target"].iloc[0])
    return np.linspace(max(start, goal), goal, TARGETS)


def _passages(
    rows: pd.DataFrame, losses: Mapping[str, Array], targets: Mapping[Any, Array], passage: Passage
) -> Array:
    """[rows, T] iterations to each target of the row's environment, inf: a miss."""
    found = np.empty((len(rows), TARGETS))
    for at, (cell, environment) in enumerate(zip(rows["cell_id"], rows["environment"], strict=True)):
        own = running_mean(losses[cell]) if passage.sustained else losses[cell]
        found[at] = profiles.passages(own, targets[environment])
    return found + (WINDOW - 1) * passage.sustained


def _paired(asked: Mapping[str, Tables]) -> dict[str, list[tuple[str, ...]]]:
    """Method -> the hyper-parameters that a `paired:` block of some grid varies together."""
    groups: dict[str, dict[tuple[str, ...], None]] = {}
    for tables in asked.values():
        for block in tables.about["grid"].get("cells", ()):
            if paired := tuple(block.get("paired") or ()):
                groups.setdefault(str(block.get("method")), {})[paired] = None
    return {method: [*some] for method, some in groups.items()}
