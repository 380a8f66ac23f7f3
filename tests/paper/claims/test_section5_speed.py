"""C6 to C8: one table that holds, one that fails, one that cannot be told, and the grid's edges."""

import math

import pytest

from harness.paper.claims.section5_speed import C6, C7, C8
from harness.paper.judging.verdict import Verdict
from tests.paper.claims.tables import (
    DIAGONAL,
    FIFTH,
    FOURTH,
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

c6, c7, c8 = C6.judge, C7.judge, C8.judge
HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN


def down(*counts):
    """MAML alone, from the tuned pair down."""
    return records(*(cell(pair, None, n) for pair, n in zip(DIAGONAL, counts, strict=False)))


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((10, 20, MISS, MISS, MISS), HOLDS),
        ((10, 20, 30, 50, 50), HOLDS),
        ((10, 20, 30, 49, MISS), FAILS),
        ((10, 20, 30, MISS, 49), FAILS),
        ((10, 20, 30, MISS, None), OPEN),
        ((10, 20, 30, 49, None), OPEN),  # the one not run may be the fastest
        ((10, None, 30, 49, MISS), OPEN),  # the one not run may be slower or faster than 49 / 5
        ((10, None, 30, 50, MISS), HOLDS),  # and if faster, 50 is slow all the more
        ((10, 20, 30, MISS), OPEN),  # the last pair was not asked
    ],
)
def test_c6(counts, verdict):
    assert c6(down(*counts), NOTHING).strict.verdict is verdict


def test_c6_weak_is_judged_by_the_lower_target_alone():
    """At (1e-4, 1e-6) 2.99 is passed at iteration 12 and 2.5 never."""
    slow = cell(FOURTH, None, None, losses=[3.2] * 11 + [2.9] * 49)
    found = c6(records(cell(TUNED, None, 10), slow, cell(FIFTH, None, MISS)), NOTHING)
    assert (found.strict.verdict, found.weak.verdict) == (FAILS, HOLDS)
    assert found.numbers["first"]["0"] == {
        "2.5": {"verdict": "holds", "fastest": 10, "(1e-4, 1e-6)": "miss", "(1e-5, 1e-7)": "miss"},
        "2.99": {"verdict": "fails", "fastest": 10, "(1e-4, 1e-6)": 12, "(1e-5, 1e-7)": "miss"},
    }
    assert c6(down(10, 20), NOTHING).cells == ()
    assert c6(records(slow), NOTHING).cells == ()  # slow, but beside which?


def test_c6_over_seeds():
    cells = [cell(pair, None, n, seed) for seed, slow in enumerate((50, 45))
             for pair, n in ((TUNED, 10), (FOURTH, slow), (FIFTH, MISS))]  # fmt: skip
    found = c6(records(*cells), NOTHING)
    assert found.strict.verdict is OPEN
    assert found.interval == (4.5, 5)


def fast(tuned, counts, second=MISS, hypers=HYPERS):
    """MAML's counts at the first two pairs, Alpha-MAML's at the first; at the second it always misses."""
    of = nth(counts, hypers)
    maml = {TUNED: tuned, SECOND: second}
    return records(*board(maml, lambda pair, hyper: of(pair, hyper) if pair == TUNED else MISS, 0, hypers))


@pytest.mark.parametrize(
    ("some", "strict", "weak"),
    [
        (fast(20, [25] * 9), HOLDS, HOLDS),
        (fast(20, [26] * 9), FAILS, FAILS),
        # One of 9 too slow, in the middle of the grid, so that no edge takes it away: 8/9 is below 0.9.
        (fast(20, [5, 5, 5, 5, 26, 5, 5, 5, 5]), FAILS, FAILS),
        (fast(20, [5, 5, 5, 5, MISS, 5, 5, 5, 5]), FAILS, FAILS),
        (fast(20, [26, 5, 5, 5, 5, 5, 5, 5, 5]), OPEN, OPEN),  # in a corner
        (fast(20, [5] * 8 + [None]), OPEN, OPEN),
        (fast(20, [5] * 9, second=40), FAILS, FAILS),  # fast at the second pair too, where Alpha-MAML misses
        (fast(20, [5] * 9, second=41), HOLDS, HOLDS),
        (fast(20, [5] * 9, second=None), OPEN, OPEN),  # it may be the fastest
        (fast(MISS, [5] * 9), OPEN, OPEN),  # nowhere fast
        (fast(20, [26], hypers=HYPERS[:1]), OPEN, OPEN),  # few cells
    ],
)
def test_c7(some, strict, weak):
    found = c7(some, NOTHING)
    assert (found.strict.verdict, found.weak.verdict) == (strict, weak)


