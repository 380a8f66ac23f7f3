"""Whole sweeps: what runs and what does not, the same numbers under both runners, faults and resuming."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import frames, grids, records
from harness import sweep as room
from harness.places import ROOT
from harness.records import Progress, Record, Row
from harness.runners import Machine, serial, work
from harness.store import Store

GRID = """
title: Tiny
figure: {kind: heatmap, panels: [alpha0, beta0], x: beta_hyperlr, y: alpha_hyperlr}
protocol:
  dataset: glyphs
  n_way: 5
  meta_batch: 2
  layers: 2
  filters: 4
  validation_tasks: 2
target_loss: 1.0
max_iterations: ITERATIONS
cells:
  - {method: maml, alpha0: 0.1, beta0: 1e-3}
  - {method: alpha-maml, alpha0: 0.1, beta0: 1e-3, alpha_hyperlr: [1e-2, 1], beta_hyperlr: 1e-5}
"""


def grid_file(folder: Path, iterations: int = 6) -> Path:
    path = folder / "tiny.yaml"
    path.write_text(GRID.replace("ITERATIONS", str(iterations)))
    return path


class Silent:
    """A display that remembers."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.ended: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def begin(self, total: int, done: int, jobs: int) -> None:
        self.plan = (total, done)

    def progress(self, now: list[Progress]) -> None:
        self.shown = [p.cell.cell_id for p in now]

    def record(self, record: Record, question: object) -> None:
        self.ended.append(record.header.cell.cell_id)

    def end(self) -> None:
        pass


def request(tmp_path: Path, iterations: int = 6, **fields: object) -> room.Request:
    grid = grids.load(str(grid_file(tmp_path, iterations)))
    return room.Request(grid, tmp_path / "results", Machine("cpu", 2), **fields)


def run(asked: room.Request, runner: Callable = serial.run) -> tuple[room.Result, Silent]:
    display = Silent()
    return room.sweep(asked, runner, display), display


def rows(folder: Path) -> list[dict]:
    table = frames.read(folder).trajectories
    return json.loads(table.to_json(orient="records", double_precision=15))


def test_a_sweep_runs_each_cell_once(tmp_path: Path) -> None:
    asked = request(tmp_path)
    first, display = run(asked)
    assert (first.asked, first.ran, first.failed, first.interrupted) == (3, 3, {}, False)
    assert sorted(display.ended) == sorted(cell.cell_id for cell in asked.cells())
    trials = frames.read(asked.folder).trials
    assert trials["cell_id"].tolist() == [cell.cell_id for cell in asked.cells()]
    assert (trials["iterations_run"] == 6).all()

    def never(*arguments: object) -> None:
        raise AssertionError("nothing is missing")

    again, display = run(asked, never)
    assert (again.ran, display.plan) == (0, (3, 3))


def test_a_word_that_comes_after_the_record_is_not_shown(tmp_path: Path) -> None:
    """Ray hands over progress and records by different ways."""
    asked = request(tmp_path)
    done, other = asked.cells()[:2]

    def runner(packs, question, machine, driver) -> None:
        serial.run([(done,)], question, machine, driver)
        driver.progress([Progress(cell, Row(1, 0.1, 0.1, 3.0, 0.05)) for cell in (done, other)])

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
    asked = room.Request(grids.load(str(path)), tmp_path / "results", Machine("cpu", 2))
    checked: list[tuple[str, str]] = []
    monkeypatch.setattr(room.datasets, "check", lambda *what: checked.append(what))
    result, _ = run(asked)
    assert checked == [("glyphs", "lanczos"), ("glyphs", "nearest")]
    assert (result.asked, result.ran) == (9, 9)
    trials = frames.read(asked.folder).trials
    assert trials["protocol"].tolist() == [c.protocol.label for c in asked.cells()]
    losses = trials["final_train_loss"].to_numpy().reshape(3, 3)
    assert (losses[0] != losses[2]).all()  # k_shot is another problem; glyphs ignore resize
    assert (losses[0] == losses[1]).all()
    assert frames.read_about(asked.folder)["protocol_label"] == asked.grid.label


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


def test_a_failed_cell_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = work.engine.train
    victim = request(tmp_path).cells()[1].cell_id

    def broken(pack: tuple, *arguments: object) -> object:
        if pack[0].cell_id == victim:
            raise RuntimeError("a fault\nof two lines")
        return train(pack, *arguments)

    monkeypatch.setattr(work.engine, "train", broken)
    result, _ = run(request(tmp_path))
    assert result.ran == 3
    assert list(result.failed) == [victim]
    assert "a fault of two lines" in result.failed[victim]
    trials = frames.read(request(tmp_path).folder).trials.set_index("cell_id")
    assert trials.loc[victim, "outcome"] == "failed"
    monkeypatch.undo()
    result, display = run(request(tmp_path))
    assert (display.plan, result.failed) == ((3, 2), {})


