"""C13: the cost measurement."""

from __future__ import annotations

import pytest

from harness.paper.claims.section4 import C13
from harness.paper.judging.verdict import Verdict
from harness.paper.reading import Facts
from tests.paper.claims.runs import NO_FACTS, records, verdicts

c13 = C13.judge
HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN


def cost(passes=2, extra=1.0, interval=(0.99, 1.04)):
    return Facts(
        cost={
            "passes": {"maml": 2, "alpha-maml": passes},
            "memory": {"extra_in_theta": extra, "state_extra_in_theta": 1.0},
            "time": {"ratio_median": 1.02, "ratio_interval": list(interval)},
        },
        noise=None,
        data=None,
    )


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (cost(), (HOLDS, HOLDS)),
        (cost(extra=1.01, interval=(0.9, 1.05)), (HOLDS, HOLDS)),
        (cost(passes=3), (FAILS, FAILS)),
        (cost(extra=1.02), (FAILS, FAILS)),
        (cost(interval=(1.06, 1.1)), (FAILS, HOLDS)),
        (cost(interval=(1.0, 1.1)), (OPEN, HOLDS)),
        (cost(passes=3, interval=(1.0, 1.1)), (FAILS, FAILS)),
        (NO_FACTS, (OPEN, OPEN)),
    ],
)
def test_c13(facts, expected):
    assert verdicts(c13(records(), facts)) == expected
