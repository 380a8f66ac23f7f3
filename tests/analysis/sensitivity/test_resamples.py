"""The bootstrap over seeds: beside all S^S resamples written out, and quantiles beside numpy's."""

from __future__ import annotations

from collections import Counter
from itertools import product
from math import ceil, comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.sensitivity.resamples import DRAWS, Resamples, first_best, quantiles, resamples
from harness.analysis.sensitivity.searching import tuning_cost

numbers = st.lists(st.integers(-1000, 1000).map(lambda x: x / 8), min_size=1, max_size=30)


def all_of(seeds):
    return resamples(np.ones(seeds, bool))


def test_two_seeds_by_hand():
    """(2, 0), (1, 1) and (0, 2) with the chances 1/4, 1/2, 1/4; of 10 and 20 the means 10, 15 and 20."""
    sample = all_of(2)
    assert sample.counts.tolist() == [[1, 1], [2, 0], [1, 1], [0, 2]]
    assert sample.chance.tolist() == [0.25, 0.5, 0.25]
    means = sample.mean(np.array([10.0, 20.0]))
    assert means.tolist() == [15, 10, 15, 20]
    assert sample.interval(means) == (10, 20)


@pytest.mark.parametrize("seeds", [2, 3, 4, 5, 6])
def test_all_resamples_with_their_chances(seeds):
    sample = all_of(seeds)
    drawn = Counter(
        tuple(np.bincount(some, minlength=seeds).tolist()) for some in product(range(seeds), repeat=seeds)
    )
    found = dict(zip(map(tuple, sample.counts[1:].tolist()), sample.chance, strict=True))
    assert len(sample.chance) == len(found) == comb(2 * seeds - 1, seeds)
    assert found == pytest.approx({row: count / seeds**seeds for row, count in drawn.items()}, abs=1e-15)
    assert sample.chance.sum() == pytest.approx(1, abs=1e-12)
    assert sample.weights.sum(1) == pytest.approx(1, abs=1e-12)
    assert sample.weights[0].tolist() == [1 / seeds] * seeds


@pytest.mark.parametrize("seeds", [3, 4, 5])
def test_an_interval_is_that_of_all_resamples_written_out(seeds):
    """Of N = S^S equally likely means it is the ceil(N / 40)-th from either end."""
    values = np.random.default_rng(seeds).normal(size=seeds)
    sample = all_of(seeds)
    means = np.sort([values[list(some)].mean() for some in product(range(seeds), repeat=seeds)])
    at = ceil(len(means) / 40)
    assert sample.interval(sample.mean(values)) == pytest.approx((means[at - 1], means[-at]), abs=1e-12)


def test_five_seeds_have_126_resamples_and_the_interval_hides_what_is_rarer_than_a_fortieth():
    """That all five draws are the one seed with a 1 has the chance 1/3125, and that four or five are it
    21/3125; three, 160/3125 more, are within the 78.125/3125 that may be above. No draw: 1024/3125."""
    sample = all_of(5)
    assert len(sample.chance) == 126
    assert sample.interval(sample.mean(np.array([1.0, 0, 0, 0, 0]))) == pytest.approx((0, 3 / 5))


def test_what_a_seed_that_is_not_used_has_is_left_out():
    sample = resamples([True, False, True])
    assert (sample.seeds, sample.weights[:, 1].max()) == (2, 0)
    assert sample.mean(np.array([10.0, np.nan, 20.0])).tolist() == [15, 10, 15, 20]
    assert sample.counts.tolist() == [[1, 0, 1], [2, 0, 0], [1, 0, 1], [0, 0, 2]]


def test_one_seed_has_no_interval_and_none_has_no_weight():
    one = resamples([False, True])
    assert (one.seeds, one.weights.tolist(), one.chance.size) == (1, [[0, 1]], 0)
    assert np.isnan(one.interval(one.mean(np.array([1.0, 2.0])))).all()
    none = resamples([False, False])
    assert (none.seeds, none.weights.tolist(), none.chance.size) == (0, [[0, 0]], 0)


def test_an_infinite_seed_makes_only_those_resamples_infinite_that_draw_it():
    sample = all_of(2)
    means = sample.mean(np.array([[1.0, np.inf], [1.0, 3.0]]))
    assert means.tolist() == [[np.inf, 1, np.inf, np.inf], [2, 1, 2, 3]]
    assert sample.interval(means[0]) == (1, np.inf)
    cost = tuning_cost(np.array([[5.0, 8], [3, 8]]), np.array([[True, False], [False, False]]))
    assert sample.mean(cost).tolist() == [np.inf, 6.5, np.inf, np.inf]  # 1/2 * 3 + 5


