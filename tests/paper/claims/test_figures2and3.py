"""C9: the advantage from pair to pair, capped and censored."""

from __future__ import annotations

import pytest

from harness.paper.claims.figures2and3 import C9, advantage
from harness.paper.judging.boards import counts_by_seed
from harness.paper.judging.logic import Bounds
from harness.paper.judging.verdict import Verdict
from harness.records.passages import first_passage
from tests.paper.claims.tables import (
    DIAGONAL,
    HYPERS,
    MISS,
    NOTHING,
    SECOND,
    TUNED,
    board,
    cell,
    nth,
    records,
)

c9 = C9.judge
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
    (seed,) = counts_by_seed(records(*board({TUNED: maml}, nth(counts, hypers), 0, hypers)), first_passage)
    assert advantage(seed.boards[2.5], TUNED) == Bounds(low=bounds[0], high=bounds[1])


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
    """At the second pair the two larger values of alpha_hyperlr are slow: 58 instead of 40."""
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
