"""The runs of each method as one array over tasks, settings, seeds and iterations: what tables of
hyper-parameter optimisation are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.cell import label
from harness.common.errors import UserError
from harness.common.text import counted
from harness.records.schema import hyper_columns
from harness.records.tables import Tables

COST = "elapsed_iterations"
"""The objective that counts what a run has cost so far: iterations, the same on every machine."""
REACHED, DIVERGED = "reached", "diverged"
"""Objectives that are 0 or 1: the target's first passage is behind this iteration; the run has diverged, and
its losses from here on are those of its iteration 1."""


@dataclass(frozen=True, kw_only=True)
class Curves:
    """All runs of one method. Every setting was run for each task and seed."""

    method: str
    settings: pd.DataFrame
    """[S] hyper-parameters, in the grid's order, by the method's own names; index 0, 1, ..."""
    tasks: tuple[str, ...]
    """Protocols: `paper-adam`, `paper-adam, k_shot=5`."""
    seeds: tuple[int, ...]
    iterations: tuple[int, ...]
    """The fidelities, ascending."""
    objectives: tuple[str, ...]
    """The loss to minimise comes first."""
    values: NDArray[np.float64]
    """[task, setting, seed, iteration, objective]; NaN: not known, as after a run stopped at its target."""
    cells: NDArray[np.object_]
    """[task, setting, seed] the cells' ids."""
    counts: NDArray[np.float64]
    """[task, setting, seed] first passages of the grid's target, in iterations; inf: a miss; NaN: there is no
    target."""

    @property
    def whole(self) -> bool:
        """Whether the first objective is known in every run to the last iteration."""
        return not np.isnan(self.values[..., -1, 0]).any()


@dataclass(frozen=True, kw_only=True)
class Domain:
    """The values of one hyper-parameter."""

    values: tuple[Any, ...]
    """Numbers in ascending order, others in the order of the grid."""
    ordered: bool
    """Whether they are numbers."""
    log: bool
    """Whether their logarithm is what is searched: all positive, over a decade or more."""


def domain(column: pd.Series) -> Domain:
    """Of a column of `Curves.settings`."""
    values = [*dict.fromkeys(column.tolist())]
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
        return Domain(values=tuple(values), ordered=False, log=False)
    values.sort()
    return Domain(values=tuple(values), ordered=True, log=values[0] > 0 and values[-1] >= 10 * values[0])


def curves(name: str, tables: Tables) -> tuple[list[Curves], list[str]]:
    """The curves of a grid's methods, and a line for each thing that is left out or should be known.

    The iterations are those at which every run that went further was validated, so that a validation loss is
    known at each; all of them where nothing was validated. Iteration 1 is left out unless 2 is there. A
    setting that lacks a result for one of the seeds or tasks is left out, so that means over seeds are of the
    same seeds; so is a task that lacks more than half of them. UserError: nothing is left.
    """
    trials = tables.trials.assign(task=tasks(tables.trials)).reset_index(drop=True)
    done = trials["outcome"].notna() & (trials["outcome"] != "failed")
    notes = []
    if not done.all():
        notes.append(f"{int((~done).sum())} of {counted(len(trials), 'cell')} not run, or failed")
    rows = tables.trajectories[tables.trajectories["cell_id"].isin(trials["cell_id"][done])]
    found = []
    for _, own in trials.groupby("method", sort=False):
        one, lines = _of_method(own, done[own.index], rows)
        found += [one] if one is not None else []
        notes += lines
    if not found:
        raise UserError(f"{name}: no setting has a result for every seed; " + "; ".join(notes))
    stopped = (trials["ending"] == "stopped").sum()
    if stopped:
        notes.append(
            f"{counted(stopped, 'run')} stopped at the target: no losses are known after that; a grid "
            "without target_loss has whole curves"
        )
    if diverged := (trials["ending"] == "diverged").sum():
        notes.append(
            f"{counted(diverged, 'run')} diverged: from there on the losses are those of iteration 1"
        )
    return found, notes


def tasks(trials: pd.DataFrame) -> list[str]:
    """The protocol of each row, in words; with its data set where there are several."""
    words = [
        label(preset, json.loads(c)) for preset, c in zip(trials["preset"], trials["changes"], strict=True)
    ]
    if "dataset" not in trials or trials["dataset"].nunique(dropna=False) < 2:
        return words
    return [
        f"{one}, {data}" for one, data in zip(words, trials["dataset"].fillna("no data set"), strict=True)
    ]


