"""The grids, and the dry run of one."""

from __future__ import annotations

import json
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
    monkeypatch.setattr(command, "_timed", lambda cell, together: 1.0)
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
    head, *listed, shared, _ = (line.split()[0] for line in said.out.splitlines())
    assert (head, shared) == ("cell", "all")
    assert sorted(listed) == sorted(cell.cell_id for cell in wanted)
    assert re.search(
        r"^\d+ cells, \d+ to run: at most .*, 2 at a time.*measured just now", said.out, re.MULTILINE
    )
    assert not results.exists()


def test_one_grid(harness: Run) -> None:
    said = harness("grids", "readings")
    facts = dict(line.split(maxsplit=1) for line in said.out.splitlines())
    assert facts["title"] == grids.load("readings").title
    assert facts["cells"] == "280 of each seed: 28 maml, 252 alpha-maml"
    assert facts["budget"] == "500 iterations"


def test_grids_for_programs(harness: Run) -> None:
    listed = json.loads(harness("grids", "--json").out)
    assert [one["grid"] for one in listed] == grids.names()
    by_name = {one["grid"]: one for one in listed}
    assert by_name["quick"] == {
        "grid": "quick",
        "title": "A quick look",
        "dataset": "glyphs",
        "protocol": "paper-adam, n_way=5, filters=16",
        "target_loss": 1.3,
        "max_iterations": 100,
        "seeds": [0],
        "cells_per_seed": 14,
    }
    assert by_name["fig1"]["target_loss"] is None


def test_cells_for_programs(harness: Run) -> None:
    listed = json.loads(harness("grids", "quick", "--cells", "--json").out)
    known = {cell.cell_id: cell for cell in grids.load("quick").cells()}
    assert {one["cell_id"] for one in listed} == set(known)
    for one in listed:
        cell = known[one["cell_id"]]
        assert one == {
            "cell_id": cell.cell_id,
            "method": cell.method,
            **cell.hyper.model_dump(),
            "seed": 0,
            "protocol": "paper-adam, n_way=5, filters=16",
            "state": "not run yet",
        }


def test_grids_on_a_data_set_are_with_those_that_have_none(harness: Run) -> None:
    listed = {
        one["grid"]: one["dataset"]
        for one in json.loads(harness("grids", "--dataset", "glyphs", "--json").out)
    }
    assert listed["sinusoid"] is None
    assert listed["fig2-glyphs"] == "glyphs"


def test_a_target_has_the_unit_of_its_problem(harness: Run) -> None:
    targets = [
        dict(line.split(maxsplit=1) for line in harness("grids", name).out.splitlines())["target"]
        for name in ("fig2", "sinusoid")
    ]
    assert targets == ["2.5 nats", f"{grids.load('sinusoid').target_loss:g}"]


def test_a_dry_run_of_small_networks_times_a_pack(harness: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[int] = []
    monkeypatch.setattr(command, "_timed", lambda cell, together: timed.append(together) or 0.5)
    said = harness("grids", "sinusoid", "--cells", "--where", "method=maml", "--jobs", "2")
    cells = [cell for cell in grids.load("sinusoid").cells() if cell.method == "maml"]
    assert timed == [(len(cells) + 1) // 2]
    assert "0.5 s per iteration, measured just now" in said.out
