"""A grid's two tables, made from the store: results/<grid>/trials.parquet and trajectories.parquet."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.common import places
from harness.common.errors import UserError, reason
from harness.common.files import figures, in_columns, opened, whole_files
from harness.common.places import typed
from harness.common.text import one_line
from harness.grids import Grid
from harness.records import compact, describing, reference, schema
from harness.records.answers import Curves, Source, answers, named
from harness.records.compact import FILES
from harness.records.joining import joined, joined_about, of_rows
from harness.records.store import Scan

if TYPE_CHECKING:
    import pandas as pd

_KEY = b"harness"


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What `read` and `make` return."""

    trials: pd.DataFrame
    trajectories: pd.DataFrame
    about: dict[str, Any]
    """The file's own description: schema, versions, the grid, where the records come from."""
    columns: tuple[Mapping[str, schema.Column], ...] = ({}, {})
    """Of the two, what their columns mean. One that is missing here is as in schema.TRIALS, TRAJECTORIES."""


def recorded_seeds(grid: Grid, scan: Scan, asked: Iterable[int] = ()) -> tuple[int, ...]:
    """The seeds of a grid's tables, in order: those asked for that have any record, and those with records of
    at least half its cells.

    Another grid may share some cells, and have run them with more seeds; the half keeps those out. If that
    leaves none: the seeds with any record, or else those asked for, or the grid's own.
    """
    counts, whole = records_by_seed(grid, scan), len(grid.points)
    wanted = {*asked}
    kept = [seed for seed, count in counts.items() if seed in wanted or 2 * count >= whole]
    return tuple(sorted(kept or counts or wanted)) or grid.seeds


def records_by_seed(grid: Grid, scan: Scan) -> Counter[int]:
    """How many of a grid's cells have a record, for each seed that has any."""
    seeds = Counter[int]()
    for point in grid.points:
        seeds.update(scan.seeds.get(point, ()))
    return seeds


def write(
    grid: Grid,
    store: Source,
    scan: Scan,
    folder: Path,
    seeds: Iterable[int] = (),
    part: str | None = None,
) -> dict[str, str]:
    """Make both tables of `grid` in `folder` from the store. `seeds`: see recorded_seeds. part: the compact
    tables of this method alone; None: whole ones of all.

    All cells of these seeds are rows of trials.parquet. One without a record that answers the grid's question
    (Header.why_not) has nulls there and no trajectory: it is still to be run. Returns the records that are
    left out because they are damaged: cell id -> what is wrong.

    Raises NotWritten; older tables and figures are then removed, so that none passes for new.
    """
    cells = grid.cells(recorded_seeds(grid, scan, seeds))
    if part is not None:
        cells = tuple(cell for cell in cells if cell.method == part)
    about = {_KEY: json.dumps(describing.about(grid, cells, scan)).encode()}
    rows: list[dict[str, Any]] = []
    damaged: dict[str, str] = {}
    columns = schema.arrow(schema.trajectories(cells)).with_metadata(about)
    paths = [folder / name for name in FILES]
    drawn = [*figures(folder / grid.name), *in_columns(folder / grid.name)]
    with whole_files(paths, made_from=drawn) as (trials, trajectories):
        with Curves(trajectories, columns, small=part is not None) as curves:
            for answer in answers(grid, cells, store, scan):
                rows.append(answer.row)
                damaged |= answer.damaged
                if answer.curve is not None:
                    curve = answer.curve if part is None else compact.thinned(answer.curve)
                    curves.add(answer.row["cell_id"], curve)
        pq.write_table(of_rows(rows, cells).replace_schema_metadata(about), trials, compression="zstd")
    return damaged


def make(
    grid: Grid, store: Source, scan: Scan, seeds: Iterable[int] = (), curves: bool = True
) -> tuple[Tables, dict[str, str]]:
    """The tables of `grid` as `write` makes them and `read` returns them, without a file; and the records
    that are left out."""
    cells = grid.cells(recorded_seeds(grid, scan, seeds))
    columns = schema.arrow(schema.trajectories(cells))
    rows: list[dict[str, Any]] = []
    parts: list[pa.Table] = [columns.empty_table()]
    damaged: dict[str, str] = {}
    for answer in answers(grid, cells, store, scan):
        rows.append(answer.row)
        damaged |= answer.damaged
        if curves and answer.curve is not None:
            parts.append(named(answer.row["cell_id"], answer.curve, columns))
    return _frames(
        of_rows(rows, cells), pa.concat_tables(parts), describing.about(grid, cells, scan)
    ), damaged


def read(folder: Path, curves: bool = True) -> Tables:
    """The two tables of a folder; the trajectories without rows if `curves` is false, which saves memory.

    UserError if they are not there or not whole, or if they are not a grid's tables.
    """
    trials, trajectories, about = read_arrow(folder, curves)
    tables = _frames(trials, trajectories, about)
    try:
        return replace(tables, trials=_with_presets(tables.trials, about))
    except KeyError as error:
        raise _unreadable(folder, ValueError(f"{error} is no cell of its grid")) from None


def read_arrow(folder: Path, curves: bool = True) -> tuple[pa.Table, pa.Table, dict[str, Any]]:
    """The same as Arrow tables, as they were written: trials, trajectories, and their description. Those of a
    folder in parts are put together, in the order of the grid."""
    parts = compact.parts(folder)
    if parts in ([], [folder]):
        return _read_part(folder, curves)
    read = [_read_part(part, curves) for part in parts]
    try:
        return joined(read)
    except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise _unreadable(folder, error) from None


