"""Random search over a grid: beside all orders of tiny grids, and beside published estimators."""

from __future__ import annotations

from itertools import permutations
from math import comb

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.sensitivity.searching import (
    chance_of_hit,
    chance_of_rank,
    expected_best,
    tuning_cost,
)

numbers = st.lists(st.integers(-1000, 1000).map(lambda x: x / 8), min_size=1, max_size=40)


@st.composite
def grids(draw, largest=40):
    """Costs of the settings of a grid, and whether each reaches the target: one at least."""
    size = draw(st.integers(1, largest))
    cost = draw(st.lists(st.integers(1, 500).map(float), min_size=size, max_size=size))
    hit = draw(st.lists(st.booleans(), min_size=size, max_size=size).filter(any))
    return np.array(cost), np.array(hit)


def test_the_budget_curve_by_hand():
    """Of 1, 2, 4, 8: one: 15/4; the larger of two: 2 once, 4 twice, 8 three times of 6; of three: 4 once, 8
    three times of 4. The smaller of two: 1 three times, 2 twice, 4 once; of three: 1 three times, 2 once."""
    assert expected_best([4, 1, 8, 2]) == pytest.approx([15 / 4, 34 / 6, 28 / 4, 8], abs=1e-14)
    assert expected_best([4, 1, 8, 2], more_is_better=False) == pytest.approx(
        [15 / 4, 11 / 6, 5 / 4, 1], abs=1e-14
    )


@pytest.mark.parametrize("values", [[3.0], [1, 5], [2, 2, 7], [0.5, -1, 0.5, 3], [4, 1, 1, 9, -3, 4]])
def test_the_budget_curve_is_the_mean_over_all_orders(values):
    orders = np.array([*permutations(values)])
    best, least = np.maximum.accumulate(orders, 1), np.minimum.accumulate(orders, 1)
    assert expected_best(values) == pytest.approx(best.mean(0), abs=1e-12)
    assert expected_best(values, more_is_better=False) == pytest.approx(least.mean(0), abs=1e-12)


def test_many_curves_at_once():
    values = np.random.default_rng(0).normal(size=(2, 3, 7))
    curves = expected_best(values)
    assert curves.shape == (2, 3, 7)
    assert curves[1, 2] == pytest.approx(expected_best(values[1, 2]), abs=1e-15)


@given(values=numbers)
@settings(max_examples=100, deadline=None)
def test_the_corrected_estimator_of_tang_et_al(values):
    """sum_j v_(j) C(j-1, n-1) / C(B, n), as their code has it, meanmax."""
    ordered, size = np.sort(values), len(values)
    ranks = np.arange(1, size + 1)
    theirs = [
        (ordered * scipy.special.comb(ranks - 1, n - 1)).sum() / scipy.special.comb(size, n) for n in ranks
    ]
    assert expected_best(values) == pytest.approx(theirs, rel=1e-12, abs=1e-10)


@given(values=numbers)
@settings(max_examples=100, deadline=None)
def test_the_estimator_of_dodge_et_al_draws_with_replacement_so_it_is_never_better(values):
    """sum over the distinct values of v (F(v)^n - F(v-)^n), F their distribution function."""
    distinct, times = np.unique(values, return_counts=True)
    upto = np.concatenate([[0], np.cumsum(times) / len(values)])
    n = np.arange(1, len(values) + 1)[:, None]
    theirs = (distinct * (upto[1:] ** n - upto[:-1] ** n)).sum(1)
    ours = expected_best(values)
    assert ours[0] == pytest.approx(theirs[0], abs=1e-10)
    assert (ours >= theirs - 1e-10).all()
    if len(distinct) > 1:
        assert ours[-1] > theirs[-1]


@given(values=numbers, shift=st.integers(-50, 50), data=st.data())
@settings(max_examples=100, deadline=None)
def test_what_the_budget_curve_does_not_hang_on(values, shift, data):
    curve = expected_best(values)
    assert (np.diff(curve) >= -1e-10).all()
    assert curve[0] == pytest.approx(np.mean(values), abs=1e-10)
    assert curve[-1] == pytest.approx(max(values), rel=1e-12)
    shuffled = data.draw(st.permutations(values))
    assert (expected_best(shuffled) == curve).all()
    assert expected_best(np.array(values) * 4 + shift) == pytest.approx(curve * 4 + shift, abs=1e-9)
    assert expected_best(np.negative(values), more_is_better=False) == pytest.approx(-curve, abs=1e-10)


def test_a_setting_that_failed_may_be_infinite():
    """1, 2 and two failures: three of four have the 1 in 3 of 4 cases, else the 2: 1.25."""
    assert expected_best([np.inf, 1, np.inf, 2], more_is_better=False).tolist() == [np.inf, np.inf, 1.25, 1]
    assert expected_best([-np.inf, -1, -np.inf, -2]).tolist() == [-np.inf, -np.inf, -1.25, -1]
    assert expected_best([[-np.inf] * 2, [3, 3]]).tolist() == [[-np.inf] * 2, [3, 3]]


@pytest.mark.parametrize("size", [1, 2, 5, 30])
def test_the_chance_of_a_rank_is_a_share_of_all_subsets(size):
    ranks = range(1, size + 1)
    exact = [[comb(j - 1, n - 1) / comb(size, n) for j in ranks] for n in ranks]
    assert chance_of_rank(size) == pytest.approx(np.array(exact), rel=1e-12, abs=0)


