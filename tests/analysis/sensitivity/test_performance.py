"""Gamma, Phi and the effective dimension: by hand, by the definition, and where rounding could decide."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.sensitivity.performance import (
    dimension,
    gamma,
    scale,
    subset_scores,
    subset_scores_plain,
    tuned,
)

EVERYWHERE = np.ones((2, 4), bool)
KNOBS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
TABLE = np.array([[0.6, 0.2, 0.9, 0.4], [0.7, 0.8, 0.1, 0.4]])
"""Gamma of the four settings of KNOBS in two environments."""


def by_fractions(scores, percent):
    """The smallest score at or below which lies that share, each method weighing 1 in all."""
    values = sorted((float(x), Fraction(1, len(one) * len(scores))) for one in scores for x in one)
    below = Fraction(0)
    for value, weight in values:
        below += weight
        if below >= Fraction(percent, 100):
            return value
    raise AssertionError


@st.composite
def gammas(draw):
    """Gamma in some environments, which settings were run where (one everywhere), and their levels."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    levels = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    knobs = np.array([*np.ndindex(*levels)])
    knobs = knobs[generator.permutation(len(knobs))[: draw(st.integers(1, len(knobs)))]]
    environments = draw(st.integers(2, 9))
    ran = generator.random((environments, len(knobs))) < draw(st.sampled_from([0.6, 0.9, 1.0]))
    ran[:, generator.integers(len(knobs))] = True
    digits = draw(st.sampled_from([1, 3]))  # few digits: ties
    found = np.round(generator.normal(size=ran.shape), digits) + draw(st.sampled_from([0, 1, 2]))
    return np.where(ran, found, np.nan), ran, knobs


def test_percentiles_by_hand():
    """Two methods of 1/2 each. The one setting of the second is half of all: 0, ..., 9 weigh 1/20 each, so
    that 0 alone is the 5 %, and up to 9 it is half; the 100 is the 95 %. Of the first alone: 0 and 9."""
    first, second = np.arange(10.0), np.array([100.0])
    assert scale([first, second]) == (0, 100)
    assert scale([first]) == (0, 9)
    assert scale([np.arange(20.0)]) == (0, 18)  # exactly a 20th at or below 0, and 19 of 20 below 19
    assert scale([np.arange(21.0)]) == (1, 19)
    assert scale([second]) == (100, 100)


@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=4), seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_percentiles_in_fractions(sizes, seed):
    generator = np.random.default_rng(seed)
    scores = [generator.integers(-20, 20, size) / 4 for size in sizes]
    expected = by_fractions(scores, 5), by_fractions(scores, 95)
    assert scale(scores) == expected
    assert scale(scores[::-1]) == expected
    assert scale([np.repeat(one, 3) for one in scores]) == expected  # a method weighs what it weighs
    low, high = scale([np.stack([one, one + 1, 4 * one], 1) for one in scores])
    assert low.tolist() == [expected[0], expected[0] + 1, 4 * expected[0]]
    assert high.tolist() == [expected[1], expected[1] + 1, 4 * expected[1]]


@pytest.mark.parametrize("sizes", [(7, 11), (13, 16, 3), (31,)])
def test_percentiles_are_numpys_of_weighted_scores(sizes):
    generator = np.random.default_rng(sum(sizes))
    scores = [generator.normal(size=size) for size in sizes]
    weights = np.concatenate([np.full(size, 1 / size) for size in sizes])
    theirs = np.percentile(np.concatenate(scores), [5, 95], weights=weights, method="inverted_cdf")
    assert [*scale(scores)] == theirs.tolist()


def test_percentiles_of_methods_whose_sizes_have_a_huge_common_multiple():
    generator = np.random.default_rng(0)
    scores = [generator.normal(size=size) for size in (101, 103, 107, 109, 113, 127, 131, 137, 139, 149)]
    assert scale(scores) == (by_fractions(scores, 5), by_fractions(scores, 95))
    # 0, ..., 19 often enough: exactly a 20th of the weight is 0, though no float holds these weights.
    assert scale([np.repeat(np.arange(20.0), len(one)) for one in scores]) == (0, 18)


def test_gamma_by_hand():
    assert gamma(np.array([-3.0, 1, 2, 5, 9]), 1, 5).tolist() == [-1, 0, 0.25, 1, 2]
    both = gamma(np.array([[1.0, 4], [3, 4]]), [1, 4], [3, 4])
    assert both[:, 0].tolist() == [0, 1]
    assert np.isnan(both[:, 1]).all()


