"""Every claim under every reading: the matrix that the table, the page and the figure show."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from harness.paper.claims.boards import Facts, Reading
from harness.paper.claims.judged import Judged
from harness.paper.claims.sentences import CLAIMS
from harness.records.schema import TRAJECTORIES, TRIALS

ONCE = "any reading"
"""The column of the claims that no reading changes: they are judged once."""

Matrix = dict[tuple[str, str], Judged | None]
"""(claim's key, reading's label or ONCE) -> what came out; None: none of the claim's cells was asked there.
In the order of CLAIMS, then of the readings, ONCE last."""


def matrix(readings: Sequence[Reading], facts: Facts) -> Matrix:
    """Judge all claims. One that is judged once has None under every reading, the others under ONCE."""
    nothing = Reading(ONCE, pd.DataFrame(columns=[*TRIALS]), pd.DataFrame(columns=[*TRAJECTORIES]))
    found: Matrix = {}
    for claim in CLAIMS:
        for reading in readings:
            judged = claim.judge(reading, facts) if claim.everywhere else None
            found[claim.key, reading.label] = judged if judged and judged.cells else None
        found[claim.key, ONCE] = None if claim.everywhere else claim.judge(nothing, facts)
    return found


def labels(matrix: Matrix) -> list[str]:
    """The columns, in order."""
    return list(dict.fromkeys(label for _, label in matrix))
