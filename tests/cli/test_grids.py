"""The grids, and the dry run of one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness import grids
from harness.cli import grids as command
from tests.cli.conftest import TINY, Run


def test_grids(harness: Run) -> None:
    said = harness("grids")
    assert said.code == 0
    listed = [line.split()[0] for line in said.out.splitlines()[1:] if line[:1].strip()]
    assert [name for name in listed if name in grids.names()] == grids.names()
    assert "quick-omniglot" in harness("grids", "quick", "--dataset", "omniglot").out


def timed_for(harness: Run, tmp_path: Path, readings: list[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The last line of a dry run of TINY under these readings; timing takes 1 s an iteration."""
    path = tmp_path / "many.yaml"
    text = TINY.replace("[method]", "[protocol, method]").replace(
        "target_loss", f"readings: [{', '.join(readings)}]\ntarget_loss"
    )
    path.write_text(text)
    monkeypatch.setattr(command, "_timed", lambda cell: 1.0)
    said = harness("grids", str(path), "--cells", "--jobs", "1")
    assert said.code == 0
    return said.out.splitlines()[-1]


def test_a_dry_run_times_for_some_seconds(
    harness: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4 iterations and 2 validations of as many tasks are 6 s of the 10; the others are inferred."""
    said = timed_for(harness, tmp_path, ["{}", "{split_seed: 1}", "{meta_batch: 4}"], monkeypatch)
    assert said.startswith("9 cells, 9 to run: at most 48 s, 1 at a time")
    assert said.endswith("measured just now; 2 of 3 readings from these by their amount of work)")


def test_a_dry_run_times_nothing_that_is_too_large(
    harness: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = timed_for(harness, tmp_path, ["{inner_steps: 10000}", "{layers: 6, filters: 10000}"], monkeypatch)
    says = "no estimate: an iteration may take about 21 s and 5.0 GB, too much to time one here"
    assert said == f"6 cells, 6 to run; {says}"


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
