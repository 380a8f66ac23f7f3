"""C12: how far counts spread, capped and censored."""

from __future__ import annotations

import json
import math

import pytest

from harness.paper.claims.section5_sensitivity import C12, spread
from harness.paper.judging.verdict import Verdict
from tests.paper.claims.tables import (
    DIAGONAL,
    HYPERS,
    MISS,
    NOTHING,
    SECOND,
    THIRD,
    TUNED,
    board,
    cell,
    nth,
    records,
)

c12 = C12.judge
HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN


@pytest.mark.parametrize(
    ("counts", "low", "exact"),
    [
        ([10, 50, 100], 1, True),
        ([7], 0, True),
        ([5, 50, math.inf], 2, False),  # the miss is the budget of 500 at least
        ([math.inf, math.inf], 0, False),
        ([5, 50, math.nan], 1, False),
        ([math.nan], 0, False),
    ],
)
def test_spread(counts, low, exact):
    found = spread(counts, [500] * len(counts))
    assert found.low == pytest.approx(low)
    assert found.high == (found.low if exact else math.inf)


def steady(maml, *columns, hypers=HYPERS):
    """MAML's counts down the diagonal, and Alpha-MAML's with each choice of the hyper-rates."""
    at = [dict(zip(hypers, row, strict=True)) for row in zip(*columns, strict=True)]
    alpha = dict(zip(DIAGONAL, at, strict=False))
    of = dict(zip(DIAGONAL, maml, strict=False))
    return records(*board(of, lambda pair, hyper: alpha[pair][hyper], 0, hypers))


FLAT, STEEP, MISSING = (10, 10, 20), (4, 12, 40), (20, 20, MISS)
"""Spreads of log10(2), 1, and log10(60 / 20) or more."""


@pytest.mark.parametrize(
    ("some", "strict", "weak"),
    [
        (steady((10, 20, 40), *[FLAT] * 9), HOLDS, HOLDS),  # log10(4)
        (steady((10, 20, MISS), *[FLAT] * 9), HOLDS, HOLDS),  # log10(6) or more
        (steady((10, 10, 20), *[FLAT] * 9), FAILS, FAILS),  # no less
        (steady((10, 20, 40), *[STEEP] * 9), FAILS, FAILS),
        (steady((10, 20, MISS), *[STEEP] * 9), OPEN, OPEN),  # 1 beside log10(6) or more
        (steady((10, 20, 40), *[MISSING] * 9), OPEN, OPEN),  # log10(3) or more beside log10(4)
        (steady((10, 10, 20), *[MISSING] * 9), FAILS, FAILS),
        (steady((10, 20, 40), *[FLAT] * 8, (10, 10, None)), OPEN, OPEN),
        (steady((10, 40, None), *[FLAT] * 9), HOLDS, HOLDS),  # log10(4) or more
        (steady((10, 20, 40), FLAT, hypers=HYPERS[:1]), OPEN, OPEN),  # few cells
    ],
)
def test_c12(some, strict, weak):
    found = c12(some, NOTHING)
    assert (found.strict.verdict, found.weak.verdict) == (strict, weak)


def test_a_run_of_maml_past_the_budget_bounds_its_spread_further():
    """Alpha-MAML's spread is log10 5 = 0.7 decades with every choice; MAML's at least log10 of 500 / 200."""
    cells = [*board({TUNED: 200, SECOND: MISS}, lambda pair, hyper: 20 if pair == TUNED else 100, budget=500)]
    assert c12(records(*cells), NOTHING).weak.verdict is OPEN
    del cells[1]  # MAML's miss: it is put in again, of longer runs
    for lasts, verdict, least in ((900, OPEN, 0.6532), (1001, HOLDS, 0.6994)):
        found = c12(records(*cells, cell(SECOND, None, MISS, budget=lasts)), NOTHING)
        assert (found.weak.verdict, found.strict.verdict) == (verdict, verdict)
        assert found.numbers["first"]["0"]["2.5"]["maml"] == {"least": least, "most": None}
    passes = cell(SECOND, None, 800, budget=1500)  # too late for the paper's budget, so a miss of 800 or more
    found = c12(records(*cells, passes), NOTHING)
    assert found.numbers["first"]["0"]["2.5"]["maml"] == {"least": 0.6021, "most": None}
    diverged = cell(SECOND, None, MISS, ending="diverged", losses=[3.2] * 20)
    found = c12(records(*cells, diverged), NOTHING)
    assert found.numbers["first"]["0"]["2.5"]["maml"] == {"least": 0.3979, "most": None}


def test_c12_best_median_worst_and_the_price_of_four_rates():
    """By their medians: 6, 10 (seven times) and 12. The worst is in the middle, so no edge removes it."""
    best, worst = (6, 6, 30), (12, 12, 60)
    found = c12(steady((10, 20, 40), best, *[FLAT] * 3, worst, *[FLAT] * 4), NOTHING)
    assert found.strict.verdict is FAILS
    by = found.numbers["first"]["0"]["2.5"]
    assert {name: choice["hyper-rates"] for name, choice in by["alpha-maml"].items()} == {
        "best": "(1e-1, 1e-6)", "median": "(1, 1e-4)", "worst": "(1, 1e-5)"
    }  # fmt: skip
    assert [choice["least"] for choice in by["alpha-maml"].values()] == [0.699, 0.301, 0.699]
    assert by["maml"] == {"least": 0.6021, "most": 0.6021}
    assert by["over all four rates"] == {"least": 1, "most": 1, "less than maml": False}  # 60 / 6
    assert found.weak.verdict is HOLDS
    assert json.dumps(found.numbers, allow_nan=False)


def test_c12_the_spread_of_the_median_choice_is_not_the_median_spread():
    """The choice in the middle by its counts spreads most: log10 of 55 / 11."""
    slow = (12, 12, 24)
    found = c12(steady((10, 20, 40), *[FLAT] * 4, (11, 11, 55), *[slow] * 4), NOTHING)
    by = found.numbers["first"]["0"]["2.5"]
    assert by["alpha-maml"]["median"] == {"hyper-rates": "(1, 1e-5)", "least": 0.699, "most": 0.699}
    assert by["median of the choices' spreads"] == {"least": 0.301, "most": 0.301}
    missed = c12(steady((10, 20, 40), *[FLAT] * 4, *[MISSING] * 5), NOTHING).numbers["first"]["0"]["2.5"]
    assert missed["median of the choices' spreads"] == {"least": 0.4771, "most": None}


def test_c12_takes_the_better_of_two_middle_choices():
    """Ten choices, from the fastest to the slowest."""
    hypers = [*HYPERS, (100.0, 1e-6)]
    columns = [(k, 20 + k, 20 + k) for k in range(1, 11)]
    found = c12(steady((10, 20, 40), *columns, hypers=hypers), NOTHING)
    assert (
        found.numbers["first"]["0"]["2.5"]["alpha-maml"]["median"]["hyper-rates"] == "(1, 1e-5)"
    )  # the fifth


def test_c12_uses_only_choices_asked_for_at_every_pair():
    cells = [*board({TUNED: 10, SECOND: 40}, nth([10] * 9)), cell(TUNED, (100.0, 1.0), MISS)]
    assert c12(records(*cells), NOTHING).strict.verdict is HOLDS
    assert c12(records(*board({THIRD: 10}, nth([10] * 9))), NOTHING).cells == ()
