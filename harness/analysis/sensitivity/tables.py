"""Our own tables as runs: an environment is a protocol with its target, a cost is in iterations."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis import labels
from harness.analysis.counting import STOPPED, counts, training_losses
from harness.analysis.learned import learned
from harness.analysis.losses import untrained
from harness.analysis.sensitivity import profiles
from harness.analysis.sensitivity.runs import Array, Runs, runs
from harness.analysis.summary import finished, hyper_columns, numbers
from harness.common import places
from harness.common.errors import UserError
from harness.common.frozen import Frozen
from harness.common.text import counted, one_line
from harness.methods import METHODS
from harness.records.describing import grid_of
from harness.records.passages import WINDOW, running_mean
from harness.records.tables import Tables

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
    at the budget, or at the last iteration at which all runs were validated (of a run that diverged: that of
    iteration 1; at most that of untrained weights, see losses.untrained), where every run went on to its
    budget; else it is that of the counts. Cells that were not
    run, or failed, are left out and counted in the notes. Raises UserError: no cell was run; a run stopped
    before it could reach the target that is asked; only some of the grids have a target; there is neither a
    target nor a validation loss.
    """
    parts = {name: _rows(name, tables, passage) for name, tables in asked.items() if _has_results(tables)}
    if not parts:
        raise UserError(f"{' and '.join(asked)}: no cell was run; {places.typed('sweep')} runs them")
    notes = [line for name, tables in asked.items() for line in _notes(name, tables)]
    rows = pd.concat([rows for rows, _ in parts.values()], ignore_index=True)
    losses = {cell: some for _, known in parts.values() for cell, some in known.items()}
    rows["environment"] = _environments(rows)
    rows = rows.drop_duplicates(["environment", "cell_id"], ignore_index=True)
    notes += _merged(rows)
    goals = {name: own["target"].notna().any() for name, (own, _) in parts.items()}
    if len(set(goals.values())) > 1:
        some, none = (" and ".join(name for name in goals if goals[name] == has) for has in (True, False))
        raise UserError(f"{some}: with a target; {none}: without; ask for one target that all have")
    stopped = rows["ending"].isin(STOPPED).any()
    if not stopped:
        rows["loss"], cut = _losses(rows)
        rows["start"] = _starts(rows)
        notes += cut
    whole = not stopped and rows["loss"].notna().all()
    if not whole and not all(goals.values()):
        raise UserError(
            f"{' and '.join(parts)}: no target, and not all runs have a validation loss at their end"
        )
    known: dict[str, Any] = {}
    if whole:
        known |= {"loss": "loss", "words": "validation loss at the budget"}
        known |= {"start": "start"} if rows["start"].notna().all() else {}
    if all(goals.values()):
        targets = {str(name): _targets(own, losses) for name, own in rows.groupby("environment", sort=False)}
        known |= {"count": "count", "cost": "iterations_run", "budget": "max_iterations"}
        known |= {"evaluations": "evaluations"} if rows["evaluations"].notna().all() else {}
        known |= {"targets": targets, "passages": _passages(rows, losses, targets, passage)}
    hyper = [*dict.fromkeys(name for tables in asked.values() for name in hyper_columns(tables.trials))]
    found = runs(
        rows,
        hyper=hyper,
        environment="environment",
        seed="seed",
        unit=dict(zip(rows["environment"], rows["unit"], strict=True)),
        paired=_paired(asked, set(rows["method"])),
        **known,
    )
    return _pairs_by_environment(found, rows, asked).noting(notes)


def _has_results(tables: Tables) -> bool:
    return len(finished(tables.trials)) > 0


