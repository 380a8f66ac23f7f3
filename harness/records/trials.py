"""A row of trials.parquet: what was asked of a cell, and what its record answers."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from harness.cell import Cell, Question, label
from harness.grids import Grid
from harness.methods import METHODS
from harness.records import schema
from harness.records.passages import first_passage, outcome, sustained_passage
from harness.records.record import Record


def view(record: Record, question: Question) -> pa.Table:
    """The record's rows within the question's budget."""
    return record.rows.slice(0, question.max_iterations)


def row(grid: Grid, cell: Cell, record: Record | None) -> dict[str, Any]:
    """The cell's row, by the names of schema.trials. A column that is left out is null.

    record: None if the cell has none that answers the grid's question.
    """
    question = grid.question
    preset, changes = grid.named(cell.protocol)
    asked = {
        "cell_id": cell.cell_id,
        "method": cell.method,
        "problem": cell.protocol.problem,
        "dataset": cell.protocol.dataset_name,
        "protocol": label(preset, changes),
        "preset": preset,
        "changes": json.dumps(changes, sort_keys=True),
        "n_way": getattr(cell.protocol, "n_way", None),
        **cell.hyper.model_dump(),
        "seed": cell.seed,
        "target_loss": question.target_loss,
        "max_iterations": question.max_iterations,
    }
    if record is None:
        return asked
    rows = view(record, question)
    header, origin, target = record.header, record.header.provenance, question.target_loss
    losses = rows["train_loss"].to_numpy()
    cut = header.iterations > question.max_iterations
    return asked | {
        "outcome": outcome(losses, header.ending, header.iterations, target, question.max_iterations),
        "ending": "budget" if cut else header.ending,
        "iterations_to_target": None if target is None else first_passage(losses, target),
        "iterations_to_target_sustained": None if target is None else sustained_passage(losses, target),
        "iterations_run": len(rows),
        **{f"final_{name}": _recorded(rows, name, cell) for name in METHODS[cell.method].columns},
        "final_train_loss": _last(rows["train_loss"]),
        **{f"final_val_{name}": _last(rows[f"val_{name}"]) for name in schema.judged(cell)},
        "wall_seconds": origin.get("wall_seconds"),
        "device": origin.get("device"),
        "threads": origin.get("threads"),
        "pack_size": origin.get("pack_size"),
        "numerics": header.numerics,
        "commit": origin.get("versions", {}).get("commit"),
        "torch": origin.get("versions", {}).get("torch"),
        "dataset_sha256": origin.get("dataset_sha256"),
        "plugins": json.dumps(origin["plugins"], sort_keys=True) if origin.get("plugins") else None,
        "finished": origin.get("finished"),
        "error": header.error,
    }


def _recorded(rows: pa.Table, name: str, cell: Cell) -> float | None:
    """The last value of a column; before the first update, where it started: the hyper-parameter <name>0."""
    return _last(rows[name], getattr(cell.hyper, f"{name}0", None)) if len(rows) else None


def _last(column: pa.ChunkedArray, otherwise: float | None = None) -> float | None:
    """The last value that is not null."""
    values = column.drop_null()
    return values[-1].as_py() if len(values) else otherwise
