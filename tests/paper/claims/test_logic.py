"""Three values: what both bounds say is told, and nothing else."""

import math

import pytest

from harness.paper.claims.judged import Form, Verdict
from harness.paper.claims.logic import (
    all_of,
    any_of,
    at_most,
    interval,
    less,
    over_seeds,
    share,
    tell,
    unless_it_hangs,
    verdict,
)

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


def test_a_share_with_unknown_ones_is_told_where_both_bounds_agree():
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
    assert some.words("cells") == "2 of 4 cells, 1 not told (share 0.50 to 0.75)"


def test_a_share_at_its_bound():
    assert share([True, True, False, False, False]).within(0.4, 0.6) is True
    assert share([True, True, True, False, False]).within(0.4, 0.6) is True
    assert share([True, False, False, False]).within(0.4, 0.6) is False
    assert share([True, False]).more_than(0.5) is False
    assert share([True, False]).words("cells") == "1 of 2 cells (share 0.50)"


def test_a_share_of_none_tells_nothing():
    none = share([])
    assert none.at_least(0) is None
    assert none.more_than(0) is None
    assert none.words("cells") == "none of 0 cells"


def seeds(*verdicts):
    return {seed: Form(value, f"why {seed}") for seed, value in enumerate(verdicts)}


@pytest.mark.parametrize(
    ("verdicts", "whole", "why"),
    [
        ([HOLDS], HOLDS, "why 0"),
        ([OPEN], OPEN, "why 0"),
        ([HOLDS, HOLDS], HOLDS, "2 of 2 seeds hold; seed 0: why 0"),
        ([FAILS, FAILS], FAILS, "0 of 2 seeds hold; seed 0: why 0"),
        ([HOLDS, FAILS, HOLDS], OPEN, "2 of 3 seeds hold; seed 0: why 0; seed 1: why 1"),
        ([FAILS, HOLDS], OPEN, "1 of 2 seeds hold; seed 0: why 0; seed 1: why 1"),
        ([OPEN, HOLDS], HOLDS, "1 of 1 seeds hold; 1 not told; seed 1: why 1"),
        ([OPEN, OPEN], OPEN, "no seed tells; seed 0: why 0"),
    ],
)
def test_over_seeds(verdicts, whole, why):
    assert over_seeds(seeds(*verdicts)) == Form(whole, why)


def test_the_seeds_that_tell():
    assert tell(seeds(OPEN, HOLDS, FAILS)) == (1, 2)


@pytest.mark.parametrize(
    ("whole", "edges", "then"),
    [
        (HOLDS, [HOLDS, OPEN], HOLDS),  # an edge that leaves it open does not turn it
        (HOLDS, [HOLDS, FAILS], OPEN),
        (FAILS, [HOLDS, FAILS], OPEN),
        (FAILS, [FAILS, FAILS], FAILS),
        (OPEN, [HOLDS, FAILS], OPEN),
        (HOLDS, [], HOLDS),
    ],
)
def test_a_verdict_that_hangs_on_the_edges(whole, edges, then):
    names = {f"edge {k}": value for k, value in enumerate(edges)}
    assert unless_it_hangs(Form(whole, "why"), names).verdict is then


def test_it_says_on_which_edge():
    form = unless_it_hangs(Form(HOLDS, "why"), {"alpha_hyperlr 1e-3": FAILS, "beta_hyperlr 1": HOLDS})
    assert form.why == "it hangs on the grid's edges: holds, but fails without alpha_hyperlr 1e-3; why"


def test_interval():
    assert interval([3, math.nan]) is None
    assert interval([3, math.inf, math.nan, 2]) == (2, math.inf)


def test_verdict():
    assert [verdict(told) for told in (True, False, None)] == [HOLDS, FAILS, OPEN]