def _notes(name: str, tables: Tables) -> Iterator[str]:
    """What is not measured, a line each."""
    again = places.typed("sweep", tables.about.get("file") or name)
    trials = tables.trials
    failed, done = trials["outcome"].eq("failed"), trials.index.isin(finished(trials).index)
    missing = len(trials) - int(failed.sum()) - int(done.sum())
    cells = counted(len(trials), "cell")
    if missing:
        yield f"{name}: {missing} of {cells} not run, so not measured; {again} runs them"
    if failed.any():
        why = next(iter(trials.loc[failed, "error"].dropna()), "")
        first = f" (the first: {one_line(str(why), 60)})" if why else ""
        how_many = f"{int(failed.sum())} of {cells} failed{first}"
        yield f"{name}: {how_many}, so not measured; {again} runs them again"
    for method, some in pd.Series(done, trials.index).groupby(trials["method"], sort=False):
        if _has_results(tables) and not some.any():
            yield f"{name}: no cell of {method} has a result"
    if _has_results(tables) and isinstance(why := _evaluations(tables), str):
        yield f"{name}: gradient evaluations are not known: {why}"


def _merged(rows: pd.DataFrame) -> Iterator[str]:
    """A line for each environment whose cells are of several grids."""
    for name, own in rows.groupby("environment", sort=False):
        grids = list(dict.fromkeys(own["grid"]))
        if len(grids) > 1:
            yield f"{name}: the cells of {' and '.join(grids)} are measured as one search space"


def _rows(name: str, tables: Tables, passage: Passage) -> tuple[pd.DataFrame, dict[str, Array]]:
    """The cells with a result, with what the measures need of each, and their training losses by cell."""
    trials = finished(tables.trials).reset_index(drop=True)
    curves = tables.trajectories[tables.trajectories["cell_id"].isin(trials["cell_id"])]
    losses = training_losses(tables, trials)
    first = curves[curves["iteration"] == 1].set_index("cell_id")["val_loss"]
    measured = curves[curves["val_loss"].notna()].groupby("cell_id", sort=False)
    validation = {
        cell: dict(zip(some["iteration"], some["val_loss"], strict=True)) for cell, some in measured
    }
    evaluations = _evaluations(tables)
    known: Mapping[str, int] = {} if isinstance(evaluations, str) else evaluations
    rows = trials.assign(
        grid=name,
        validation=pd.Series([validation.get(cell, {}) for cell in trials["cell_id"]], dtype=object),
        start=numbers(trials["cell_id"].map(first)),
        target=numbers(trials["target_loss"]) if passage.target is None else float(passage.target),
        unit=learned(trials, tables.about).unit,
        evaluations=trials["cell_id"].map(known).astype(float),
    )
    return rows.assign(count=counts(name, rows, losses, passage.sustained)), losses


def _losses(rows: pd.DataFrame) -> tuple[Array, list[str]]:
    """[rows] the validation losses at the budget, NaN: not known; and a line for each environment where they
    are of an earlier iteration, or some count as untrained.

    A record may be longer than the budget, and then have no validation there: so all of an environment are of
    the last iteration at which all were validated. A run that diverged, or whose last validation gave no
    number, has the loss of iteration 1. No run counts as worse than untrained weights: where one setting ends
    at 1e8, all others would be alike.
    """
    losses, lines = np.full(len(rows), np.nan), []
    for name, own in rows.groupby("environment", sort=False):
        trained = own["ending"] != "diverged"
        no_end = trained & ~np.isfinite(numbers(own["final_val_loss"]))
        seen = [set(some) for some in own["validation"][trained & ~no_end]]
        seen += [
            {*some, int(end)}  # it was validated there: else all would be of an earlier iteration
            for some, end in zip(own["validation"][no_end], own["iterations_run"][no_end], strict=True)
        ]
        last = max(set.intersection(*seen), default=0) if seen else 0
        ends = {max(some, default=0) for some in seen}
        if ends - {last}:
            lines.append(
                f"{name}: losses are of iteration {last}, the last at which all runs were validated; some "
                "records are longer than the budget"
            )
        values = [some.get(last, np.nan) for some in own["validation"]]
        known = trained.to_numpy(bool) & np.isfinite(values)
        found, worst = np.where(known, values, own["start"]), untrained(own["start"])
        if worse := int((found > worst).sum()):
            lines.append(
                f"{name}: {worse} of {counted(len(own), 'run')} end above {worst:.3g}, which untrained "
                "weights have, and count as that"
            )
        losses[own.index] = np.fmin(found, worst)
    return losses, lines


