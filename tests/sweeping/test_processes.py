"""Sweeps as processes: the same numbers under both runners. tests/faults kills and resumes them."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.records.store import Store
from tests.sweeping.tiny import grid_file


def command(tmp_path: Path, *more: str, iterations: int = 40) -> list[str]:
    path = grid_file(tmp_path, iterations)
    return [
        sys.executable,
        "-P",
        "-m",
        "harness",
        "sweep",
        str(path),
        "--results",
        str(tmp_path / "r"),
        *more,
    ]


@pytest.mark.ray
def test_serial_and_ray_give_identical_records(tmp_path: Path) -> None:
    """In a folder with files of the user that have the names of modules."""
    for name in ("harness", "plots", "random", "rich", "torch", "types"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the user')")
    runners = {"first": "serial", "second": "ray"}
    for name, runner in runners.items():
        folder = tmp_path / name
        folder.mkdir()
        words = command(folder, "--runner", runner, "--jobs", "2", iterations=12)
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        ours = r"3 cells; 3 to run|all with |(at most|about) .* left$|\[[1-3]/3\] |figures: "
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        assert not [line for line in lines if not re.match(ours, line)]  # nothing of Ray's noise
        assert sum(line.startswith("[") for line in lines) == 3
    first, second = (Store(tmp_path / name / "r") for name in runners)
    headers = first.scan().headers
    assert headers.keys() == second.scan().headers.keys()
    for cell_id in headers:
        a, b = first.read(cell_id), second.read(cell_id)
        assert a.rows.equals(b.rows)
        assert replace(a.header, provenance={}) == replace(b.header, provenance={})
        assert b.header.provenance["threads"] == 1
