"""C3 to C5: one table that holds, one that fails, one that cannot be told, and the grid's edges."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.paper.claims.figure3 import C3, C4, C5
from harness.paper.definitions import DIAGONALS
from harness.paper.judging.verdict import Form, Verdict
from harness.paper.reading import ON_FEW_CELLS
from tests.paper.claims.tables import (
    FIFTH,
    FOURTH,
    HYPERS,
    MISS,
    NOTHING,
    TUNED,
    board,
    cell,
    changing,
    nth,
    records,
)

c3, c4, c5 = C3.judge, C4.judge, C5.judge
HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN
FEW = HYPERS[:1]


def judged(claim, maml, counts, pair, hypers=HYPERS, seed=0):
    return claim(records(*board({pair: maml}, nth(counts, hypers), seed, hypers)), NOTHING)


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ([100, 165, 300, MISS, MISS], HOLDS),
        ([165, MISS, MISS, MISS, MISS], FAILS),  # noise that passes by luck
        ([MISS] * 5, FAILS),
        ([166, 170, 180, 190, 200], FAILS),
        ([100, 120, 140, 150, 164], FAILS),
        ([100, 165, 300, 200], OPEN),
        ([100, 165, 300, 200, None], OPEN),
    ],
)
def test_c3(counts, verdict):
    some = records(*(cell(FOURTH, None, count, seed, 310) for seed, count in enumerate(counts)))
    assert c3(some, NOTHING).strict.verdict is verdict


NOISE = {"linear": {"16": {"inits": 32, "passed": 3}, "8": {"inits": 32, "passed": 9}}}


def test_c3_mentions_the_noise_study_and_does_not_judge_by_it():
    some = records(cell(FOURTH, None, MISS), cell(FOURTH, None, 20, 1))
    found = c3(some, replace(NOTHING, noise=NOISE))
    missing = "it takes 5 seeds to judge; 3 of 32 networks that never learn pass it"
    assert found.strict == Form(verdict=OPEN, why=f"1 of 2 seeds pass 2.99, at 20; {missing}")
    assert found.sustained == Form(
        verdict=OPEN, why="1 of 2 seeds pass 2.99, at 21; it takes 5 seeds to judge"
    )
    assert found.numbers == {
        "first": {"0": "miss", "1": 20},
        "sustained": {"0": "miss", "1": 21},
        "paper": 165,
        "noise": NOISE["linear"]["16"],
    }
    assert found.interval == (20, math.inf)
    assert c3(records(cell(TUNED, None, 5)), NOTHING).cells == ()


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (changing(meta_batch=8), NOISE["linear"]["8"]),
        (changing("paper-sgd"), NOISE["linear"]["16"]),
        (ON_FEW_CELLS, NOISE["linear"]["16"]),
        (changing(head_init="normal"), None),  # not measured here
        (changing(k_query=15), None),  # the study says nothing of it
    ],
)
def test_the_noise_study_of_a_reading(reading, expected):
    pair = DIAGONALS[reading.preset][3]
    found = c3(records(cell(pair, None, MISS), reading=reading), replace(NOTHING, noise=NOISE))
    assert found.numbers["noise"] == expected


@pytest.mark.parametrize(
    ("counts", "strict", "weak"),
    [
        ([14] * 9, HOLDS, HOLDS),
        ([15] * 9, FAILS, FAILS),
        ([14, 15, 15, 15, 14, 15, 15, 15, 14], FAILS, HOLDS),  # 3 of 9; 2 of 6 without any edge
        ([14] * 4 + [None] * 5, OPEN, OPEN),  # 4 of 9, but 1 of 6 known without the least alpha_hyperlr
    ],
)
def test_c4(counts, strict, weak):
    found = judged(c4, MISS, counts, FOURTH)
    assert found.strict.verdict is strict
    if None not in counts:
        assert found.weak.verdict is weak


def test_c4_on_few_cells():
    assert judged(c4, MISS, [14], FOURTH, FEW).strict.verdict is OPEN


@pytest.mark.parametrize(
    ("maml", "counts", "verdict"),
    [
        (30, [29] * 9, HOLDS),
        (30, [30] * 9, FAILS),  # as many are not fewer
        (MISS, [29] * 9, HOLDS),
        (MISS, [MISS] * 9, FAILS),  # a miss ties with a miss
        (None, [29] * 9, OPEN),
        (30, [29] * 4 + [None] * 5, OPEN),
        # 5 of 9, but 2 of 6 without the least alpha_hyperlr.
        (30, [29] * 5 + [31] * 4, OPEN),
    ],
)
def test_c5(maml, counts, verdict):
    found = judged(c5, maml, counts, FIFTH)
    assert found.strict.verdict is verdict
    assert found.weak is None


def test_c4_and_c5_are_judged_by_the_higher_target():
    """2.99 is passed at iteration 3, and 2.5 never."""
    losses = [3.2] * 2 + [2.9] * 58
    for claim, pair in ((c4, FOURTH), (c5, FIFTH)):
        cells = [cell(pair, hyper, None, losses=losses) for hyper in HYPERS]
        assert claim(records(cell(pair, None, MISS), *cells), NOTHING).strict.verdict is HOLDS
