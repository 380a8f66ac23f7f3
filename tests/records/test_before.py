"""A store that commit 8a23125 wrote still answers: its ten records are in before/, with their grid."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from harness import grids
from harness.records import tables
from harness.records.store import Store
from harness.sweeping.plan import plan

BEFORE = Path(__file__).parent / "before"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    shutil.copytree(BEFORE, tmp_path / "store", ignore=shutil.ignore_patterns("*.yaml"))
    return Store(tmp_path)


def test_none_is_trained_again(store: Store) -> None:
    grid = grids.load(str(BEFORE / "fixture.yaml"))
    scan = store.scan()
    assert len(scan.headers) == 10
    assert scan.damaged == {}
    assert plan(grid.cells(), scan, grid.question) == {}
    assert {cell.cell_id for cell in grid.cells()} == scan.headers.keys()


def test_their_tables_are_whole(store: Store, tmp_path: Path) -> None:
    grid = grids.load(str(BEFORE / "fixture.yaml"))
    assert tables.write(grid, store, store.scan(), tmp_path / "tables") == {}
    both = tables.read(tmp_path / "tables")
    trials, curves = both.trials, both.trajectories
    assert trials["outcome"].eq("budget").all()
    assert trials["changes"].nunique() == 5
    assert len(curves) == 10 * 60
    first = curves[curves["cell_id"] == grid.cells()[0].cell_id]
    assert first["train_loss"].iloc[[0, 29, 59]].round(6).tolist() == [1.629365, 1.62321, 1.605062]


def test_tables_from_before_the_columns_of_the_protocol(store: Store, tmp_path: Path) -> None:
    """They are completed as they are read: preset and changes follow from the grid that they keep."""
    grid = grids.load(str(BEFORE / "fixture.yaml"))
    folder = tmp_path / "tables"
    tables.write(grid, store, store.scan(), folder)
    whole = tables.read(folder).trials
    written = pq.read_table(folder / "trials.parquet")
    pq.write_table(written.drop_columns(["preset", "changes"]), folder / "trials.parquet")
    pd.testing.assert_frame_equal(tables.read(folder).trials, whole)
