"""What a command's arguments stand for: a cell by the beginning of its id, the grids that have records."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from harness import grids
from harness.common.errors import UserError
from harness.grids import Grid
from harness.records import tables
from harness.records.store import Scan

T = TypeVar("T")


def by_beginning(beginning: str, known: Mapping[str, T], what: str, where: str) -> T:
    """The one whose cell id begins with `beginning`. UserError if there is none, or more than one.

    `what` and `where` are for the error: "record", "in results/store".
    """
    matching = [cell_id for cell_id in known if cell_id.startswith(beginning)]
    if len(matching) != 1:
        count = (
            f"the beginning of {len(matching)} {what} ids"
            if matching
            else f"not the beginning of any {what} id"
        )
        raise UserError(f"cell '{beginning}': {count} {where}; harness grids NAME --cells lists ids")
    return known[matching[0]]


def recorded(
    scan: Scan, results: Path, names: Sequence[str], dataset: str | None, running: Collection[str] = ()
) -> list[Grid]:
    """The grids with records, among `names` (names or paths) or, without any, among all that are known.

    running: ids of cells that count as recorded, of the grids' own seeds.
    """
    known = [grids.load(name, dataset=dataset) for name in names] if names else _all(scan, results, dataset)
    unique = {grid.folder: grid for grid in reversed(known)}  # the first with a folder
    for grid in known if names else ():
        if grid.file != (first := unique[grid.folder].file):
            raise UserError(f"{grid.file} and {first}: both would be results/{grid.folder}; rename one")
    return [
        grid
        for grid in reversed(unique.values())
        if tables.records_by_seed(grid, scan)
        or (running and any(cell.cell_id in running for cell in grid.cells()))
    ]


def _elsewhere(name: str, datasets: Collection[str]) -> Iterator[Grid]:
    """The grid on other data sets, but not on those that are too small for its tasks."""
    for dataset in sorted(datasets):
        with suppress(UserError):
            yield grids.load(name, dataset=dataset)


def _all(scan: Scan, results: Path, dataset: str | None) -> list[Grid]:
    """The grids of sweeps/, each on its own data set (or `dataset`) and on any that the store has records of,
    and the grids that the tables in `results` were made for."""
    known = []
    names = {header.cell.protocol.dataset_name for header in scan.headers.values()} - {None}
    stored = {name for name in names if name in grids.datasets()}
    for grid in grids.load_all(dataset):
        own = grid.protocol.dataset_name
        others = stored - {own} if dataset is None and own is not None else ()
        known += [grid, *_elsewhere(grid.name, others)]
    for path in sorted(results.glob("*/trials.parquet")):
        try:
            grid = tables.grid_of(tables.read_about(path.parent))
        except UserError:
            continue  # of another version: made again from its own file
        if grid.folder == path.parent.name:  # else a copy, under another name
            known.append(grid)
    return known
