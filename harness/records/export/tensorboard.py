"""Event files of TensorBoard: a run for each cell, with its scalars and its hyper-parameters."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from harness.common.text import counted, written
from harness.records.export.asked import Asked, file_names
from harness.records.export.curves import tasks
from harness.records.schema import hyper_columns

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

COUNTS = ("iterations_to_target", "iterations_to_target_sustained")
"""Scalars of a run as a whole, at its last iteration."""
FILE = "events.out.tfevents.0000000000.harness"
"""TensorBoard looks for `tfevents` in a file's name; the time in it is for writers that go on."""


def write(asked: Asked, folder: Path) -> list[str]:
    """A folder for each run, <method>/<protocol>/<hyper-parameters>/seed=<seed>, the protocol where there are
    several; and above them one file for the tab HPARAMS: see records.export.Format.

    A scalar is a column of the trajectories at an iteration, in float32; where it is null there is none. The
    seeds of a setting are one group of the tab, whose metrics are means over them.
    """
    trials = asked.tables.trials.assign(protocol=tasks(asked.tables.trials))
    done = trials[trials["outcome"].notna() & (trials["outcome"] != "failed")]
    curves = asked.tables.trajectories.drop(columns=["cell_id", "iteration"])
    scalars = [name for name in COUNTS if done[name].notna().any()]
    scalars += sorted((str(name) for name in curves if curves[name].notna().any()), key=_place)
    rows = dict(iter(asked.tables.trajectories.groupby("cell_id", sort=False)))
    settings = _settings(done)
    _write(folder, [_experiment(settings, scalars)], 0.0)
    for trial, setting, run in zip(done.to_dict("records"), settings, _folders(settings), strict=True):
        began, ended = _times(trial)
        summary = _start(setting, "/".join(run), began)
        events = _events(rows[trial["cell_id"]], trial, scalars, (began, ended))
        _write(folder.joinpath(*run, f"seed={trial['seed']}"), [_event(summary, began), *events], began)
    missing = len(trials) - len(done)
    return [f"{missing} of {counted(len(trials), 'cell')} not run, or failed"] if missing else []


def _place(scalar: str) -> int:
    """The tab HPARAMS shows the first few: validation, training, rates."""
    return 0 if scalar.startswith("val_") else 1 if scalar.startswith("train_") else 2


def _settings(trials: pd.DataFrame) -> list[dict[str, Any]]:
    """Of each trial what varies in the tab HPARAMS: its method, its protocol where there are several, and the
    hyper-parameters that it has."""
    several = ["protocol"] if trials["protocol"].nunique() > 1 else []
    names = ["method", *several, *hyper_columns(trials)]
    rows = trials[names].astype(object).to_dict("records")
    return [{str(name): value for name, value in row.items() if not pd.isna(value)} for row in rows]


def _folders(settings: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """The folder of each setting, in parts."""
    apart = ("method", "protocol")
    parts = [[*(row.get(name, "") for name in apart), _words(row, apart)] for row in settings]
    known = []
    for texts in zip(*parts, strict=True):
        names = [*dict.fromkeys(texts)]
        known.append(dict(zip(names, file_names(names), strict=True)) | {"": ""})
    for part in parts:
        yield tuple(filter(None, (name[text] for name, text in zip(known, part, strict=True))))


def _words(setting: Mapping[str, Any], apart: Iterable[str]) -> str:
    return ",".join(f"{name}={written(value)}" for name, value in setting.items() if name not in apart)


def _experiment(settings: Sequence[Mapping[str, Any]], scalars: Sequence[str]) -> Event:
    """What the tab HPARAMS can choose from: the values of all hyper-parameters, and the metrics."""
    from tensorboard.plugins.hparams import summary_v2 as api

    names = dict.fromkeys(name for setting in settings for name in setting)
    values = {name: {one[name]: None for one in settings if name in one} for name in names}
    hyper = [api.HParam(name, api.Discrete(list(some))) for name, some in values.items()]
    metrics = [api.Metric(name) for name in scalars]
    return _event(api.hparams_config_pb(hyper, metrics, time_created_secs=0.0), 0.0)


def _start(setting: Mapping[str, Any], group: str, began: float) -> Summary:
    """A run's hyper-parameters. `group`: the name that all seeds of a setting share."""
    from tensorboard.plugins.hparams import summary_v2 as api

    summary: Summary = api.hparams_pb(dict(setting), trial_id=group, start_time_secs=began)
    return summary


def _events(
    rows: pd.DataFrame, trial: Mapping[Hashable, Any], scalars: Sequence[str], times: tuple[float, float]
) -> Iterator[Event]:
    """A run's scalars, iteration by iteration; how long each took is not on record, so they are spread evenly
    over its time."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    names = [name for name in scalars if name not in COUNTS]
    table = rows[names].to_numpy(float, na_value=np.nan)
    whole = {name: float(trial[name]) for name in COUNTS if name in scalars and not pd.isna(trial[name])}
    last = int(rows["iteration"].iloc[-1])
    for iteration, values in zip(rows["iteration"].tolist(), table, strict=True):
        found = dict(zip(names, values.tolist(), strict=True))
        if iteration == last:
            found |= whole
        known = [Summary.Value(tag=name, simple_value=v) for name, v in found.items() if v == v]
        share = iteration / last
        yield _event(Summary(value=known), times[0] * (1 - share) + times[1] * share, iteration)


def _event(summary: Summary, time: float, step: int = 0) -> Event:
    from tensorboard.compat.proto.event_pb2 import Event

    return Event(wall_time=time, step=step, summary=summary)


def _write(folder: Path, events: Iterable[Event], began: float) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILE).open("wb") as file:
        writer = RecordWriter(file)
        for event in (Event(wall_time=began, file_version="brain.Event:2"), *events):
            writer.write(event.SerializeToString())


def _times(trial: Mapping[Hashable, Any]) -> tuple[float, float]:
    """When a run began and ended, in seconds since 1970; what is not known is 0."""
    finished, seconds = trial["finished"], trial["wall_seconds"]
    ended = datetime.fromisoformat(finished).timestamp() if isinstance(finished, str) else 0.0
    return ended - (0.0 if pd.isna(seconds) else float(seconds)), ended
