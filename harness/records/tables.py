"""A grid's two tables, made from the store: results/<grid>/trials.parquet and trajectories.parquet."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness import grids
from harness.cell import Cell, Question
from harness.common import places
from harness.common.errors import UserError
from harness.common.files import whole_file, write_whole
from harness.common.places import typed
from harness.grids import Grid
from harness.records import provenance, schema
from harness.records.record import DamagedRecord, Record
from harness.records.store import Scan, Store
from harness.records.trials import row, view

if TYPE_CHECKING:
    import pandas as pd

_KEY = b"harness"
GROUP = 1 << 15
"""Rows that are written together: with one group per cell a file would be slow to write and to read."""


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What `read` returns."""

    trials: pd.DataFrame
    trajectories: pd.DataFrame
    about: dict[str, Any]
    """The file's own description: schema, versions, the grid, where the records come from."""


def recorded_seeds(grid: Grid, scan: Scan, asked: Iterable[int] = ()) -> tuple[int, ...]:
    """The seeds of a grid's tables, in order: those asked for, and those with records of at least half its
    cells.

    Another grid may share some cells, and have run them with more seeds; the half keeps those out. If that
    leaves none: the seeds with any record, or else the grid's own.
    """
    counts, whole = records_by_seed(grid, scan), len(grid.cells([0]))
    half = [seed for seed, count in counts.items() if 2 * count >= whole]
    return tuple(sorted({*asked, *half}) or sorted(counts)) or grid.seeds


def records_by_seed(grid: Grid, scan: Scan) -> Counter[int]:
    """How many of a grid's cells have a record, for each seed that has any."""
    seeds = Counter[int]()
    for cell in grid.cells([0]):
        seeds.update(scan.seeds.get((cell.protocol, cell.method, cell.hyper), ()))
    return seeds


def write(grid: Grid, store: Store, scan: Scan, folder: Path, seeds: Iterable[int] = ()) -> dict[str, str]:
    """Make both tables of `grid` in `folder` from the store. `seeds`: see recorded_seeds.

    All cells of these seeds are rows of trials.parquet. One without a record that answers the grid's question
    (Header.why_not) has nulls there and no trajectory: it is still to be run. Returns the records whose rows
    turned out to be damaged: cell id -> what is wrong.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cells = grid.cells(recorded_seeds(grid, scan, seeds))
    about = {_KEY: json.dumps(describe(grid) | {"origins": _origins(cells, scan)}).encode()}
    rows: list[dict[str, Any]] = []
    damaged: dict[str, str] = {}
    columns = schema.arrow(schema.TRAJECTORIES).with_metadata(about)
    with whole_file(folder / "trajectories.parquet") as path, _Curves(path, columns) as curves:
        for answer in _answers(grid, cells, store, scan):
            rows.append(answer.row)
            damaged |= answer.damaged
            if answer.curve is not None:
                curves.add(answer.row["cell_id"], answer.curve)
    table = pa.Table.from_pylist(rows, schema.arrow(_columns(cells))).replace_schema_metadata(about)
    write_whole(folder / "trials.parquet", lambda path: pq.write_table(table, path, compression="zstd"))
    return damaged


def trials_of(
    grid: Grid, store: Store, scan: Scan, seeds: Iterable[int] = ()
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The trials of `grid` as `write` makes them and `read` returns them, without a file; and the records
    that turned out to be damaged."""
    cells = grid.cells(recorded_seeds(grid, scan, seeds))
    rows: list[dict[str, Any]] = []
    damaged: dict[str, str] = {}
    for answer in _answers(grid, cells, store, scan):
        rows.append(answer.row)
        damaged |= answer.damaged
    table = pa.Table.from_pylist(rows, schema.arrow(_columns(cells)))
    return table.to_pandas(types_mapper=_nullable), damaged


def _columns(cells: Sequence[Cell]) -> dict[str, schema.Column]:
    """Those of trials.parquet: the schema's, and the hyper-parameters that these cells' methods add."""
    return schema.TRIALS | {
        name: schema.Column(pa.float64(), "", "a hyper-parameter of the cell's method")
        for cell in cells
        for name in cell.hyper.model_dump()
        if name not in schema.TRIALS
    }


def read(folder: Path, curves: bool = True) -> Tables:
    """The two tables of a folder; the trajectories without rows if `curves` is false, which saves memory.

    UserError if they are not there or not whole.
    """
    try:
        tables = [pq.read_table(folder / "trials.parquet")]
        path = folder / "trajectories.parquet"
        tables.append(pq.read_table(path) if curves else pq.read_schema(path).empty_table())
        about = json.loads(tables[0].schema.metadata[_KEY])
    except FileNotFoundError:
        raise UserError(f"{folder}: no tables there; {typed('sweep')} makes them") from None
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0][:80]
        raise UserError(
            f"{folder}: its tables cannot be read ({reason}); {typed('plot')} makes them again"
        ) from None
    trials, trajectories = (table.to_pandas(types_mapper=_nullable) for table in tables)
    trials = _with_presets(trials, about)
    return Tables(trials=trials, trajectories=trajectories, about=about)