def test_a_seed_without_a_value_is_not_an_infinite_one():
    sample = all_of(2)
    assert np.isnan(sample.mean(np.array([np.nan, 1.0]))).all()
    assert np.isnan(sample.interval(np.array([1, 2, np.nan, 3]))).all()


def test_seven_seeds_are_drawn_from_the_generator_that_is_given():
    used = np.ones(7, bool)
    sample, same, other = (resamples(used, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    drawn = np.random.default_rng(1).multinomial(7, [1 / 7] * 7, DRAWS)
    again = np.repeat(sample.counts[1:], np.rint(sample.chance * DRAWS).astype(int), axis=0)
    assert sorted(again.tolist()) == sorted(drawn.tolist())  # each once, with how often it was drawn
    assert len(np.unique(sample.weights[1:], axis=0)) == len(sample.chance) < DRAWS / 5
    assert np.array_equal(sample.weights, same.weights)
    assert np.array_equal(sample.chance, same.chance)
    assert not np.array_equal(sample.chance, other.chance)
    assert np.array_equal(resamples(used).weights, resamples(used).weights)
    assert (sample.counts.sum(1) == 7).all()
    assert sample.chance.sum() == pytest.approx(1, abs=1e-12)
    assert sample.weights.sum(1) == pytest.approx(1, abs=1e-12)
    assert sample.chance @ sample.weights[1:] == pytest.approx(
        np.full(7, 1 / 7), abs=0.002
    )  # 4 standard errors


def test_of_10000_draws_the_interval_is_the_250th_from_either_end():
    """1/10000 is no binary fraction: the sum of 250 of them falls short of 0.025."""
    sample = Resamples(weights=np.ones((DRAWS + 1, 1)), chance=np.full(DRAWS, 1 / DRAWS))
    drawn = np.random.default_rng(0).permutation(DRAWS).astype(float)
    assert np.cumsum(sample.chance)[249] < 0.025
    assert sample.interval(np.array([0, *drawn])) == (249, DRAWS - 250)


@given(values=numbers, seeds=st.integers(2, 5))
@settings(max_examples=50, deadline=None)
def test_an_interval_of_the_negative_is_the_negative(values, seeds):
    sample = all_of(seeds)
    stats = np.resize(values, len(sample.weights))
    low, high = sample.interval(stats)
    assert sample.interval(-stats) == (-high, -low)
    assert low <= high


@given(values=numbers, data=st.data(), share=st.integers(1, 64).map(lambda x: x / 64))
@settings(max_examples=200, deadline=None)
def test_quantiles_are_the_inverse_of_the_distribution_function(values, data, share):
    """Weights of which any sum is exact, so that nothing hangs on rounding."""
    size = len(values)
    weights = np.array(data.draw(st.lists(st.integers(1, 8), min_size=size, max_size=size)), float)
    found = quantiles(values, weights, share)
    numpys = np.percentile(values, 100 * share, weights=weights, method="inverted_cdf")
    reached = [v for v in values if weights[np.array(values) <= v].sum() >= share * weights.sum()]
    assert found == numpys == min(reached)


def test_quantiles_by_hand():
    """Weights 1, 2, 3, 4 of 1, 2, inf and 0: at or below 0 lie 4 of 10, 1: 5, 2: 7, inf: 10."""
    values, weights = [1, 2, np.inf, 0], [1, 2, 3, 4]
    assert quantiles(values, weights, [0.1, 0.4, 0.41, 0.5, 0.7, 0.71, 1]).tolist() == [
        0, 0, 1, 1, 2, np.inf, np.inf,
    ]  # fmt: skip
    assert quantiles([3], [0.2], 0.975) == 3


def test_a_share_that_is_reached_but_for_rounding_is_reached():
    """0.1 + 0.2 + ... of many: the k-th of n equal weights is the quantile of k/n, for any k and n."""
    for size in (3, 7, 10, 49, 1000):
        shares = np.arange(1, size + 1) / size
        found = quantiles(np.arange(size), np.full(size, 1 / size), shares)
        assert found.tolist() == list(range(size))


def test_ties_go_to_the_first_whatever_the_order_of_a_sum():
    sums = [0.3 + 0.2 + 0.1, 0.1 + 0.2 + 0.3, 0.5]
    assert np.argmax(sums) == 1  # by rounding
    assert first_best(sums) == 0
    assert first_best([[0, 2, -5], [1, 2, -4], [1, 2, -4]]).tolist() == [1, 0, 1]
    assert first_best([1 - 1e-9, 1]) == 1
    assert first_best([-np.inf, -1e300, 0.6, 0.6]) == 2
