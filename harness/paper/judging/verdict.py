"""What comes out when a claim is put to the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MOST_CELLS = 40
"""As many ids of cells as a verdict names."""


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
    """One sentence with the numbers; for OPEN also what is missing."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A claim under one reading of the paper."""

    strict: Form
    weak: Form | None = None
    """None: the claim has no weaker form."""
    sustained: Form | None = None
    """The strict form by sustained passages; None where no passage is counted."""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    """What the sentence compares, measured; fit for JSON. A count is an integer, "miss" or None: not run."""
    cells: tuple[str, ...] = ()
    """Ids of the cells that decide it, the first MOST_CELLS; none if none of its cells was asked for."""
    seeds: tuple[int, ...] = ()
    """Those that can be judged."""
    statistic: str = ""
    """What `interval` is of, in words."""
    interval: tuple[float, float] | None = None
    """Smallest and largest over the seeds, inf for a miss; None with fewer than two seeds."""

    @property
    def forms(self) -> dict[str, Form | None]:
        """By name."""
        return {"strict": self.strict, "weak": self.weak, "sustained": self.sustained}


NOT_ASKED = Judged(strict=Form(verdict=Verdict.OPEN, why="none of its cells was asked for"))
