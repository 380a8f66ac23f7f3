"""Tables of the verdicts."""

from __future__ import annotations

from functools import lru_cache

from harness.common import places
from harness.common.text import markdown_table
from harness.paper import evidence
from harness.paper import matrix as judging
from harness.paper.claims import CLAIMS
from harness.paper.page.cells import NONE, span
from harness.paper.reading import MAIN

PAPER = (
    ("C1", "(1e-3, 1e-5), to 2.5", "MAML does not reach it in 500, Alpha-MAML does for some choices"),
    ("C2", "(1e-4, 1e-6), to 2.5", "MAML does not reach it in 500, Alpha-MAML does for half of the choices"),
    ("C4", "(1e-4, 1e-6), to 2.99", "MAML takes 165, Alpha-MAML fewer than 15 for a wide range of choices"),
    ("C5", "(1e-5, 1e-7), to 2.99", "Alpha-MAML takes fewer than MAML for most choices"),
)
"""(claim, start and target, what the paper says): each claim counts the share that the paper speaks of."""


def paper() -> str:
    """The paper's numbers beside ours: the median over the seeds, and the range."""
    verdicts = matrix()
    rows = []
    for key, what, theirs in PAPER:
        judged = verdicts[key, MAIN]
        by_seed = judged.numbers["first"].values() if judged else ()
        shares = [numbers["share"][0] for numbers in by_seed]
        missed = sum(numbers["maml"] == "miss" for numbers in by_seed)
        rows.append([key, what, theirs, f"{missed} of {len(shares)} seeds", span(shares, ".2f")])
    head = ["", "what", "the paper", "ours: MAML misses", "ours: share of the choices"]
    return markdown_table(head, rows)


def claims() -> str:
    """Every sentence under `paper-adam`, and why; C13 and C16 are judged once."""
    verdicts = matrix()
    first = judging.columns(verdicts)[0]
    rows = []
    for claim in CLAIMS:
        judged = verdicts[claim.key, first if claim.everywhere else None]
        if judged is not None:
            forms = [NONE if form is None else form.verdict for form in judged.forms.values()]
            rows.append([claim.key, claim.short, *forms, judged.strict.why.replace("|", "/")])
    return markdown_table(["", "sentence", "strict", "weak", "sustained", "why"], rows)


@lru_cache(maxsize=1)
def matrix() -> judging.Matrix:
    """The claims judged by the reference records alone, once per process."""
    known = evidence.gather(places.RESULTS, reference_only=True)
    return judging.matrix(known.records, known.facts)
