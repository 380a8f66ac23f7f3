from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records.passages import first_passage, lowest_sustained, sustained_passage
from harness.report import curves

LOSSES = st.lists(st.sampled_from([0.5, 1.0, 1.5, 2.0, math.nan, math.inf, -math.inf]), max_size=40)


def passage(falls: curves.Falls, target: float) -> int | None:
    """As the page finds it."""
    at, values = falls
    return next((int(i) for i, value in zip(at, values, strict=True) if value <= target), None)


def test_a_loss_falls_where_it_is_lower_than_all_before() -> None:
    at, values = curves.first([3.0, 3.0, 2.5, math.nan, 2.7, -math.inf, 2.4, 2.4])
    assert at.tolist() == [1, 3, 7]
    assert values.tolist() == [3.0, 2.5, 2.4]


def test_means_of_ten_fall_from_iteration_ten_on() -> None:
    losses = [3.0] * 10 + [2.0, 4.0] + [1.0] * 2
    at, values = curves.sustained(losses)
    assert at.tolist() == [10, 11, 13, 14]
    np.testing.assert_allclose(values, [3.0, 2.9, 2.8, 2.6], rtol=1e-12)


@given(LOSSES, st.sampled_from([0.4, 0.5, 0.9, 1.0, 1.2, 1.5, 1.9, 2.0, 5.0]))
def test_any_target_has_the_passages_that_the_records_have(losses: list[float], target: float) -> None:
    assert passage(curves.first(losses), target) == first_passage(losses, target)
    assert passage(curves.sustained(losses), target) == sustained_passage(losses, target)


@pytest.mark.parametrize("nudge", [math.nextafter(1, 2), math.nextafter(1, 0)])
def test_a_target_beside_a_mean_is_told_from_the_mean(nudge: float) -> None:
    losses = np.random.default_rng(3).normal(2, 0.3, 300)
    edge = lowest_sustained(losses)
    assert passage(curves.sustained(losses), edge * nudge) == sustained_passage(losses, edge * nudge)


def test_few_curves_have_many_points() -> None:
    assert curves.points(0) == curves.points(1000) == curves.POINTS
    assert curves.points(30_000) == 100
    assert curves.points(10**7) == curves.FEWEST


def test_a_thinned_curve_keeps_its_ends_and_every_spike() -> None:
    values = np.sin(np.arange(5000) / 700)
    values[[1234, 4321]] = 50, -50
    kept = curves.thinned(values, 200)
    assert len(kept) <= 202
    assert {0, 1234, 4321, 4999} <= {*kept.tolist()}
    assert (np.diff(kept) > 0).all()


def test_a_short_curve_is_kept_whole_whatever_is_in_it() -> None:
    assert curves.thinned(np.full(200, np.nan), 200).tolist() == [*range(200)]
    kept = curves.thinned(np.where(np.arange(900) < 450, np.inf, 1.0), 50)
    assert {0, 899} <= {*kept.tolist()}
