"""Three-valued logic: what is not known gives bounds, and only what both bounds say is told."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from harness.paper.claims.judged import Form, Verdict

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


class Share(NamedTuple):
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
    return Share(values.count(True), values.count(None), len(values))


def over_seeds(forms: Mapping[int, Form]) -> Form:
    """One verdict from that of each seed: told if all that can be told agree. At least one seed."""
    first = next(iter(forms.values()))
    if len(forms) == 1:
        return first
    told = {seed: forms[seed] for seed in tell(forms)}
    held = [seed for seed, form in told.items() if form.verdict is Verdict.HOLDS]
    if not told:
        return Form(Verdict.OPEN, f"no seed tells; seed {next(iter(forms))}: {first.why}")
    count = f"{len(held)} of {len(told)} seeds hold"
    silent = f"; {len(forms) - len(told)} not told" * (len(told) < len(forms))
    examples = [next(iter(told))]
    if 0 < len(held) < len(told):
        examples = sorted((held[0], next(seed for seed in told if seed not in held)))
    whys = "".join(f"; seed {seed}: {told[seed].why}" for seed in examples)
    decided = Verdict.OPEN if len(examples) > 1 else told[examples[0]].verdict
    return Form(decided, count + silent + whys)


def tell(forms: Mapping[int, Form]) -> tuple[int, ...]:
    """The seeds whose verdict is told."""
    return tuple(seed for seed, form in forms.items() if form.verdict is not Verdict.OPEN)


def unless_it_hangs(whole: Form, edges: Mapping[str, Verdict]) -> Form:
    """OPEN if the verdict turns with an edge of the grid left out; `edges`: name -> verdict then."""
    opposite = {Verdict.HOLDS: Verdict.FAILS, Verdict.FAILS: Verdict.HOLDS}.get(whole.verdict)
    flips = [name for name, then in edges.items() if then is opposite]
    if not flips or opposite is None:
        return whole
    without = " or ".join(f"without {name}" for name in flips)
    why = f"it hangs on the grid's edges: {whole.verdict}, but {opposite} {without}; {whole.why}"
    return Form(Verdict.OPEN, why)


def interval(values: Iterable[float]) -> tuple[float, float] | None:
    """Least and largest of those that are no NaN; None of fewer than two."""
    known = [value for value in values if not math.isnan(value)]
    return (min(known), max(known)) if len(known) > 1 else None
