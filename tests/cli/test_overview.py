"""What `status` says of many cells: few words."""

from __future__ import annotations

from pathlib import Path

from harness import grids
from harness.cli import overview
from harness.records.store import Scan, Store
from harness.sweeping.sweep import Todo
from tests.records.test_tables import made


def test_many_cells_with_one_reason_share_a_line() -> None:
    cells = grids.load("fig2").cells()[:60]
    reasons = ["old"] * 21 + ["short"] * 20 + ["not run yet"] * 19
    kinds = ["stale"] * 41 + ["missing"] * 19
    todo = {
        cell.cell_id: Todo(kind, reason)  # type: ignore[arg-type]
        for cell, kind, reason in zip(cells, kinds, reasons, strict=True)
    }
    running = {cells[59].cell_id: ("its words", 7)}
    lines = list(overview._reasons(cells, todo, running))
    assert lines[0] == "21 cells  stale: old"
    assert len(lines) == 1 + 20 + 1
    assert lines[1] == f"{cells[21].cell_id}  {cells[21].describe()}  stale: short"
    assert lines[-1].endswith("running: at iteration 7")


def test_a_cell_that_runs_for_another_grid_is_done_here() -> None:
    (cell,) = grids.load("fig2").cells()[:1]
    assert not list(overview._reasons([cell], {}, {cell.cell_id: ("its words", 7)}))


def test_grids_with_records_on_their_own_and_on_other_data_sets(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for dataset in (None, "glyphs"):
        store.put(made(grids.load("fig2-sgd", dataset=dataset).cells()[0], "budget", [1.5] * 20))
    found = overview.recorded(store.scan(), tmp_path, [], None)
    folders = [grid.folder for grid in found]
    assert {"fig2-sgd", "fig2-sgd-glyphs"} <= set(folders)
    assert len(folders) == len(set(folders))
    assert overview.recorded(Scan({}, {}), tmp_path, [], None) == []
    only = overview.recorded(store.scan(), tmp_path, [], "glyphs")
    assert {grid.protocol.dataset for grid in only} == {"glyphs"}
