"""The two tables of a grid, column by column: meaning, unit, and when a value is null.

Both files carry this text in their parquet metadata (per column: `meaning`, `unit`; for the file:
`harness`, a JSON with the schema version, the versions of the packages and the commit that made the tables,
the grid, and `origins`: versions, commit, device, threads and pack size of the records).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa

from harness.cell import Cell
from harness.methods import METHODS, Method
from harness.methods.base import Kind, kind_of
from harness.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

VERSION = 1
"""Of the tables and of the records in the store. A record of another version is set aside and run again."""

ENDINGS = ("stopped", "budget", "diverged", "failed")

MAX_ITERATIONS = 10**8
"""Of a record."""


@dataclass(frozen=True)  # positional: the tables below have a line per column
class Column:
    """One column: its Arrow type, unit ('' where there is none) and meaning."""

    type: pa.DataType
    unit: str
    meaning: str


TEXT, NUMBER, INTEGER, FLAG = pa.string(), pa.float64(), pa.int64(), pa.bool_()

_CELL = {
    "cell_id": Column(TEXT, "", "hash of protocol, method, hyper-parameters and seed: the only key"),
    "method": Column(TEXT, "", "maml, alpha-maml or another method"),
    "problem": Column(TEXT, "", "few-shot, sinusoid or a problem of your own"),
    "dataset": Column(TEXT, "", "omniglot, glyphs or a data set of your own; null: a problem without one"),
    "protocol": Column(TEXT, "", "for people: the preset, and the fields that differ from it"),
    "preset": Column(
        TEXT, "", "a protocol with a name: the grid's preset, or one of its family that is nearer"
    ),
    "changes": Column(
        TEXT, "", "the protocol's fields that differ from it, the data set apart: a JSON object"
    ),
    "n_way": Column(INTEGER, "classes", "classes of a task; a loss at chance is ln(n_way)"),
}
_ASKED = {
    "seed": Column(INTEGER, "", "of the tasks and the initial weights"),
    "target_loss": Column(NUMBER, "{unit}", "the grid's target; null: the grid has none"),
    "max_iterations": Column(INTEGER, "iterations", "the grid's budget"),
    "outcome": Column(
        TEXT,
        "",
        "reached (a first passage), budget, diverged or failed; null: not run yet, or not far enough",
    ),
    "ending": Column(TEXT, "", "how the run stopped: stopped (sustained passage), budget, diverged, failed"),
    "iterations_to_target": Column(
        INTEGER, "iterations", "first passage: first i with training loss <= target; null: none"
    ),
    "iterations_to_target_sustained": Column(
        INTEGER, "iterations", "first i >= 10 with the mean loss of i-9 ... i <= target; null: none"
    ),
    "iterations_run": Column(INTEGER, "iterations", "rows of the trajectory"),
}
_FINAL = {
    "final_train_loss": Column(NUMBER, "{unit}", "training loss of the last row"),
    "final_val_loss": Column(NUMBER, "{unit}", "last measured validation loss"),
}
_ORIGIN = {
    "wall_seconds": Column(
        NUMBER, "s", "of the cell's run; cells of one pack share the time in which they trained together"
    ),
    "device": Column(TEXT, "", "what it was trained on"),
    "threads": Column(INTEGER, "", "torch threads of the process that trained it"),
    "pack_size": Column(INTEGER, "cells", "cells that started together in its pack"),
    "numerics": Column(INTEGER, "", "version of the arithmetic that made the record"),
    "commit": Column(TEXT, "", "git commit of this project, '+' if the tree was changed; null: unknown"),
    "torch": Column(TEXT, "", "version of torch that trained it"),
    "dataset_sha256": Column(TEXT, "", "digest of the data it was trained on; null: it reads none"),
    "plugins": Column(
        TEXT, "", "digests of the sources of what is not harness's own: a JSON object; null: all of it is"
    ),
    "finished": Column(TEXT, "", "when its run ended, UTC, ISO 8601"),
    "error": Column(TEXT, "", "message of a failed cell"),
}
OPTIONAL = ("problem", "preset", "changes", "dataset", "n_way", "plugins")
"""Columns of the trials that a table may lack: it is older, or its problem has none."""
TRIALS: dict[str, Column] = _CELL | _ASKED | _FINAL | _ORIGIN
"""The columns of trials.parquet but those that follow from its methods and problem, see `trials`: one row
per cell of the grid, in the grid's order, seed by seed."""


