"""`harness.run`: grids and cells from Python, with methods of this process."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
import torch

import harness
from harness.common import plugins
from harness.common.errors import UserError
from harness.methods import METHODS
from harness.sweeping import run as module
from tests.sweeping.tiny import grid_file
from tests.training.runs import cell


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    plugins.forget(*{METHODS.module(name) for name in METHODS if not plugins.is_ours(METHODS.module(name))})


def test_its_example() -> None:
    found = doctest.DocTestFinder(recurse=False).find(module.run, "run")
    runner = doctest.DocTestRunner()
    for one in found:
        one.globs["__name__"] = "__main__"
        runner.run(one)
    assert runner.summarize() == (0, 6)


def test_a_grid_is_swept_and_then_loaded(tmp_path: Path) -> None:
    path = grid_file(tmp_path)
    trials, trajectories = harness.run(path, results=tmp_path / "results")
    assert trials["iterations_run"].tolist() == [6, 6, 6]
    again, _ = harness.run(str(path), results=tmp_path / "results")
    pd.testing.assert_frame_equal(again, trials)
    loaded, curves = harness.load("tiny", tmp_path / "results")
    pd.testing.assert_frame_equal(loaded, trials)
    pd.testing.assert_frame_equal(curves, trajectories)
    trials, _ = harness.run(path, results=tmp_path / "results", seeds=(0, 1))
    assert len(trials) == 6


def test_a_cell_gives_its_trajectory_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = harness.run(cell(seed=0), max_iterations=4)
    assert rows["iteration"].tolist() == [1, 2, 3, 4]
    assert rows["train_loss"].notna().all()
    assert not list(tmp_path.iterdir())


def test_a_grid_is_swept_from_a_thread(tmp_path: Path) -> None:
    """As in a server or a notebook's widget: signals go to the main thread alone."""
    with ThreadPoolExecutor(1) as threads:
        trials, _ = threads.submit(harness.run, grid_file(tmp_path), results=tmp_path / "results").result()
    assert trials["iterations_run"].tolist() == [6, 6, 6]


def test_what_it_does_not_take(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a cell takes max_iterations"):
        harness.run(cell(seed=0))
    with pytest.raises(ValueError, match="a grid has a target and a budget of its own"):
        harness.run("quick", max_iterations=3)
    with pytest.raises(UserError, match="unknown"):
        harness.run("no-such-grid", results=tmp_path)


def test_failed_cells_are_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(METHODS["maml"].__class__, "step", lambda *given: 1 / 0)
    with pytest.warns(UserWarning, match="1 cell failed: ZeroDivisionError"):
        trials, _ = harness.run(grid_file(tmp_path), results=tmp_path / "results")
    assert trials["outcome"].tolist().count("failed") == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device")
def test_a_device_that_is_not_there_is_refused() -> None:
    for device, words in {"cuda": "torch sees no CUDA device here", "tpu": "write cpu or cuda"}.items():
        with pytest.raises(UserError, match=f"device '{device}': {words}"):
            harness.run(cell(), max_iterations=1, device=device)
