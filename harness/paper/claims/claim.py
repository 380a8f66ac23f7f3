"""What a claim is: a sentence of the paper, and the predicate that judges it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.paper.judging.verdict import Judged
from harness.paper.reading import Facts, Records


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One sentence of Behl, Baydin and Torr (2019)."""

    key: str
    place: str
    """Where it is in the paper."""
    sentence: str
    """Its words, with '...' where some are left out."""
    short: str
    """In a few words, for tables and figures."""
    strict: str
    """The predicate, in words."""
    judge: Callable[[Records, Facts], Judged]
    weak: str | None = None
    """The weaker form; None: there is none."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    """What this claim's words are taken to mean."""
    everywhere: bool = True
    """Whether it is judged under every reading. False: no reading changes it, so it is judged once."""
