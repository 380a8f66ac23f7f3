"""What the words of a command stand for: a cell by the beginning of its id, the grids that have records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from harness import grids
from harness.common.errors import UserError
from harness.grids import Grid
from harness.records import tables
from harness.records.store import Scan

T = TypeVar("T")


def by_beginning(beginning: str, known: Mapping[str, T], what: str, where: str) -> T:
    """The one whose cell id begins like that. UserError if there is none, or more than one.

    `what` and `where` are for the error: "record", "in results/store".
    """
    matching = [cell_id for cell_id in known if cell_id.startswith(beginning)]
    if len(matching) != 1:
        count = f"{len(matching)} {what}s begin" if matching else f"no {what} begins"
        raise UserError(
            f"cell '{beginning}': {count} with that {where}; harness grids NAME --cells lists them"
        )
    return known[matching[0]]


def recorded(scan: Scan, results: Path, names: Sequence[str], dataset: str | None) -> list[Grid]:
    """The grids (by name or path; none: all, on any data set, and those that have tables) with records."""
    grids_ = [grids.load(name, dataset=dataset) for name in names] if names else _all(scan, results, dataset)
    unique = {grid.folder: grid for grid in reversed(grids_)}  # of one folder the first
    return [grid for grid in reversed(unique.values()) if tables.records_by_seed(grid, scan)]


def _all(scan: Scan, results: Path, dataset: str | None) -> list[Grid]:
    """Those of sweeps/, each on its own data set (or `dataset`) and on all that the store has records of, and
    those that the tables in `results` were made for."""
    grids_ = []
    stored = {header.cell.protocol.dataset for header in scan.headers.values()} & {*grids.datasets()}
    for name in grids.names():
        own = grids.load(name, dataset=dataset)
        others = stored - {own.protocol.dataset} if dataset is None else ()
        grids_ += [own, *(grids.load(name, dataset=other) for other in sorted(others))]
    for path in sorted(results.glob("*/trials.parquet")):
        try:
            grids_.append(tables.grid_of(tables.read_about(path.parent)))
        except UserError:
            continue  # of another version: made again from its own file
    return grids_
