"""What comes out when a claim is put to the records."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple


class Verdict(StrEnum):
    """Three values: what the records do not tell is never guessed."""

    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "cannot be told"


class Form(NamedTuple):
    """One form of a claim, judged."""

    verdict: Verdict
    why: str
    """One sentence with the numbers; for OPEN also what is missing."""


class Judged(NamedTuple):
    """A claim under one reading of the paper."""

    strict: Form
    weak: Form | None = None
    """None: the claim has no weaker form."""
    sustained: Form | None = None
    """The strict form by sustained passages; None where no passage is counted."""
    numbers: dict[str, Any] = {}  # noqa: RUF012 (a NamedTuple's default, never changed)
    """What the sentence compares, measured; fit for JSON. A count is an integer, "miss" or None: not run."""
    cells: tuple[str, ...] = ()
    """Ids of the cells that decide it, the first 40; none if none of the claim's cells was asked."""
    seeds: tuple[int, ...] = ()
    """Those that tell."""
    statistic: str = ""
    """What `interval` is of, in words."""
    interval: tuple[float, float] | None = None
    """Least and largest over the seeds, inf for a miss; None with fewer than two seeds."""
