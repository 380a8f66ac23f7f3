"""Settings near the best, and targets reached: by hand and by counting one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.sensitivity.profiles import passages, profile, reached_by, robust_area

INF = np.inf
counts_of = st.lists(st.integers(1, 60).map(float) | st.just(INF), min_size=1, max_size=20)


def test_the_robust_area_by_hand():
    """The best is 10: 10, 19 and 20 are within twice of it, 21 and the miss are not."""
    assert robust_area([10, 21, 20, INF, 19]) == 3 / 5
    assert robust_area([10, 21, 20, INF, 19], factor=1) == 1 / 5
    assert robust_area([[10, INF, 7], [25, INF, INF]]).tolist() == [1 / 2, 0, 1 / 2]
    assert robust_area([5]) == 1


def test_whole_numbers_on_the_limit_are_within_it():
    """1.16 * 25 = 29, which rounding makes less."""
    assert 1.16 * 25 < 29
    assert robust_area([25, 29, 30], factor=1.16) == 2 / 3
    assert profile([[25], [29], [30]], [25], [1.16]).tolist() == [[2 / 3]]


def test_a_profile_by_hand():
    """Seed 0: the best of all methods is 4; seed 1: nobody reached it."""
    counts = [[4, INF], [8, INF], [9, INF], [INF, INF]]
    found = profile(counts, [4, INF], [1, 2, 2.25, 100, INF])
    assert found.tolist() == [[1 / 4, 0], [1 / 2, 0], [3 / 4, 0], [3 / 4, 0], [3 / 4, 0]]


@given(counts=counts_of)
@settings(max_examples=100, deadline=None)
def test_a_profile_beside_the_robust_area(counts):
    by_setting = np.array(counts)[:, None]
    factors = np.geomspace(1, 100, 20)
    near = profile(by_setting, by_setting.min(0), factors)[:, 0]
    assert (np.diff(near) >= 0).all()
    assert near[-1] == np.isfinite(counts).mean()  # no count is a hundred times another
    assert [robust_area(counts, factor) for factor in factors] == near.tolist()
    scaled = by_setting * 3
    assert (profile(scaled, scaled.min(0), factors)[:, 0] == near).all()


def test_passages_by_hand():
    losses = [3.0, 2.5, 2.7, np.nan, 2.0, 2.0]
    assert passages(losses, [3.5, 3, 2.6, 2.5, 2.4, 2, 1.9]).tolist() == [1, 1, 2, 2, 5, 5, INF]


def test_a_loss_that_is_not_finite_reaches_nothing():
    assert passages([-INF, np.nan, INF], [0, 5]).tolist() == [INF, INF]
    assert passages([-INF, 1], [0, 5]).tolist() == [INF, 2]


@given(
    losses=st.lists(st.integers(0, 9).map(float) | st.just(np.nan), min_size=1, max_size=15),
    targets=st.lists(st.integers(-1, 10), min_size=1, max_size=8),
)
@settings(max_examples=100, deadline=None)
def test_passages_one_by_one(losses, targets):
    expected = [next((i for i, loss in enumerate(losses, 1) if loss <= goal), INF) for goal in targets]
    assert passages(losses, targets).tolist() == expected


def test_the_ecdf_by_hand():
    """Of 3, 5, 5 and a miss: none by 2, one by 3, three by 5 and ever after."""
    assert reached_by([5, INF, 3, 5], [2, 3, 4, 5, 1000]).tolist() == [0, 1 / 4, 1 / 4, 3 / 4, 3 / 4]
    assert reached_by([[5, INF], [1, 1]], [1, 5]).tolist() == [[0, 1 / 2], [1, 1]]
    assert reached_by([[[2]], [[INF]]], [2]).shape == (2, 1, 1)


@given(counts=counts_of, at=st.lists(st.integers(0, 70), min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_the_ecdf_one_by_one(counts, at):
    expected = [sum(count <= i for count in counts) / len(counts) for i in at]
    assert reached_by(counts, at) == pytest.approx(expected, abs=1e-15)
