"""Records and tables of what is not loaded: nothing is wrong with them, and nothing happens to them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import grids, records
from harness.common import plugins
from harness.records.restore import restore
from harness.records.store import Store
from tests.records.test_tables import made
from tests.sweeping.tiny import request, run

METHOD = """
import harness
from harness.methods.maml import MAML

@harness.method
class Mine(MAML):
    name = "mine"
"""
GRID = """title: Mine
plugins: mine.py
figure: {kind: heatmap, panels: [method], x: beta0, y: alpha0}
protocol: {dataset: glyphs, n_way: 5, filters: 4, layers: 2, meta_batch: 2, validation_tasks: 2}
target_loss: 0.1
max_iterations: 5
cells: [{method: mine, alpha0: [0.1, 0.2], beta0: 0.1}]
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    plugins.forget()


def write_grid(folder: Path) -> str:
    """A grid with a plug-in beside it."""
    (folder / "mine.py").write_text(METHOD)
    (folder / "mine.yaml").write_text(GRID)
    return str(folder / "mine.yaml")


def fill(results: Path, grid: str) -> Store:
    """A store with a record of each cell, whose plug-in is then no longer loaded."""
    store = Store(results)
    store.folder.mkdir(parents=True)
    for cell in grids.load(grid).cells():
        store.put(made(cell, "budget", [1.5] * 5))
    plugins.forget()
    return store


@pytest.fixture
def grid(tmp_path: Path) -> str:
    return write_grid(tmp_path)


@pytest.fixture
def store(grid: str, tmp_path: Path) -> Store:
    return fill(tmp_path / "results", grid)


def test_they_are_counted_apart_and_not_damaged(store: Store, grid: str) -> None:
    scan = store.scan()
    assert (scan.headers, scan.damaged) == ({}, {})
    assert set(scan.foreign.values()) == {"method mine"}
    grids.load(grid)
    assert len(store.scan().headers) == 2


def test_a_record_of_fields_that_a_plug_in_had_before(store: Store, grid: str) -> None:
    path = Path(grid).with_name("mine.py")
    for cell in grids.load(grid).cells():
        origin = {"plugins": {"method mine": "0" * 16}}
        store.put(records.dump(records.make(cell, "failed", [], origin, "why")))
        (store.folder / f"{cell.cell_id}.parquet").unlink()
        store.put(records.dump(records.make(cell, "failed", [], origin, "why")))
    more = ["alpha0: float", "beta0: float", "more: int = 1"]
    path.write_text("\n        ".join([METHOD + "    class Hyper(harness.Hyper):", *more]))
    grids.load(grid)
    scan = store.scan()
    assert scan.damaged == {}
    assert set(scan.foreign.values()) == {"method mine as it was, with other fields"}


def test_sweeps_and_restoring_leave_them(store: Store, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in store.folder.glob("*.parquet")}
    run(request(tmp_path))
    mine = next(iter(Store(tmp_path / "results").scan().headers))
    restore([store.read(mine)], store)
    assert {name: (store.folder / name).read_bytes() for name in before} == before
    assert not (store.folder / "aside").exists()


def test_stores_are_merged_by_copying(store: Store, tmp_path: Path, grid: str) -> None:
    other = Store(tmp_path / "other")
    shutil.copytree(store.folder, other.folder)
    assert other.scan().foreign == store.scan().foreign
    grids.load(grid)
    assert len(other.scan().headers) == 2
