"""The measuring of a sweep's overhead: what it counts and that its made-up stores are real ones."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness import grids
from harness.bench import empty, made_up, overhead
from harness.records.store import Store
from harness.sweeping.plan import plan


def test_the_limit_is_of_the_cells_own_time_over_the_workers() -> None:
    found = overhead.overhead(wall_s=50.0, cells_s=60.0, workers=2)
    assert found["overhead_s"] == 20.0
    assert found["limit_s"] == pytest.approx(1.05 * 30 + 15)


def test_made_up_records_answer_their_grid(tmp_path: Path) -> None:
    grid = grids.load("fig2", dataset="glyphs")
    cells = grid.cells([0, 1])[180:190]
    made_up.fill(tmp_path, cells, grid.max_iterations)
    scan = Store(tmp_path).scan()
    assert plan(cells, scan, grid.question) == {}
    assert not scan.damaged
    assert {len(Store(tmp_path).read(cell.cell_id).rows) for cell in cells} == {500}


def test_what_a_sweep_takes_beyond_an_empty_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both timed by turns; the cells' own time, over the workers, does not count."""
    asked = []

    def timed(words: list[str]) -> tuple[float, str]:
        asked.append(words)
        if words[0] == "-c":
            return 8.0, ""
        grid = grids.load(words[3])
        assert grid.max_iterations == 1
        made_up.fill(Path(words[-1]), grid.cells()[:2], 1)  # of 300 s each
        return 310.0 + len(asked), ""

    monkeypatch.setattr(empty, "run", timed)
    monkeypatch.setattr(empty, "cores", lambda: 2)
    found = empty.fixed(tmp_path / "fixed", 2)
    assert (found["cells"], found["workers"]) == (14, 2)
    assert found["empty_s"] == [8.0, 8.0]
    assert found["sweep_s"] == [312.0, 314.0]
    assert found["above_empty_s"] == [4.0, 6.0]
    assert found["median_s"] == 5.0
    assert [words[0] for words in asked] == ["-c", "-m"] * 2
    compile(empty.EMPTY, "program", "exec")


def test_a_failing_command_is_an_error_with_its_output() -> None:
    seconds, printed = overhead.run(["-c", "print(7)"])
    assert (seconds > 0, printed) == (True, "7\n")
    with pytest.raises(RuntimeError, match="no such thing"):
        overhead.run(["-c", "raise SystemExit('no such thing')"])


def test_the_start_of_a_resumed_sweep_ends_before_anything_trains(tmp_path: Path) -> None:
    command = ["sweep", "quick", "--where", "method=maml", "--results", str(tmp_path)]
    _, printed = overhead.run(["-c", overhead._PLANNED, *command])
    assert printed.splitlines()[-1] == "2"  # packs to submit
    assert not list((tmp_path / "store").glob("*.parquet"))


def test_a_driver_that_is_handed_records_stores_them(tmp_path: Path) -> None:
    made_up.store_many(3, 40, tmp_path)
    assert sorted(header.iterations for header in Store(tmp_path).scan().headers.values()) == [40] * 3
    assert (tmp_path / "fig2-glyphs" / "trajectories.parquet").exists()
    assert overhead.peak_mib() > 10


def test_the_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = replace(overhead.QUICK, memory=((2, 20),))
    monkeypatch.setattr(overhead, "QUICK", tiny)
    out = tmp_path / "bench" / "overhead.json"
    monkeypatch.setattr(sys, "argv", ["overhead", "--quick", "--only", "memory", "--out", str(out)])
    overhead.main()
    found = json.loads(out.read_text())
    assert found["memory"][0].keys() == {"records", "rows", "peak_mib"}
    assert {"machine", "versions", "load_at_end"} <= found.keys()