@given(seed=st.integers(0, 2**32), factor=st.sampled_from([0.25, 3, 1e6]), shift=st.integers(-9, 9))
@settings(max_examples=50, deadline=None)
def test_gamma_does_not_hang_on_the_unit_of_the_score(seed, factor, shift):
    generator = np.random.default_rng(seed)
    scores = [generator.normal(size=size) for size in (8, 30)]
    moved = [factor * one + shift for one in scores]
    for one, other in zip(scores, moved, strict=True):
        expected = gamma(one, *scale(scores))
        assert gamma(other, *scale(moved)) == pytest.approx(expected, abs=1e-9)
    assert gamma(scores[0] * 4, *scale([one * 4 for one in scores])).tolist() == (
        gamma(scores[0], *scale(scores)).tolist()
    )


def test_scores_that_differ_by_rounding_alone_have_no_gamma():
    """The mean of .1, .2 and .3 in two orders: equal, though not to the last digit."""
    scores = np.array([(0.1 + 0.2 + 0.3) / 3] * 10 + [(0.3 + 0.2 + 0.1) / 3] * 10)
    low, high = scale([scores])
    assert low < high
    assert np.isnan(gamma(scores, low, high)).all()
    assert gamma(np.array([1, 1 + 1e-9]), 1, 1 + 1e-9).tolist() == [0, 1]


def test_phi_by_hand():
    """Tuned for each: .9 and .8, mean .85. Tuned once: .65, .5, .5 and .4, so the first. Phi = .2."""
    found = tuned(TABLE[..., None], EVERYWHERE)
    assert found.per_environment == pytest.approx([0.85], abs=1e-15)
    assert found.default == pytest.approx([0.65], abs=1e-15)
    assert found.phi == pytest.approx([0.2], abs=1e-15)
    assert found.chosen.tolist() == [0]


def test_phi_of_an_incomplete_table_by_hand():
    """The best of the first environment was run there alone: it counts where each is tuned for itself, but
    it cannot be chosen for all. So the .5 of the second and third, of which the second is the first."""
    ran = EVERYWHERE.copy()
    ran[1, 0] = False
    table = np.where(ran, TABLE + np.array([[1.0, 0, 0, 0], [0, 0, 0, 0]]), np.nan)
    found = tuned(table[..., None], ran)
    assert found.per_environment == pytest.approx([(1.6 + 0.8) / 2], abs=1e-15)
    assert (found.default.tolist(), found.chosen.tolist()) == ([0.5], [1])


def test_without_a_setting_for_all_there_is_no_phi():
    ran = np.array([[True, False], [False, True]])
    with pytest.raises(ValueError, match="no setting was run in every environment"):
        tuned(np.zeros((2, 2, 1)), ran)


def test_a_weighting_without_gamma_has_no_phi():
    table = np.stack([TABLE, TABLE], -1)
    table[1, :, 1] = np.nan
    found = tuned(table, EVERYWHERE)
    assert np.isnan(found.phi).tolist() == [False, True]
    scores = subset_scores(table, EVERYWHERE, KNOBS, 0)
    assert np.isnan(dimension(scores)).tolist() == [False, True]


def test_ties_go_to_the_first_setting_of_the_table():
    table = np.array([[0.3, 0.1, 0.2], [0.2, 0.2, 0.3], [0.1, 0.3, 0.1]])  # .6 in two orders
    assert table[:, 0].sum() < table[:, 1].sum()
    assert tuned(table[..., None], np.ones((3, 3), bool)).chosen.tolist() == [0]


def test_subset_scores_by_hand():
    """From the default (0, 0): .65. With the first free .9 and .7, with the second .6 and .8: so .8."""
    scores = subset_scores(TABLE, EVERYWHERE, KNOBS, 0)
    assert scores == pytest.approx([0.65, 0.8, 0.85], abs=1e-15)
    assert subset_scores_plain(TABLE, EVERYWHERE, KNOBS, 0) == pytest.approx(scores, abs=1e-15)
    assert subset_scores(TABLE, EVERYWHERE, KNOBS, 3) == pytest.approx([0.4, 0.65, 0.85], abs=1e-15)


