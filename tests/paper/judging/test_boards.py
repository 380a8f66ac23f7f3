"""Counts on boards: a passage, a miss, or unknown."""

import math
from dataclasses import replace

import numpy as np
import pytest

from harness.paper.judging.boards import count, counts_by_seed
from harness.records.passages import first_passage, sustained_passage
from tests.paper.claims.tables import FOURTH, HYPERS, MISS, TUNED, board, cell, nth, records

HYPER = HYPERS[0]


@pytest.mark.parametrize(
    ("losses", "ending", "target", "expected"),
    [
        ([3.2, 2.4, 3.2], "budget", 2.5, 2),
        ([3.2, 3.2, 3.2], "budget", 2.5, math.inf),
        ([3.2, 3.2], "diverged", 2.5, math.inf),
        ([3.2, 2.4], "diverged", 2.5, 2),  # what follows does not matter
        ([3.2, 2.9], "stopped", 2.99, 2),
        ([3.2, 2.9], "stopped", 2.5, math.nan),  # stopped by a higher target: nobody knows
        ([3.2, 2.9], "budget", 2.5, math.nan),  # a smaller budget
        ([3.2, 3.2], "failed", 2.5, math.nan),
        ([3.2, 3.2, 3.2, 2.4], "budget", 2.5, math.inf),  # beyond the budget of 3
        ([3.2, 3.2, 3.2, math.nan], "diverged", 2.5, math.inf),
        (None, None, 2.5, math.nan),
    ],
)
def test_a_count(losses, ending, target, expected):
    array = None if losses is None else np.array(losses)
    assert count(array, ending, target, 3, first_passage) == pytest.approx(expected, nan_ok=True)


def test_first_and_sustained_by_both_targets():
    one = records(cell(TUNED, None, 20))
    for passage, low, high in ((first_passage, 20, 20), (sustained_passage, 25, 21)):
        (seed,) = counts_by_seed(one, passage)
        assert seed.boards[2.5].maml == {TUNED: low}
        assert seed.boards[2.99].maml == {TUNED: high}


def test_boards_are_by_seed_and_know_what_was_not_run():
    some = records(
        *board({TUNED: 20, FOURTH: MISS}, nth(range(11, 20)), seed=1),
        *board({TUNED: None}, lambda pair, hyper: None),
    )
    zero, one = counts_by_seed(some, first_passage)
    assert (zero.seed, one.seed) == (0, 1)
    assert one.boards[2.5].maml == {TUNED: 20, FOURTH: math.inf}
    assert list(one.boards[2.5].alpha[FOURTH].values()) == list(range(11, 20))
    assert one.boards[2.5].count_at((TUNED, HYPERS[8])) == 19
    assert math.isnan(zero.boards[2.5].count_at((TUNED, None)))
    assert math.isnan(zero.boards[2.5].count_at((FOURTH, None)))
    assert one.ids[TUNED, None] == f"maml {TUNED} None 1"


def test_the_rows_may_come_in_any_order():
    one = records(cell(TUNED, None, 20), cell(TUNED, HYPER, 30))
    (seed,) = counts_by_seed(replace(one, trajectories=one.trajectories.iloc[::-1]), first_passage)
    assert (seed.boards[2.5].maml[TUNED], seed.boards[2.5].alpha[TUNED][HYPER]) == (20, 30)


def test_a_run_beyond_the_papers_budget_is_cut():
    (seed,) = counts_by_seed(records(cell(TUNED, None, 510, budget=600)), first_passage)
    assert seed.boards[2.5].budget == 500
    assert seed.boards[2.5].maml[TUNED] == math.inf


def test_hyper_rates_of_zero_and_other_methods_are_left_out():
    trial, losses = cell(FOURTH, None, 5)
    other = {**trial, "method": "mine", "cell_id": "other"}, losses
    some = records(cell(TUNED, (0.0, 0.0), 5), cell(TUNED, (0.0, 1e-6), 5), cell(TUNED, None, 5), other)
    (seed,) = counts_by_seed(some, first_passage)
    assert seed.ids.keys() == {(TUNED, None)}
    assert counts_by_seed(records(other), first_passage) == []


@pytest.mark.parametrize(
    ("hypers", "enough"),
    [
        (HYPERS, True),
        (HYPERS[:6], False),  # two values of alpha_hyperlr
        ([(a, b) for a, b in HYPERS if b > 1e-6], False),
        ([*HYPERS[:3], HYPERS[3], HYPERS[6]], True),  # a cross of 5 of 9
        ([HYPERS[0], HYPERS[4], HYPERS[8]], False),  # 3 of 9
    ],
)
def test_which_pairs_have_enough_choices_for_a_share(hypers, enough):
    (seed,) = counts_by_seed(records(*board({TUNED: 5}, lambda pair, hyper: 5, hypers=hypers)), first_passage)
    assert seed.enough == ({TUNED} if enough else set())


def test_without_an_edge():
    (seed,) = counts_by_seed(records(*board({TUNED: 20}, nth(range(11, 20)))), first_passage)
    assert list(seed.without(0, 10.0).boards[2.99].alpha[TUNED].values()) == [11, 12, 13, 14, 15, 16]
    assert list(seed.without(1, 1e-6).boards[2.5].alpha[TUNED].values()) == [12, 13, 15, 16, 18, 19]
    assert seed.without(1, 1e-6).enough == {TUNED}
