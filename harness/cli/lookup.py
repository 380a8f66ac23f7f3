"""What a command's arguments stand for: a cell by the beginning of its id, the grids that have records."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from harness import grids
from harness.cli.console import say, short
from harness.common import places
from harness.common.errors import UserError
from harness.common.plugins import NotLoaded
from harness.common.text import listed
from harness.grids import Grid
from harness.records import DamagedRecord, ForeignRecord, Record, describing, pool, reference, tables
from harness.records.store import Scan, Store

if TYPE_CHECKING:
    from harness.records.tables import Tables

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The tables of a grid whose plug-ins are not loaded: all there is of it."""

    folder: Path
    why: str
    """In words."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Whose records answer for which grid, see `choose`."""

    mine: list[Grid]
    """Those with records of the user's own."""
    others: list[Grid]
    """Those for which the reference answers."""
    as_they_are: list[Kept]
    scan: Scan
    """Of the user's store, made when the grids' plug-ins were loaded: else it does not know their records."""
    order: tuple[str, ...]
    """Names of folders, as the grids were named, those of `as_they_are` last."""


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


def record_of(cell_id: str, results: Path) -> Record:
    """The record whose cell id begins with `cell_id`. UserError: there is none, or more than one, or it
    cannot be read."""
    store = Store(results)
    ids = {path.stem: path.stem for path in sorted(store.folder.glob("*.parquet"))}
    if not any(one.startswith(cell_id) for one in ids) and (names := pool.holding(cell_id)):
        raise UserError(
            f"cell '{cell_id}': not the beginning of any record id in {short(store.folder)}, but of the "
            f"reference's {listed(names)}; harness restore {names[0]} puts its records there"
        )
    whole_id = by_beginning(cell_id, ids, "record", f"in {short(store.folder)}")
    try:
        return store.read(whole_id)
    except DamagedRecord as error:
        raise UserError(f"cell {whole_id}: {error}; the next sweep sets it aside and runs it again") from None
    except ForeignRecord as error:
        raise UserError(
            f"cell {whole_id}: a record of {error}, which is not loaded here; --grid with its grid's file "
            "loads its plug-ins"
        ) from None


def choose(
    store: Store, results: Path, names: Sequence[str], dataset: str | None, reference_alone: bool = False
) -> Chosen:
    """A grid's own records come first, then the reference's. `names`: names or paths; without any, all grids
    that have records or are in the reference. `reference_alone`: the user's records do not count.

    UserError: one is unknown. That the reference has none of some grid is for `theirs` to say.
    """
    references = reference.grids()
    named, as_they_are = kept(results, names, dataset)
    scan = store.scan()
    loadable = [name for name in named if name in grids.names() or name not in references]
    mine = recorded(scan, results, loadable, dataset) if loadable or not names else []
    if names:
        known = [
            grids.load(name, dataset=dataset) if name in loadable else _grid_of(references[name])
            for name in named
        ]
    else:
        known = _on(references, dataset)
    if reference_alone:
        mine = []
    own = {one.folder for one in mine}
    others = {one.folder: one for one in known if one.folder not in own}
    folders = (*(one.folder for one in known), *(one.folder.name for one in as_they_are))
    return Chosen(
        mine=mine, others=[*others.values()], as_they_are=as_they_are, scan=scan, order=tuple(folders)
    )


def _grid_of(folder: Path) -> Grid:
    """The grid of tables, which may be in no sweeps/."""
    grid = describing.grid_of(tables.read_about(folder))
    return grid.model_copy(update={"folder": folder.name})  # whatever it was called where it was made


def _on(references: Mapping[str, Path], dataset: str | None) -> list[Grid]:
    """The reference grids of a data set (None: of any). A line on each that cannot be read."""
    known = []
    for folder in references.values():
        try:
            known.append(_grid_of(folder))
        except UserError as error:
            say(f"left out: {error}", style="yellow")
    return [one for one in known if dataset in (None, one.protocol.dataset_name)]


def theirs(grid: Grid, results: Path, curves: bool) -> tuple[Tables, str]:
    """The reference's tables of a grid, and where they are from. UserError: it has none of its cells."""
    try:
        return pool.reference_tables(grid, curves=curves)
    except UserError as error:
        sweep = places.typed("sweep", grid.file or grid.name)
        raise UserError(
            f"{short(results)}: no records of {grid.folder} yet ({error}); {sweep} makes some"
        ) from None


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


def kept(results: Path, names: Sequence[str], dataset: str | None) -> tuple[list[str], list[Kept]]:
    """Those of `names` that can be loaded, and the tables of those whose plug-ins cannot. Without any names,
    the tables in `results` of grids that need plug-ins. UserError: a grid that cannot be loaded has none."""
    if not names:
        return [], [one for one in _foreign(results) if not _is_known(one.folder.name)]
    fine, tables_alone = [], []
    for name in names:
        try:
            if name.endswith((".yaml", ".yml")) or name in grids.names():
                grids.load(name, dataset=dataset)
            fine.append(name)
        except NotLoaded as error:
            folder = results / (Path(name).stem + (f"-{dataset}" if dataset else ""))
            if not (folder / tables.FILES[0]).exists():
                raise
            tables_alone.append(Kept(folder=folder, why=str(error)))
    return fine, tables_alone


def _is_known(name: str) -> bool:
    """Whether it is a grid of sweeps/ that can be loaded."""
    try:
        return name in grids.names() and bool(grids.load(name))
    except NotLoaded:
        return False


def _foreign(results: Path) -> Iterator[Kept]:
    """The tables in `results` of grids that need what is not loaded."""
    for path in sorted(results.glob("*/trials.parquet")):
        try:
            what = describing.not_loaded(tables.read_about(path.parent))
        except (UserError, AttributeError, TypeError):
            continue
        if what is not None:
            yield Kept(folder=path.parent, why=f"{what} is not loaded; name its grid's file to load it")


def _elsewhere(name: str, datasets: Collection[str]) -> Iterator[Grid]:
    """The grid on other data sets, but not on those that are too small for its tasks."""
    for dataset in sorted(datasets):
        with suppress(UserError):
            yield grids.load(name, dataset=dataset)


def _all(scan: Scan, results: Path, dataset: str | None) -> list[Grid]:
    """The grids of sweeps/, each on its own data set (or `dataset`) and on any that the store has records of,
    and the grids that the tables in `results` were made for. Those whose plug-ins cannot be loaded are left
    out: see `kept`."""
    known = []
    names = {header.cell.protocol.dataset_name for header in scan.headers.values()} - {None}
    stored = {name for name in names if name in grids.datasets()}
    for grid in grids.load_all(dataset):
        own = grid.protocol.dataset_name
        others = stored - {own} if dataset is None and own is not None else ()
        known += [grid, *_elsewhere(grid.name, others)]
    for path in sorted(results.glob("*/trials.parquet")):
        try:
            grid = describing.grid_of(tables.read_about(path.parent))
        except UserError:
            continue  # of another version: made again from its own file
        if grid.folder == path.parent.name:  # else a copy, under another name
            known.append(grid)
    return known
