"""What `status` counts, and the reasons that it names."""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path

import pytest

from harness import cli, grids
from harness.cli import status
from harness.records.store import Store
from tests.cli.conftest import Run, cells, fill


def test_status_names_what_is_not_done(harness: Run, tiny: str, results: Path) -> None:
    _, failed, old = fill(results, tiny)
    said = harness("status", tiny)
    assert re.search(r"^tiny +3 +1 +0 +0 +1 +1 +0 *$", said.out, re.MULTILINE), said.out
    assert f"{failed.cell_id}  {failed.describe()}  failed: RuntimeError: no memory" in said.out
    assert f"{old.cell_id}  {old.describe()}  stale: made by numerics version 0" in said.out
    more = harness("status", tiny, "--seeds", "0-1")
    assert re.search(r"^tiny +6 +1 +0 +3 +1 +1 +0-1 *$", more.out, re.MULTILINE), more.out


def test_cells_of_which_nothing_is_known_are_missing_whatever_else_there_is(
    harness: Run, tiny: str, results: Path
) -> None:
    """A damaged record and a running cell are known by their ids alone."""
    fill(results, tiny)
    words = ("status", tiny, "--seeds", "0-2", "--json")
    before = json.loads(harness(*words).out)["grids"]
    assert [(one["cells"], one["done"], one["missing"]) for one in before] == [(9, 1, 6)]
    first, *_, last = grids.load(tiny).cells([1, 2])
    (results / "store" / f"{first.cell_id}.parquet").write_bytes(b"torn")
    with Store(results).lock():
        running(results, last.cell_id, last.describe())
        after = json.loads(harness(*words).out)["grids"]
    assert after == [before[0] | {"stale": 2, "running": 1, "missing": 4}]


def running(results: Path, cell_id: str, words: str) -> None:
    (results / "store").mkdir(parents=True, exist_ok=True)
    (results / "store" / "running.json").write_text(json.dumps({cell_id: (words, 17)}))


@pytest.mark.parametrize("held", [True, False], ids=["running", "killed"])
def test_status_of_a_running_sweep(harness: Run, tiny: str, results: Path, held: bool) -> None:
    one = cells(tiny)[0]
    with Store(results).lock() if held else contextlib.nullcontext():
        running(results, one.cell_id, one.describe())
        said = harness("status", tiny)
    assert ("running: at iteration 17" in said.out) == held
    assert re.search(rf"^tiny +3 +0 +{held:d} +{3 - held} +0 +0 +0 *$", said.out, re.MULTILINE), said.out


@pytest.mark.parametrize("content", ["[]", "{", '{"a": 1}', '{"a": ["x", "y"]}', None])
def test_what_is_no_list_of_running_cells(
    harness: Run, tiny: str, results: Path, content: str | None
) -> None:
    """Nothing runs, as far as anyone can tell; and nobody waits for a pipe."""
    with Store(results).lock():
        path = results / "store" / "running.json"
        path.write_text(content) if content else os.mkfifo(path)
        said = harness("status", tiny)
    assert said.code == 0, said.err
    assert re.search(r"^tiny +3 +0 +0 +3 ", said.out, re.MULTILINE), said.out


def test_status_of_a_sweep_without_records_yet(harness: Run, results: Path) -> None:
    one = grids.load("quick").cells()[0]
    with Store(results).lock():
        said = harness("status")
        assert said.out == "a sweep or a restore is running in this folder; no cell has reported yet\n"
        running(results, one.cell_id, one.describe())
        said = harness("status")
        assert re.search(r"^quick +14 +0 +1 +13 +0 +0 +0 *$", said.out, re.MULTILINE), said.out
        assert f"quick  {one.cell_id}  {one.describe()}  running: at iteration 17" in said.out
        running(results, "abc", "of a grid that nobody here knows")
        said = harness("status")
        assert said.out == "abc  of a grid that nobody here knows  running: at iteration 17\n"


def test_status_for_programs(harness: Run, tiny: str, results: Path) -> None:
    _, failed, old = fill(results, tiny)
    said = harness("status", tiny, "--json")
    assert said.code == 0
    found = json.loads(said.out)
    assert list(found) == ["sweeping", "grids", "cells", "not_loaded", "kept"]
    assert found["sweeping"] is False
    assert found["grids"] == [
        {"grid": "tiny", "seeds": [0], "cells": 3, "done": 1, "running": 0, "missing": 0}
        | {"failed": 1, "stale": 1}
    ]
    assert [(cell["cell_id"], cell["kind"]) for cell in found["cells"]] == [
        (failed.cell_id, "failed"),
        (old.cell_id, "stale"),
    ]
    assert found["cells"][0] | {"reason": ""} == {
        "grid": "tiny",
        "cell_id": failed.cell_id,
        "cell": failed.describe(),
        "kind": "failed",
        "reason": "",
    }
    with Store(results).lock():
        running(results, "abc", "unknown")
        found = json.loads(harness("status", "--json").out)
    assert found["sweeping"]
    assert [cell for cell in found["cells"] if cell["grid"] is None] == [
        {"grid": None, "cell_id": "abc", "cell": "unknown", "kind": "running", "reason": "at iteration 17"}
    ]


def test_status_for_programs_without_records(harness: Run) -> None:
    nothing = {"sweeping": False, "grids": [], "cells": [], "not_loaded": {}}
    nothing["kept"] = {"checkpoints": 0, "weights": 0, "bytes": 0}
    assert json.loads(harness("status", "--json").out) == nothing


def test_status_without_records(harness: Run, results: Path) -> None:
    said = harness("status")
    assert not results.exists()  # looking leaves nothing behind
    assert (said.code, said.out) == (0, "no records yet; make sweep makes some\n")


def test_many_cells_with_one_reason_share_a_line() -> None:
    cells = grids.load("fig2").cells()[:60]
    why = [("stale", "old")] * 21 + [("stale", "short")] * 20
    why += [("missing", "not run yet")] * 18 + [("running", "at iteration 7")]
    reasons = {cell.cell_id: one for cell, one in zip(cells, why, strict=True)}
    lines = list(status.reasons(status.Status(grid="fig2", seeds=(0,), cells=cells, reasons=reasons)))
    assert lines[0] == "21 cells  stale: old"
    assert len(lines) == 1 + 20 + 1
    assert lines[1] == f"{cells[21].cell_id}  {cells[21].describe()}  stale: short"
    assert lines[-1].endswith("running: at iteration 7")


def test_a_cell_that_runs_for_another_grid_is_done_here(harness: Run, tiny: str, results: Path) -> None:
    done, *_ = fill(results, tiny)
    with Store(results).lock():
        running(results, done.cell_id, done.describe())
        said = harness("status", tiny)
    assert re.search(r"^tiny +3 +1 +0 ", said.out, re.MULTILINE), said.out
    assert "running:" not in said.out


def test_results_in_the_home_folder(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    fill(tmp_path / "mine", tiny)
    monkeypatch.setattr(
        "sys.argv", ["harness", "status", tiny.replace(str(tmp_path), "~"), "--results", "~/mine"]
    )
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main()
    assert re.search(r"^tiny +3 +1 +0 ", capsys.readouterr().out, re.MULTILINE)
