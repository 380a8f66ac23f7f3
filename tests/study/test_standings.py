"""The league's table: a default chosen on some seeds, judged on the others, by hand."""

from __future__ import annotations

import math
from itertools import product

import pandas as pd
import pytest

from harness.analysis import sensitivity
from harness.analysis.sensitivity.runs import Runs
from harness.common.errors import UserError
from harness.study.standings import standings

# Scores of two settings by environment, on the seeds of the choice (0) and of the report (1, 2).
SCORES = {
    ("one", 1.0, "a"): (10.0, 6.0, 6.0),
    ("one", 2.0, "a"): (0.0, 0.0, 0.0),
    ("one", 1.0, "b"): (10.0, 4.0, 8.0),
    ("one", 2.0, "b"): (8.0, 10.0, 10.0),
    ("two", 1.0, "a"): (5.0, 10.0, 10.0),
    ("two", 2.0, "a"): (4.0, 2.0, 2.0),
    ("two", 1.0, "b"): (0.0, 0.0, 0.0),
    ("two", 2.0, "b"): (2.0, 5.0, 5.0),
}


@pytest.fixture
def runs() -> Runs:
    rows = [
        {"method": method, "lr": lr, "task": task, "seed": seed, "score": score}
        for (method, lr, task), scores in SCORES.items()
        for seed, score in enumerate(scores)
    ]
    return sensitivity.runs(pd.DataFrame(rows), hyper=["lr"], environment="task", seed="seed", score="score")


def test_by_hand(runs: Runs) -> None:
    """With four settings the percentiles are the ends: in both environments 0 and 10, for choice and
    report."""
    first, second = standings(runs, choice=[0], report=[1, 2])
    # "one": 1.0 has 1 and 1, 2.0 has 0 and .8; then .6 and .6. Tuned for each: 1.0 in both.
    assert (first.method, first.default, first.settings) == ("one", {"lr": 1.0}, 2)
    assert (first.chosen, first.reported, first.tuned) == pytest.approx((1.0, 0.6, 0.6))
    assert first.optimism == pytest.approx(0.4)
    # "two": 1.0 has .5 and 0, 2.0 has .4 and .2: 2.0; then .2 and .5. Tuned: 1.0 in "a" (1), 2.0 in "b" (.5).
    assert (second.method, second.default) == ("two", {"lr": 2.0})
    assert (second.chosen, second.reported, second.tuned) == pytest.approx((0.3, 0.35, 0.75))
    # Of two seeds (1, 1), (1, 2), (2, 2): with seed 1 alone 1.0 has .4 in "b", with seed 2 alone .8.
    assert (first.low, first.high) == pytest.approx((0.5, 0.7))


def test_one_seed_has_no_interval(runs: Runs) -> None:
    first, *_ = standings(runs, choice=[0, 1], report=[2])
    assert math.isnan(first.low)
    assert math.isnan(first.high)


def test_a_choice_is_not_judged_on_its_own_seeds(runs: Runs) -> None:
    with pytest.raises(UserError, match="seeds 1-2: a default is chosen on them, so they cannot report it"):
        standings(runs, choice=[0, 1, 2], report=[2, 1])


@pytest.mark.parametrize(("choice", "report"), list(product([[0], [3]], [[4], [1, 5]])))
def test_a_seed_that_is_missing(runs: Runs, choice: list[int], report: list[int]) -> None:
    with pytest.raises(UserError, match="the league needs seeds"):
        standings(runs, choice=choice, report=report)
