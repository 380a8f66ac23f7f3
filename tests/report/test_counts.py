"""The page's own scripts on its own data, without a browser, beside what analysis counts."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.analysis.counting import counted_to
from harness.analysis.summary import cells_over_seeds
from harness.common.places import ROOT
from harness.records import reference, tables
from harness.records.passages import outcome
from harness.records.tables import Tables
from harness.report import page
from harness.report.sections import Parts
from harness.report.shown import Shown
from tests.report import made
from tests.report.scripts import run

EASY = (2.6123, 2.75, 2.987654321, 3.3)
"""Targets that no grid names, all easier than fig2's own, at which its runs stopped."""


def shown(name: str, kept: Tables) -> str:
    return page.written([Shown(name=name, tables=kept, source="made up")], Parts())


def counted(text: str, targets: tuple[float, ...], folder: Path) -> dict[str, Any]:
    """What the scripts find for these targets."""
    asked = {"content": made.content(text), "targets": targets}
    asked["block"] = re.findall(r'id="block">(.*?)</script>', text, re.DOTALL)[0]
    (found,) = run("counts.js", asked, folder)
    return found


def numbers(values: list[Any]) -> np.ndarray:
    """JSON has null for NaN, and `inf` here."""
    return np.array([math.nan if one is None else float(one) for one in values])


@pytest.fixture(scope="module")
def fig2() -> Tables:
    return tables.read(reference.find("fig2"))


@pytest.fixture(scope="module")
def found(fig2: Tables, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return counted(shown("fig2", fig2), (*EASY, 2.5), tmp_path_factory.mktemp("deno"))


@pytest.mark.parametrize("at", range(len(EASY)))
def test_every_count_is_that_of_analysis(fig2: Tables, found: dict[str, Any], at: int) -> None:
    expected = counted_to("fig2", fig2, EASY[at])
    first, sustained, outcomes = zip(*found["runs"][at], strict=True)
    assert found["cell_id"] == expected["cell_id"].tolist()
    for column, values in (("", first), ("_sustained", sustained)):
        counts = pd.to_numeric(expected[f"iterations_to_target{column}"]).to_numpy(float, na_value=np.nan)
        np.testing.assert_array_equal(numbers([*values]), counts)
    assert [*outcomes] == expected["outcome"].tolist()


@pytest.mark.parametrize("at", range(len(EASY) + 1))
def test_so_is_every_median_and_every_share(fig2: Tables, found: dict[str, Any], at: int) -> None:
    target = (*EASY, 2.5)[at]
    expected = cells_over_seeds(counted_to("fig2", fig2, target))
    first, sustained = zip(*found["settings"][at], strict=True)
    np.testing.assert_array_equal(numbers([one["count"] for one in first]), expected["iterations_to_target"])
    assert [one["state"] for one in first] == expected["state"].tolist()
    for name in ("seeds", "run", "reached"):
        assert [one[name] for one in first] == expected[name].tolist()
    known = [i for i, one in enumerate(sustained) if not one["missing"]]
    np.testing.assert_array_equal(
        numbers([sustained[i]["count"] for i in known]),
        expected["iterations_to_target_sustained"].to_numpy()[known],
    )
    assert len(known) == len(sustained)


def test_curves_are_those_of_the_records(fig2: Tables, found: dict[str, Any]) -> None:
    """The lowest and the highest loss of each run are kept, to 1 in 4,096."""
    losses = fig2.trajectories.groupby("cell_id", sort=False)["train_loss"]
    for cell_id, (x, y) in list(zip(found["cell_id"], found["curves"]["train_loss"], strict=True))[::60]:
        own = losses.get_group(cell_id).to_numpy()
        np.testing.assert_allclose(numbers(y), own[np.array(x) - 1], rtol=1 / 4096)
        np.testing.assert_allclose([min(y), max(y)], [own.min(), own.max()], rtol=1 / 4096)
        assert (x[0], x[-1]) == (1, len(own))


def test_the_docs_say_how_many_iterations_a_run_keeps(fig2: Tables) -> None:
    grid = made.content(shown("fig2", fig2))["grids"][0]
    kept = [grid[name]["steps"]["length"] / len(fig2.trials) for name in ("first", "sustained")]
    text = " ".join((ROOT / "docs" / "report.md").read_text("utf-8").split())
    assert "falls: {:.0f} of the up to 500 of a run of `fig2`, and {:.0f} for the mean".format(*kept) in text


SETTINGS = {"a": (0.1, 0.01), "b": (0.2, 0.01), "c": (0.3, 0.01), "d": (0.4, 0.01)}
ENDINGS: dict[str, tuple[list[float], str | None]] = {
    "a0": ([3.0, 2.5, 1.9], "stopped"),
    "a1": ([3.0, 2.4, 2.2], "budget"),
    "b0": ([3.0, math.nan], "diverged"),
    "b1": ([3.0, 2.8], "failed"),
    "c0": ([], None),
    "d0": ([3.0, 2.0, 5.0], "diverged"),
    "d1": ([2.9, 2.8, 2.7], "budget"),
}


def test_every_ending_says_what_it_is(tmp_path: Path) -> None:
    """By hand, asked for 2: a1 and d1 miss. Asked for 1, nobody knows of a0, which stopped before, but the
    median of a miss and it is a miss."""
    found = counted(shown("made", made.tables(ENDINGS, SETTINGS)), (2.0, 1.0), tmp_path)
    assert found["runs"][0] == [
        [3, None, "reached"],
        [None, None, "budget"],
        [None, None, "diverged"],
        [None, None, "failed"],
        [None, None, "not run"],
        [2, None, "reached"],
        [None, None, "budget"],
    ]
    assert [run[2] for run in found["runs"][1]] == [
        *("unknown", "budget", "diverged", "failed", "not run", "diverged", "budget")
    ]
    first = [one[0] for one in found["settings"][0]]
    assert [(one["count"], one["state"], one["run"], one["reached"], one["seeds"]) for one in first] == [
        ("inf", "budget", 2, 1, 2),
        ("inf", "diverged", 1, 0, 2),
        (None, "not run", 0, 0, 1),
        ("inf", "budget", 2, 1, 2),
    ]
    assert [(one[0]["state"], one[0]["missing"]) for one in found["settings"][1]] == [
        *(("budget", 1), ("diverged", 0), ("not run", 0), ("diverged", 0))
    ]


def test_a_median_is_known_where_those_that_stopped_cannot_move_it(tmp_path: Path) -> None:
    """Asked for 1: a0 and b0 stopped after two iterations, so they pass it in the third or later."""
    stopped, reached = ([3.0, 1.9], "stopped"), ([3.0, 0.9], "stopped")
    runs = {"a0": stopped, "a1": reached, "b0": stopped, "b1": reached, "b2": reached}
    found = counted(shown("made", made.tables(runs, SETTINGS)), (1.0,), tmp_path)
    first = [one[0] for one in found["settings"][0]]
    assert [(one["count"], one["state"], one["run"], one["missing"]) for one in first] == [
        (None, "unknown", 2, 1),
        (2, "reached", 3, 1),
    ]


def test_a_failed_run_has_reached_what_it_passed_before(tmp_path: Path) -> None:
    """As records.passages.outcome has it."""
    assert outcome(*ENDINGS["b1"], 2, 2.9, 30) == "reached"
    found = counted(shown("made", made.tables(ENDINGS, SETTINGS)), (2.9,), tmp_path)
    assert found["runs"][0][3] == [2, None, "reached"]
