"""Robust summaries: beside scipy, and beside rliable's formulas written out."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.sensitivity.aggregates import chance_of_improvement, interquartile_mean

few = st.lists(st.integers(-4, 4).map(lambda x: x / 2), min_size=1, max_size=25)


def test_the_middle_half_by_hand():
    """Of eight scores two are cut at either end, of five one (5/4 rounded down), of three none."""
    assert interquartile_mean([7, 0, 6, 1, 5, 2, 4, 100]) == (2 + 4 + 5 + 6) / 4
    assert interquartile_mean([0, 1, 2, 3, 100]) == 2
    assert interquartile_mean([0, 1, 5]) == 2
    assert interquartile_mean([3]) == 3


def test_counts_by_hand():
    """1 three times, 2 four times, 9 once: eight scores, of which 1, 2, 2, 2 are in the middle."""
    assert interquartile_mean([9, 1, 2], [1, 3, 4]) == 7 / 4
    assert interquartile_mean([9, 1, 2], [[1, 3, 4], [0, 0, 4], [1, 1, 1]]).tolist() == [7 / 4, 2, 4]


@given(scores=few, data=st.data())
@settings(max_examples=200, deadline=None)
def test_the_interquartile_mean_is_scipys_of_the_repeated_list(scores, data):
    size = len(scores)
    counts = data.draw(st.lists(st.integers(0, 5), min_size=size, max_size=size).filter(any))
    repeated = np.repeat(scores, counts)
    assert interquartile_mean(scores, counts) == pytest.approx(
        scipy.stats.trim_mean(repeated, 0.25), abs=1e-12
    )
    assert interquartile_mean(scores) == pytest.approx(scipy.stats.trim_mean(scores, 0.25), abs=1e-12)


def test_the_interquartile_mean_of_rliable_is_over_all_runs_and_tasks():
    scores = np.random.default_rng(0).normal(size=(5, 7))
    assert interquartile_mean(scores.ravel()) == pytest.approx(
        scipy.stats.trim_mean(scores, proportiontocut=0.25, axis=None), abs=1e-14
    )


def test_a_score_that_is_cut_may_be_infinite():
    assert interquartile_mean([-np.inf, 1, 2, np.inf]) == 1.5
    assert interquartile_mean([-np.inf, 1, 2, 3], [[1, 1, 1, 1], [2, 1, 1, 0]]).tolist() == [1.5, -np.inf]


def test_the_chance_of_improvement_by_hand():
    """3 is above 1 and 2 and ties with 3; 2 is above 1 and ties with 2: 2.5 + 1.5 of 6."""
    assert chance_of_improvement([3, 2], [1, 2, 3]) == 4 / 6
    assert chance_of_improvement([1], [2]) == 0
    assert chance_of_improvement([2], [2]) == 0.5
    assert chance_of_improvement([np.inf, 1], [-np.inf, 1]) == (2 + 1.5) / 4


@given(ours=few, theirs=few)
@settings(max_examples=200, deadline=None)
def test_the_chance_of_improvement_is_the_mann_whitney_statistic(ours, theirs):
    found = chance_of_improvement(ours, theirs)
    u = scipy.stats.mannwhitneyu(ours, theirs, alternative="greater", method="asymptotic").statistic
    assert found == pytest.approx(u / (len(ours) * len(theirs)), abs=1e-12)
    pairs = [(mine > other) + (mine == other) / 2 for mine in ours for other in theirs]
    assert found == pytest.approx(np.mean(pairs), abs=1e-12)
    assert chance_of_improvement(theirs, ours) == pytest.approx(1 - found, abs=1e-12)


def test_the_probability_of_improvement_of_rliable_is_the_mean_over_tasks():
    generator = np.random.default_rng(1)
    ours, theirs = generator.integers(0, 4, (6, 5)), generator.integers(0, 4, (3, 5))
    of_task = [scipy.stats.mannwhitneyu(x, y).statistic / 18 for x, y in zip(ours.T, theirs.T, strict=True)]
    assert chance_of_improvement(ours, theirs).mean() == pytest.approx(np.mean(of_task), abs=1e-12)


def test_paired_by_seeds_each_run_meets_the_one_of_its_seed():
    """Seed by seed 1 over 0, 5 over 9, 4 over 4."""
    assert chance_of_improvement([[1, 5, 4]], [[0, 9, 4]]).tolist() == [1, 0, 0.5]
    assert chance_of_improvement([[[1, 5], [2, 2]]], [[[0, 9], [2, 3]]]).tolist() == [[1, 0], [0.5, 0]]
