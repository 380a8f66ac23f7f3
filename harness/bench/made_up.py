"""Records of the real kind with made-up losses, and a sweep that is handed such records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from harness import grids, records
from harness.cell import Cell, Question
from harness.methods import METHODS
from harness.records import Progress, Record, Row, schema
from harness.records.store import Store
from harness.sweeping.runner import Driver, Machine, Pack
from harness.sweeping.sweep import Request, sweep

ORIGIN = {
    "wall_seconds": 300.0,
    "device": "cpu (made up)",
    "threads": 1,
    "pack_size": 1,
    "versions": {"harness": "0", "python": "3", "torch": "2", "commit": "0123456789ab"},
    "dataset_sha256": "0" * 64,
    "finished": "2026-01-01T00:00:00+00:00",
}


def record(cell: Cell, rows: int) -> Record:
    """A record of `cell` that went to a budget of `rows`, with made-up losses, validated as usual."""
    moves = {name: 0.1 if name.startswith("alpha") else 1e-3 for name in METHODS[cell.method].columns}
    metrics = schema.judged(cell)[1:]
    losses = np.random.default_rng(cell.seed).normal(2.8, 0.1, rows).tolist()
    trajectory = [
        Row(
            iteration=i,
            train_loss=loss,
            **{name: rate + 1e-5 * i for name, rate in moves.items()},
            **{f"train_{name}": 0.2 for name in metrics},
            **(_validated(metrics) if i == 1 or i % 25 == 0 else {}),
        )
        for i, loss in enumerate(losses, 1)
    ]
    return records.make(cell, "budget", trajectory, ORIGIN)


def _validated(metrics: Sequence[str]) -> Row:
    return {"val_loss": 2.9, **{f"val_{name}": 0.15 for name in metrics}}


def fill(results: Path, cells: Sequence[Cell], rows: int) -> None:
    """Put a record of each cell into the store. Cells of one seed share their made-up rows, if their records
    have the same columns."""
    store, made = Store(results), dict[tuple[str, ...], Record]()
    for cell in cells:
        alike = (str(cell.seed), *schema.record(cell))
        if alike not in made:
            made[alike] = record(cell, rows)
        store.put(records.dump(_of(cell, made[alike])))


def _of(cell: Cell, other: Record) -> Record:
    """The record of another cell, as one of this cell."""
    return replace(other, header=replace(other.header, cell=cell))


def store_many(count: int, rows: int, results: Path) -> None:
    """Drive a sweep whose runner hands over `count` records of `rows` rows, tables included."""
    grid = grids.load("fig2", dataset="glyphs").model_copy(update={"max_iterations": rows})
    seeds = tuple(range(-(-count // len(grid.cells([0])))))
    content = records.dump(record(grid.cells([0])[0], rows))

    def runner(packs: Sequence[Pack], question: Question, machine: Machine, driver: Driver) -> None:
        for (cell,) in packs[:count]:
            driver.record(records.dump(_of(cell, records.load(content))))

    machine = Machine(device="cpu", jobs=1)
    sweep(Request(grid=grid, results=results, machine=machine, seeds=seeds), runner, _Quiet())


class _Quiet:
    """A display that shows nothing."""

    def note(self, text: str) -> None: ...

    def begin(self, total: int, done: int, jobs: int) -> None: ...

    def progress(self, now: list[Progress]) -> None: ...

    def record(self, record: Record, question: Question) -> None: ...

    def end(self) -> None: ...
