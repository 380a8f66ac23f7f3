"""C9 and C12: counts from pair to pair, capped and censored."""

import json
import math

import pytest

from harness.paper.claims.boards import runs
from harness.paper.claims.judged import Verdict
from harness.paper.claims.predicates import c9, c12
from harness.paper.claims.spreads import Bounds, advantage, spread
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

HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN


@pytest.mark.parametrize(
    ("maml", "counts", "bounds"),
    [
        (30, [5, 6, 20], (24, 24)),
        (MISS, [5, 6, 20], (54, 54)),  # the budget is 60
        (MISS, [MISS, MISS, 20], (0, 0)),
        (30, [5, 20, None], (10, 25)),  # the median is 5 to 20
        (None, [5, 6, 20], (-5, 54)),  # MAML takes 1 to 60
    ],
)
def test_advantage(maml, counts, bounds):
    hypers = HYPERS[:3]
    (run,) = runs(records(*board({TUNED: maml}, nth(counts, hypers), 0, hypers)), "first")
    assert advantage(run.boards[2.5], TUNED) == bounds


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


def test_bounds_tell_only_what_they_allow():
    assert Bounds(0.2, 0.2).below(Bounds(0.5, math.inf)) is True
    assert Bounds(0.6, 0.6).below(Bounds(0.5, math.inf)) is None
    assert Bounds(0.6, math.inf).below(Bounds(0.5, 0.5)) is False
    assert Bounds(0.4, math.inf).below(Bounds(0.5, 0.5)) is None
    assert Bounds(0.5, 0.5).below(Bounds(0.5, 0.5)) is False


def pairs(*counts):
    """(MAML's count, Alpha-MAML's with every choice) from the tuned pair down."""
    maml = {pair: count[0] for pair, count in zip(DIAGONAL, counts, strict=False)}
    alpha = {pair: count[1] for pair, count in zip(DIAGONAL, counts, strict=False)}
    return records(*board(maml, lambda pair, hyper: alpha[pair]))


@pytest.mark.parametrize(
    ("counts", "strict", "weak"),
    [
        ([(20, 10), (40, 20), (MISS, 40), (MISS, 40)], HOLDS, HOLDS),  # 10, 20, 20, 20
        ([(20, 10), (40, 20), (MISS, 41)], FAILS, HOLDS),  # 10, 20, 19
        ([(20, 10), (40, 20), (MISS, 50)], FAILS, FAILS),  # 10, 20, 10
        ([(20, 10), (40, None), (MISS, 40)], OPEN, HOLDS),
        ([(20, 10), (40, None), (MISS, 51)], FAILS, FAILS),  # 10, unknown, 9
        ([(20, 10), (None, 20), (MISS, 10)], OPEN, HOLDS),
    ],
)
def test_c9(counts, strict, weak):
    found = c9(pairs(*counts), NOTHING)
    assert (found.strict.verdict, found.weak.verdict) == (strict, weak)


def test_c9_by_both_targets():
    """To 2.5 the advantage grows from 10 to 20; to 2.99, passed by MAML at once, it shrinks from 10 to 0."""
    cells = board({TUNED: 20}, nth([10] * 9)) + board({SECOND: MISS}, nth([40] * 9))[1:]
    cells.append(cell(SECOND, None, None, losses=[2.9] * 60))
    found = c9(records(*cells), NOTHING)
    by = found.numbers["first"]["0"]
    assert (by["2.5"]["verdict"], by["2.99"]["verdict"]) == ("holds", "fails")
    assert by["2.99"]["(1e-2, 1e-4)"] == {"least": -39, "most": -39}
    assert found.strict.verdict is FAILS
    assert "it shrinks by 49" in found.strict.why


def test_c9_on_the_edges_of_the_grid():
    """At the second pair the two larger values of alpha_hyperlr are slow: 58 in place of 40."""
    slow = nth([40] * 3 + [58] * 6)
    cells = board({TUNED: 20}, nth([10] * 9)) + board({SECOND: MISS}, slow)
    found = c9(records(*cells), NOTHING)
    assert found.numbers["edges"] == {
        "alpha_hyperlr 1e-1": "fails",  # 60 - 58 = 2
        "alpha_hyperlr 10": "holds",  # 60 - 49 = 11
        "beta_hyperlr 1e-6": "fails",
        "beta_hyperlr 1e-4": "fails",
    }
    assert found.strict.verdict is OPEN
    assert c9(pairs((20, 10)), NOTHING).cells == ()


def steady(maml, *columns, hypers=HYPERS):
    """MAML's counts down the diagonal; of each choice of the hyper-rates, Alpha-MAML's."""
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
    """By their medians: 6, 10 (seven times) and 12; no edge takes the worst away, which is in the middle."""
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


def test_c12_of_two_choices_in_the_middle_the_better():
    """Ten choices, from the fastest to the slowest."""
    hypers = [*HYPERS, (100.0, 1e-6)]
    columns = [(k, 20 + k, 20 + k) for k in range(1, 11)]
    found = c12(steady((10, 20, 40), *columns, hypers=hypers), NOTHING)
    assert (
        found.numbers["first"]["0"]["2.5"]["alpha-maml"]["median"]["hyper-rates"] == "(1, 1e-5)"
    )  # the fifth


def test_c12_of_choices_asked_at_every_pair_alone():
    cells = [*board({TUNED: 10, SECOND: 40}, nth([10] * 9)), cell(TUNED, (100.0, 1.0), MISS)]
    assert c12(records(*cells), NOTHING).strict.verdict is HOLDS
    assert c12(records(*board({THIRD: 10}, nth([10] * 9))), NOTHING).cells == ()
