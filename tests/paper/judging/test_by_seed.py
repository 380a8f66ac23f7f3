"""One verdict from those of all seeds."""

import math

import pytest

from harness.paper.judging.by_seed import decided, interval, over_seeds, unless_edges_decide
from harness.paper.judging.verdict import Form, Verdict

HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN


def seeds(*verdicts):
    return {seed: Form(verdict=value, why=f"why {seed}") for seed, value in enumerate(verdicts)}


@pytest.mark.parametrize(
    ("verdicts", "whole", "why"),
    [
        ([HOLDS], HOLDS, "why 0"),
        ([OPEN], OPEN, "why 0"),
        ([HOLDS, HOLDS], HOLDS, "it holds in 2 of 2 seeds; seed 0: why 0"),
        ([FAILS, FAILS], FAILS, "it holds in 0 of 2 seeds; seed 0: why 0"),
        ([HOLDS, FAILS, HOLDS], OPEN, "it holds in 2 of 3 seeds; seed 0: why 0; seed 1: why 1"),
        ([FAILS, HOLDS], OPEN, "it holds in 1 of 2 seeds; seed 0: why 0; seed 1: why 1"),
        ([OPEN, HOLDS], HOLDS, "it holds in 1 of 1 seeds; in 1 it cannot be told; seed 1: why 1"),
        ([OPEN, OPEN], OPEN, "it cannot be told in any seed; seed 0: why 0"),
    ],
)
def test_over_seeds(verdicts, whole, why):
    assert over_seeds(seeds(*verdicts)) == Form(verdict=whole, why=why)


def test_the_seeds_that_decided():
    assert decided(seeds(OPEN, HOLDS, FAILS)) == (1, 2)


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
def test_a_verdict_that_depends_on_the_edges(whole, edges, then):
    names = {f"edge {k}": value for k, value in enumerate(edges)}
    assert unless_edges_decide(Form(verdict=whole, why="why"), names).verdict is then


def test_the_edges_are_named():
    form = unless_edges_decide(
        Form(verdict=HOLDS, why="why"), {"alpha_hyperlr 1e-3": FAILS, "beta_hyperlr 1": HOLDS}
    )
    why = "the verdict depends on the grid's edges: holds, but fails without alpha_hyperlr 1e-3; why"
    assert form.why == why


def test_interval():
    assert interval([3, math.nan]) is None
    assert interval([3, math.inf, math.nan, 2]) == (2, math.inf)