WIDE = [(a, b) for a in (0.01, 0.1, 1.0, 10.0) for b in (1e-7, 1e-6, 1e-5, 1e-4)]
"""4 x 4: the sixth is at no edge."""


def but_sixth(usual, sixth, of=16):
    return [sixth if k == 5 else usual for k in range(of)]


def test_c7_weak():
    """15 of 16 are as fast; 11 of 12 without any one edge."""
    found = c7(fast(20, but_sixth(5, 40), hypers=WIDE), NOTHING)
    assert (found.strict.verdict, found.weak.verdict) == (FAILS, HOLDS)
    assert found.numbers["first"]["0"]["2.5"] == {
        "verdict": "fails", "fast": {"(1e-1, 1e-3)": 20}, "cells": 15, "cannot be told": 0, "of": 16,
        "largest ratio": 2,
    }  # fmt: skip
    assert found.cells == (f"maml {TUNED} None 0", f"alpha {TUNED} {WIDE[5]} 0")
    assert found.strict.why.endswith("the slowest takes 2.00 times as many iterations")


@pytest.mark.parametrize(
    ("maml", "counts", "strict", "weak"),
    [
        (20, [20] * 9, HOLDS, HOLDS),
        (MISS, [MISS] * 9, HOLDS, HOLDS),  # a miss ties with a miss
        (20, [20, 20, 20, 20, 21, 20, 20, 20, 20], FAILS, FAILS),
        (20, [21] + [20] * 8, OPEN, OPEN),  # in a corner
        (20, [20] * 8 + [None], OPEN, OPEN),
        (20, [None, 20, 20, 20, MISS, 20, 20, 20, 20], FAILS, FAILS),  # refuted, whatever the other is
        (None, [20] * 9, OPEN, OPEN),
        (20, [20], OPEN, OPEN),  # few cells
    ],
)
def test_c8(maml, counts, strict, weak):
    hypers = HYPERS[: len(counts)]
    found = c8(records(*board({TUNED: maml}, nth(counts, hypers), 0, hypers)), NOTHING)
    assert (found.strict.verdict, found.weak.verdict) == (strict, weak)


def test_c8_weak_and_by_how_much():
    """Two pairs, 31 of 32 cells; 23 of 24 without any edge: 0.958."""
    sixth = nth(but_sixth(5, 33), WIDE)
    cells = board({TUNED: 20, SECOND: 30}, lambda pair, h: 5 if pair == TUNED else sixth(pair, h), 0, WIDE)
    found = c8(records(*cells), NOTHING)
    assert (found.strict.verdict, found.weak.verdict) == (FAILS, HOLDS)
    assert found.numbers["first"]["0"]["2.5"]["violations"] == 1
    assert found.numbers["first"]["0"]["2.5"]["worst"] == [
        {"pair": "(1e-2, 1e-4)", "hyper-rates": "(1e-1, 1e-6)", "maml": 30, "alpha-maml": 33}
    ]
    assert found.cells[0] == f"alpha {SECOND} {WIDE[5]} 0"
    assert found.strict.why.endswith("the worst takes 3 more")


def test_c8_off_the_diagonal_what_was_run_counts():
    """A cell elsewhere can refute the claim; one that was not run there leaves nothing open."""
    whole, elsewhere = board({TUNED: 20}, nth([20] * 9)), (1.0, 1.0)
    for count, verdict in ((20, HOLDS), (None, HOLDS), (21, FAILS)):
        cells = [*whole, cell(elsewhere, None, 20), cell(elsewhere, HYPERS[4], count)]
        assert c8(records(*cells), NOTHING).strict.verdict is verdict


def test_c8_a_miss_is_more_than_any_count():
    counts = [20, 20, 20, 20, MISS, 20, 20, 20, 20]
    found = c8(records(*board({TUNED: 20}, nth(counts))), NOTHING)
    assert found.strict.why.endswith("the worst never reaches it where MAML does")
    assert c8(records(cell(TUNED, None, 20)), NOTHING).cells == ()
    assert c7(records(cell(TUNED, None, 20)), NOTHING).cells == ()
    assert math.isclose(found.numbers["first"]["0"]["2.5"]["cells"], 8)
