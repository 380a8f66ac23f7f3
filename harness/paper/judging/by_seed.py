"""A claim judged seed by seed, by first and by sustained passages, and without each edge of the grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.paper.definitions import DIAGONALS, HYPER_RATES, Passage
from harness.paper.judging.boards import Pair, Place, SeedCounts, counts_by_seed
from harness.paper.judging.logic import Answer, verdict
from harness.paper.judging.verdict import MOST_CELLS, NOT_ASKED, Form, Judged, Verdict
from harness.paper.reading import Facts, Records
from harness.paper.words import rate
from harness.records.passages import first_passage, sustained_passage


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one seed says about a claim."""

    strict: Answer
    why: str
    """The numbers behind both forms, in a sentence."""
    numbers: Mapping[str, Any]
    places: tuple[Place, ...]
    """The cells that decide it."""
    weak: Answer = None
    value: float = math.nan
    """Value of the rule's statistic."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How a claim about counts is judged. Called with the records of one reading, it judges them."""

    find: Callable[[SeedCounts, Sequence[Pair]], Finding | None]
    """(counts of one seed, the preset's diagonal) -> finding; None: none of its cells was asked for."""
    statistic: str
    weak: bool = False
    """Whether it has a weaker form."""
    grid: bool = False
    """Whether it depends on a share of the hyper-rates, or on all of them."""

    def __call__(self, records: Records, facts: Facts) -> Judged:
        """The claim under one reading, over all its seeds."""
        first, sustained = (
            _findings(self, records, passage) for passage in (first_passage, sustained_passage)
        )
        if not first.by_seed:
            return NOT_ASKED
        numbers: dict[str, Any] = {"first": first.numbers, "sustained": sustained.numbers}
        if first.without:
            numbers["edges"] = {
                name: str(judged) for name, judged in first.verdicts_without("strict").items()
            }
        return Judged(
            strict=first.form("strict"),
            weak=first.form("weak") if self.weak else None,
            sustained=sustained.form("strict"),
            numbers=numbers,
            cells=first.cells,
            seeds=decided(_forms(first.by_seed, "strict")),
            statistic=self.statistic,
            interval=interval(finding.value for finding in first.by_seed.values()),
        )


@dataclass(frozen=True, kw_only=True)
class _Findings:
    """A rule's findings for one kind of passage."""

    by_seed: dict[int, Finding]
    cells: tuple[str, ...]
    without: dict[str, dict[int, Finding]]
    """Edge of the grid -> the findings with it left out."""

    @property
    def numbers(self) -> dict[str, Any]:
        return {str(seed): finding.numbers for seed, finding in self.by_seed.items()}

    def form(self, which: str) -> Form:
        """`which`: strict or weak."""
        return unless_edges_decide(over_seeds(_forms(self.by_seed, which)), self.verdicts_without(which))

    def verdicts_without(self, which: str) -> dict[str, Verdict]:
        """Edge left out -> verdict."""
        return {name: over_seeds(_forms(by_seed, which)).verdict for name, by_seed in self.without.items()}


def _forms(by_seed: Mapping[int, Finding], which: str) -> dict[int, Form]:
    return {seed: Form(verdict=verdict(getattr(f, which)), why=f.why) for seed, f in by_seed.items()}


def _findings(rule: Rule, records: Records, passage: Passage) -> _Findings:
    seeds, pairs = counts_by_seed(records, passage), DIAGONALS[records.reading.preset]

    def findings(seeds: Iterable[SeedCounts]) -> dict[int, Finding]:
        by_seed = ((counts.seed, rule.find(counts, pairs)) for counts in seeds)
        return {seed: finding for seed, finding in by_seed if finding is not None}

    whole = findings(seeds)
    cells = [c.ids[place] for c in seeds if c.seed in whole for place in whole[c.seed].places]
    edges = _edges(seeds, pairs) if rule.grid else {}
    without = {name: findings([counts.without(*edge) for counts in seeds]) for name, edge in edges.items()}
    return _Findings(
        by_seed=whole,
        cells=tuple(cells[:MOST_CELLS]),
        without={name: by_seed for name, by_seed in without.items() if by_seed},
    )


def _edges(seeds: Sequence[SeedCounts], pairs: Sequence[Pair]) -> dict[str, tuple[int, float]]:
    """The smallest and the largest value of each hyper-rate, by name, where a share can be judged."""
    asked = [
        choice
        for counts in seeds
        for pair in pairs
        if pair in counts.enough
        for choice in next(iter(counts.boards.values())).alpha[pair]
    ]
    return {
        f"{name} {rate(value)}": (axis, value)
        for axis, name in enumerate(HYPER_RATES)
        for value in sorted({end(choice[axis] for choice in asked) for end in (min, max)} if asked else ())
    }


def by_target(finding: Finding, others: Mapping[float, Finding | None]) -> Finding:
    """The finding, its numbers replaced by those and the verdict for each target."""
    numbers = {
        f"{target:g}": {"verdict": str(verdict(other.strict))} | dict(other.numbers)
        for target, other in others.items()
        if other
    }
    return replace(finding, numbers=numbers)


def over_seeds(forms: Mapping[int, Form]) -> Form:
    """One verdict from those of one or more seeds: OPEN unless all seeds that can be judged agree."""
    first = next(iter(forms.values()))
    if len(forms) == 1:
        return first
    known = {seed: forms[seed] for seed in decided(forms)}
    held = [seed for seed, form in known.items() if form.verdict is Verdict.HOLDS]
    if not known:
        return Form(
            verdict=Verdict.OPEN, why=f"it {Verdict.OPEN} in any seed; seed {next(iter(forms))}: {first.why}"
        )
    count = f"it holds in {len(held)} of {len(known)} seeds"
    undecided = f"; in {len(forms) - len(known)} it {Verdict.OPEN}" * (len(known) < len(forms))
    examples = [next(iter(known))]
    if 0 < len(held) < len(known):
        examples = sorted((held[0], next(seed for seed in known if seed not in held)))
    whys = "".join(f"; seed {seed}: {known[seed].why}" for seed in examples)
    whole = Verdict.OPEN if len(examples) > 1 else known[examples[0]].verdict
    return Form(verdict=whole, why=count + undecided + whys)


def decided(forms: Mapping[int, Form]) -> tuple[int, ...]:
    """The seeds whose verdict is not OPEN."""
    return tuple(seed for seed, form in forms.items() if form.verdict is not Verdict.OPEN)


def unless_edges_decide(whole: Form, without: Mapping[str, Verdict]) -> Form:
    """OPEN if leaving out an edge of the grid reverses the verdict; `without`: edge left out -> verdict."""
    opposite = {Verdict.HOLDS: Verdict.FAILS, Verdict.FAILS: Verdict.HOLDS}.get(whole.verdict)
    flips = [edge for edge, judged in without.items() if judged is opposite]
    if not flips or opposite is None:
        return whole
    edges = " or ".join(f"without {edge}" for edge in flips)
    why = f"the verdict depends on the grid's edges: {whole.verdict}, but {opposite} {edges}; {whole.why}"
    return Form(verdict=Verdict.OPEN, why=why)


def interval(values: Iterable[float]) -> tuple[float, float] | None:
    """The smallest and the largest, NaN left out; None if there are fewer than two."""
    known = [value for value in values if not math.isnan(value)]
    return (min(known), max(known)) if len(known) > 1 else None
