"""C15: the tables' counts beside the losses."""

from __future__ import annotations

import math

import pytest

from harness.paper.claims import figures2and3
from harness.paper.claims.figures2and3 import C15
from harness.paper.judging.verdict import Verdict
from tests.paper.claims.runs import BUDGET, NO_FACTS, TUNED, UNTUNED, records, run

c15 = C15.judge
HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN


def counted(losses, first, sustained, outcome="reached", target=2.5, **more):
    counts = {"iterations_to_target": first, "iterations_to_target_sustained": sustained}
    return run(TUNED, losses=losses, target_loss=target, outcome=outcome, **counts, **more)


PASSING = [3.0] * 4 + [2.4] + [3.0] * 5 + [2.0] * 10
"""First at 5. The mean of 5 ... 14 is (2.4 + 5 x 3 + 4 x 2) / 10 = 2.54, that of 6 ... 15 is 2.5."""


def test_c15_counts_that_match_the_losses():
    assert c15(records(counted(PASSING, 5, 15)), NO_FACTS).strict.verdict == HOLDS
    assert c15(records(counted([3.0] * BUDGET, None, None, "budget")), NO_FACTS).strict.verdict == HOLDS


@pytest.mark.parametrize(
    ("one", "what"),
    [
        (counted(PASSING, 6, 15), "iterations_to_target is 6"),
        (counted(PASSING, None, 15), "iterations_to_target is None"),
        (counted(PASSING, 5, 14), "iterations_to_target_sustained is 14"),
        (counted([3.0] * BUDGET, 20, None, "budget"), "losses give None"),
        (counted([3.0] * BUDGET, None, None), "outcome is reached"),
        (counted(PASSING, 5, 15, iterations_run=19), "iterations_run is 19"),
        (counted(PASSING, 5, 15, target=math.nan), "outcome is reached"),
    ],
)
def test_c15_counts_that_do_not_match_the_losses(one, what):
    judged = c15(records(one, run(UNTUNED)), NO_FACTS)
    assert judged.strict.verdict == FAILS
    assert what in judged.strict.why
    assert judged.cells == (one[0]["cell_id"],)


def test_c15_a_higher_target_passed_later(monkeypatch):
    """No losses can do that: the passages would be wrong."""
    monkeypatch.setattr(figures2and3, "first_passage", lambda losses, target: 5 if target == 2.5 else 6)
    judged = c15(records(counted(PASSING, 5, 15)), NO_FACTS)
    assert judged.strict.verdict == FAILS
    assert "first passage of 2.99 comes after that of 2.5" in judged.strict.why


def test_c15_without_runs_cannot_be_told():
    nothing = c15(records(run(TUNED, losses=None)), NO_FACTS)
    assert nothing.strict.verdict == OPEN
    assert nothing.cells
    failed = run(UNTUNED, losses=[], ending="failed", outcome="failed")
    assert c15(records(failed), NO_FACTS).strict.verdict == OPEN
