"""The yardstick, on a few runs whose differences are easy to count."""

import math

import pytest

from harness.analysis.rounding import Interval, differences, measure
from tests.analysis.tables import table, trial
from tests.readings import reading

MOVING = {"method": "alpha-maml", "alpha_hyperlr": 0.1, "beta_hyperlr": 1e-5}


def draws(*counts, protocol="paper-adam", **more):
    """Draw 0, 1, ... of a point: (first, sustained) each."""
    labels = [protocol, *(f"{protocol}, perturbation={k}" for k in range(1, len(counts)))]
    return [
        trial(f"{sorted(more.items())}{label}", *count, **reading(label), **more)
        for label, count in zip(labels, counts, strict=True)
    ]


def spread(low, high, low_share, high_share):
    return Interval(low=low, high=high, low_share=low_share, high_share=high_share)


MAML = draws((100, 120), (104, 120), (90, 126))
ALPHA = draws((20, 40), (23, 38), ("budget",), **MOVING)


def test_an_interval_spans_all_points_in_iterations_and_as_a_share():
    found = measure(table(*MAML, *ALPHA))
    assert found.first == spread(-10, 4, pytest.approx(-0.1), pytest.approx(3 / 20))
    assert found.sustained == spread(-2, 6, pytest.approx(-2 / 40), pytest.approx(6 / 120))
    assert (found.runs, found.one_missed) == (4, 1)  # one draw of the second point missed


def test_points_have_a_row_each_and_a_draw_that_misses_is_counted():
    maml, alpha = measure(table(*MAML, *ALPHA)).points.to_dict("records")
    assert (maml["method"], maml["preset"], maml["changes"], maml["draws"]) == ("maml", "paper-adam", "{}", 2)
    assert (maml["first_base"], maml["first_low"], maml["first_high"], maml["first_one_missed"]) == (
        100, -10, 4, 0,
    )  # fmt: skip
    assert (alpha["first_base"], alpha["first_low"], alpha["first_high"], alpha["first_one_missed"]) == (
        20, 3, 3, 1,
    )  # fmt: skip
    assert (alpha["sustained_low"], alpha["sustained_one_missed"]) == (-2, 1)


def test_each_seed_and_protocol_has_its_own_draw_0():
    other = draws((50, 60), (51, 60), seed=1) + draws((30, 45), (36, 45), protocol="paper-sgd, n_way=5")
    found = differences(table(*draws((100, 120), (104, 120)), *other))
    assert found["first_difference"].tolist() == [4, 1, 6]
    assert found["preset"].tolist() == ["paper-adam", "paper-adam", "paper-sgd"]
    assert found["changes"].tolist() == ["{}", "{}", '{"n_way": 5}']


def test_a_draw_that_was_not_run_or_failed_is_not_a_miss():
    found = measure(table(*draws((100, 120), (None,), ("failed",), (101, 122))))
    assert (found.first, found.runs, found.one_missed) == (spread(1, 1, 0.01, 0.01), 1, 0)


def test_without_a_count_on_both_sides_there_is_no_interval():
    both_miss = measure(table(*draws(("budget",), ("budget",))))
    assert (both_miss.first, both_miss.sustained, both_miss.runs, both_miss.one_missed) == (None, None, 1, 0)
    assert math.isnan(both_miss.points["first_low"].iloc[0])
    alone = measure(table(*draws((100, 120))))
    assert (alone.first, alone.runs, len(alone.points)) == (None, 0, 0)


@pytest.mark.parametrize(
    ("difference", "count", "allowed"),
    [(15, 100, True), (-15, 100, True), (16, 100, False), (-16, 100, False), (1, 3, True), (2, 3, False)],
)
def test_what_an_interval_allows(difference, count, allowed):
    assert spread(-10, 4, -0.1, 0.15).allows(difference, count) == allowed
    assert spread(-10, 4, -0.15, 0.1).allows(difference, count) == allowed