def _of_method(trials: pd.DataFrame, done: pd.Series, rows: pd.DataFrame) -> tuple[Curves | None, list[str]]:
    """The curves of one method's trials, None where no setting is left; and what is left out.

    `trials`: with the column `task`. `done`: which have a result. `rows`: of all methods' trajectories.
    """
    method = str(trials["method"].iloc[0])
    hyper = [name for name in hyper_columns(trials.drop(columns="task")) if trials[name].notna().any()]
    keys = [tuple(row) for row in trials[hyper].astype(object).to_numpy()]
    tasks, settings, seeds = (list(dict.fromkeys(some)) for some in (trials["task"], keys, trials["seed"]))
    seeds.sort()
    cells = np.full((len(tasks), len(settings), len(seeds)), "", object)
    places = tuple(
        [known.index(one) for one in some]
        for known, some in ((tasks, trials["task"]), (settings, keys), (seeds, trials["seed"]))
    )
    cells[places] = trials["cell_id"].where(done, "")
    whole = (cells != "").all(axis=2)
    kept = whole.sum(axis=1) * 2 >= len(settings)
    fine = whole[kept].all(axis=0) & kept.any()
    notes = _left_out(method, tasks, len(seeds), whole, kept, fine)
    if not fine.any():
        return None, notes
    cells = cells[np.ix_(kept, fine)]
    info = trials.set_index("cell_id").loc[cells.ravel()]
    iterations, objectives, values = _values(rows[rows["cell_id"].isin(info.index)], info)
    counts = info["iterations_to_target"].to_numpy(float, na_value=np.inf)
    counts = np.where(info["target_loss"].isna(), np.nan, counts)
    one = Curves(
        method=method,
        settings=pd.DataFrame([settings[i] for i in np.flatnonzero(fine)], columns=hyper),
        tasks=tuple(tasks[i] for i in np.flatnonzero(kept)),
        seeds=tuple(int(seed) for seed in seeds),
        iterations=iterations,
        objectives=objectives,
        values=values.reshape(*cells.shape, len(iterations), len(objectives)),
        cells=cells,
        counts=counts.reshape(cells.shape),
    )
    return one, notes


def _left_out(
    method: str,
    tasks: list[str],
    seeds: int,
    whole: NDArray[np.bool_],
    kept: NDArray[np.bool_],
    fine: NDArray[np.bool_],
) -> list[str]:
    """A line for each task that is not kept, and one on the settings. `whole` [task, setting]: which have a
    result for every seed."""
    settings = counted(len(fine), "setting")
    notes = [
        f"{method}: left out {tasks[i]}: {whole[i].sum()} of {settings} have a result for every seed"
        for i in np.flatnonzero(~kept)
    ]
    if kept.any() and not fine.all():
        among = f"one of {seeds} seeds" if seeds > 1 else "their seed"
        among += " or of the protocols" * (len(tasks) > 1)
        notes.append(f"{method}: left out {(~fine).sum()} of {settings}: no result for {among}")
    return notes


def _values(
    rows: pd.DataFrame, info: pd.DataFrame
) -> tuple[tuple[int, ...], tuple[str, ...], NDArray[np.float64]]:
    """The iterations, the objectives, and [cell, iteration, objective] their values.

    `info`: the trials of these cells, by id. `rows`: their trajectories.
    """
    names = (str(name) for name in rows.columns)
    measured = [name for name in names if name.startswith(("val_", "train_")) and rows[name].notna().any()]
    measured.sort(key=lambda name: name.startswith("train_"))  # validation first, else in order
    steps = np.array(_iterations(rows, int(info["max_iterations"].max())))
    curves = dict(iter(rows.set_index("iteration").groupby("cell_id", sort=False)[measured]))
    goal = [REACHED] * bool(info["target_loss"].notna().any())
    objectives = (*measured, *goal, DIVERGED, COST)
    values = np.full((len(info), len(steps), len(objectives)), np.nan)
    ends = zip(info.index, info["ending"], info["iterations_run"], info["iterations_to_target"], strict=True)
    for at, (cell, ending, ran, passage) in enumerate(ends):
        own = curves[cell].astype(float)
        gone = (steps >= ran) & (ending == "diverged")
        values[at, :, : len(measured)] = own.reindex(steps)
        values[at, gone, : len(measured)] = own.iloc[0]
        if goal:
            values[at, :, -3] = False if pd.isna(passage) else steps >= passage
        values[at, :, -2], values[at, :, -1] = gone, np.minimum(steps, ran)
    return tuple(int(step) for step in steps), objectives, values


def _iterations(rows: pd.DataFrame, budget: int) -> tuple[int, ...]:
    """Those at which every run that went further was validated, and the last; see `curves`."""
    seen = rows["val_loss"].notna()
    if not seen.any():
        return tuple(sorted({int(i) for i in rows["iteration"]}))
    last = rows.groupby("cell_id", sort=False)["iteration"].transform("max") == rows["iteration"]
    further = rows[~last | (rows["iteration"] == budget)]
    all_seen = seen[further.index].groupby(further["iteration"]).all()
    found = sorted(int(i) for i in all_seen.index[all_seen])
    return tuple(_without_first(found)) or (1,)


def _without_first(found: list[int]) -> Iterable[int]:
    return found if found[:2] == [1, 2] else [i for i in found if i > 1]
