"""Whole sweeps in this process: what runs and what does not, readings, shards, packs."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import grids
from harness.common.errors import UserError
from harness.problems import FewShot
from harness.records import Progress, Row, tables
from harness.sweeping import serial
from harness.sweeping.sweep import Request
from harness.training import loop
from tests.sweeping.tiny import MACHINE, grid_file, request, rows, run


def test_a_sweep_runs_each_cell_once(tmp_path: Path) -> None:
    asked = request(tmp_path)
    first, display = run(asked)
    assert (first.asked, first.ran, first.failed, first.interrupted) == (3, 3, {}, False)
    assert sorted(display.ended) == sorted(cell.cell_id for cell in asked.cells())
    trials = tables.read(asked.folder).trials
    assert trials["cell_id"].tolist() == [cell.cell_id for cell in asked.cells()]
    assert (trials["iterations_run"] == 6).all()

    def never(*arguments: object) -> None:
        raise AssertionError("nothing is missing")

    again, display = run(asked, never)
    assert (again.ran, display.plan) == (0, (3, 3))


def test_progress_that_comes_after_the_record_is_not_shown(tmp_path: Path) -> None:
    """Ray delivers progress and records by different routes."""
    asked = request(tmp_path)
    done, other = asked.cells()[:2]

    row = Row(iteration=1, alpha=0.1, beta=0.1, train_loss=3.0, train_accuracy=0.05)

    def runner(packs, question, machine, driver) -> None:
        serial.run([(done,)], question, machine, driver)
        driver.progress([Progress(cell=cell, row=row) for cell in (done, other)])

    _, display = run(asked, runner)
    assert display.shown == [other.cell_id]


def test_each_reading_has_its_own_records_and_its_data_are_looked_for_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = grid_file(tmp_path)
    text = path.read_text().replace("panels: [", "panels: [protocol, ")
    path.write_text(
        text.replace("target_loss", "readings: [{}, {resize: nearest}, {k_shot: 2}]\ntarget_loss")
    )
    asked = Request(grid=grids.load(str(path)), results=tmp_path / "results", machine=MACHINE)
    checked: list[tuple[str, str]] = []
    check = FewShot.check

    def noted(problem: FewShot) -> None:
        checked.append((problem.protocol.dataset, problem.protocol.resize))
        check(problem)

    monkeypatch.setattr(FewShot, "check", noted)
    result, _ = run(asked)
    assert checked == [("glyphs", "lanczos"), ("glyphs", "nearest"), ("glyphs", "lanczos")]
    assert (result.asked, result.ran) == (9, 9)
    trials = tables.read(asked.folder).trials
    assert trials["protocol"].tolist() == [c.protocol.label for c in asked.cells()]
    losses = trials["final_train_loss"].to_numpy().reshape(3, 3)
    assert (losses[0] != losses[2]).all()  # k_shot is another problem; glyphs ignore resize
    assert (losses[0] == losses[1]).all()
    assert tables.read_about(asked.folder)["protocol_label"] == asked.grid.label


def test_only_what_does_not_answer_runs_again(tmp_path: Path) -> None:
    run(request(tmp_path, where="method=maml"))
    _, display = run(request(tmp_path))
    assert display.plan == (3, 1)
    before = rows(request(tmp_path).folder)
    _, display = run(request(tmp_path, iterations=8))  # a larger budget: all run again, from 1
    assert display.plan == (3, 0)
    after = rows(request(tmp_path).folder)
    ids = {cell.cell_id for cell in request(tmp_path).cells()}
    for cell_id in ids:
        old = [r["train_loss"] for r in before if r["cell_id"] == cell_id]
        assert [r["train_loss"] for r in after if r["cell_id"] == cell_id][:6] == old
    _, display = run(request(tmp_path, iterations=4))  # a smaller one is read off the same records
    assert display.plan == (3, 3)
    assert len(rows(request(tmp_path).folder)) == 12


def test_shards_together_are_the_whole(tmp_path: Path) -> None:
    for shard in ("1/2", "2/2"):
        run(request(tmp_path, shard=shard))
    assert run(request(tmp_path))[0].ran == 0


def test_the_folder_of_another_grid_of_this_name_is_refused_before_anything_runs(tmp_path: Path) -> None:
    run(request(tmp_path))
    (tmp_path / "other").mkdir()
    path = grid_file(tmp_path / "other", 7)
    asked = Request(grid=grids.load(str(path)), results=tmp_path / "results", machine=MACHINE)
    with pytest.raises(UserError, match=r"holds the tables of .*tiny\.yaml; rename"):
        run(asked)
    (tmp_path / "tiny.yaml").unlink()
    assert run(asked)[0].ran == 3


def test_a_shard_without_cells_has_nothing_to_do(tmp_path: Path) -> None:
    result, display = run(request(tmp_path, shard="9/9"))
    assert (result.asked, result.left, result.ran) == (0, 0, 0)
    assert display.notes == ["shard 9/9: no cells are left for it"]
    assert not (tmp_path / "results").exists()


SINUSOID = """
title: Tiny regression
figure:
  kind: trajectories
  reference: {method: maml, alpha0: 0.1, beta0: 0.1}
  columns: [{title: Reptile, where: {method: reptile, steps: 2}}]
protocol: {problem: sinusoid, meta_batch: 2, width: 4, validation_tasks: 2}
target_loss: 1e-9
max_iterations: 3
cells:
  - {method: maml, alpha0: [0.1, 0.2], beta0: [1e-3, 1e-2, 1e-1]}
  - {method: reptile, alpha0: 0.1, eps0: 0.1, steps: [1, 2]}
"""


def test_cells_of_a_small_network_train_together(tmp_path: Path) -> None:
    """Six of MAML in a pack for each of two jobs; Reptile's differ in their steps. As alone, give or take
    rounding."""
    path = tmp_path / "regression.yaml"
    path.write_text(SINUSOID)
    asked = Request(grid=grids.load(str(path)), results=tmp_path / "results", machine=MACHINE)
    result, display = run(asked)
    assert (result.ran, result.failed, result.left) == (8, {}, 0)
    assert display.jobs == 6  # two packs of three
    trials = tables.read(asked.folder).trials
    assert trials["pack_size"].tolist() == [3] * 6 + [1] * 2
    for cell, loss in list(zip(asked.cells(), trials["final_train_loss"], strict=True))[2::5]:
        (record,) = loop.train([cell], asked.grid.question)
        assert record.rows["train_loss"].to_pylist()[-1] == pytest.approx(loss, rel=1e-4)