def _starts(rows: pd.DataFrame) -> pd.Series:
    """[rows] the validation losses of iteration 1; where an inner loop went astray and there is no number,
    that of untrained weights. NaN: nothing was validated there."""
    return rows.groupby("environment", sort=False)["start"].transform(lambda own: own.fillna(untrained(own)))


def _evaluations(tables: Tables) -> dict[str, int] | str:
    """Cell id -> gradient evaluations in one iteration: of all its tasks, without validation. Or why nobody
    knows, as where a plug-in of the grid's is not loaded."""
    try:
        cells = grid_of(tables.about).cells(tables.trials["seed"].unique().tolist())
    except UserError as error:
        return str(error)
    found = {}
    for cell in cells:
        gradients = METHODS[cell.method].gradients(cell.hyper.model_dump(), cell.protocol)
        if gradients is None:
            return f"the method {cell.method} does not say how many gradients it computes"
        found[cell.cell_id] = cell.protocol.meta_batch * gradients
    return found


def _environments(rows: pd.DataFrame) -> pd.Series:
    """`paper-adam, target 2.5`; data set and budget too where these differ."""
    names = labels.in_full(rows)
    if "dataset" in rows and rows["dataset"].nunique(dropna=False) > 1:
        names += ", " + rows["dataset"].fillna("no data set")
    names += [f", target {goal:g}" if np.isfinite(goal) else "" for goal in rows["target"]]
    if rows["max_iterations"].nunique() > 1:
        names += ", budget " + rows["max_iterations"].astype(str)
    return names


def _targets(rows: pd.DataFrame, losses: Mapping[str, Array]) -> Array:
    """[T] from the median loss of iteration 1, of the runs that have one, down to the target of these rows;
    the target alone where that is no lower."""
    first = np.array([losses[cell][0] for cell in rows["cell_id"]])
    start = float(np.median(first[np.isfinite(first)])) if np.isfinite(first).any() else -np.inf
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


def _pairs_by_environment(found: Runs, rows: pd.DataFrame, asked: Mapping[str, Tables]) -> Runs:
    """With what the grids of each environment vary together: others may cross it."""
    methods = {one.name for one in found.methods}
    pairs = {
        str(name): _paired({grid: asked[grid] for grid in own["grid"].unique()}, methods)
        for name, own in rows.groupby("environment", sort=False)
    }
    return replace(
        found,
        methods=tuple(
            replace(
                one,
                paired_in={name: tuple(map(tuple, some.get(one.name, ()))) for name, some in pairs.items()},
            )
            for one in found.methods
        ),
    )


def _paired(asked: Mapping[str, Tables], methods: Container[str]) -> dict[str, list[list[str]]]:
    """Method -> the hyper-parameters that its blocks vary together: `paired`, and nowhere crossed."""
    groups: dict[str, list[list[str]]] = {}
    crossed: dict[str, set[str]] = {}
    for tables in asked.values():
        for block in tables.about["grid"].get("cells", ()):
            if (method := str(block.get("method"))) not in methods:
                continue
            paired = [*(block.get("paired") or ())]
            lists = {name: some for name, some in block.items() if isinstance(some, list)}
            crossed.setdefault(method, set()).update(name for name, some in lists.items() if len(some) > 1)
            if paired:
                known = groups.setdefault(method, [])
                # Groups that share a hyper-parameter are one.
                shared = [group for group in known if {*group} & {*paired}]
                apart = [group for group in known if group not in shared]
                joined = [*dict.fromkeys(name for group in (*shared, paired) for name in group)]
                groups[method] = [*apart, joined]
    return {
        method: [group for group in some if not {*group} & crossed[method]] for method, some in groups.items()
    }
