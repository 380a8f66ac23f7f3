"""Exact curves of random search, against all orders of tiny tables."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from harness.analysis.sensitivity import searching
from harness.study.race.exact import Misses, best_by, chance_by

BUDGET, RUNS, PARTS = 7, 6, 7
RUN = some.tuples(some.integers(1, BUDGET), some.booleans(), some.integers(0, 4))
"""Cost, whether it hits, loss."""


@settings(max_examples=40, deadline=None)
@given(some.lists(RUN, min_size=1, max_size=5))
def test_against_all_orders(runs: list[tuple[int, bool, int]]) -> None:
    cost, hit, loss = (np.array(one) for one in zip(*runs, strict=True))
    x = np.arange(RUNS * PARTS + 1) * BUDGET // PARTS
    orders = [list(order) for order in permutations(range(len(runs)))]
    chance, best = np.zeros(len(x)), np.zeros(RUNS)
    for order in orders:
        ends = np.cumsum(cost[order])
        first = min((end for end, at in zip(ends, order, strict=True) if hit[at]), default=np.inf)
        chance += (first <= x) / len(orders)
        lowest = np.minimum.accumulate(loss[order])
        at = [np.searchsorted(ends, n * BUDGET, side="right") - 1 for n in range(1, RUNS + 1)]
        best += lowest[at] / len(orders)
    np.testing.assert_allclose(chance_by(cost, hit, BUDGET, RUNS, PARTS), chance, atol=1e-12)
    np.testing.assert_allclose(best_by(loss, cost, BUDGET, RUNS), best, atol=1e-12)


def test_with_whole_runs_alone_it_is_the_budget_curve() -> None:
    loss = np.random.default_rng(0).random(169)
    whole = np.full(169, 300)
    np.testing.assert_allclose(
        best_by(loss, whole, 300, 169), searching.expected_best(loss, more_is_better=False), atol=1e-12
    )
    hit = loss < 0.1
    chance = chance_by(whole, hit, 300, 169, 1)
    np.testing.assert_allclose(chance[1:], searching.chance_of_hit(hit.sum(), 169), atol=1e-12)


def test_its_mean_is_the_tuning_cost() -> None:
    """The expected spending is the sum of the chances that it is not over."""
    rng = np.random.default_rng(1)
    cost, hit = rng.integers(1, 11, 12), rng.random(12) < 0.4
    chance = chance_by(cost, hit, 10, 12, 10)
    assert chance[-1] == pytest.approx(1)
    assert (1 - chance).sum() == pytest.approx(float(searching.tuning_cost(cost, hit)))


def test_no_hit() -> None:
    assert not chance_by([5, 7], [False, False], 7, 3, 2).any()
    assert not Misses(7, 20).reached([], 3).any()


def test_many_short_runs_stay_exact() -> None:
    """In sums of 300 terms nothing overflows, and the chances of a large table add up."""
    rng = np.random.default_rng(2)
    cost = np.where(rng.random(400) < 0.6, rng.integers(2, 30, 400), 300)
    chance = chance_by(cost, np.arange(400) == 0, 300, 400, 1)
    assert (np.diff(chance) >= -1e-12).all()
    assert chance[-1] == pytest.approx(1)
