"""Every claim under every reading: the matrix that the table, the page and the figure show."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from harness.paper.claims import CLAIMS
from harness.paper.judging.verdict import Judged
from harness.paper.reading import MAIN, ON_FEW_CELLS, Column, Facts, Records, short_labels
from harness.records.schema import TRAJECTORIES, TRIALS

Matrix = dict[tuple[str, Column], Judged | None]
"""(claim's key, column) -> how it was judged; None: none of the claim's cells was asked for there. In the
order of CLAIMS, then of the readings; the column of the claims that are judged once comes last."""


def matrix(records: Sequence[Records], facts: Facts) -> Matrix:
    """Judge all claims: those that no reading changes only in the last column, the others in all but that."""
    trials, trajectories = (pd.DataFrame(columns=[*columns]) for columns in (TRIALS, TRAJECTORIES))
    nothing = Records(reading=MAIN, trials=trials, trajectories=trajectories)
    judgements: Matrix = {}
    for claim in CLAIMS:
        for pooled in records:
            judged = claim.judge(pooled, facts) if claim.everywhere else None
            judgements[claim.key, pooled.reading] = judged if judged and judged.cells else None
        judgements[claim.key, None] = None if claim.everywhere else claim.judge(nothing, facts)
    return judgements


def columns(matrix: Matrix) -> list[Column]:
    """The columns of the matrix, in order."""
    return list(dict.fromkeys(column for _, column in matrix))


def verdicts(matrix: Matrix) -> pd.DataFrame:
    """One row per claim and column, in order: claim and sentence (its key, and in a few words), reading
    (in words), strict and weak (the verdicts; None: not asked, or no weaker form)."""
    names = dict(zip(columns(matrix), short_labels(columns(matrix)), strict=True))
    short = {claim.key: claim.short for claim in CLAIMS}
    rows = [
        {
            "claim": key,
            "sentence": short[key],
            "reading": names[column],
            "strict": judged and str(judged.strict.verdict),
            "weak": judged and judged.weak and str(judged.weak.verdict),
        }
        for (key, column), judged in matrix.items()
    ]
    return pd.DataFrame(rows, dtype=object)


def notes(matrix: Matrix) -> list[str]:
    """What the names of the columns do not explain."""
    few = "paper-adam again, on only the cells shared by the readings to its right that have both methods"
    return [f"on few cells: {few}"] * (ON_FEW_CELLS in columns(matrix))
