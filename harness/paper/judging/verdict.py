"""What comes out when a claim is judged by the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MOST_CELLS = 40
"""A verdict names at most this many cells."""


class Verdict(StrEnum):
    """Three values: what the records cannot tell is never guessed."""

    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "cannot be told"


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form of a claim, judged."""

    verdict: Verdict
    why: str
    """The numbers in one sentence; for OPEN also what is missing."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A claim under one reading of the paper."""

    strict: Form
    weak: Form | None = None
    """None: the claim has no weaker form."""
    sustained: Form | None = None
    """The strict form judged by sustained passages; None: the claim counts no passages."""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    """The numbers behind the verdict, fit for JSON. A count is an integer, "miss" or None: not run."""
    cells: tuple[str, ...] = ()
    """Ids of the cells that decide it, at most MOST_CELLS; none if none of its cells was asked for."""
    seeds: tuple[int, ...] = ()
    """The seeds that can be judged."""
    statistic: str = ""
    """What `interval` is an interval of, in words."""
    interval: tuple[float, float] | None = None
    """Smallest and largest over the seeds, inf for a miss; None with fewer than two seeds."""

    @property
    def forms(self) -> dict[str, Form | None]:
        """Name -> form."""
        return {"strict": self.strict, "weak": self.weak, "sustained": self.sustained}


NOT_ASKED = Judged(strict=Form(verdict=Verdict.OPEN, why="none of its cells was asked for"))
