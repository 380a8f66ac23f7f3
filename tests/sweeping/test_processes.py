"""Sweeps as processes: killed and resumed, the same numbers under both runners, a worker that dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness import records
from harness.common.places import ROOT
from harness.records.store import Store
from tests.sweeping.test_sweep import grid_file


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
        assert "the same command continues" in errors
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
        assert replace(a.header, provenance={}) == replace(b.header, provenance={})
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
