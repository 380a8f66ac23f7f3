"""What each cell of a grid adds to its tables: a row, its trajectory, or the damage of its record."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from harness.cell import Cell, Question
from harness.grids import Grid
from harness.records.record import DamagedRecord, Record
from harness.records.store import Scan
from harness.records.trials import row, view

GROUP = 1 << 15
"""Rows that are written together: with one group per cell a file would be slow to write and to read."""


class Source(Protocol):
    """Where records are: a store, or a Pool of the reference's."""

    def read(self, cell_id: str) -> Record:
        """The whole record. Raises DamagedRecord, FileNotFoundError."""
        ...


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a cell adds to the tables."""

    row: dict[str, Any]
    """Of the trials."""
    curve: pa.Table | None
    """Its trajectory within the budget; None: it has no record that says anything about the question."""
    damaged: dict[str, str]
    """Cell id -> what is wrong, if its record is damaged."""


def answers(grid: Grid, cells: Sequence[Cell], store: Source, scan: Scan) -> Iterator[Answer]:
    """One for each cell, in their order. A record is read when its turn comes, and not kept."""
    for cell in cells:
        record, damaged = None, {}
        try:
            record = _record(cell, grid.question, store, scan)
        except DamagedRecord as error:
            damaged = {cell.cell_id: str(error)}
        curve = None if record is None else view(record, grid.question)
        yield Answer(row=row(grid, cell, record), curve=curve, damaged=damaged)


def _record(cell: Cell, question: Question, store: Source, scan: Scan) -> Record | None:
    """The cell's record if it says anything about the question: an answer, or that the cell failed.

    Raises DamagedRecord.
    """
    if cell.cell_id in scan.damaged:
        raise DamagedRecord(scan.damaged[cell.cell_id])
    header = scan.headers.get(cell.cell_id)
    if header is None or not (header.ending == "failed" or header.answers(question)):
        return None
    try:
        return store.read(cell.cell_id)
    except FileNotFoundError:  # gone since the scan
        return None


def named(cell_id: str, rows: pa.Table, columns: pa.Schema) -> pa.Table:
    """A record's rows as those of the trajectories."""
    whole = {"cell_id": pa.repeat(cell_id, len(rows))} | {name: rows[name] for name in rows.column_names}
    arrays = [
        whole.get(name, pa.nulls(len(rows), kind))
        for name, kind in zip(columns.names, columns.types, strict=True)
    ]
    return pa.table(arrays, names=columns.names).cast(columns)


class Curves:
    """Writes trajectories in groups of GROUP rows or a few more: no more than that is in memory. small: takes
    longer, for a smaller file."""

    def __init__(self, path: Path, columns: pa.Schema, small: bool = False) -> None:
        self._columns = columns
        numbers = [field.name for field in columns if pa.types.is_floating(field.type)]
        how = {"compression_level": 19, "use_byte_stream_split": numbers} if small else {}
        if small:
            how["use_dictionary"] = [name for name in columns.names if name not in numbers]
        self._writer = pq.ParquetWriter(path, columns, compression="zstd", **how)
        self._waiting: list[pa.Table] = []

    def add(self, cell_id: str, rows: pa.Table) -> None:
        """Write a cell's rows, now or with those of the next cells."""
        if len(rows):
            self._waiting.append(named(cell_id, rows, self._columns))
        if sum(map(len, self._waiting)) >= GROUP:
            self._flush()

    def __enter__(self) -> Curves:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None:
            self._flush()
            self._writer.close()
        else:  # a full disk, say: what the writer thinks of its end is of no interest
            with contextlib.suppress(pa.ArrowException, OSError):
                self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
            self._waiting = []
