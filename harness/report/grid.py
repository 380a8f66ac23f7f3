"""A grid's two tables as the page carries them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.labels import words
from harness.analysis.learned import chances, learned
from harness.analysis.summary import hyper_columns, numbers, rate_columns, setting_columns
from harness.common import places
from harness.common.text import clean
from harness.grids.matching import matches
from harness.methods import titled
from harness.records.schema import Column
from harness.records.tables import Tables
from harness.report import curves
from harness.report.arrays import Block, rounded
from harness.report.squares import PROTOCOL, Panel, panels

Losses = list[NDArray[np.float64]]
"""Of each run, its training losses [iterations]."""


def content(name: str, tables: Tables, source: str, block: Block, most: int) -> dict[str, Any]:
    """What the page's JavaScript reads of a grid: JSON, whose arrays are in `block`.

    name: of its folder. source: where its records come from, in words. most: points of a curve, about.
    """
    trials, about = tables.trials, tables.about
    grid = about["grid"]
    keys = ["method", *setting_columns(trials)]
    setting = trials.groupby(keys, sort=False, dropna=False).ngroup().to_numpy(np.int64)
    settings = trials.drop_duplicates(keys)[keys].reset_index(drop=True)
    protocols = words(trials)
    known = [*protocols]
    runs = _runs(tables)
    what = learned(trials, about)
    return {
        "name": name,
        "title": clean(grid["title"]),
        "learned": what.title,
        "unit": what.unit,
        "source": clean(source),
        "target": grid["target_loss"],
        "budget": int(grid["max_iterations"]),
        "chances": _chances(trials, about),
        "methods": [{"name": one, "title": titled(one)} for one in settings["method"].unique()],
        "protocols": [clean(text) for text in protocols.values()],
        "hyper": hyper_columns(trials),
        "settings": {
            "method": settings["method"].tolist(),
            "protocol": [
                known.index(key) for key in zip(settings["preset"], settings["changes"], strict=True)
            ],
            **{key: [_value(one) for one in settings[key]] for key in hyper_columns(trials)},
        },
        "panels": [_panel(one, known) for one in panels(settings, grid["figure"])],
        "views": _views(trials, setting, grid["figure"]),
        "again": _again(name, trials, about),
        "setting": block.exact(setting),
        "columns": {
            key: _column(trials[key], tables.columns[0].get(key), block)
            for key in map(str, trials.columns)
            if key not in keys
        },
        "first": _falls(runs["train_loss"], curves.first, block),
        "sustained": _falls(runs["train_loss"], curves.sustained, block),
        "curves": {
            key: _curve(values, most, block) | _meaning(tables.columns[1].get(key))
            for key, values in runs.items()
        },
        "rates": [key for key in rate_columns(tables.trajectories) if key in runs],
    }


def curve_count(tables: Tables) -> int:
    """How many curves the runs of these tables have together."""
    rows = tables.trajectories
    return rows["cell_id"].nunique() * (len(rows.columns) - 2)


def _again(name: str, trials: pd.DataFrame, about: dict[str, Any]) -> str:
    """The command that trains a cell of this grid again, without the cell's seed and id at its end."""
    grid = about.get("file") or about["grid"]["name"]
    words = ["harness", "cell", "--grid", grid]
    if name.endswith(f"-{(dataset := trials.iloc[0].get('dataset'))}") and name != about["grid"]["name"]:
        words += ["--dataset", dataset]
    return (".venv/bin/" if places.CHECKOUT else "") + shlex.join(words)


def _runs(tables: Tables) -> dict[str, Losses]:
    """Column -> of each trial its values [iterations], NaN where there is none; empty: it has no curve."""
    rows = tables.trajectories
    ids = tables.trials["cell_id"]
    place = pd.Series(np.arange(len(ids)), ids)
    rows = rows[rows["cell_id"].isin(place.index)]
    order = np.lexsort((rows["iteration"].to_numpy(np.int64), place[rows["cell_id"]].to_numpy()))
    starts = np.searchsorted(place[rows["cell_id"]].to_numpy()[order], np.arange(1, len(ids)))
    names = [name for name in rows.columns if name not in ("cell_id", "iteration")]
    return {name: np.split(numbers(rows[name])[order], starts) for name in names}