def _read_part(folder: Path, curves: bool) -> tuple[pa.Table, pa.Table, dict[str, Any]]:
    about = _read_about(folder)
    try:
        trials, trajectories = (_table(folder / name, curves or name == FILES[0]) for name in FILES)
        _check_columns(trials, schema.TRIALS, optional=schema.OPTIONAL)
        _check_columns(trajectories, schema.TRAJECTORIES)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(folder, error) from None
    return trials, trajectories, about


def _table(path: Path, rows: bool, columns: list[str] | None = None) -> pa.Table:
    with opened(path) as file, pq.ParquetFile(file) as whole:
        # In this thread alone: Arrow's own may still hold the file as Python exits, and abort it.
        return whole.read(columns, use_threads=False) if rows else whole.schema_arrow.empty_table()


def _check_columns(
    table: pa.Table, columns: Mapping[str, schema.Column], optional: Sequence[str] = ()
) -> None:
    """ValueError unless it has these columns, and perhaps more."""
    for name, column in columns.items():
        found = table.schema.field(name).type if name in table.column_names else None
        if found != column.type and not (found is None and name in optional):
            raise ValueError(f"its column {name} is {found or 'missing'}, not {column.type}")


def _frames(trials: pa.Table, trajectories: pa.Table, about: dict[str, Any]) -> Tables:
    frames = (table.to_pandas(types_mapper=_nullable) for table in (trials, trajectories))
    columns = schema.of_arrow(trials.schema), schema.of_arrow(trajectories.schema)
    return Tables(trials=next(frames), trajectories=next(frames), about=about, columns=columns)


def _unreadable(folder: Path, error: Exception) -> UserError:
    why = one_line(reason(error) if isinstance(error, OSError) else str(error), 80)
    again = f"{typed('plot')} makes them again"
    if _of_reference(folder):
        again = f"they come with the {'repository' if places.CHECKOUT else 'package'}: get its files again"
    return UserError(f"{folder}: its tables cannot be read ({why}); {again}")


def _of_reference(folder: Path) -> bool:
    """Whether its tables are the reference's, which no sweep or plot makes."""
    return folder.resolve().is_relative_to(places.REFERENCE.resolve())


def _with_presets(trials: pd.DataFrame, about: dict[str, Any]) -> pd.DataFrame:
    """The columns `preset` and `changes`, added where the tables are older than these columns."""
    if "preset" in trials:
        return trials
    grid = describing.grid_of(about)
    names = {one.cell_id: grid.named(one.protocol) for one in grid.cells(trials["seed"].unique().tolist())}
    known = [names[cell_id] for cell_id in trials["cell_id"]]
    at = trials.columns.tolist().index("protocol") + 1
    trials.insert(at, "preset", [preset for preset, _ in known])
    trials.insert(at + 1, "changes", [json.dumps(changes, sort_keys=True) for _, changes in known])
    return trials


def read_about(folder: Path) -> dict[str, Any]:
    """The description alone. UserError as in `read`."""
    parts = compact.parts(folder)
    if parts in ([], [folder]):
        return _read_about(folder)
    abouts = [_read_about(part) for part in parts]
    try:
        ids = [_table(part / FILES[0], rows=True, columns=["cell_id", "seed"]) for part in parts]
        return joined_about(abouts, pa.concat_tables(ids))[0]
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(folder, error) from None


def _read_about(folder: Path) -> dict[str, Any]:
    try:
        with opened(folder / FILES[0]) as file:
            return _described(file)
    except FileNotFoundError:
        if _of_reference(folder):
            raise reference.none_of(folder.name) from None
        raise UserError(f"{folder}: no tables there; {typed('sweep')} makes them") from None
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise _unreadable(folder, error) from None


def _described(file: IO[bytes]) -> dict[str, Any]:
    """KeyError, TypeError or ValueError: the file does not describe a grid's tables."""
    about = json.loads(pq.read_metadata(file).metadata[_KEY])
    if not isinstance(about["origins"], list) or not isinstance(about["grid"], dict):
        raise TypeError("not a grid's tables")
    return about


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # too long, say
        return False


def check_free(grid: Grid, folder: Path) -> None:
    """UserError if `folder` holds the tables of another file of the same name, which is still there and says
    something else."""
    try:
        about = read_about(folder)
    except UserError:
        return  # none that could be lost
    file = about.get("file")
    if file == grid.file or not isinstance(file, str) or not _is_file(file):
        return
    if about["grid"] != describing.dumped(grid):
        raise UserError(
            f"{folder}: holds the tables of {one_line(file)}; rename one of the two files, or choose another "
            "folder with RESULTS=..."
        )


def load(grid: str, results: Path | str | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The trials and the trajectories of a grid's results, as pandas frames (see harness.records.schema).

    grid: its folder's name, such as "fig2" or "fig2-glyphs". results: None is results/ of the checkout.
    Raises UserError if it has no results yet.

    >>> trials, trajectories = harness.load("fig2")  # doctest: +SKIP
    """
    tables = read(Path(results or places.RESULTS) / grid)
    return tables.trials, tables.trajectories


def _nullable(kind: pa.DataType) -> Any:
    """Whole numbers stay whole numbers, and flags flags, where some are null."""
    import pandas as pd  # late: it takes a third of a second, and only those who read tables need it

    if kind in (pa.int64(), pa.int32()):
        return pd.Int64Dtype()
    return pd.BooleanDtype() if kind == pa.bool_() else None
