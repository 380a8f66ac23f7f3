"""A grid's two tables, made from the store: results/<grid>/trials.parquet and trajectories.parquet."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness import grids
from harness.cell import Cell, Question, label
from harness.common import places
from harness.common.errors import UserError
from harness.common.files import write_whole
from harness.grids import Grid
from harness.records import provenance, schema
from harness.records.passages import first_passage, outcome, sustained_passage
from harness.records.record import DamagedRecord, Record
from harness.records.store import Scan, Store

if TYPE_CHECKING:
    import pandas as pd

_KEY = b"harness"
GROUP = 1 << 15
"""Rows that are written together: a group a cell would make a file slow to write and to read."""


class Tables(NamedTuple):
    """What `read` gives back."""

    trials: pd.DataFrame
    trajectories: pd.DataFrame
    about: dict[str, Any]
    """The file's own description: schema, versions, the grid as it was asked, where the records come from."""


def recorded_seeds(grid: Grid, scan: Scan, asked: Iterable[int] = ()) -> tuple[int, ...]:
    """The seeds of a grid's tables, in order: those asked for, and those with records of half its cells.

    Another grid may share some cells, and have run more seeds of them; half keeps those out. If that
    leaves none: the seeds with any record, and failing that the grid's own.
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
    (Header.why_not) has nulls there and no trajectory: it is still to be run. Returns the records that turned
    out damaged within: cell id -> what is wrong.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cells = grid.cells(recorded_seeds(grid, scan, seeds))
    about = {_KEY: json.dumps(describe(grid) | {"origins": _origins(cells, scan)}).encode()}
    trajectories = schema.arrow(schema.TRAJECTORIES).with_metadata(about)
    trials: list[dict[str, Any]] = []
    damaged: dict[str, str] = {}

    def curves() -> Iterator[pa.Table]:
        for cell, record in _records(cells, grid.question, store, scan, damaged):
            rows = None if record is None else view(record, grid.question)
            trials.append(_trial(grid, cell, record, rows))
            if rows is not None and len(rows):
                ids = pa.repeat(cell.cell_id, len(rows))
                yield rows.add_column(0, "cell_id", ids).cast(trajectories)

    def write_curves(temporary: Path) -> None:
        with pq.ParquetWriter(temporary, trajectories, compression="zstd") as writer:
            for group in _groups(curves()):
                writer.write_table(group)

    write_whole(folder / "trajectories.parquet", write_curves)
    table = pa.Table.from_pylist(trials, schema.arrow(_columns(cells))).replace_schema_metadata(about)
    write_whole(folder / "trials.parquet", lambda path: pq.write_table(table, path, compression="zstd"))
    return damaged


def trials_of(
    grid: Grid, store: Store, scan: Scan, seeds: Iterable[int] = ()
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The trials of `grid` as `write` makes them and `read` gives them back, without a file; and the records
    that turned out damaged."""
    damaged: dict[str, str] = {}
    cells = grid.cells(recorded_seeds(grid, scan, seeds))
    rows = [
        _trial(grid, cell, record, None if record is None else view(record, grid.question))
        for cell, record in _records(cells, grid.question, store, scan, damaged)
    ]
    table = pa.Table.from_pylist(rows, schema.arrow(_columns(cells)))
    return table.to_pandas(types_mapper=_nullable), damaged


def _columns(cells: Sequence[Cell]) -> dict[str, schema.Column]:
    """Of the trials: those of the schema, then the hyper-parameters that only some methods have."""
    own = schema.Column(pa.float64(), "", "a hyper-parameter of its method's own")
    names = (name for cell in cells for name in cell.hyper.model_dump())
    return schema.TRIALS | {name: own for name in names if name not in schema.TRIALS}


def _groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of GROUP and a little more: no more than that is in memory at a time."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= GROUP:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


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
        raise UserError(f"{folder}: no tables there; make sweep makes them") from None
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0][:80]
        raise UserError(
            f"{folder}: its tables cannot be read ({reason}); make plots makes them again"
        ) from None
    trials, trajectories = (table.to_pandas(types_mapper=_nullable) for table in tables)
    return Tables(_with_presets(trials, about), trajectories, about)


