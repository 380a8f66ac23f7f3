"""examples/: what a user brings, each a short file outside the package, swept and drawn as README shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness.common import plugins
from harness.common.places import ROOT

EXAMPLES = ROOT / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))
SHOWN = sorted(
    set(re.findall(r"make sweep GRID=(examples/\S+\.yaml)", (ROOT / "README.md").read_text("utf-8")))
)
"""As README has one type them; make passes them on to `harness sweep`."""
MOST_LINES = 40


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    plugins.forget()


def test_there_is_one_of_each_kind() -> None:
    assert NAMES == ["lines", "shapes", "sign_maml", "wide_net"]
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(NAMES)
    assert [Path(grid).stem for grid in SHOWN] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_they_are_short(name: str) -> None:
    assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) <= MOST_LINES


@pytest.mark.ray
@pytest.mark.parametrize("grid", SHOWN)
def test_an_example_is_swept_and_drawn(grid: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness", "sweep", grid, "--results", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    name = Path(grid).stem
    trials, trajectories = harness.load(name, tmp_path)
    assert trials["outcome"].isin(["reached", "budget"]).all()
    assert (trials["outcome"] == "reached").any()
    assert not trials["plugins"].isna().all()
    assert trajectories["train_loss"].notna().all()
    assert (tmp_path / name / f"{name}.png").stat().st_size > 10_000