def test_a_torn_record_is_set_aside_and_run_again(tmp_path: Path) -> None:
    asked = request(tmp_path)
    run(asked)
    torn, flipped, _ = (asked.store.folder / f"{cell.cell_id}.parquet" for cell in asked.cells())
    whole = torn.read_bytes()
    torn.write_bytes(whole[: len(whole) // 2])
    content = bytearray(flipped.read_bytes())
    content[30] ^= 0xFF  # within a page: only its checksum tells
    flipped.write_bytes(content)
    result, display = run(asked)
    assert result.ran == 2
    assert len(display.notes) == 2
    assert all("set aside" in note for note in display.notes)
    assert len(list((asked.store.folder / "aside").iterdir())) == 2
    assert run(asked)[0].ran == 0
    assert frames.read(asked.folder).trials["outcome"].notna().all()


def test_a_full_disk_ends_the_sweep_and_loses_nothing_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, put = request(tmp_path), Store.put
    calls: list[bytes] = []

    def full(store: Store, content: bytes) -> Record:
        calls.append(content)
        if len(calls) >= 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return put(store, content)

    monkeypatch.setattr(Store, "put", full)
    result, display = run(asked)
    assert result.unsaved == 1
    assert "No space left" in display.notes[0]
    assert len(calls) == 3  # the second record, once more at the end; the third cell never started
    monkeypatch.undo()
    result, display = run(asked)
    assert display.plan == (3, 1)


def test_a_runner_that_gives_up_leaves_its_cells_to_be_run(tmp_path: Path) -> None:
    result, _ = run(request(tmp_path), lambda *arguments: None)
    assert (result.ran, result.left, result.failed, result.interrupted) == (0, 3, {}, False)


def test_long_cells_start_first(tmp_path: Path) -> None:
    cells = request(tmp_path).cells()
    packs = room.pack(cells, devices=0)
    assert [one[0].method for one in packs] == ["maml", "alpha-maml", "alpha-maml"]
    assert packs[1][0].hyper.model_dump()["alpha_hyperlr"] < packs[2][0].hyper.model_dump()["alpha_hyperlr"]


def test_packs_for_accelerators_hold_one_method_each_and_every_cell(tmp_path: Path) -> None:
    cells = grids.load("fig2").cells()
    packs = room.pack(cells, devices=2)
    assert sorted(len(one) for one in packs) == [2, 3, 90, 90]
    assert all(len({cell.method for cell in one}) == 1 for one in packs)
    assert {cell for one in packs for cell in one} == set(cells)
    many = grids.load("fig2").cells(range(5))
    packs = room.pack(many, devices=1)
    assert max(len(one) for one in packs) <= room.PACK
    assert sum(len(one) for one in packs) == len(many)


def command(tmp_path: Path, *more: str, iterations: int = 40) -> list[str]:
    path = grid_file(tmp_path, iterations)
    return [sys.executable, "-m", "harness", "sweep", str(path), "--results", str(tmp_path / "r"), *more]


def wait_for(condition: Callable[[], bool], seconds: float = 100) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


def stored(tmp_path: Path) -> dict[str, float]:
    """Cell id -> time at which its record was written."""
    return {path.stem: path.stat().st_mtime for path in (tmp_path / "r" / "store").glob("*.parquet")}


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_kill_and_resume(tmp_path: Path, kill: signal.Signals) -> None:
    """The driver dies in the middle; the same command runs what is missing and nothing else."""
    words = command(tmp_path, "--runner", "serial", iterations=150)
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(stored(tmp_path)) >= 1)
    process.send_signal(kill)
    _, errors = process.communicate(timeout=60)
    before = stored(tmp_path)
    assert 1 <= len(before) < 3
    if kill == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 130
        assert "the same command goes on" in errors
        assert (tmp_path / "r" / "tiny" / "trials.parquet").exists()
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    after = stored(tmp_path)
    assert len(after) == 3
    assert all(after[cell_id] == written for cell_id, written in before.items())
    assert not list((tmp_path / "r" / "store").glob("*.tmp"))
    assert f"{len(before)} of them in the store" in done.stdout


@pytest.mark.ray
def test_serial_and_ray_give_identical_records(tmp_path: Path) -> None:
    runners = {"first": "serial", "second": "ray"}
    for name, runner in runners.items():
        folder = tmp_path / name
        folder.mkdir()
        words = command(folder, "--runner", runner, "--jobs", "2", iterations=12)
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        assert len(lines) == 1 + 3 + 1  # the plan, a line a cell, the figures: nothing of Ray's noise
    first, second = (Store(tmp_path / name / "r") for name in runners)
    headers = first.scan().headers
    assert headers.keys() == second.scan().headers.keys()
    for cell_id in headers:
        a, b = first.read(cell_id), second.read(cell_id)
        assert a.rows.equals(b.rows)
        assert a.header._replace(provenance={}) == b.header._replace(provenance={})
        assert b.header.provenance["threads"] == 1


def children(pid: int) -> list[int]:
    """All processes below `pid`."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == pid:
            found += [int(path.parent.name), *children(int(path.parent.name))]
    return found


@pytest.mark.ray
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers in /proc")
def test_a_killed_worker_and_an_interrupt_lose_no_finished_cell(tmp_path: Path) -> None:
    """One worker dies: its cell is run once more. Then SIGTERM, whose handler Ray replaces with its own;
    the same command finishes."""
    words = command(tmp_path, "--jobs", "2", iterations=400)
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    running = tmp_path / "r" / "store" / "running.json"
    wait_for(running.exists)

    def workers() -> list[int]:
        names = {pid: Path(f"/proc/{pid}/cmdline") for pid in children(process.pid)}
        return [pid for pid, path in names.items() if path.exists() and b"ray::" in path.read_bytes()[:60]]

    victims = [pid for pid in workers() if b"ImplicitFunc" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert victims
    os.kill(victims[0], signal.SIGKILL)
    wait_for(lambda: len(stored(tmp_path)) >= 1)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    before = stored(tmp_path)
    if len(before) < 3:
        assert process.returncode == 130, errors
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    after = stored(tmp_path)
    assert len(after) == 3
    assert all(after[cell_id] == written for cell_id, written in before.items())
    endings = {records.load_header(tmp_path / "r" / "store" / f"{i}.parquet").ending for i in after}
    assert "failed" not in endings
