"""A claim judged seed by seed, by first and by sustained passages, and without each edge of the grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from harness.paper.claims import definitions
from harness.paper.claims.boards import Pair, Place, Run, runs
from harness.paper.claims.judged import Form, Judged, Verdict
from harness.paper.claims.logic import Told, interval, over_seeds, tell, unless_it_hangs, verdict
from harness.paper.reading import Records

MOST_CELLS = 40
HYPER_RATES = ("alpha_hyperlr", "beta_hyperlr")
NOT_ASKED = Judged(Form(Verdict.OPEN, "none of its cells was asked"))


class Finding(NamedTuple):
    """What a claim comes to in one seed."""

    strict: Told
    why: str
    """The numbers in a sentence, of both forms."""
    numbers: dict[str, Any]
    places: tuple[Place, ...]
    """That decide it."""
    weak: Told = None
    value: float = math.nan
    """Of the rule's statistic."""


class Rule(NamedTuple):
    """How a claim is judged."""

    find: Callable[[Run, Sequence[Pair]], Finding | None]
    """From one seed and the reading's diagonal; None: none of its cells was asked."""
    statistic: str
    weak: bool = False
    """Whether it has a weaker form."""
    grid: bool = False
    """Whether it depends on a share of the hyper-rates, or on all of them."""


def judge(rule: Rule, records: Records) -> Judged:
    """The claim under one reading, over all its seeds."""
    first, lasting = (_by_seed(rule, records, passage) for passage in ("first", "sustained"))
    if not first.findings:
        return NOT_ASKED
    numbers: dict[str, Any] = {"first": first.numbers, "sustained": lasting.numbers}
    if first.edges:
        numbers["edges"] = {name: str(then) for name, then in first.then("strict").items()}
    return Judged(
        first.form("strict"),
        first.form("weak") if rule.weak else None,
        lasting.form("strict"),
        numbers,
        first.cells,
        tell(first.forms("strict")),
        rule.statistic,
        interval(finding.value for finding in first.findings.values()),
    )


class _BySeed(NamedTuple):
    """A rule's findings by one kind of passage."""

    findings: dict[int, Finding]
    cells: tuple[str, ...]
    edges: dict[str, dict[int, Finding]]
    """The findings with that edge of the grid left out."""

    @property
    def numbers(self) -> dict[str, Any]:
        return {str(seed): finding.numbers for seed, finding in self.findings.items()}

    def forms(self, which: str) -> dict[int, Form]:
        return _forms(self.findings, which)

    def then(self, which: str) -> dict[str, Verdict]:
        """The verdicts without each edge."""
        return {name: over_seeds(_forms(found, which)).verdict for name, found in self.edges.items()}

    def form(self, which: str) -> Form:
        return unless_it_hangs(over_seeds(self.forms(which)), self.then(which))


def _forms(findings: dict[int, Finding], which: str) -> dict[int, Form]:
    return {seed: Form(verdict(getattr(f, which)), f.why) for seed, f in findings.items()}


def _by_seed(rule: Rule, records: Records, passage: str) -> _BySeed:
    found, pairs = runs(records, passage), definitions.DIAGONALS[records.reading.preset]

    def findings(some: Iterable[Run]) -> dict[int, Finding]:
        each = ((run.seed, rule.find(run, pairs)) for run in some)
        return {seed: finding for seed, finding in each if finding is not None}

    whole = findings(found)
    cells = [run.ids[place] for run in found if run.seed in whole for place in whole[run.seed].places]
    edges = _edges(found, pairs) if rule.grid else {}
    without = {name: findings([run.without(*edge) for run in found]) for name, edge in edges.items()}
    return _BySeed(whole, tuple(cells[:MOST_CELLS]), {name: some for name, some in without.items() if some})


def _edges(found: Sequence[Run], pairs: Sequence[Pair]) -> dict[str, tuple[int, float]]:
    """The least and the largest value of each hyper-rate, by name, where a share of them can be told."""
    asked = [
        hyper
        for run in found
        for pair in pairs
        if pair in run.enough
        for hyper in next(iter(run.boards.values())).alpha[pair]
    ]
    return {
        f"{name} {definitions.rate(value)}": (axis, value)
        for axis, name in enumerate(HYPER_RATES)
        for value in sorted({end(hyper[axis] for hyper in asked) for end in (min, max)} if asked else ())
    }


def shown(value: float) -> float | str | None:
    """A count or a number made of counts as it stands in `numbers`; None: not known."""
    if math.isnan(value) or math.isinf(value):
        return None if math.isnan(value) else "miss"
    return int(value) if value == int(value) else round(value, 4)


def said(count: float, target: float, budget: int) -> str:
    """A count in words."""
    if math.isnan(count):
        return f"was not run to {target:g}"
    return f"missed {target:g} in {budget}" if math.isinf(count) else f"took {int(count)} to {target:g}"


def by_target(finding: Finding, others: Mapping[float, Finding | None]) -> Finding:
    """The finding with the numbers and verdicts by each target."""
    return finding._replace(
        numbers={
            f"{target:g}": {"verdict": str(verdict(other.strict))} | other.numbers
            for target, other in others.items()
            if other
        }
    )
