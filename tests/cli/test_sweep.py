"""A sweep as a person meets it: the exit code, and what is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.records import tables
from harness.records.store import Store
from tests.cli.conftest import Run, cells


@pytest.mark.usefixtures("noise")
def test_sweep_status_show_plot(harness: Run, tiny: str, results: Path) -> None:
    said = harness("sweep", tiny, "--runner", "serial")
    assert said.code == 0, said.err
    assert "3 cells; 3 to run, 2 at a time" in said.out
    assert "[3/3] not reached in 5" in said.out
    ids = {cell.cell_id for cell in cells(tiny)}
    assert set(Store(results).scan().headers) == ids
    figure = results / "tiny" / "tiny.png"
    drawn = figure.read_bytes()

    again = harness("sweep", tiny, "--runner", "serial")
    assert again.code == 0
    assert "3 cells, 3 of them in the store; 0 to run" in again.out

    row = re.search(r"^tiny +(.*\S)", harness("status").out, re.MULTILINE)
    assert row is not None
    assert row[1].split() == ["3", "3", "0", "0", "0", "0", "0"]
    assert re.search(r"^tiny +3 +3 ", harness("status", tiny).out, re.MULTILINE)
    assert "3 cells, all done" in harness("grids", tiny, "--cells").out

    figure.unlink()
    assert harness("plot").code == 0  # a grid that was given by its path is found by its tables
    assert figure.read_bytes() == drawn


@pytest.mark.usefixtures("noise", "blank")
def test_cells_of_several_readings_are_told_apart(harness: Run, tiny: str) -> None:
    path = Path(tiny)
    text = path.read_text().replace("panels: [method]", "panels: [method, protocol]")
    path.write_text(text + "readings: [{}, {k_shot: 2}]\n")
    said = harness("sweep", tiny, "--runner", "serial", "--where", "method=maml,alpha0=0.1")
    assert said.code == 0, said.err
    assert "all with method=maml alpha0=0.1 beta0=0.001 seed=0" in said.out.splitlines()
    lines = [line for line in said.out.splitlines() if line.startswith("[")]
    assert len(lines) == 2
    assert sum("k_shot=2" in line for line in lines) == 1


@pytest.mark.usefixtures("noise", "blank")
def test_a_sweep_ends_with_its_page_where_that_is_asked_for(harness: Run, tiny: str, results: Path) -> None:
    said = harness("sweep", tiny, "--runner", "serial", "--where", "method=maml", "--report")
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1] == f"wrote {results / 'tiny' / 'report.html'}"
    assert "1 of 3 cells not run yet" in (results / "tiny" / "report.html").read_text("utf-8")


@pytest.mark.usefixtures("noise", "blank")
def test_filters_pick_the_cells(harness: Run, tiny: str, results: Path) -> None:
    said = harness("sweep", tiny, "--runner", "serial", "--where", "alpha0=0.2", "--seeds", "4")
    assert said.code == 0, said.err
    (header,) = Store(results).scan().headers.values()
    assert (header.cell.method, header.cell.hyper.alpha0, header.cell.seed) == ("maml", 0.2, 4)


@pytest.mark.usefixtures("noise", "blank")
def test_a_sweep_with_a_failed_cell_exits_with_1(
    harness: Run, tiny: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.training import loop

    broken = cells(tiny)[2]  # the only one of its method, and so of its pack
    train = loop.train

    def fails(pack, *rest, **more):
        if broken in pack:
            raise RuntimeError("no memory\nfor that")
        return train(pack, *rest, **more)

    monkeypatch.setattr(loop, "train", fails)
    said = harness("sweep", tiny, "--runner", "serial")
    assert said.code == 1
    assert said.err.splitlines()[0] == "harness: 1 of 3 cells failed; the same command tries them again"
    assert broken.cell_id in said.err
    assert "RuntimeError: no memory for that" in said.err
    trials, _ = tables.load("tiny", results)
    assert (trials.outcome == "failed").sum() == 1

    monkeypatch.setattr(loop, "train", train)
    assert harness("sweep", tiny, "--runner", "serial").code == 0


def test_jobs_beyond_what_a_machine_could_do_are_refused(
    harness: Run, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray would start as many processes at once."""
    monkeypatch.setattr("harness.cli.sweep.cores", lambda: 2)
    said = harness("sweep", tiny, "--jobs", "9")
    assert (said.code, said.err) == (2, "harness: jobs 9: at most 8 on this machine, 4 for each core\n")