def test_large_grids_do_not_overflow():
    chance = chance_of_rank(500)
    assert chance.sum(1) == pytest.approx(1, abs=1e-12)
    n, j = 250, 400
    assert chance[n - 1, j - 1] == pytest.approx(comb(j - 1, n - 1) / comb(500, n), rel=1e-12)
    assert expected_best(np.arange(500.0))[249] == pytest.approx(501 * 250 / 251 - 1, rel=1e-12)
    cost = np.ones(500)
    assert tuning_cost(cost, np.arange(500) < 1) == pytest.approx(499 / 2 + 1, rel=1e-12)


def test_the_chance_of_a_hit_by_hand():
    """2 of 5 reach it: all of n miss with 3/5, 3/5 * 2/4, 3/5 * 2/4 * 1/3."""
    assert chance_of_hit(2, 5) == pytest.approx([0.4, 0.7, 0.9, 1, 1], abs=1e-15)
    assert chance_of_hit([0, 3], 3).tolist() == [[0, 0, 0], [1, 1, 1]]
    assert chance_of_hit([0, 1], 1).tolist() == [[0], [1]]


@pytest.mark.parametrize(("hits", "size"), [(0, 4), (1, 5), (2, 5), (4, 6), (3, 3)])
def test_the_chance_of_a_hit_is_a_share_of_all_orders(hits, size):
    orders = np.array([*permutations([True] * hits + [False] * (size - hits))])
    by_then = np.logical_or.accumulate(orders, 1).mean(0)
    assert chance_of_hit(hits, size) == pytest.approx(by_then, abs=1e-12)


@pytest.mark.parametrize("size", [1, 7, 60, 500])
def test_the_chance_of_a_hit_is_hypergeometric(size):
    n = np.arange(1, size + 1)
    for hits in {0, 1, size // 3, size - 1, size}:
        theirs = scipy.stats.hypergeom(size, hits, n).sf(0)
        found = chance_of_hit(hits, size)
        assert found == pytest.approx(theirs, abs=1e-12)
        assert (np.diff(found) >= 0).all()
        assert found[size - hits :] == pytest.approx(1, abs=0)  # more than there are misses


def test_the_cost_by_hand():
    """Hits of 10 and 20, misses of 100, 100 and 50. Without replacement the three misses fall into three
    gaps: one is paid for, 250/3, and a hit, 15. With replacement 280 in all for each of two hits."""
    cost, hit = [10, 100, 20, 100, 50], [True, False, True, False, False]
    assert tuning_cost(cost, hit) == pytest.approx(250 / 3 + 15, rel=1e-15)
    assert tuning_cost(cost, hit, replacement=True) == 140


@given(grid=grids(largest=6))
@settings(max_examples=40, deadline=None)
def test_the_cost_without_replacement_is_the_mean_over_all_orders(grid):
    cost, hit = grid
    spent = [
        cost[list(order)].cumsum()[hit[list(order)].argmax()] for order in permutations(range(len(cost)))
    ]
    assert tuning_cost(cost, hit) == pytest.approx(np.mean(spent), rel=1e-12)


@given(grid=grids(largest=12))
@settings(max_examples=100, deadline=None)
def test_the_cost_with_replacement_is_a_geometric_series(grid):
    """sum_t (1-p)^t p (t * mean cost of a miss + mean cost of a hit); and COCO's average runtime: all that
    was spent for each success."""
    cost, hit = grid
    p, t = hit.mean(), np.arange(2000)
    miss = 0 if hit.all() else cost[~hit].mean()
    series = ((1 - p) ** t * p * (t * miss + cost[hit].mean())).sum()
    found = tuning_cost(cost, hit, replacement=True)
    assert found == pytest.approx(series, rel=1e-12)
    assert found == pytest.approx(cost.sum() / hit.sum(), rel=1e-14)


@given(grid=grids(), times=st.integers(2, 6), scale=st.sampled_from([0.25, 3, 48]), data=st.data())
@settings(max_examples=100, deadline=None)
def test_what_the_cost_hangs_on(grid, times, scale, data):
    cost, hit = grid
    once, with_replacement = tuning_cost(cost, hit), tuning_cost(cost, hit, replacement=True)
    order = data.draw(st.permutations(range(len(cost))))
    assert tuning_cost(cost[order], hit[order]) == pytest.approx(once, rel=1e-12)
    assert tuning_cost(cost * scale, hit) == pytest.approx(once * scale, rel=1e-12)
    assert once <= with_replacement * (1 + 1e-12)
    # A useless hyper-parameter repeats every setting.
    repeated = np.repeat(cost, times), np.repeat(hit, times)
    assert tuning_cost(*repeated) >= once * (1 - 1e-12)
    assert tuning_cost(*repeated, replacement=True) == pytest.approx(with_replacement, rel=1e-12)


def test_a_useless_hyper_parameter_costs_more_where_some_miss():
    """1 of 2 hits: 1/2 of a miss is paid for; 2 of 4: 2/3."""
    assert tuning_cost([10, 60], [True, False]) == 40
    assert tuning_cost([10, 60, 10, 60], [True, False, True, False]) == 50


@pytest.mark.parametrize("replacement", [False, True])
def test_the_cost_where_nobody_or_everybody_hits(replacement):
    assert tuning_cost([5, 7], [False, False], replacement) == np.inf
    assert tuning_cost([5, 7], [True, True], replacement) == 6
    assert tuning_cost([5], [True], replacement) == 5
    assert tuning_cost([5], [False], replacement) == np.inf
    assert tuning_cost([5, np.inf], [True, False], replacement) == np.inf
    by_seed = tuning_cost([[5, 5], [7, 7]], [[True, False], [True, False]], replacement)
    assert by_seed.tolist() == [6, np.inf]
