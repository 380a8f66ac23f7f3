"""What one looks at: status, records, one cell, grids and data."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness import grids, records
from harness.cell import Cell
from harness.records.store import Store
from tests.cli.conftest import Run, cells, is_refused
from tests.records.test_tables import made


def fill(results: Path, tiny: str) -> list[Cell]:
    """One cell done, one failed, one of an older arithmetic."""
    done, failed, old = cells(tiny)
    store = Store(results)
    store.put(made(done, "budget", [1.5] * 5))
    store.put(made(failed, "failed", []))
    record = records.load(made(old, "budget", [1.5] * 5))
    store.put(records.dump(replace(record, header=replace(record.header, numerics=0))))
    return [done, failed, old]


def test_status_names_what_is_not_done(harness: Run, tiny: str, results: Path) -> None:
    _, failed, old = fill(results, tiny)
    said = harness("status", tiny)
    assert re.search(r"^tiny +3 +1 +0 +0 +1 +1 +0 *$", said.out, re.MULTILINE), said.out
    assert f"{failed.cell_id}  {failed.describe()}  failed: RuntimeError: no memory" in said.out
    assert f"{old.cell_id}  {old.describe()}  stale: made by numerics version 0" in said.out
    more = harness("status", tiny, "--seeds", "0-1")
    assert re.search(r"^tiny +6 +1 +0 +3 +1 +1 +0-1 *$", more.out, re.MULTILINE), more.out


@pytest.mark.parametrize("held", [True, False], ids=["running", "killed"])
def test_status_of_a_running_sweep(harness: Run, tiny: str, results: Path, held: bool) -> None:
    one = cells(tiny)[0]
    with Store(results).lock() if held else contextlib.nullcontext():
        (results / "store").mkdir(parents=True, exist_ok=True)
        running = {one.cell_id: (one.describe(), 17)}
        (results / "store" / "running.json").write_text(json.dumps(running))
        said = harness("status", tiny)
    assert ("running: at iteration 17" in said.out) == held
    assert re.search(rf"^tiny +3 +0 +{held:d} +{3 - held} +0 +0 +0 *$", said.out, re.MULTILINE), said.out


def test_status_without_records(harness: Run, results: Path) -> None:
    said = harness("status")
    assert not results.exists()  # looking leaves nothing behind
    assert (said.code, said.out) == (0, "no records yet; make sweep makes some\n")


def test_show(harness: Run, tiny: str, results: Path) -> None:
    done, failed, _ = fill(results, tiny)
    for beginning in (done.cell_id, done.cell_id[:12]):
        said = harness("show", beginning)
        assert said.code == 0
        for text in (done.cell_id, done.describe(), "n_way: 5", "budget after 5", "wall_seconds: 2.5", "1.5"):
            assert text in said.out
    assert "failed after 0 iterations: RuntimeError: no memory" in harness("show", failed.cell_id).out
    is_refused(harness("show", ""), "cell '': 3 records begin with that")
    path = results / "store" / f"{done.cell_id}.parquet"
    path.write_bytes(path.read_bytes()[:-7])
    is_refused(harness("show", done.cell_id), "torn")


@pytest.mark.usefixtures("noise")
def test_cell_by_its_rates_and_by_its_id(harness: Run, tiny: str, results: Path) -> None:
    one = cells(tiny)[0]
    by_rates = harness("cell", "alpha0=1e-1", "beta0=1e-3", "--grid", tiny, "--iterations", "3")
    assert by_rates.code == 0, by_rates.err
    lines = by_rates.out.splitlines()
    assert lines[0].startswith(f"{one.cell_id}  {one.describe()}")
    assert [line.split()[0] for line in lines[2:5]] == ["1", "2", "3"]
    assert lines[5].startswith("not in 3; budget")
    by_id = harness("cell", one.cell_id[:10], "--grid", tiny, "--iterations", "3")
    assert by_id.out.splitlines()[:5] == lines[:5]
    is_refused(harness("cell", "", "--grid", tiny), "3 cells begin with that")
    assert not results.exists()  # nothing is kept


def test_grids(harness: Run) -> None:
    said = harness("grids")
    assert said.code == 0
    listed = [line.split()[0] for line in said.out.splitlines()[1:] if line[:1].strip()]
    assert [name for name in listed if name in grids.names()] == grids.names()
    assert "quick-omniglot" in harness("grids", "quick", "--dataset", "omniglot").out


@pytest.mark.usefixtures("noise")
def test_dry_run(harness: Run, results: Path) -> None:
    said = harness("grids", "quick", "--cells", "--where", "method=maml", "--seeds", "0-1", "--jobs", "2")
    assert said.code == 0
    wanted = [cell for cell in grids.load("quick").cells((0, 1)) if cell.method == "maml"]
    listed = [line.split()[0] for line in said.out.splitlines()[:-1]]
    assert sorted(listed) == sorted(cell.cell_id for cell in wanted)
    assert re.search(
        r"^\d+ cells, \d+ to run: at most .*, 2 at a time.*measured just now", said.out, re.MULTILINE
    )
    assert not results.exists()


@pytest.mark.usefixtures("noise")
def test_data_and_its_sheet(harness: Run, tmp_path: Path) -> None:
    said = harness("data", "glyphs", "--sheet", str(tmp_path / "new" / "sheet.png"))
    assert said.code == 0, said.err
    assert re.search(r"^characters +1623$", said.out, re.MULTILINE)
    assert (tmp_path / "new" / "sheet.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "file").touch()
    is_refused(
        harness("data", "glyphs", "--sheet", str(tmp_path / "file" / "sheet.png")), "no place to write"
    )
