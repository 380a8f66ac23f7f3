"""Sweeps that keep checkpoints and weights: how they go on, and what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness import grids
from harness.common.errors import UserError
from harness.common.text import counted
from harness.records import checkpoint
from harness.records.checkpoints import Checkpoints
from harness.records.store import Store
from harness.sweeping import serial, work
from harness.sweeping.plan import pack
from harness.sweeping.runner import Machine
from harness.sweeping.sweep import Request, Result, sweep
from tests.sweeping.tiny import Silent

GRID = """
title: Long
figure: {kind: losses}
protocol: {preset: sinusoid, meta_batch: 2, width: 4, validation_tasks: 2}
target_loss: null
max_iterations: ITERATIONS
keep_weights: KEEP
cells:
  - {method: maml, alpha0: 0.01, beta0: [1e-3, 1e-2, 1e-1]}
"""


FEW = "{dataset: glyphs, n_way: 5, train_characters: 1100, validation_characters: 521}"


class Killed(BaseException):
    """As a signal would: nothing handles it."""


def request(folder: Path, iterations: int = 30, keep: bool = False, **fields: object) -> Request:
    path = folder / "long.yaml"
    path.write_text(GRID.replace("ITERATIONS", str(iterations)).replace("KEEP", str(keep).lower()))
    return Request(
        grid=grids.load(str(path)),
        results=folder / "results",
        machine=Machine(device="cpu", jobs=1),
        every_s=0,
        **fields,
    )


def swept(asked: Request) -> tuple[Result, Silent]:
    display = Silent()
    return sweep(asked, serial.run, display), display


def rows(asked: Request) -> dict[str, object]:
    store = asked.store
    return {i: store.read(i).rows for i in store.scan().headers}


def killed(asked: Request, monkeypatch: pytest.MonkeyPatch, iteration: int) -> None:
    """A sweep of it that is killed once its cells have come so far."""
    do = serial.work

    def until(pack, question, device, threads, observe, *more):
        def seen(now):
            observe(now)
            if now[0].row["iteration"] == iteration:
                raise Killed

        return do(pack, question, device, threads, seen, *more)

    with monkeypatch.context() as patched:
        patched.setattr(serial, "work", until)
        with pytest.raises(Killed):
            swept(asked)


@pytest.fixture
def known(tmp_path: Path) -> dict[str, object]:
    folder = tmp_path / "undisturbed"
    folder.mkdir()
    asked = request(folder)
    swept(asked)
    return rows(asked)


def test_a_killed_sweep_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: dict[str, object]
) -> None:
    asked = request(tmp_path)
    for iteration in (12, 20):  # twice
        killed(asked, monkeypatch, iteration)
    (path,) = (asked.store.folder / "checkpoints").iterdir()
    assert checkpoint.read_about(path).iteration == 20
    result, display = swept(asked)
    assert display.notes == ["going on from checkpoints: 3 of 3 cells, the furthest at iteration 20"]
    assert (result.ran, rows(asked)) == (3, known)
    assert not list((asked.store.folder / "checkpoints").iterdir())
    assert not (asked.store.folder / "weights").exists()
    header = next(iter(asked.store.scan().headers.values()))
    assert header.provenance["continued"] == [12, 20]


def test_a_larger_budget_goes_on_from_where_a_killed_sweep_was_and_a_smaller_one_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: dict[str, object]
) -> None:
    killed(request(tmp_path, 25), monkeypatch, 15)
    _, display = swept(request(tmp_path, 10))
    assert display.notes == []
    asked = request(tmp_path, 30)
    _, display = swept(asked)
    assert display.notes == ["going on from checkpoints: 3 of 3 cells, the furthest at iteration 15"]
    assert rows(asked) == known


def test_a_grid_that_keeps_weights_lacks_them(tmp_path: Path, known: dict[str, object]) -> None:
    assert swept(request(tmp_path, 10))[0].ran == 3
    asked = request(tmp_path, 10, keep=True)
    result, _ = swept(asked)
    assert (result.ran, result.left) == (3, 0)  # a record without weights counts as missing
    assert swept(asked)[0].ran == 0
    first, *_ = sorted((asked.store.folder / "weights").iterdir())
    first.unlink()
    assert swept(asked)[0].ran == 1
    asked = request(tmp_path, 30, keep=True)
    _, display = swept(asked)
    assert display.notes == ["going on from checkpoints: 3 of 3 cells, the furthest at iteration 10"]
    assert rows(asked) == known


def test_torn_and_foreign_checkpoints_are_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: dict[str, object]
) -> None:
    asked = request(tmp_path)
    killed(asked, monkeypatch, 12)
    (path,) = (asked.store.folder / "checkpoints").iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    result, display = swept(asked)
    (note,) = display.notes
    assert note.startswith(f"checkpoint {path.name} set aside as {path.stem}.0.safetensors: truncated")
    assert (result.ran, rows(asked)) == (3, known)


def test_weights_without_room_end_the_sweep_and_other_checkpoints_do_not(tmp_path: Path) -> None:
    asked = request(tmp_path, keep=True, checkpoints=100)
    result, display = swept(asked)
    assert result.left == 3
    assert "its 100 B are full (CHECKPOINTS=... allows more)" in display.notes[-1]
    assert display.notes[-1].endswith("the sweep stops here")
    asked = request(tmp_path, 31, checkpoints=100)
    result, display = swept(asked)
    assert result.left == 0
    (note,) = display.notes
    assert note.endswith("a run that is killed may have to begin again")
    with pytest.raises(UserError, match="checkpoints 0: long keeps weights, which need room"):
        swept(request(tmp_path, keep=True, checkpoints=0))
    assert swept(request(tmp_path, 32, checkpoints=0))[1].notes == []


def test_cells_of_a_checkpoint_are_the_pack_that_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its order, whatever the order and the number of jobs now; others are dealt as ever."""
    asked = request(tmp_path)
    killed(asked, monkeypatch, 12)
    (path,) = (asked.store.folder / "checkpoints").iterdir()
    first = checkpoint.read_about(path).cells
    assert len(first) == 3
    more = asked.grid.cells((1,))
    starts = Checkpoints(Store(asked.results)).starts(first, asked.grid.question)
    packs = pack([*more, *reversed(first)], 0, jobs=3, starts=starts)
    assert packs[0] == first
    assert sorted(len(one) for one in packs[1:]) == [1, 1, 1]


