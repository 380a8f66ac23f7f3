"""A grid's meta-test: results/<grid>/metatest.parquet, and metatest-fit.parquet of problems with functions to
draw."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.cell import Cell
from harness.common import places
from harness.common.errors import UserError, reason
from harness.common.files import figures, in_columns, opened, whole_files
from harness.common.text import one_line
from harness.grids import Grid
from harness.grids.meta_test import MetaTest
from harness.records import describing, schema
from harness.records.record import NUMERICS
from harness.records.restore import by_cell

if TYPE_CHECKING:
    import pandas as pd

FILE, FIT = "metatest.parquet", "metatest-fit.parquet"
FIGURES = ("metatest", "metatest-fit")
"""The names of the figures of the two."""
TRUE, SUPPORT, PREDICTED = "true", "support", "predicted"
_KEY = b"harness"


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The functions of some test tasks, of one number each, and what a cell predicts. float64."""

    x: np.ndarray
    """[m]"""
    true: np.ndarray
    """[tasks, m]"""
    support_x: np.ndarray
    support_y: np.ndarray
    """[tasks, n]: the points that are adapted to."""
    steps: tuple[int, ...]
    predicted: np.ndarray
    """[rates, len(steps), tasks, m]"""


@dataclass(frozen=True, kw_only=True)
class Reached:
    """What one cell reaches on the test tasks."""

    values: dict[str, np.ndarray]
    """The loss and the metrics by name: float64 [rates, steps + 1, tasks] each, after 0, 1, ... steps."""
    fit: Fit | None
    """None: the problem has no functions that could be drawn."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One cell's rows of the two tables."""

    rows: pa.Table
    fit: pa.Table | None
    weights: str
    """Digest of the weights that were tested."""
    origin: dict[str, Any]
    """What tested them: `origin_of`."""


@dataclass(frozen=True, kw_only=True)
class MetaTests:
    """What `read` returns."""

    rows: pd.DataFrame
    """As schema.meta_test says; a null rate is NaN."""
    fit: pd.DataFrame | None
    """As schema.FIT says."""
    about: dict[str, Any]
    """What describing.describe says of the grid; `meta_test`, the test as it was asked for; `classes`: what
    its tasks are made of, by protocol; `cells`: by id, the digest of the weights and the number of its
    origin; `origins`: devices, versions, digests of data."""

    @property
    def metrics(self) -> list[str]:
        """The columns of the problem's metrics."""
        return [name for name in self.rows.columns if name not in schema.META_TEST]


def part_of(
    cell: Cell, rates: Sequence[float | None], reached: Reached, weights: str, origin: dict[str, Any]
) -> Part:
    """The rows of one cell. rates: those of the test, None: its own; weights: their digest."""
    shape = reached.values["loss"].shape
    rate, steps, task = (places.ravel() for places in np.indices(shape))
    columns = {
        "cell_id": [cell.cell_id] * rate.size,
        "rate": [rates[at] for at in rate.tolist()],
        "steps": steps,
        "task": task,
        **{name: values.ravel() for name, values in reached.values.items()},
    }
    rows = pa.table(columns, schema.arrow(schema.meta_test([cell])))
    fit = None if reached.fit is None else _fitted(cell, rates, reached.fit)
    return Part(rows=rows, fit=fit, weights=weights, origin=origin)


def _fitted(cell: Cell, rates: Sequence[float | None], fit: Fit) -> pa.Table:
    rows: list[dict[str, Any]] = []

    def add(rate: float | None, kind: str, steps: int | None, x: np.ndarray, y: np.ndarray) -> None:
        """x: [m] or [tasks, m]; y: [tasks, m]."""
        for task, own in enumerate(y):
            key = {"cell_id": cell.cell_id, "rate": rate, "task": task, "kind": kind, "steps": steps}
            along = x if x.ndim == 1 else x[task]
            rows.extend(key | {"x": a, "y": b} for a, b in zip(along.tolist(), own.tolist(), strict=True))

    for at, rate in enumerate(rates):
        add(rate, TRUE, None, fit.x, fit.true)
        add(rate, SUPPORT, None, fit.support_x, fit.support_y)
        for steps, predicted in zip(fit.steps, fit.predicted[at], strict=True):
            add(rate, PREDICTED, steps, fit.x, predicted)
    return pa.Table.from_pylist(rows, schema.arrow(schema.FIT))


def write(
    grid: Grid,
    test: MetaTest,
    parts: Sequence[tuple[Cell, Part]],
    classes: Mapping[str, str],
    folder: Path,
) -> list[Path]:
    """Write the tables of these cells of a grid, in their order. Returns the paths.

    classes: what the tasks are made of, by protocol in words. Raises NotWritten; older tables and figures are
    then removed, so that none passes for new.
    """
    about = describing.describe(grid) | _about(test, parts, classes)
    drawn = [path for name in FIGURES for path in (*figures(folder / name), *in_columns(folder / name))]
    return _write(parts, about, folder / FILE, folder / FIT, drawn)


def write_cell(cell: Cell, test: MetaTest, part: Part, classes: Mapping[str, str], path: Path) -> list[Path]:
    """Write the table of one cell, of whatever grid, as `path`, and its functions beside it, if it has any.
    Returns the paths. Raises NotWritten."""
    about = {"schema": schema.VERSION, "cell": json.loads(cell.model_dump_json())}
    about |= _about(test, [(cell, part)], classes)
    return _write([(cell, part)], about, path, path.with_name(f"{path.stem}-fit.parquet"), ())


