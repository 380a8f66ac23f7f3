"""Studies of Optuna in a journal: one for each method and protocol, with a trial for each setting."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from harness.records.export.asked import Asked
from harness.records.export.curves import DIVERGED, Curves, curves, domain

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import BaseStorage

JOURNAL, TABLE = "studies.log", "trials.csv"
COUNT = "iterations_to_target"


def write(asked: Asked, folder: Path) -> list[str]:
    """studies.log, a journal of the studies, and trials.csv, all their trials: see records.export.Format.

    A study minimises the loss at the last iteration, a mean over the seeds; where runs stopped at their
    target, the first passage instead, a median over the seeds in which a miss is infinite.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend

    found, notes = curves(asked.name, asked.tables)
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    file = JournalFileBackend(str(folder / JOURNAL))
    storage = optuna.storages.JournalStorage(file)  # 60 times as fast to write as SQLite
    try:
        counted = not all(one.whole or np.isnan(one.counts).any() for one in found)
        parts = [_study(storage, one, at, asked, counted) for one in found for at in range(len(one.tasks))]
    finally:
        optuna.logging.set_verbosity(before)
    pd.concat(parts, ignore_index=True).to_csv(folder / TABLE, index=False)
    if counted:
        notes.append("since runs stopped at their target, a trial's value is its iterations to the target")
    return notes


def _study(storage: BaseStorage, one: Curves, task: int, asked: Asked, counted: bool) -> pd.DataFrame:
    """Add the study of one protocol to the storage. Its trials as a table. `counted`: their values are counts
    of iterations."""
    import optuna

    metric = COUNT if counted else one.objectives[0]
    name = f"{one.method}, {one.tasks[task]}"
    study = optuna.create_study(storage=storage, study_name=name, direction="minimize")
    about = {"grid": asked.name, "method": one.method, "protocol": one.tasks[task], "source": asked.source}
    for key, value in {**about, "metric": metric, "seeds": list(one.seeds)}.items():
        study.set_user_attr(key, value)
    distributions = {str(column): _distribution(one, str(column)) for column in one.settings}
    times = _times(asked.tables.trials)
    study.add_trials(
        [_trial(one, task, setting, distributions, counted, times) for setting in range(len(one.settings))]
    )
    shown = study.trials_dataframe(("number", "value", "params", "user_attrs", "state"))
    shown.insert(0, "study", name)
    return shown


def _trial(
    one: Curves,
    task: int,
    setting: int,
    distributions: dict[str, BaseDistribution],
    counted: bool,
    times: dict[str, tuple[datetime, datetime]],
) -> Any:
    from optuna.trial import FrozenTrial, TrialState

    losses = one.values[task, setting, :, :, 0]
    counts = one.counts[task, setting]
    ids = [str(cell) for cell in one.cells[task, setting]]
    each = counts if counted else losses[:, -1]
    means = losses.mean(axis=0)
    value = float(np.median(counts)) if counted else float(means[-1])
    known = not math.isnan(value)
    params = {str(name): one.settings[name].tolist()[setting] for name in one.settings}
    started, ended = zip(*(times[cell] for cell in ids), strict=True)
    attributes = {
        "value of each seed": [float(value) if math.isfinite(value) else None for value in each],
        "cells": ids,
        DIVERGED: int(one.values[task, setting, :, -1, one.objectives.index(DIVERGED)].sum()),
    }
    return FrozenTrial(
        number=setting,
        trial_id=setting,
        state=TrialState.COMPLETE if known else TrialState.FAIL,
        value=value if known else None,
        datetime_start=min(started),
        datetime_complete=max(ended),
        params=params,
        distributions=distributions,
        user_attrs=attributes,
        system_attrs={},
        intermediate_values={
            step: float(mean) for step, mean in zip(one.iterations, means, strict=True) if math.isfinite(mean)
        },
    )


def _distribution(one: Curves, name: str) -> BaseDistribution:
    """The range of the grid's values, not the values alone, so that a study can go on between them."""
    from optuna import distributions

    known = domain(one.settings[name])
    if not known.ordered:
        return distributions.CategoricalDistribution(known.values)
    low, high = known.values[0], known.values[-1]
    if isinstance(low, int):
        return distributions.IntDistribution(low, high, log=known.log)
    return distributions.FloatDistribution(low, high, log=known.log)


def _times(trials: pd.DataFrame) -> dict[str, tuple[datetime, datetime]]:
    """Cell id -> when its run began and ended, local time as Optuna has it, as far as is known."""
    unknown = datetime(1970, 1, 1)
    ended = [
        datetime.fromisoformat(t).replace(tzinfo=None) if isinstance(t, str) else unknown
        for t in trials["finished"]
    ]
    took = pd.to_timedelta(trials["wall_seconds"].fillna(0), unit="s")
    return {
        str(cell): (end - seconds.to_pytimedelta(), end)
        for cell, end, seconds in zip(trials["cell_id"], ended, took, strict=True)
    }
