"""A matrix of verdicts made by hand."""

from __future__ import annotations

import math
from dataclasses import replace

from harness.paper.claims import CLAIMS
from harness.paper.judging.verdict import Form, Judged, Verdict
from harness.paper.matrix import Matrix
from harness.paper.reading import MAIN
from tests.paper.claims.tables import changing

SGD = changing("paper-sgd")
TOLD = Judged(
    strict=Form(verdict=Verdict.FAILS, why="31 of 36 cells"),
    weak=Form(verdict=Verdict.HOLDS, why="some do"),
    sustained=Form(verdict=Verdict.OPEN, why="not run"),
    numbers={
        "first": {"0": {"share": [0.5, math.nan], "maml": 12}},
        "edges": {"alpha_hyperlr 1e-3": "fails", "beta_hyperlr 1e-3": "holds"},
    },
    cells=("abc",),
    seeds=(0, 1),
    statistic="share of the cells",
    interval=(0.25, math.inf),
)


def made() -> Matrix:
    """C1 under the first reading, C2 under the second, C16 under any."""
    empty = {(claim.key, column): None for claim in CLAIMS for column in (MAIN, SGD, None)}
    alone = replace(TOLD, interval=None, seeds=(0,), weak=None)
    return empty | {("C1", MAIN): TOLD, ("C2", SGD): alone, ("C16", None): alone}