def test_after_an_error_halves_go_on_from_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: dict[str, object]
) -> None:
    train, begun = work.loop.train, []

    def breaks(cells, question, device, observe, start, keep):
        begun.append((len(cells), start and start.about.iteration))
        if len(cells) > 1:

            def broken(now):
                if now[0].row["iteration"] == 15:
                    raise RuntimeError("too large together")

            return train(cells, question, device, broken, start=start, keep=keep)
        return train(cells, question, device, observe, start=start, keep=keep)

    monkeypatch.setattr(work.loop, "train", breaks)
    asked = request(tmp_path)
    swept(asked)
    # at the error the last checkpoint is that before iteration 15, and the first half fails at 15 too
    assert begun == [(3, None), (2, 15), (1, 15), (1, 15), (1, 15)]
    assert rows(asked).keys() == known.keys()


def test_a_meta_test_without_classes_is_refused_before_anything_trains(tmp_path: Path) -> None:
    path = tmp_path / "few.yaml"
    text = GRID.replace("{preset: sinusoid, meta_batch: 2, width: 4, validation_tasks: 2}", FEW)
    path.write_text(text.replace("ITERATIONS", "9").replace("keep_weights: KEEP", "meta_test: {tasks: 9}"))
    asked = Request(grid=grids.load(str(path)), results=tmp_path, machine=Machine(device="cpu", jobs=1))
    with pytest.raises(UserError, match="2 classes left for a meta-test of 5 classes; write fewer"):
        swept(asked)
    assert not asked.store.scan().headers


def test_a_run_for_weights_alone_goes_on_and_leaves_a_longer_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: dict[str, object]
) -> None:
    """The record of 30 iterations stays when the weights of iteration 20 are asked for; the run for them goes
    on after a kill, though the record is there, and though another grid was swept in between."""
    swept(request(tmp_path, 30))
    asked = request(tmp_path, 20, keep=True)
    killed(asked, monkeypatch, 12)
    swept(request(tmp_path, 5))
    result, display = swept(asked)
    assert display.notes == ["going on from checkpoints: 3 of 3 cells, the furthest at iteration 12"]
    assert (result.ran, result.left) == (3, 0)
    assert rows(asked) == known
    names = sorted(path.name.partition("-")[2] for path in (asked.store.folder / "weights").iterdir())
    assert names == ["20.safetensors"] * 3
    assert swept(asked)[0].ran == 0
    assert not list((asked.store.folder / "checkpoints").iterdir())


def test_without_room_for_weights_their_checkpoint_stays(tmp_path: Path) -> None:
    """So with more room the run only ends again."""
    asked = request(tmp_path, keep=True)
    room = 12_000  # a checkpoint of the three, and the weights of one
    result, _ = swept(replace(asked, checkpoints=room))
    assert result.left > 0
    (path,) = (asked.store.folder / "checkpoints").iterdir()
    _, display = swept(asked)
    iteration = int(path.stem.rpartition("-")[2])
    assert display.notes == [
        f"going on from checkpoints: {result.left} of {counted(result.left, 'cell')}, the furthest at "
        f"iteration {iteration}"
    ]


def test_no_new_checkpoints_are_written_with_0_but_old_ones_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: dict[str, object]
) -> None:
    asked = request(tmp_path)
    killed(asked, monkeypatch, 12)
    _, display = swept(replace(asked, checkpoints=0))
    assert display.notes == ["going on from checkpoints: 3 of 3 cells, the furthest at iteration 12"]
    assert rows(asked) == known
    assert next(iter(asked.store.scan().headers.values())).provenance["continued"] == [12]
