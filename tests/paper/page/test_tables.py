"""The page's tables: cells checked by hand, and tables of records with gaps."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from harness.common import places
from harness.paper.judging.verdict import Form, Judged, Verdict
from harness.paper.page import cells as words
from harness.paper.page import measured, runs, verdicts
from harness.paper.page.tables import TABLES
from harness.paper.reading import MAIN
from harness.records import reference
from harness.records.tables import Tables
from tests.analysis.tables import table, trial

NAN = math.nan


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([172, 164, 189], "172 (164 to 189)"),
        ([10, 10], "10 (10)"),
        ([60, 61], "60.5 (60 to 61)"),
        ([17], "17"),
        ([NAN, 407, 131, NAN, NAN], "2 of 5: 131 to 407"),
        ([NAN, 407], "1 of 2: 407"),
        ([NAN, NAN], "–"),
        ([], "–"),
    ],
)
def test_counts_over_seeds(counts: list[float], said: str) -> None:
    assert words.over_seeds(counts) == said


@pytest.mark.parametrize(
    ("values", "form", "said"),
    [
        ([1.36, 1.41, 1.369], ".2f", "1.37 (1.36 to 1.41)"),
        ([0.5, 0.5001], ".2f", "0.50"),  # told apart by nothing that is shown
        ([8e-4], ".3g", "0.0008"),
    ],
)
def test_a_number_over_seeds(values: list[float], form: str, said: str) -> None:
    assert words.span(values, form) == said


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([1, 9, NAN], "9"),
        ([60, 61, 0, NAN], "60.5"),
        ([1, NAN, NAN], "over 500"),
        ([1, NAN], "over 500"),
        ([], "–"),
    ],
)
def test_a_median_with_misses(counts: list[float], said: str) -> None:
    assert words.middle(counts) == said


def test_the_tuned_pair_is_the_first_of_its_presets_diagonal() -> None:
    assert words.named((1e-1, 1e-3)) == "(1e-1, 1e-3), tuned"
    assert words.named((1e-1, 1e-3), "paper-sgd") == "(1e-1, 1e-3)"
    assert words.named((1.0, 1e-1), "paper-sgd") == "(1, 1e-1), tuned"


def test_panels_share_by_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tuned: seed 0 reaches it with one of two choices, seed 1 with both; other pairs were not run."""
    alpha = {"method": "alpha-maml", "beta_hyperlr": 1e-6}
    rows = table(
        *(trial(f"m{seed}", 160 + 2 * seed, seed=seed) for seed in (0, 1)),
        trial("a0", 20, 30, alpha_hyperlr=1.0, **alpha),
        trial("b0", "budget", alpha_hyperlr=2.0, **alpha),
        trial("a1", 40, alpha_hyperlr=1.0, seed=1, **alpha),
        trial("b1", 60, alpha_hyperlr=2.0, seed=1, **alpha),
        trial("c", None, beta0=1e-2, alpha_hyperlr=1.0, **alpha),  # of no pair of the diagonal
    )
    monkeypatch.setattr(runs, "read", lambda grid: Tables(trials=rows, trajectories=pd.DataFrame(), about={}))
    lines = TABLES["panels"]().splitlines()
    assert lines[2].split(" | ")[1:] == [
        "(1e-1, 1e-3), tuned",
        "161 (160 to 162)",
        "4 of 4",
        "0.75 (0.50 to 1.00)",
        "0.25 (0.00 to 0.50)",
        "20",
        "50 |",
    ]
    assert lines[3] == "| 2.5 | (1e-2, 1e-4) | – | 0 of 0 | – | – | – | – |"
    sgd = TABLES["panels_sgd"]().splitlines()
    assert [line.split(" | ")[1] for line in sgd[2:4]] == ["(1, 1e-1), tuned", "(1e-1, 1e-2)"]


def test_cells_slower_than_maml(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed 0: at the tuned pair one of two is slower, one as fast. Seed 1: MAML misses, so nothing is."""
    alpha = {"method": "alpha-maml", "beta_hyperlr": 1e-6}
    rows = table(
        trial("m0", 160),
        trial("a0", 161, alpha_hyperlr=1.0, **alpha),
        trial("b0", 160, alpha_hyperlr=2.0, **alpha),
        trial("n0", 200, alpha0=1e-2, beta0=1e-4),
        trial("c0", "budget", alpha0=1e-2, beta0=1e-4, alpha_hyperlr=100.0, **alpha),
        trial("m1", "budget", seed=1),
        trial("a1", "budget", seed=1, alpha_hyperlr=1.0, **alpha),
        trial("d0", None, alpha_hyperlr=3.0, **alpha),  # not run
    )
    monkeypatch.setattr(runs, "read", lambda grid: Tables(trials=rows, trajectories=pd.DataFrame(), about={}))
    assert runs.slower().splitlines()[2] == "| 2.5 | 2 | 0 | 1 | 1 |"


def test_the_papers_numbers_beside_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """MAML misses in one of two seeds; a claim that was not asked has an empty row."""
    first = {"0": {"share": [0.5, 0.5], "maml": "miss"}, "1": {"share": [0.75, 0.75], "maml": 430}}
    judged = Judged(strict=Form(verdict=Verdict.FAILS, why=""), numbers={"first": first})
    found = {(key, MAIN): judged if key == "C2" else None for key in ("C1", "C2", "C4", "C5")}
    monkeypatch.setattr(verdicts, "matrix", lambda: found)
    rows = [line.split(" | ")[3:] for line in verdicts.paper().splitlines()[2:]]
    assert rows[0] == rows[2] == rows[3] == ["0 of 0 seeds", "– |"]
    assert rows[1] == ["1 of 2 seeds", "0.62 (0.50 to 0.75) |"]


def test_time_on_a_gpu_and_on_cores() -> None:
    rows = table(
        trial("a", 5, device="cuda (H200)", wall_seconds=90.0, threads=1),
        trial("b", 5, device="cpu (EPYC)", wall_seconds=1800.0, threads=4),
    )
    assert runs._hours(rows) == "1.5 min of the GPU and 2.00 core-hours"
    assert runs._hours(rows.head(1)) == "1.5 min of the GPU"


def test_devices_by_hyper_rate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "REFERENCE", tmp_path)
    folder = tmp_path / reference.DEVICES / "fig2"
    folder.mkdir(parents=True)
    cells = pd.DataFrame(
        {
            "alpha_hyperlr": [NAN, 1.0, 1.0],
            "first_mine": [NAN, 20.0, 12.0],
            "sustained_mine": [NAN, 25.0, NAN],
            "first_agreement": ["equal", "outside", "within rounding"],
            "sustained_agreement": ["equal", "equal", "other outcome"],
        }
    )
    cells.to_parquet(folder / reference.COMPARED)
    assert measured.devices().splitlines()[2:] == [
        "| 1 | 2 | 0 | 0 | 1 | 1 | 0 | 0 | 1 | 0 | 0 | 1 |",
        "| MAML | 1 | 1 | 0 | 0 | 0 | 0 | 1 | 0 | 0 | 0 | 0 |",
        "| all | 3 | 1 | 0 | 1 | 1 | 0 | 1 | 1 | 0 | 0 | 1 |",
    ]