TRAJECTORIES: dict[str, Column] = {
    "cell_id": Column(TEXT, "", "as in trials.parquet"),
    "iteration": Column(
        pa.int32(), "iterations", "i = 1, 2, ...; i - 1 updates of the outer loop are in the weights"
    ),
    "train_loss": Column(
        NUMBER, "{unit}", "mean over the meta-batch of the post-adaptation query loss, before the update"
    ),
    "val_loss": Column(
        NUMBER, "{unit}", "of the fixed validation tasks, before the update; null: not measured"
    ),
}
"""The columns of trajectories.parquet but those that follow from its methods and problem, see
`trajectories`."""


META_TEST: dict[str, Column] = {
    "cell_id": Column(TEXT, "", "as in trials.parquet"),
    "rate": Column(
        NUMBER, "", "inner rate of the test, for all that the method adapts; null: the cell's own rates"
    ),
    "steps": Column(pa.int32(), "steps", "inner steps taken, 0, 1, ..."),
    "task": Column(pa.int32(), "", "0, 1, ...: the same task for all cells of a protocol"),
    "loss": Column(NUMBER, "{unit}", "query loss of the task after these steps"),
}
"""The columns of metatest.parquet but those of the problem's metrics, see `meta_test`."""
FIT: dict[str, Column] = {
    **{name: META_TEST[name] for name in ("cell_id", "rate", "task")},
    "kind": Column(TEXT, "", "true: the task's function; support: a point adapted to; predicted"),
    "steps": Column(pa.int32(), "steps", "inner steps taken before it was predicted; null: not predicted"),
    "x": Column(NUMBER, "", "input"),
    "y": Column(NUMBER, "", "output"),
}
"""The columns of metatest-fit.parquet."""


def hyper_columns(trials: pd.DataFrame) -> list[str]:
    """The columns of hyper-parameters, in order: what is neither in TRIALS nor the last value of anything."""
    return [name for name in trials.columns if name not in TRIALS and not name.startswith("final_")]


def trials(cells: Iterable[Cell]) -> dict[str, Column]:
    """The columns of the trials of these cells, in order.

    The methods' hyper-parameters come before the seed. What a method records in every row is there as
    final_..., as are the metrics of the problem.
    """
    kinds = _kinds(cells)
    unit = next((cell.protocol.problem_type.unit for cell in kinds), "")
    hyper: dict[str, Column] = {}
    recorded: dict[str, Column] = {}
    metrics: dict[str, Column] = {}
    for cell in kinds:
        method = METHODS[cell.method]
        for name, field in method.Hyper.model_fields.items():
            meaning = f"{field.description or 'a hyper-parameter'}; null: its method has none"
            hyper.setdefault(name, Column(_TYPES[kind_of(field)], "", meaning))
        for name, own in method.columns.items():
            meaning = _FINALS.get(name, f"of the last row that has it: {own.meaning}")
            recorded.setdefault(f"final_{name}", Column(NUMBER, own.unit, meaning))
        for name in cell.protocol.problem_type.metrics:
            column = Column(NUMBER, _unit_of(name), f"last measured validation {name}")
            metrics.setdefault(f"final_val_{name}", column)
    of_cell = dict(_CELL)
    for name in ("dataset", "n_way"):
        if not any(hasattr(cell.protocol, name) for cell in kinds):
            del of_cell[name]
    whole = of_cell | hyper | _ASKED | recorded | _FINAL | metrics | _ORIGIN
    return {name: _with_unit(column, unit) for name, column in whole.items()}


_FINALS = {
    "alpha": "alpha that produced the last row's loss",
    "beta": "beta of the last update made; beta0 if there was none",
}