def _falls(losses: Losses, of: Callable[[Any], curves.Falls], block: Block) -> dict[str, Any]:
    found = [of(one) for one in losses]
    return {
        "lengths": block.exact(np.array([at.size for at, _ in found])),
        "steps": block.exact(_steps(at for at, _ in found)),
        "values": block.exact(_joined(values for _, values in found)),
    }


def _curve(values: Losses, most: int, block: Block) -> dict[str, Any]:
    """The iterations at which a column is drawn, and its values there. Iterations are told by their steps."""
    there = [np.flatnonzero(~np.isnan(one)) for one in values]
    drawn = [at[curves.thinned(one[at], most)] for one, at in zip(values, there, strict=True)]
    shown = _joined(one[at] for one, at in zip(values, drawn, strict=True))
    return {
        "lengths": block.exact(np.array([at.size for at in drawn])),
        "steps": block.exact(_steps(at + 1 for at in drawn)),
        "values": block.exact(rounded(shown)),
        "thinned": any(at.size < all_.size for at, all_ in zip(drawn, there, strict=True)),
    }


def _steps(iterations: Iterable[NDArray[np.int64]]) -> NDArray[np.int64]:
    """From one iteration to the next, the first from 0."""
    steps = [np.diff(one, prepend=0) for one in iterations]
    return np.concatenate(steps) if steps else np.empty(0, np.int64)


def _joined(parts: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([np.empty(0), *parts])


def _column(column: pd.Series, described: Column | None, block: Block) -> dict[str, Any]:
    """A column of the trials: numbers with NaN for null, or texts."""
    about = _meaning(described)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return about | {"numbers": block.exact(numbers(column))}
    return about | block.texts([None if pd.isna(one) else clean(str(one)) for one in column])


def _meaning(described: Column | None) -> dict[str, str]:
    return {} if described is None else {"unit": described.unit, "meaning": described.meaning}


def _chances(trials: pd.DataFrame, about: dict[str, Any]) -> list[dict[str, Any]]:
    """The losses at chance: name, value, and the positions of the protocols that have it."""
    of_protocols = [chances(one, about) for _, one in trials.groupby([*PROTOCOL], sort=False)]
    return [
        {
            **{"name": name, "value": value},
            "protocols": [at for at, own in enumerate(of_protocols) if name in own],
        }
        for name, value in chances(trials, about).items()
    ]


def _value(value: Any) -> Any:
    """A hyper-parameter as JSON has it; null: the method has none."""
    if pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _panel(panel: Panel, protocols: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "method": panel.method,
        "protocol": protocols.index(panel.protocol),
        "x": panel.x,
        "y": panel.y,
        "shared": {key: _value(value) for key, value in panel.shared.items()},
        "squares": [[_value(x), _value(y), at] for x, y, at in panel.squares],
        "beside": list(panel.beside),
    }


def _views(trials: pd.DataFrame, setting: NDArray[Any], figure: dict[str, Any]) -> list[dict[str, Any]]:
    """Of a figure of trajectories its columns: a title, and the settings that are drawn there."""
    if figure["kind"] != "trajectories":
        return []
    hyper = hyper_columns(trials)
    rows = [
        {key: row[key] for key in ("method", "protocol", *hyper, "seed") if not pd.isna(row[key])}
        for row in trials.to_dict("records")
    ]
    return [
        {
            "title": clean(column["title"]),
            "settings": [
                int(one)
                for one in dict.fromkeys(
                    at
                    for at, row in zip(setting, rows, strict=True)
                    if any(matches(where, row) for where in (column["where"], figure["reference"]) if where)
                )
            ],
        }
        for column in figure["columns"]
    ]
