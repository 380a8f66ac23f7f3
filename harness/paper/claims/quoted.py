"""The claims that quote a pair of initial rates and what happened there: C1 to C5."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from harness.cell import PRESETS
from harness.paper.claims import definitions
from harness.paper.claims.boards import Board, Pair, Place, Run, runs
from harness.paper.claims.definitions import ENOUGH_SEEDS, FEW_ITERATIONS, HALF, PAPER_COUNT, TARGETS
from harness.paper.claims.judged import Form, Judged, Verdict
from harness.paper.claims.logic import Share, Told, all_of, interval, less, share
from harness.paper.claims.rules import MOST_CELLS, NOT_ASKED, Finding, Rule, judge, said, shown
from harness.paper.reading import Facts, Reading, Records

LOW, HIGH = TARGETS


def c1(records: Records, facts: Facts) -> Judged:
    """Two decades below the tuned pair MAML misses 2.5, and some Alpha-MAML reaches it."""
    return judge(Rule(_c1, "share of the hyper-rates that reach 2.5"), records)


def c2(records: Records, facts: Facts) -> Judged:
    """Three decades below MAML misses 2.5, and half of the Alpha-MAMLs reach it; weak: some."""
    return judge(Rule(_c2, "share of the hyper-rates that reach 2.5", weak=True, grid=True), records)


def c3(records: Records, facts: Facts) -> Judged:
    """Three decades below MAML takes 165 iterations to 2.99: the paper's count is among the seeds'."""
    counts, ids = _maml_over_seeds(records, "first")
    if not ids:
        return NOT_ASKED
    lasting, _ = _maml_over_seeds(records, "sustained")
    noise = _noise(records.reading, facts)
    return Judged(
        _among(counts, noise),
        sustained=_among(lasting),
        numbers={
            "first": {str(seed): shown(count) for seed, count in counts.items()},
            "sustained": {str(seed): shown(count) for seed, count in lasting.items()},
            "paper": PAPER_COUNT,
            "noise": noise,
        },
        cells=ids[:MOST_CELLS],
        seeds=tuple(seed for seed, count in counts.items() if not math.isnan(count)),
        statistic="MAML's iterations to 2.99",
        interval=interval(counts.values()),
    )


def c4(records: Records, facts: Facts) -> Judged:
    """Three decades below Alpha-MAML takes less than 15 iterations to 2.99 for a wide range."""
    return judge(Rule(_c4, "share of the hyper-rates under 15 iterations", weak=True, grid=True), records)


def c5(records: Records, facts: Facts) -> Judged:
    """Four decades below most Alpha-MAMLs take fewer iterations to 2.99 than MAML."""
    return judge(Rule(_c5, "share of the hyper-rates that take fewer", grid=True), records)


class _Panel(NamedTuple):
    """One pair of initial rates: MAML's count beside the hyper-rates'."""

    board: Board
    pair: Pair
    enough: bool
    """Whether a share of its hyper-rates can be told."""

    @property
    def maml(self) -> float:
        return self.board.count_at((self.pair, None))

    @property
    def places(self) -> tuple[Place, ...]:
        """Those asked."""
        maml: tuple[Place, ...] = ((self.pair, None),) if self.pair in self.board.maml else ()
        return (*maml, *((self.pair, hyper) for hyper in self.board.alpha.get(self.pair, {})))

    def share(self, test: Callable[[float], Told]) -> Share:
        """Of the hyper-rates asked."""
        return share(test(count) for count in self.board.alpha.get(self.pair, {}).values())

    def finding(self, strict: Told, weak: Told, of: Share, what: str) -> Finding:
        """`of`: the hyper-rates that did `what`."""
        few = "" if self.enough else "; asked on few cells"
        maml = said(self.maml, self.board.target, self.board.budget)
        numbers: dict[str, Any] = {"pair": definitions.at(self.pair), "maml": shown(self.maml)}
        return Finding(
            strict,
            f"at {definitions.at(self.pair)} MAML {maml}; {of.words('Alpha-MAML cells')} {what}{few}",
            numbers | {"cells": of.yes, "not told": of.unknown, "of": of.total, "share": [of.low, of.high]},
            self.places,
            weak,
            math.nan if of.unknown else of.low,
        )


def _panel(run: Run, target: float, pair: Pair) -> _Panel | None:
    """None: nothing was asked there."""
    panel = _Panel(run.boards[target], pair, pair in run.enough)
    return panel if panel.board.alpha.get(pair) else None


def _c1(run: Run, pairs: Sequence[Pair]) -> Finding | None:
    if (panel := _panel(run, LOW, pairs[2])) is None:
        return None
    reached = panel.share(_passed)
    # One that reaches it is enough; that there is none, a few cells do not tell.
    some = reached.more_than(0) or (False if panel.enough and not reached.unknown else None)
    return panel.finding(all_of((_missed(panel.maml), some)), None, reached, "reached it")


def _c2(run: Run, pairs: Sequence[Pair]) -> Finding | None:
    if (panel := _panel(run, LOW, pairs[3])) is None:
        return None
    reached = panel.share(_passed)
    strict, weak = (
        all_of((_missed(panel.maml), told if panel.enough else None))
        for told in (reached.within(*HALF), reached.more_than(0))
    )
    return panel.finding(strict, weak, reached, "reached it")


def _c4(run: Run, pairs: Sequence[Pair]) -> Finding | None:
    if (panel := _panel(run, HIGH, pairs[3])) is None:
        return None
    fast = panel.share(lambda count: less(count, FEW_ITERATIONS))
    strict, weak = (
        fast.at_least(least) if panel.enough else None for least in (definitions.WIDE, definitions.WIDE_WEAK)
    )
    return panel.finding(strict, weak, fast, f"took fewer than {FEW_ITERATIONS}")


def _c5(run: Run, pairs: Sequence[Pair]) -> Finding | None:
    if (panel := _panel(run, HIGH, pairs[4])) is None:
        return None
    fewer = panel.share(lambda count: less(count, panel.maml))
    most = fewer.more_than(definitions.MOST) if panel.enough else None
    return panel.finding(most, None, fewer, "took fewer")


def _passed(count: float) -> Told:
    return None if math.isnan(count) else math.isfinite(count)


def _missed(count: float) -> Told:
    return None if math.isnan(count) else math.isinf(count)


def _maml_over_seeds(records: Records, passage: str) -> tuple[dict[int, float], tuple[str, ...]]:
    """MAML's count to 2.99 three decades below the tuned pair, by seed, and the cells' ids."""
    place: Place = (definitions.DIAGONALS[records.reading.preset][3], None)
    asked = [run for run in runs(records, passage) if place in run.ids]
    counts = {run.seed: run.boards[HIGH].count_at(place) for run in asked}
    return counts, tuple(run.ids[place] for run in asked)


def _noise(reading: Reading, facts: Facts) -> dict[str, Any] | None:
    """What the noise study says of networks that do not learn under this reading; None: nothing."""
    changed, preset = reading.fields, PRESETS[reading.preset]
    if facts.noise is None or changed.keys() - {"head_init", "meta_batch"}:
        return None
    head, tasks = (changed.get(name, getattr(preset, name)) for name in ("head_init", "meta_batch"))
    return facts.noise.get(head, {}).get(str(tasks))


def _among(counts: dict[int, float], noise: dict[str, Any] | None = None) -> Form:
    """Whether at least half of the seeds pass, the paper's count between the least and the largest.

    `noise` is told beside it and decides nothing.
    """
    known = [count for count in counts.values() if not math.isnan(count)]
    finite = sorted(int(count) for count in known if math.isfinite(count))
    why = f"{len(finite)} of {len(known)} seeds passed 2.99"
    if finite:
        why += f", at {finite[0]}" if len(finite) == 1 else f", at {finite[0]} to {finite[-1]}"
    beside = f"; of networks that do not learn {noise['passed']} of {noise['inits']} pass it" if noise else ""
    if len(known) < ENOUGH_SEEDS:
        return Form(Verdict.OPEN, f"{why}; {ENOUGH_SEEDS} seeds are needed to tell{beside}")
    holds = 2 * len(finite) >= len(known) and finite[0] <= PAPER_COUNT <= finite[-1]
    return Form(Verdict.HOLDS if holds else Verdict.FAILS, f"{why}; the paper's is {PAPER_COUNT}{beside}")
