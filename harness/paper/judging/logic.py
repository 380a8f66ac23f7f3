"""Three-valued logic: what is unknown leaves bounds, and there is an answer if both bounds agree."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from harness.paper.judging.verdict import Verdict

Answer = bool | None
"""None: cannot be told."""


def all_of(answers: Iterable[Answer]) -> Answer:
    """False as soon as one is, whatever the others are; True without any."""
    values = list(answers)
    return False if False in values else None if None in values else True


def any_of(answers: Iterable[Answer]) -> Answer:
    """True as soon as one is, whatever the others are; False without any."""
    return not_(all_of(not_(value) for value in answers))


def not_(answer: Answer) -> Answer:
    """True for False and the reverse; None stays None."""
    return None if answer is None else not answer


def verdict(answer: Answer) -> Verdict:
    """True: holds; False: fails; None: cannot be told."""
    return Verdict.OPEN if answer is None else Verdict.HOLDS if answer else Verdict.FAILS


def at_most(a: float, b: float) -> Answer:
    """Whether a <= b, for counts: two misses are equal; None if one was not run (NaN)."""
    return None if math.isnan(a) or math.isnan(b) else a <= b


def less(a: float, b: float) -> Answer:
    """Whether a < b, for counts; see at_most."""
    return not_(at_most(b, a))


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many of `total` have a property, with `unknown` of which it cannot be told."""

    yes: int
    unknown: int
    total: int

    @property
    def low(self) -> float:
        """The least it can be; NaN if `total` is 0."""
        return self.yes / self.total if self.total else math.nan

    @property
    def high(self) -> float:
        """The most it can be; NaN if `total` is 0."""
        return (self.yes + self.unknown) / self.total if self.total else math.nan

    def at_least(self, least: float) -> Answer:
        """None if the bounds disagree, or `total` is 0."""
        if not self.total or self.low < least <= self.high:
            return None
        return self.low >= least

    def more_than(self, bound: float) -> Answer:
        """None if the bounds disagree, or `total` is 0."""
        if not self.total or self.low <= bound < self.high:
            return None
        return self.low > bound

    def within(self, least: float, most: float) -> Answer:
        """In [least, most]."""
        return all_of((self.at_least(least), not_(self.more_than(most))))

    def words(self, noun: str) -> str:
        """31 of 36 cells (share 0.86)."""
        if not self.total:
            return f"0 of 0 {noun}"
        if not self.unknown:
            return f"{self.yes} of {self.total} {noun} (share {self.low:.2f})"
        bounds = f"{self.low:.2f} to {self.high:.2f}"
        return f"{self.yes} of {self.total} {noun} (share {bounds}, {self.unknown} {Verdict.OPEN})"


def share(answers: Iterable[Answer]) -> Share:
    """How many of these answers are True, and how many are unknown."""
    values = list(answers)
    return Share(yes=values.count(True), unknown=values.count(None), total=len(values))


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a number lies between. `high` is inf if nothing bounds it."""

    low: float
    high: float

    def below(self, other: Bounds) -> Answer:
        """Whether it is less than the other for certain; None: they overlap."""
        return True if self.high < other.low else False if self.low >= other.high else None

    @property
    def exact(self) -> bool:
        return self.low == self.high
