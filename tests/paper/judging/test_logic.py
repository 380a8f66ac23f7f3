"""Three values: there is an answer if both bounds agree, and only then."""

import math

import pytest

from harness.paper.judging.logic import (
    Bounds,
    all_of,
    any_of,
    at_most,
    less,
    share,
    verdict,
)
from harness.paper.judging.verdict import Verdict

HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN


@pytest.mark.parametrize(
    ("values", "everyone", "anyone"),
    [
        ([], True, False),
        ([True, True], True, True),
        ([True, None], None, True),
        ([False, None], False, None),
        ([True, False, None], False, True),
        ([False, False], False, False),
    ],
)
def test_all_and_any(values, everyone, anyone):
    assert all_of(values) is everyone
    assert any_of(values) is anyone


@pytest.mark.parametrize(
    ("a", "b", "most", "lesser"),
    [
        (3, 4, True, True),
        (4, 4, True, False),
        (5, 4, False, False),
        (500, math.inf, True, True),
        (math.inf, 500, False, False),
        (math.inf, math.inf, True, False),  # a miss ties with a miss
        (math.nan, 4, None, None),
        (4, math.nan, None, None),
    ],
)
def test_counts(a, b, most, lesser):
    assert at_most(a, b) is most
    assert less(a, b) is lesser


def test_a_share_with_unknowns_is_decided_if_both_bounds_agree():
    some = share([True, True, None, False])  # 2/4 to 3/4
    assert (some.low, some.high) == (0.5, 0.75)
    assert some.at_least(0.5) is True
    assert some.at_least(0.6) is None
    assert some.at_least(0.8) is False
    assert some.more_than(0.4) is True
    assert some.more_than(0.5) is None
    assert some.more_than(0.75) is False
    assert some.within(0.4, 0.8) is True
    assert some.within(0.4, 0.6) is None
    assert some.within(0.8, 0.9) is False
    assert some.words("cells") == "2 of 4 cells (share 0.50 to 0.75, 1 cannot be told)"


def test_a_share_at_its_bound():
    assert share([True, True, False, False, False]).within(0.4, 0.6) is True
    assert share([True, True, True, False, False]).within(0.4, 0.6) is True
    assert share([True, False, False, False]).within(0.4, 0.6) is False
    assert share([True, False]).more_than(0.5) is False
    assert share([True, False]).words("cells") == "1 of 2 cells (share 0.50)"


def test_a_share_of_nothing_decides_nothing():
    none = share([])
    assert none.at_least(0) is None
    assert none.more_than(0) is None
    assert none.words("cells") == "0 of 0 cells"


def test_bounds_decide_only_what_they_allow():
    assert Bounds(low=0.2, high=0.2).below(Bounds(low=0.5, high=math.inf)) is True
    assert Bounds(low=0.6, high=0.6).below(Bounds(low=0.5, high=math.inf)) is None
    assert Bounds(low=0.6, high=math.inf).below(Bounds(low=0.5, high=0.5)) is False
    assert Bounds(low=0.4, high=math.inf).below(Bounds(low=0.5, high=0.5)) is None
    assert Bounds(low=0.5, high=0.5).below(Bounds(low=0.5, high=0.5)) is False


def test_verdict():
    assert [verdict(told) for told in (True, False, None)] == [HOLDS, FAILS, OPEN]
