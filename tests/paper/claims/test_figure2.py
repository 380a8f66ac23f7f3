"""C1 and C2: one table that holds, one that fails, one that cannot be told, and the grid's edges."""

from __future__ import annotations

import json

import pytest

from harness.paper.claims.figure2 import C1, C2
from harness.paper.definitions import DIAGONALS
from harness.paper.judging.verdict import Verdict
from tests.paper.claims.tables import (
    FOURTH,
    HYPERS,
    MISS,
    NOTHING,
    THIRD,
    board,
    changing,
    nth,
    records,
)

c1, c2 = C1.judge, C2.judge
HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN
FEW = HYPERS[:1]


def judged(claim, maml, counts, pair, hypers=HYPERS, seed=0):
    return claim(records(*board({pair: maml}, nth(counts, hypers), seed, hypers)), NOTHING)


@pytest.mark.parametrize(
    ("maml", "counts", "verdict"),
    [
        (MISS, [MISS] * 8 + [30], HOLDS),
        (MISS, [None] * 8 + [30], HOLDS),  # one is enough
        (MISS, [MISS] * 9, FAILS),
        (40, [30] * 9, FAILS),  # MAML reaches it
        (MISS, [MISS] * 8 + [None], OPEN),
        (None, [30] * 9, OPEN),
    ],
)
def test_c1(maml, counts, verdict):
    assert judged(c1, maml, counts, THIRD).strict.verdict is verdict


def test_c1_on_few_cells():
    assert judged(c1, MISS, [30], THIRD, FEW).strict.verdict is HOLDS
    assert judged(c1, MISS, [MISS], THIRD, FEW).strict.verdict is OPEN


@pytest.mark.parametrize(
    ("maml", "counts", "strict", "weak"),
    [
        # A chequer, 5 of 9: 3 of 6 without any edge.
        (MISS, [30, MISS, 30, MISS, 30, MISS, 30, MISS, 30], HOLDS, HOLDS),
        (MISS, [30] * 9, FAILS, HOLDS),
        (MISS, [MISS] * 9, FAILS, FAILS),
        (40, [30, MISS, 30, MISS, 30, MISS, 30, MISS, 30], FAILS, FAILS),
        (MISS, [30, MISS, 30, None, None, None, 30, MISS, 30], OPEN, HOLDS),
        (None, [30] * 9, FAILS, OPEN),  # whatever MAML does: all is no half
        # 4 of 9, but 4 of 6 without the largest alpha_hyperlr.
        (MISS, [30, 30, 30, 30, MISS, MISS, MISS, MISS, MISS], OPEN, HOLDS),
    ],
)
def test_c2(maml, counts, strict, weak):
    found = judged(c2, maml, counts, FOURTH)
    assert (found.strict.verdict, found.weak.verdict) == (strict, weak)


def test_c2_states_its_numbers():
    found = judged(c2, MISS, [30] * 8 + [None], FOURTH)
    assert found.strict.why == (
        "at (1e-4, 1e-6) MAML did not reach 2.5 in 60 iterations; "
        "8 of 9 Alpha-MAML cells (share 0.89 to 1.00, 1 cannot be told) reached it"
    )
    assert found.numbers["first"]["0"] == {
        "pair": "(1e-4, 1e-6)", "maml": "miss", "cells": 8, "cannot be told": 1, "of": 9,
        "share": [8 / 9, 1.0],
    }  # fmt: skip
    assert json.dumps(found.numbers, allow_nan=False)
    assert len(found.cells) == 10
    assert found.seeds == (0,)
    assert found.interval is None


def test_c2_on_the_edges_of_the_grid():
    found = judged(c2, MISS, [30, 30, 30, 30, MISS, MISS, MISS, MISS, MISS], FOURTH)
    assert found.numbers["edges"] == {
        "alpha_hyperlr 1e-1": "fails",  # 1 of 6
        "alpha_hyperlr 10": "fails",  # 4 of 6
        "beta_hyperlr 1e-6": "fails",  # 2 of 6
        "beta_hyperlr 1e-4": "holds",  # 3 of 6
    }
    edges = (
        "holds, but fails without alpha_hyperlr 1e-1 or without alpha_hyperlr 10 or without beta_hyperlr 1e-6"
    )
    assert found.strict.why.startswith(f"the verdict depends on the grid's edges: {edges}; ")


def test_c2_on_few_cells():
    found = judged(c2, MISS, [30], FOURTH, FEW)
    assert (found.strict.verdict, found.weak.verdict) == (OPEN, OPEN)
    assert found.strict.why.endswith("too few choices of the hyper-rates to judge a share")
    assert "edges" not in found.numbers


def test_c2_by_sustained_passages():
    """All first passages at 57: too late for a sustained one within the budget of 60."""
    found = judged(c2, MISS, [57 if k % 2 else 20 for k in range(9)], FOURTH)
    assert (found.strict.verdict, found.sustained.verdict) == (FAILS, HOLDS)


def test_over_seeds():
    chequer = [30, MISS, 30, MISS, 30, MISS, 30, MISS, 30]
    cells = [board({FOURTH: MISS}, nth(counts), seed) for seed, counts in ((0, chequer), (3, [30] * 9))]
    found = c2(records(*cells[0], *cells[1]), NOTHING)
    assert found.strict.verdict is OPEN
    assert found.strict.why.startswith("it holds in 1 of 2 seeds")
    assert found.weak.verdict is HOLDS
    assert found.seeds == (0, 3)
    assert found.interval == (5 / 9, 1)


def test_none_of_its_cells_was_asked_for():
    found = judged(c2, MISS, [30] * 9, THIRD)
    assert found.strict.verdict is OPEN
    assert found.cells == ()
    assert found.sustained is None


def test_under_plain_sgd_the_pairs_are_those_of_its_own_diagonal():
    pair = DIAGONALS["paper-sgd"][3]
    cells = board({pair: MISS}, nth([30] * 9))
    assert c2(records(*cells, reading=changing("paper-sgd")), NOTHING).weak.verdict is HOLDS
    assert c2(records(*cells, reading=changing("paper-sgd", k_shot=5)), NOTHING).weak.verdict is HOLDS
    assert c2(records(*cells), NOTHING).cells == ()
