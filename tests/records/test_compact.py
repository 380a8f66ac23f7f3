"""Compact tables: what is left out of a run, a folder in parts as one, and that parts stay as they are."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import harness
from harness import grids, records
from harness.cell import Cell
from harness.common import places
from harness.common.errors import UserError
from harness.grids import Grid
from harness.records import Row, compact, describing, publishing, reference, restore, tables
from harness.records.compact import is_thinned, thinned
from harness.records.record import DamagedRecord
from harness.records.store import Store
from tests.records.test_tables import GRID, ORIGIN


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(places, "REFERENCE", tmp_path / "reference")
    return tmp_path / "reference" / "five"


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    path = tmp_path / "five.yaml"
    path.write_text(GRID)
    return grids.load(str(path))


def record(cell: Cell, losses: list[float], ending: str = "budget", **origin: object) -> bytes:
    rows = [
        Row(
            iteration=i,
            alpha=0.1 * i,
            beta=i / 100 if i < len(losses) else None,
            train_loss=loss,
            train_accuracy=1 / i,
            **({"val_loss": 2.0 + i, "val_accuracy": 0.25} if i in (1, 10) else {}),
        )
        for i, loss in enumerate(losses, 1)
    ]
    return records.dump(records.make(cell, ending, rows, ORIGIN | origin))


LOSSES = [1.5 - i / 7 for i in range(12)] + [1 / 3] * 6
NAMES = ["maml", "alpha-maml"]


@pytest.fixture
def results(tmp_path: Path, grid: Grid) -> Path:
    """All cells of seeds 0 and 1; one diverged at iteration 4."""
    store = Store(tmp_path / "results")
    for at, cell in enumerate(grid.cells()):
        long = [*LOSSES, 1.4 + at, 1.5 + at]
        store.put(record(cell, long) if at else record(cell, [1.5, 1.4, 1.6, math.nan], "diverged"))
    return tmp_path / "results"


def test_what_is_kept_of_a_run() -> None:
    rows = pa.table(
        {
            "iteration": pa.array(range(1, 13), pa.int32()),
            "alpha": [float(i) for i in range(1, 12)] + [math.nan],
            "train_loss": [0.5] * 12,
            "val_loss": [2.0, *[None] * 8, 3.0, None, None],
        }
    )
    kept = thinned(rows)
    assert kept["iteration"].to_pylist() == list(range(1, 13))
    assert kept["train_loss"].to_pylist() == [0.5] * 12
    alpha = kept["alpha"].to_pylist()
    assert [i for i, value in enumerate(alpha, 1) if value is not None] == [1, 5, 10, 11, 12]
    assert math.isnan(alpha[-1])  # a number that is not finite is no gap
    assert kept["val_loss"].to_pylist() == rows["val_loss"].to_pylist()
    assert kept.schema == rows.schema
    assert thinned(kept).equals(kept) or str(thinned(kept)) == str(kept)


@pytest.mark.parametrize(
    ("kept", "rows", "may_be"),
    [
        ([1, 5, 10, 11, 12], 12, True),
        ([1, 3, 6, 9, 11, 12], 12, True),
        (range(1, 13), 12, True),
        ([1], 1, True),
        ([1, 3, 4], 4, True),
        ([], 0, True),
        ([], 3, False),
        ([1, 5, 11, 12], 12, False),
        ([5, 10, 11, 12], 12, False),
        ([1, 5, 10, 12], 12, False),
        ([1, *range(3, 13)], 12, False),
    ],
)
def test_a_hole_is_no_thinning(kept: list[int], rows: int, may_be: bool) -> None:
    import numpy as np

    missing = np.array([i not in kept for i in range(1, rows + 1)], bool)
    assert is_thinned(missing) == may_be


def test_the_parts_are_one_grid(grid: Grid, results: Path, folder: Path, tmp_path: Path) -> None:
    """In the grid's order, every loss to the last bit, and all that is kept of the rest."""
    publishing.publish(grid, results, in_parts=True)
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", *sorted(NAMES)]
    tables.write(grid, Store(results), Store(results).scan(), tmp_path / "whole", (0, 1))
    (trials, curves), (mine, own) = harness.load("five", folder.parent), harness.load("whole", tmp_path)
    assert trials.equals(mine)
    both = own.merge(curves, on=["cell_id", "iteration"], suffixes=("", "_kept"))
    assert len(both) == len(own) == len(curves)
    assert both["train_loss"].equals(both["train_loss_kept"])
    last = both.groupby("cell_id")["iteration"].transform("max")
    kept = both["iteration"].isin([1, 5, 10, 15, 20]) | (both["iteration"] >= last - 1)
    for name in ("alpha", "beta", "train_accuracy", "val_loss", "val_accuracy"):
        assert both[name].where(kept).equals(both[f"{name}_kept"]), name
    assert describing.grid_of(tables.read_about(folder)) == grid.model_copy(update={"file": None})
    assert "five" in reference.grids()
    assert "24" not in (folder / "README.md").read_text().split("time")[0].split("| 0 |")[0]


