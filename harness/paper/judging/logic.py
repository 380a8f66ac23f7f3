"""Three-valued logic: what is not known gives bounds, and only what both bounds say is told."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from harness.paper.judging.verdict import Verdict

Told = bool | None
"""None: cannot be told."""


def all_of(told: Iterable[Told]) -> Told:
    """False as soon as one is, whatever the others; True of none."""
    values = list(told)
    return False if False in values else None if None in values else True


def any_of(told: Iterable[Told]) -> Told:
    """True as soon as one is, whatever the others; False of none."""
    return not_(all_of(not_(value) for value in told))


def not_(told: Told) -> Told:
    """What is not known is not known either way."""
    return None if told is None else not told


def verdict(told: Told) -> Verdict:
    """True holds, False fails."""
    return Verdict.OPEN if told is None else Verdict.HOLDS if told else Verdict.FAILS


def at_most(a: float, b: float) -> Told:
    """a <= b of two counts: a miss ties with a miss; None if one was not run (NaN)."""
    return None if math.isnan(a) or math.isnan(b) else a <= b


def less(a: float, b: float) -> Told:
    """a < b of two counts; see at_most."""
    return not_(at_most(b, a))


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many of `total` have it; of `unknown` ones it cannot be told."""

    yes: int
    unknown: int
    total: int

    @property
    def low(self) -> float:
        """Least possible; NaN of none."""
        return self.yes / self.total if self.total else math.nan

    @property
    def high(self) -> float:
        """Largest possible; NaN of none."""
        return (self.yes + self.unknown) / self.total if self.total else math.nan

    def at_least(self, least: float) -> Told:
        """None of none."""
        if not self.total or self.low < least <= self.high:
            return None
        return self.low >= least

    def more_than(self, bound: float) -> Told:
        """None of none."""
        if not self.total or self.low <= bound < self.high:
            return None
        return self.low > bound

    def within(self, least: float, most: float) -> Told:
        """In [least, most]."""
        return all_of((self.at_least(least), not_(self.more_than(most))))

    def words(self, noun: str) -> str:
        """31 of 36 cells (share 0.86)."""
        if not self.total:
            return f"none of 0 {noun}"
        if not self.unknown:
            return f"{self.yes} of {self.total} {noun} (share {self.low:.2f})"
        bounds = f"{self.low:.2f} to {self.high:.2f}"
        return f"{self.yes} of {self.total} {noun}, {self.unknown} not told (share {bounds})"


def share(told: Iterable[Told]) -> Share:
    """Of these values, how many are true."""
    values = list(told)
    return Share(yes=values.count(True), unknown=values.count(None), total=len(values))


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a number lies between. `high` is inf where nothing bounds it."""

    low: float
    high: float

    def below(self, other: Bounds) -> Told:
        """Less than the other, for certain; None: they overlap."""
        return True if self.high < other.low else False if self.low >= other.high else None

    @property
    def exact(self) -> bool:
        return self.low == self.high