def _about(test: MetaTest, parts: Sequence[tuple[Cell, Part]], classes: Mapping[str, str]) -> dict[str, Any]:
    origins = Counter(json.dumps(part.origin, sort_keys=True) for _, part in parts)
    places = {origin: at for at, origin in enumerate(origins)}
    cells = {
        cell.cell_id: {"weights": part.weights, "origin": places[json.dumps(part.origin, sort_keys=True)]}
        for cell, part in parts
    }
    return {
        "numerics": NUMERICS,
        "meta_test": json.loads(test.model_dump_json()),
        "classes": dict(classes),
        "cells": cells,
        "origins": [json.loads(text) | {"cells": count} for text, count in origins.items()],
    }


def _write(
    parts: Sequence[tuple[Cell, Part]], about: dict[str, Any], path: Path, fit: Path, drawn: Sequence[Path]
) -> list[Path]:
    """Both tables, or the first alone if there are no functions; then an older one is removed."""
    columns = schema.arrow(schema.meta_test([cell for cell, _ in parts]))
    fits = [part.fit for _, part in parts if part.fit is not None]
    tables = {path: pa.concat_tables([columns.empty_table(), *(part.rows for _, part in parts)])}
    if fits:
        tables[fit] = pa.concat_tables(fits)
    with whole_files([*tables], made_from=drawn) as files:
        for file, table in zip(files, tables.values(), strict=True):
            described = table.replace_schema_metadata({_KEY: json.dumps(about).encode()})
            pq.write_table(described, file, compression="zstd")
    if not fits:
        fit.unlink(missing_ok=True)
    return [*tables]


def is_there(folder: Path) -> bool:
    """Whether a folder of results has a meta-test."""
    return (folder / FILE).is_file()


def read(folder: Path) -> MetaTests:
    """The tables of a folder. UserError: they are not there or not whole, or no meta-test's."""
    rows, about = _read(folder / FILE, schema.META_TEST)
    fit = _read(folder / FIT, schema.FIT)[0].to_pandas() if (folder / FIT).is_file() else None
    return MetaTests(rows=rows.to_pandas(), fit=fit, about=about)


def load(grid: str, results: Path | str | None = None) -> pd.DataFrame:
    """The meta-test of a grid's results, as a pandas frame: a row for each cell, rate, number of steps and
    task, see harness.records.schema.META_TEST.

    grid: its folder's name, such as "accuracy". results: None is results/ of the checkout. Raises UserError
    if it has none yet.
    """
    return read(Path(results or places.RESULTS) / grid).rows


def parts_of(folder: Path, test: MetaTest) -> dict[str, Part]:
    """What is there of this very test, by cell id; nothing if it is of another one, of another version of the
    arithmetic, or cannot be read."""
    try:
        parts, about = _parts(folder)
    except UserError:
        return {}
    same = about["numerics"] == NUMERICS and about["meta_test"] == json.loads(test.model_dump_json())
    return parts if same else {}


def copy(grid: Grid, cells: Sequence[Cell], source: Path, folder: Path) -> None:
    """Write the meta-test of these cells in `source` into `folder` too; nothing if there is none of them.
    UserError: it cannot be read. NotWritten."""
    parts, about = _parts(source)
    own = [(cell, parts[cell.cell_id]) for cell in cells if cell.cell_id in parts]
    if own:
        test = MetaTest.model_validate_json(json.dumps(about["meta_test"]))
        write(grid, test, own, about["classes"], folder)


def _parts(folder: Path) -> tuple[dict[str, Part], dict[str, Any]]:
    """All that is there, by cell id, and what is said of it. UserError: it cannot be read."""
    rows, about = _read(folder / FILE, schema.META_TEST)
    fits = _of_cells(_read(folder / FIT, schema.FIT)[0]) if (folder / FIT).is_file() else {}
    by_id = _of_cells(rows)
    try:
        origins = [{key: origin[key] for key in origin if key != "cells"} for origin in about["origins"]]
        return {
            cell_id: Part(
                rows=by_id[cell_id],
                fit=fits.get(cell_id),
                weights=one["weights"],
                origin=origins[one["origin"]],
            )
            for cell_id, one in about["cells"].items()
        }, about
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise _unreadable(folder / FILE, error) from None


def _of_cells(table: pa.Table) -> dict[str, pa.Table]:
    return {cell: own.replace_schema_metadata(None) for cell, own in by_cell(table)}


def _read(path: Path, columns: Mapping[str, schema.Column]) -> tuple[pa.Table, dict[str, Any]]:
    """UserError: see `read`."""
    try:
        with opened(path) as file, pq.ParquetFile(file) as whole:
            table = whole.read(use_threads=False)
            about = json.loads(table.schema.metadata[_KEY])
        for name, column in columns.items():
            if name not in table.column_names or table.schema.field(name).type != column.type:
                raise ValueError(f"its column {name} is missing or of another type")
        if not {"meta_test", "numerics", "classes", "cells", "origins"} <= about.keys():
            raise ValueError("not a meta-test")
    except FileNotFoundError:
        again = places.typed("meta-test")
        raise UserError(f"{path.parent}: no meta-test there; {again} makes one") from None
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable(path, error) from None
    return table, about


def _unreadable(path: Path, error: Exception) -> UserError:
    why = one_line(reason(error) if isinstance(error, OSError) else str(error), 80)
    again = places.typed("meta-test")
    return UserError(f"{path}: cannot be read ({why}); remove it, and {again} makes it again")