def record(cell: Cell) -> dict[str, Column]:
    """The columns of a cell's record: what its method records, the losses, the problem's metrics."""
    return _record(METHODS[cell.method], cell.protocol.problem_type)  # type: ignore[arg-type]


def arrow_of_record(cell: Cell) -> pa.Schema:
    """The same as an Arrow schema."""
    return _arrow_of_record(METHODS[cell.method], cell.protocol.problem_type)  # type: ignore[arg-type]


@lru_cache(maxsize=256)
def _arrow_of_record(method: Method, problem: type[Problem]) -> pa.Schema:
    return arrow(_record(method, problem))  # type: ignore[arg-type]


@lru_cache(maxsize=256)
def _record(method: Method, problem: type[Problem]) -> dict[str, Column]:
    columns = {"iteration": TRAJECTORIES["iteration"]}
    for name, own in method.columns.items():
        columns[name] = Column(NUMBER, own.unit, own.meaning)
    for split in ("train", "val"):
        columns[f"{split}_loss"] = _with_unit(TRAJECTORIES[f"{split}_loss"], problem.unit)
        for name in problem.metrics:
            also = "of the same queries" + "; null: not measured" * (split == "val")
            columns[f"{split}_{name}"] = Column(NUMBER, _unit_of(name), also)
    return columns


def _unit_of(metric: str) -> str:
    return "share" if metric == "accuracy" else ""


def trajectories(cells: Iterable[Cell]) -> dict[str, Column]:
    """The columns of trajectories.parquet: one row per cell and iteration, up to the grid's budget."""
    columns = {"cell_id": TRAJECTORIES["cell_id"]}
    kinds = [record(cell) for cell in _kinds(cells)]
    rates = [name for own in kinds for name in own if not name.startswith(("train_", "val_"))]
    others = [name for own in kinds for name in own if name.startswith(("train_", "val_"))]
    whole = {name: column for own in reversed(kinds) for name, column in own.items()}
    return columns | {name: whole[name] for name in dict.fromkeys((*rates, *others))}


def meta_test(cells: Iterable[Cell]) -> dict[str, Column]:
    """The columns of metatest.parquet: one row per cell, rate, number of steps and task."""
    kinds = [cell.protocol.problem_type for cell in _kinds(cells)]
    unit = next((problem.unit for problem in kinds), "")
    metrics = dict.fromkeys(name for problem in kinds for name in problem.metrics)
    return {name: _with_unit(column, unit) for name, column in META_TEST.items()} | {
        name: Column(NUMBER, _unit_of(name), "of the same queries") for name in metrics
    }


def judged(cell: Cell) -> tuple[str, ...]:
    """What is measured of the queries of a cell: the loss, and the metrics."""
    return ("loss", *cell.protocol.problem_type.metrics)


def _kinds(cells: Iterable[Cell]) -> list[Cell]:
    """A cell for each method and problem, in order."""
    kinds: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        kinds.setdefault((cell.method, cell.protocol.problem), cell)
    return list(kinds.values())


_TYPES: dict[Kind | None, pa.DataType] = {
    "number": NUMBER,
    "whole number": INTEGER,
    "flag": FLAG,
    "choice": TEXT,
}
"""By kind of hyper-parameter. In a grid, those of one name are of one kind."""


def _with_unit(column: Column, unit: str) -> Column:
    return Column(column.type, unit, column.meaning) if column.unit == "{unit}" else column


def of_arrow(known: pa.Schema) -> dict[str, Column]:
    """The columns of a file, as `arrow` wrote them. A column without its meaning is left out."""
    named = [(field.name, field.type, field.metadata or {}) for field in known]
    return {
        name: Column(kind, words[b"unit"].decode(), words[b"meaning"].decode())
        for name, kind, words in named
        if {b"unit", b"meaning"} <= words.keys()
    }


def arrow(columns: dict[str, Column]) -> pa.Schema:
    """The Arrow schema, each field with its meaning and unit as metadata."""
    return pa.schema(
        [
            pa.field(name, c.type, metadata={"meaning": c.meaning, "unit": c.unit})
            for name, c in columns.items()
        ]
    )
