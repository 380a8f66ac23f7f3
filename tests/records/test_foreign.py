"""Records and tables of what is not loaded: nothing is wrong with them, and nothing happens to them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import grids, records
from harness.common import plugins
from harness.records.restore import restore
from harness.records.store import Store
from tests.cli.conftest import Run, blank, harness, is_refused, reference_folder, results  # noqa: F401
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


@pytest.fixture
def grid(tmp_path: Path) -> str:
    (tmp_path / "mine.py").write_text(METHOD)
    (tmp_path / "mine.yaml").write_text(GRID)
    return str(tmp_path / "mine.yaml")


@pytest.fixture
def store(grid: str, results: Path) -> Store:  # noqa: F811
    """One with a record of each cell, whose plug-in is then no longer loaded."""
    store = Store(results)
    store.folder.mkdir(parents=True)
    for cell in grids.load(grid).cells():
        store.put(made(cell, "budget", [1.5] * 5))
    plugins.forget()
    return store


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
    path.write_text(
        METHOD
        + "    class Hyper(harness.Hyper):\n        alpha0: float\n        beta0: float\n        more: int = 1"
    )
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


def test_status_counts_them_in_a_line(store: Store, harness: Run) -> None:  # noqa: F811
    said = harness("status")
    assert said.code == 0
    assert "2 more records in" in said.out
    assert said.out.strip().endswith("not loaded: method mine")
    assert json.loads(harness("status", "--json").out)["not_loaded"] == {"method mine": 2}


def test_show_says_what_is_missing_and_shows_it_with_its_grid(store: Store, harness: Run, grid: str) -> None:  # noqa: F811
    cell_id = next(iter(store.scan().foreign))
    is_refused(harness("show", cell_id), "a record of method mine, which is not loaded here; --grid")
    assert "mine alpha0=" in harness("show", cell_id, "--grid", grid).out


@pytest.mark.parametrize("plug_in", [None, "raise RuntimeError('no')"])
def test_figures_need_no_plug_in(
    plug_in: str | None,
    store: Store,
    grid: str,
    harness: Run,
    blank: None,
    results: Path,  # noqa: F811
) -> None:
    """They are drawn from the tables as they are, with or without the name of the grid."""
    assert harness("plot", grid).code == 0
    plugins.forget()
    path = Path(grid).with_name("mine.py")
    path.unlink()
    if plug_in is not None:
        path.write_text(plug_in)
    for words in (("plot", grid), ("plot",)):
        (results / "mine" / "mine.png").unlink()
        said = harness(*words)
        assert said.code == 0, said.err
        assert "mine: drawn from its tables as they are" in said.out
        assert (results / "mine" / "mine.png").exists()
    for words in (("status", grid), ("status",)):
        said = harness(*words)
        assert said.code == 0, said.err
        assert "mine  its tables are as they were: " in said.out


def test_a_grid_without_tables_needs_its_plug_in(store: Store, grid: str, harness: Run) -> None:  # noqa: F811
    Path(grid).with_name("mine.py").unlink()
    is_refused(harness("plot", grid), "mine.yaml:2: plugins: plug-in mine.py: .*there is no such file")


def test_tables_are_read_without_it(
    store: Store, grid: str, harness: Run, blank: None, results: Path
) -> None:  # noqa: F811
    import harness as package

    assert harness("plot", grid).code == 0
    plugins.forget()
    trials, trajectories = package.load("mine", results)
    assert trials["method"].tolist() == ["mine", "mine"]
    assert len(trajectories) == 10
