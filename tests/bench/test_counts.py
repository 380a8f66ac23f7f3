"""What a precision does to counts: by hand, and as a sweep counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import harness
from harness import grids
from harness.bench import counts
from tests.sweeping.tiny import grid_file


def test_beside_by_hand() -> None:
    ours = {"a": 100, "b": 110, "c": 80, "d": None, "e": 7, "f": None, "elsewhere": 3}
    theirs = {"a": 100, "b": 100, "c": 100, "d": None, "e": None, "f": 9}
    assert counts.beside(ours, theirs) == {
        "cells": 6,
        "reached": 3,
        "equal": 1,
        "median": pytest.approx(0.1),
        "percentile_90": pytest.approx(0.18),  # between 0.1 and 0.2
        "largest": pytest.approx(0.2),
        "otherwise": 2,
    }
    nothing = counts.beside({"d": None}, theirs)
    assert (nothing["cells"], nothing["reached"], nothing["median"], nothing["otherwise"]) == (1, 0, None, 0)


def test_the_reference_of_fig2() -> None:
    known = counts.reference(grids.load(counts.GRID))
    trials = pd.read_parquet(f"results/reference/{counts.GRID}/trials.parquet")
    assert len(known) == len(trials) == 925
    assert sum(count is not None for count in known.values()) == trials["iterations_to_target"].count()
    assert known[trials["cell_id"][0]] == trials["iterations_to_target"][0]


@pytest.mark.usefixtures("noise")
def test_the_counts_are_those_of_a_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = grid_file(tmp_path, iterations=12)
    path.write_text(path.read_text().replace("target_loss: 1.0", "target_loss: 1.65"))
    trials, _ = harness.run(path, results=tmp_path / "results")
    passages = zip(trials["cell_id"], trials["iterations_to_target"], strict=True)
    expected = {cell_id: None if pd.isna(passage) else int(passage) for cell_id, passage in passages}
    assert any(expected.values())
    monkeypatch.setattr(counts, "reference", lambda grid: expected)
    kept: list[int] = []
    said: list[str] = []

    def keep(rows: list[dict[str, Any]]) -> None:
        kept.append(len(rows))

    some = ["float32", "float64"]
    rows = counts.measure(grids.load(str(path)), "cpu", said.append, keep, some)
    assert [row["precision"] for row in rows] == some
    assert rows[0]["counts"] == expected
    assert rows[0]["beside_reference"]["equal"] == rows[0]["beside_reference"]["reached"] > 0
    assert rows[1]["beside_float32"] == counts.beside(rows[1]["counts"], expected)
    assert list(rows[1]["counts"]) == list(expected)  # by the ids of float32
    assert kept == [1, 2]
    assert said[0].startswith("tiny, float32: ")
    shares = "0.0% (median), 0.0% (90th percentile), 0.0% (largest)"
    assert said[0].endswith(f"beside the reference {shares}; 0 of 3 cells hit or miss otherwise")


@pytest.mark.usefixtures("noise")
def test_a_long_run_is_extrapolated(monkeypatch: pytest.MonkeyPatch) -> None:
    """60,000 iterations of three cells at 500 cells x iterations a second: six minutes."""
    asked: list[tuple[int, int]] = []

    def rate(cells: Any, device: str, iterations: int) -> float:
        asked.append((len(cells), iterations))
        assert {cell.protocol.n_way for cell in cells} == {5}
        return 500.0

    monkeypatch.setattr(counts, "engine_rate", rate)
    said: list[str] = []
    assert counts.long_run("cpu", said.append)["extrapolated_minutes"] == 6.0
    assert asked == [(3, 600)]
    assert said == ["60000 iterations of 3 cells: 6.0 minutes, extrapolated from 600"]