def _with_presets(trials: pd.DataFrame, about: dict[str, Any]) -> pd.DataFrame:
    """The columns `preset` and `changes`, added where the tables are older than these columns."""
    if "preset" in trials:
        return trials
    grid = grid_of(about)
    names = {one.cell_id: grid.named(one.protocol) for one in grid.cells(trials["seed"].unique().tolist())}
    known = [names[cell_id] for cell_id in trials["cell_id"]]
    at = trials.columns.tolist().index("protocol") + 1
    trials.insert(at, "preset", [preset for preset, _ in known])
    trials.insert(at + 1, "changes", [json.dumps(changes, sort_keys=True) for _, changes in known])
    return trials


def read_about(folder: Path) -> dict[str, Any]:
    """The description alone. UserError as in `read`."""
    try:
        return json.loads(pq.read_metadata(folder / "trials.parquet").metadata[_KEY])
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError):
        raise UserError(f"{folder}: its tables cannot be read; {typed('plot')} makes them again") from None


def load(grid: str, results: Path | str | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The trials and the trajectories of a grid's results, as pandas frames (see harness.records.schema).

    grid: its folder's name, such as "fig2" or "fig2-glyphs". results: None is results/ of the checkout.
    Raises UserError if it has no results yet.

    >>> trials, trajectories = harness.load("fig2")  # doctest: +SKIP
    """
    tables = read(Path(results or places.RESULTS) / grid)
    return tables.trials, tables.trajectories


def describe(grid: Grid) -> dict[str, Any]:
    """What goes into the tables' metadata."""
    return {
        "schema": schema.VERSION,
        "versions": provenance.of_code(),
        "grid": json.loads(grid.model_dump_json()),
        "protocol_label": grid.label,
        "chance_loss": grid.protocol.chance_loss,
    }


def _origins(cells: Sequence[Cell], scan: Scan) -> list[dict[str, Any]]:
    """The different code and machines that made these cells' records, and how many records each."""
    counts: Counter[str] = Counter()
    for cell in cells:
        if header := scan.headers.get(cell.cell_id):
            keys = ("versions", "device", "threads", "pack_size", "dataset_sha256")
            counts[json.dumps({key: header.provenance.get(key) for key in keys}, sort_keys=True)] += 1
    return [json.loads(text) | {"records": count} for text, count in counts.items()]


def grid_of(about: dict[str, Any]) -> Grid:
    """The grid that the tables were made for."""
    return grids.from_json(json.dumps(about["grid"]))


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What a cell adds to the tables."""

    row: dict[str, Any]
    """Of the trials."""
    curve: pa.Table | None
    """Its trajectory within the budget; None: it has no record that says anything about the question."""
    damaged: dict[str, str]
    """Cell id -> what is wrong, if the rows of its record are damaged."""


def _answers(grid: Grid, cells: Sequence[Cell], store: Store, scan: Scan) -> Iterator[_Answer]:
    """One for each cell, in their order. A record is read when its turn comes, and not kept."""
    for cell in cells:
        record, damaged = None, {}
        try:
            record = _record(cell, grid.question, store, scan)
        except DamagedRecord as error:
            damaged = {cell.cell_id: str(error)}
        curve = None if record is None else view(record, grid.question)
        yield _Answer(row=row(grid, cell, record), curve=curve, damaged=damaged)


def _record(cell: Cell, question: Question, store: Store, scan: Scan) -> Record | None:
    """The cell's record if it says anything about the question: an answer, or that the cell failed.

    Raises DamagedRecord.
    """
    header = scan.headers.get(cell.cell_id)
    if header is None or not (header.ending == "failed" or header.answers(question)):
        return None
    try:
        return store.read(cell.cell_id)
    except FileNotFoundError:  # gone since the scan
        return None


class _Curves:
    """Writes trajectories in groups of GROUP rows or a few more: no more than that is in memory."""

    def __init__(self, path: Path, columns: pa.Schema) -> None:
        self._columns = columns
        self._writer = pq.ParquetWriter(path, columns, compression="zstd")
        self._waiting: list[pa.Table] = []

    def add(self, cell_id: str, rows: pa.Table) -> None:
        """Write a cell's rows, now or with those of the next cells."""
        if len(rows):
            ids = pa.repeat(cell_id, len(rows))
            self._waiting.append(rows.add_column(0, "cell_id", ids).cast(self._columns))
        if sum(map(len, self._waiting)) >= GROUP:
            self._flush()

    def __enter__(self) -> _Curves:
        return self

    def __exit__(self, *error: object) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
            self._waiting = []


def _nullable(kind: pa.DataType) -> Any:
    """Integers stay integers where some are null."""
    import pandas as pd  # late: it takes a third of a second, and only those who read tables need it

    return pd.Int64Dtype() if kind in (pa.int64(), pa.int32()) else None
