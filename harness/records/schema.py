"""The two tables of a grid, column by column: meaning, unit, and when a value is null.

Both files carry this text in their parquet metadata (per column: `meaning`, `unit`; for the file:
`harness`, a JSON with the schema version, the versions of the packages and the commit that made the tables,
the grid, and `origins`: versions, commit, device, threads and pack size of the records).
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from harness.methods import METHODS

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


def _trials() -> dict[str, Column]:
    text, number, integer = pa.string(), pa.float64(), pa.int64()
    return {
        "cell_id": Column(text, "", "hash of protocol, method, hyper-parameters and seed: the only key"),
        "method": Column(text, "", "maml, alpha-maml or a method of your own"),
        "dataset": Column(text, "", "omniglot or glyphs"),
        "protocol": Column(text, "", "for people: the preset, and the fields that differ from it"),
        "preset": Column(
            text, "", "a protocol with a name: the grid's preset, or one of its family that is nearer"
        ),
        "changes": Column(
            text, "", "the protocol's fields that differ from it, the data set apart: a JSON object"
        ),
        "n_way": Column(integer, "classes", "classes of a task; a loss at chance is ln(n_way)"),
        "alpha0": Column(number, "", "inner learning rate at iteration 1"),
        "beta0": Column(number, "", "outer learning rate at iteration 1"),
        "alpha_hyperlr": Column(number, "", "hypergradient learning rate of alpha; null for MAML"),
        "beta_hyperlr": Column(number, "", "hypergradient learning rate of beta; null for MAML"),
        "seed": Column(integer, "", "of the episodes and the initial weights"),
        "target_loss": Column(number, "nats", "the grid's target; null: the grid has none"),
        "max_iterations": Column(integer, "iterations", "the grid's budget"),
        "outcome": Column(
            text,
            "",
            "reached (a first passage), budget, diverged or failed; null: not run yet, or not far enough",
        ),
        "ending": Column(
            text, "", "how the run stopped: stopped (sustained passage), budget, diverged, failed"
        ),
        "iterations_to_target": Column(
            integer, "iterations", "first passage: first i with training loss <= target; null: none"
        ),
        "iterations_to_target_sustained": Column(
            integer, "iterations", "first i >= 10 with the mean loss of i-9 ... i <= target; null: none"
        ),
        "iterations_run": Column(integer, "iterations", "rows of the trajectory"),
        "final_alpha": Column(number, "", "alpha that produced the last row's loss"),
        "final_beta": Column(number, "", "beta of the last update made; beta0 if there was none"),
        "final_train_loss": Column(number, "nats", "training loss of the last row"),
        "final_val_loss": Column(number, "nats", "last measured validation loss"),
        "final_val_accuracy": Column(number, "share", "last measured validation accuracy"),
        "wall_seconds": Column(
            number, "s", "of the cell's run; cells of one pack share the time in which they trained together"
        ),
        "device": Column(text, "", "what it was trained on"),
        "threads": Column(integer, "", "torch threads of the process that trained it"),
        "pack_size": Column(integer, "cells", "cells that started together in its pack"),
        "numerics": Column(integer, "", "version of the arithmetic that made the record"),
        "commit": Column(text, "", "git commit of this project, '+' if the tree was changed; null: unknown"),
        "torch": Column(text, "", "version of torch that trained it"),
        "dataset_sha256": Column(text, "", "digest of the images it was trained on"),
        "finished": Column(text, "", "when its run ended, UTC, ISO 8601"),
        "error": Column(text, "", "message of a failed cell"),
    }


TRIALS: dict[str, Column] = _trials()
"""trials.parquet: one row per cell of the grid, in the grid's order, seed by seed. Hyper-parameters of other
methods join as further columns of float64."""

HYPER_PARAMETERS = tuple(
    name for name in TRIALS if any(name in method.Hyper.model_fields for method in METHODS.values())
)
"""The columns of every trials table that are hyper-parameters of its methods."""

TRAJECTORIES: dict[str, Column] = {
    "cell_id": Column(pa.string(), "", "as in trials.parquet"),
    "iteration": Column(
        pa.int32(), "iterations", "i = 1, 2, ...; i - 1 updates of the outer loop are in the weights"
    ),
    "alpha": Column(pa.float64(), "", "inner rate that produced this row's loss"),
    "beta": Column(
        pa.float64(), "", "outer rate that this iteration's update used; null in a last row without one"
    ),
    "train_loss": Column(
        pa.float64(), "nats", "mean over the meta-batch of the post-adaptation query loss, before the update"
    ),
    "train_accuracy": Column(pa.float64(), "share", "of the same queries"),
    "val_loss": Column(
        pa.float64(), "nats", "of the fixed validation episodes, before the update; null: not measured"
    ),
    "val_accuracy": Column(pa.float64(), "share", "of the same queries; null: not measured"),
}
"""trajectories.parquet: one row per cell and iteration, up to the grid's budget."""


def arrow(columns: dict[str, Column]) -> pa.Schema:
    """The Arrow schema, each field with its meaning and unit as metadata."""
    return pa.schema(
        [
            pa.field(name, c.type, metadata={"meaning": c.meaning, "unit": c.unit})
            for name, c in columns.items()
        ]
    )