def test_subset_scores_run_over_common_settings_but_for_the_last():
    """(1, 0) was not run in the second environment: only P_2 has its .9."""
    ran = EVERYWHERE.copy()
    ran[1, 2] = False
    table = np.where(ran, TABLE, np.nan)
    assert subset_scores(table, ran, KNOBS, 0) == pytest.approx([0.65, 0.7, 0.85], abs=1e-15)
    assert subset_scores_plain(table, ran, KNOBS, 0) == pytest.approx([0.65, 0.7, 0.85], abs=1e-15)


def test_a_method_with_nothing_to_tune():
    scores = subset_scores(np.array([[0.5], [1.0]]), np.ones((2, 1), bool), np.zeros((1, 0), int), 0)
    assert scores.tolist() == [0.75]
    assert dimension(scores) == 0


@given(table=gammas())
@settings(max_examples=200, deadline=None)
def test_subset_scores_are_those_of_the_definition(table):
    normalised, ran, knobs = table
    found = tuned(normalised[..., None], ran)
    default = int(found.chosen[0])
    scores = subset_scores(normalised, ran, knobs, default)
    assert scores == pytest.approx(subset_scores_plain(normalised, ran, knobs, default), abs=1e-12)
    assert (np.diff(scores) >= -1e-12).all()
    assert scores[0] == pytest.approx(found.default[0], abs=1e-12)
    assert scores[-1] == pytest.approx(found.per_environment[0], abs=1e-12)
    assert found.phi[0] >= 0
    assert found.phi[0] == pytest.approx(scores[-1] - scores[0], abs=1e-12)
    d = dimension(scores)
    assert 0 <= d <= knobs.shape[1] if scores[-1] > 0 else np.isnan(d)
    twice = subset_scores(np.stack([normalised, 2 * normalised], -1), ran, knobs, default)
    assert twice == pytest.approx(np.stack([scores, 2 * scores], -1), abs=1e-12)


@given(table=gammas(), data=st.data())
@settings(max_examples=100, deadline=None)
def test_phi_does_not_hang_on_the_order_of_the_settings(table, data):
    normalised, ran, _ = table
    order = data.draw(st.permutations(range(ran.shape[1])))
    found = tuned(normalised[..., None], ran).phi
    assert tuned(normalised[:, order][..., None], ran[:, order]).phi == pytest.approx(found, abs=1e-12)
    order = data.draw(st.permutations(range(len(ran))))
    assert tuned(normalised[order][..., None], ran[order]).phi == pytest.approx(found, abs=1e-12)


def test_where_one_setting_is_best_everywhere_phi_is_zero_and_not_less():
    """Where environments are neighbours in memory, numpy adds eight and more of them up in an order of its
    own, so that the two means may differ by rounding."""
    generator = np.random.default_rng(0)
    for _ in range(50):
        table = np.moveaxis(generator.normal(size=(3, 2, 9)), 2, 0)
        table[:, 1] = table.max(1)
        phi = tuned(table, np.ones((9, 3), bool)).phi
        assert (phi >= 0).all()
        assert phi == pytest.approx(0, abs=1e-15)


def test_the_dimension_by_hand():
    """.95 of .85 is .8075: .8 is reached with 1, .85 with 2, so 1 + .0075 / .05."""
    assert dimension([0.65, 0.8, 0.85]) == pytest.approx(1.15, abs=1e-12)
    assert dimension([[0.65, 0.96, 0], [0.8, 1, 0.5], [0.85, 1, 1]]) == pytest.approx(
        [1.15, 0, 1.9], abs=1e-12
    )
    assert dimension([-1, 1]) == pytest.approx(1.95 / 2, abs=1e-12)


def test_without_a_score_above_zero_there_is_no_dimension():
    assert np.isnan(dimension([-2, -1, 0]))
    assert np.isnan(dimension([-2, -1]))
    assert np.isnan(dimension([np.nan, np.nan]))


def test_a_score_that_is_just_enough_is_enough():
    """.95 of 1.4 is 1.33, and a plateau there is not crossed to its far end."""
    assert dimension([1.0, 1.33, 1.33, 1.4]) == pytest.approx(1, abs=1e-12)
    short = np.nextafter(0.95, 0)
    assert dimension([0.9, short, short, 1]) == 1
    assert dimension([short, short, 1]) == 0
    assert dimension([0.9, 0.95 - 1e-9, 0.95 - 1e-9, 1]) == pytest.approx(2, abs=1e-6)