def test_a_part_that_has_nothing_new_stays(grid: Grid, results: Path, folder: Path, tmp_path: Path) -> None:
    """Made method by method, each from a store of its own."""
    for name in NAMES:
        store = Store(tmp_path / name)
        for cell in grid.cells():
            if cell.method == name:
                store.put(records.dump(Store(results).read(cell.cell_id)))
    publishing.publish(grid, tmp_path / "maml", [0, 1], in_parts=True)
    assert not (folder / "alpha-maml").exists()
    before = (folder / "maml" / "trajectories.parquet").stat()
    publishing.publish(grid, tmp_path / "alpha-maml", [0, 1])  # in parts, as it is
    after = (folder / "maml" / "trajectories.parquet").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    trials, _ = harness.load("five", folder.parent)
    assert list(trials["cell_id"]) == [cell.cell_id for cell in grid.cells()]
    assert trials["outcome"].notna().all()
    assert "| 0 | 6 | 6 | 104 |" in (folder / "README.md").read_text()


def changed(grid: Grid, old: str, new: str) -> Grid:
    """The grid's file with other values."""
    assert grid.file is not None
    path = Path(grid.file)
    path.write_text(path.read_text().replace(old, new, 1))
    return grids.load(str(path))


def test_values_that_were_replaced(grid: Grid, results: Path, folder: Path) -> None:
    """Before their method was published. No grid is larger, and the one of the other part lacks its cells."""
    store = Store(results)
    for cell in grid.cells():
        if cell.method == "maml":
            (store.folder / f"{cell.cell_id}.parquet").unlink()
    publishing.publish(grid, results, [0, 1], in_parts=True)
    other = changed(grid, "0.4, 0.5", "0.4, 0.6")
    new = next(cell for cell in other.cells() if cell.hyper.model_dump()["alpha0"] == 0.6)
    store.put(record(new, [*LOSSES, 1.0, 1.0]))
    before = (folder / "alpha-maml" / "trials.parquet").stat().st_ino
    publishing.publish(other, results)
    assert (folder / "alpha-maml" / "trials.parquet").stat().st_ino == before
    trials, _ = harness.load("five", folder.parent)
    assert list(trials["cell_id"]) == [cell.cell_id for cell in other.cells()]
    assert describing.grid_of(tables.read_about(folder)) == other.model_copy(update={"file": None})


def test_cells_that_a_grid_has_no_more_go(grid: Grid, results: Path, folder: Path) -> None:
    """Even if there is no new record of their method."""
    publishing.publish(grid, results, in_parts=True)
    other = changed(grid, "0.4, 0.5]", "0.4]")
    publishing.publish(other, results)
    trials, _ = harness.load("five", folder.parent)
    assert list(trials["cell_id"]) == [cell.cell_id for cell in other.cells()]


def test_a_method_that_a_grid_has_no_more(grid: Grid, results: Path, folder: Path) -> None:
    publishing.publish(grid, results, in_parts=True)
    line = next(one for one in GRID.splitlines() if "alpha-maml" in one)
    other = changed(grid, line, "")
    with pytest.raises(UserError, match="alpha-maml: five does not have this method any more; remove the"):
        publishing.publish(other, results)


def test_the_way_back(grid: Grid, results: Path, folder: Path, tmp_path: Path) -> None:
    """A thinned record is one, answers the grid, and gives the same part again."""
    publishing.publish(grid, results, in_parts=True)
    store = Store(tmp_path / "other")
    assert restore.restore(restore.records_of(folder), store).put == 12
    scan = store.scan()
    assert not scan.damaged
    assert all(header.answers(grid.question) for header in scan.headers.values())
    before = harness.load("five", folder.parent)
    shutil.rmtree(folder)
    publishing.publish(grid, tmp_path / "other", in_parts=True)
    for one, two in zip(before, harness.load("five", folder.parent), strict=True):
        pd.testing.assert_frame_equal(one, two)


def test_a_record_with_a_hole_is_damaged(grid: Grid, results: Path) -> None:
    (cell, *_) = grid.cells()
    rows = Store(results).read(grid.cells()[1].cell_id).rows
    alpha = rows["alpha"].to_pylist()
    alpha[6] = None
    rows = rows.set_column(1, rows.schema.field(1), pa.array(alpha, pa.float64()))
    holed = records.dump(records.record.of_table(cell, "budget", rows, ORIGIN))
    with pytest.raises(DamagedRecord, match="rows do not match"):
        records.load(holed)


def test_whole_tables_stay_whole(grid: Grid, results: Path, folder: Path) -> None:
    publishing.publish(grid, results)
    with pytest.raises(UserError, match="its tables are whole"):
        publishing.publish(grid, results, in_parts=True)
    assert compact.parts(folder) == [folder]
