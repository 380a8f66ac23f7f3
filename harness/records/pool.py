"""Reference records by cell id: a grid without a folder of its own in the reference is answered by the grids
that share its cells."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.common.errors import UserError
from harness.grids import Grid
from harness.records import reference, tables
from harness.records.record import Record
from harness.records.restore import records_of
from harness.records.store import Scan

if TYPE_CHECKING:
    from harness.records.tables import Tables


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The records of a grid's cells that the reference holds; tables are made from it as from a store."""

    records: dict[str, Record]
    """By cell id."""
    folders: tuple[str, ...]
    """The grids of the reference whose records they are."""

    @property
    def scan(self) -> Scan:
        """Their headers, as a store gives them."""
        return Scan(headers={cell_id: one.header for cell_id, one in self.records.items()}, damaged={})

    def read(self, cell_id: str) -> Record:
        """One of them."""
        return self.records[cell_id]


def of(grid: Grid) -> Pool:
    """A record of each of the grid's cells, whatever its seed, from the grids of the reference that have most
    of them. A folder that cannot be read is passed over. UserError: none has any."""
    records: dict[str, Record] = {}
    sources: dict[str, str] = {}
    for name, shared in _sharing(grid):
        done = {cell_id for cell_id, one in records.items() if one.header.answers(grid.question)}
        if not shared - done:
            continue
        with contextlib.suppress(UserError):
            for one in records_of(reference.find(name), shared - done):
                cell_id = one.header.cell.cell_id
                if cell_id not in records or records[cell_id].header.iterations < one.header.iterations:
                    records[cell_id], sources[cell_id] = one, name
    if not records:
        raise reference.none_of(grid.folder)
    return Pool(records=records, folders=tuple(dict.fromkeys(sources.values())))


def _sharing(grid: Grid) -> list[tuple[str, set[str]]]:
    """The grids of the reference, and the ids of the cells that each shares with this one: the most first."""
    shared = []
    for name, folder in reference.grids().items():
        with contextlib.suppress(UserError, ValueError):  # of another version, or no cell's seed
            trials, _, _ = tables.read_arrow(folder, curves=False)
            seeds = [seed for seed in trials["seed"].unique().to_pylist() if seed is not None]
            ids = {cell.cell_id for cell in grid.cells(seeds)} & {*trials["cell_id"].to_pylist()}
            shared.append((name, ids))
    return sorted(shared, key=lambda one: -len(one[1]))


def holding(beginning: str) -> list[str]:
    """The grids of the reference that have a record of a cell whose id begins so."""
    names = []
    for name, folder in reference.grids().items():
        with contextlib.suppress(UserError):
            trials, _, _ = tables.read_arrow(folder, curves=False)
            run = zip(trials["cell_id"].to_pylist(), trials["outcome"].to_pylist(), strict=True)
            if any(cell_id.startswith(beginning) for cell_id, outcome in run if outcome is not None):
                names.append(name)
    return names


def reference_tables(grid: Grid, curves: bool = True) -> tuple[Tables, str]:
    """The reference's tables of a grid, and where they are from, in words: its own, or made for its target
    and budget from the records of other grids. UserError: there are none."""
    folder = reference.grids().get(grid.folder)
    if folder is not None:
        read = tables.read(folder, curves)
        return read, reference.describe(read.trials)
    pool = of(grid)
    made, _ = tables.make(grid, pool, pool.scan, curves=curves)
    if made.trials["outcome"].isna().all():
        raise UserError(
            f"{grid.folder}: the reference records of its cells, those of {', '.join(pool.folders)}, do not "
            "go as far as its target and budget ask"
        )
    return made, reference.describe(made.trials, pool.folders)