def _with_presets(trials: pd.DataFrame, about: dict[str, Any]) -> pd.DataFrame:
    """The columns `preset` and `changes`, where the tables are from before they had them."""
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
        raise UserError(f"{folder}: its tables cannot be read; make plots makes them again") from None


def load(grid: str, results: Path | str | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The trials and the trajectories of a grid's results, as pandas frames (see harness.records.schema).

    grid: its folder's name, such as "fig2" or "fig2-glyphs". results: None is results/ of the checkout.
    Raises UserError if it has no results yet.

    >>> trials, trajectories = harness.load("fig2")  # doctest: +SKIP
    """
    tables = read(Path(results or places.RESULTS) / grid)
    return tables.trials, tables.trajectories


def view(record: Record, question: Question) -> pa.Table:
    """The record's rows within the question's budget."""
    return record.rows.slice(0, question.max_iterations)


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
    """The different code and machines that made these cells' records, and how many each."""
    counts: Counter[str] = Counter()
    for cell in cells:
        if header := scan.headers.get(cell.cell_id):
            keys = ("versions", "device", "threads", "pack_size", "dataset_sha256")
            counts[json.dumps({key: header.provenance.get(key) for key in keys}, sort_keys=True)] += 1
    return [json.loads(text) | {"records": count} for text, count in counts.items()]


def grid_of(about: dict[str, Any]) -> Grid:
    """The grid that the tables were made for."""
    return grids.from_json(json.dumps(about["grid"]))


def _records(
    cells: Sequence[Cell], question: Question, store: Store, scan: Scan, damaged: dict[str, str]
) -> Iterator[tuple[Cell, Record | None]]:
    for cell in cells:
        record = None
        header = scan.headers.get(cell.cell_id)
        if header and (header.ending == "failed" or header.answers(question)):
            try:
                record = store.read(cell.cell_id)
            except FileNotFoundError:
                pass
            except DamagedRecord as error:
                damaged[cell.cell_id] = str(error)
        yield cell, record


def _trial(grid: Grid, cell: Cell, record: Record | None, rows: pa.Table | None) -> dict[str, Any]:
    question = grid.question
    preset, changes = grid.named(cell.protocol)
    asked = {
        "cell_id": cell.cell_id,
        "method": cell.method,
        "dataset": cell.protocol.dataset,
        "protocol": label(preset, changes),
        "preset": preset,
        "changes": json.dumps(changes, sort_keys=True),
        "n_way": cell.protocol.n_way,
        **cell.hyper.model_dump(),
        "seed": cell.seed,
        "target_loss": question.target_loss,
        "max_iterations": question.max_iterations,
    }
    if record is None or rows is None:
        return asked
    header, origin, target = record.header, record.header.provenance, question.target_loss
    losses = rows["train_loss"].to_numpy()
    cut = header.iterations > question.max_iterations
    return asked | {
        "outcome": outcome(losses, header.ending, header.iterations, target, question.max_iterations),
        "ending": "budget" if cut else header.ending,
        "iterations_to_target": None if target is None else first_passage(losses, target),
        "iterations_to_target_sustained": None if target is None else sustained_passage(losses, target),
        "iterations_run": len(rows),
        "final_alpha": _last(rows["alpha"]),
        "final_beta": _last(rows["beta"], getattr(cell.hyper, "beta0", None)) if len(rows) else None,
        "final_train_loss": _last(rows["train_loss"]),
        "final_val_loss": _last(rows["val_loss"]),
        "final_val_accuracy": _last(rows["val_accuracy"]),
        "wall_seconds": origin.get("wall_seconds"),
        "device": origin.get("device"),
        "threads": origin.get("threads"),
        "pack_size": origin.get("pack_size"),
        "numerics": header.numerics,
        "commit": origin.get("versions", {}).get("commit"),
        "torch": origin.get("versions", {}).get("torch"),
        "finished": origin.get("finished"),
        "error": header.error,
    }


def _last(column: pa.ChunkedArray, otherwise: float | None = None) -> float | None:
    """The last value that is not null."""
    values = pc.drop_null(column)
    return values[-1].as_py() if len(values) else otherwise


def _nullable(kind: pa.DataType) -> Any:
    """Integers stay integers where some are null."""
    import pandas as pd  # late: a third of a second that only a reader of the tables has to wait

    return pd.Int64Dtype() if kind in (pa.int64(), pa.int32()) else None
