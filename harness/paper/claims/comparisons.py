"""The claims that compare counts all over the board: C6 (very slow), C7 (fast too) and C8 (never slower)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.paper.claims import definitions
from harness.paper.claims.boards import Board, Pair, Place, Run
from harness.paper.claims.definitions import AS_FAST, FAST, TARGETS, VERY_SLOW, at
from harness.paper.claims.judged import Judged
from harness.paper.claims.logic import Told, all_of, at_most, share
from harness.paper.claims.rules import Finding, Rule, by_target, judge, said, shown
from harness.paper.reading import Facts, Records

LOW = TARGETS[0]
FEW = "; asked on few cells"
WORST = 10
"""Violations that are listed."""


def c6(records: Records, facts: Facts) -> Judged:
    """Three and four decades below the tuned pair MAML is very slow, to both targets; weak: to 2.5."""
    return judge(Rule(_c6, "the lesser of MAML's counts there over its fastest, to 2.5", weak=True), records)


def c7(records: Records, facts: Facts) -> Judged:
    """Where MAML is fast to 2.5, Alpha-MAML is with every choice of hyper-rates; weak: with nearly all."""
    return judge(Rule(_c7, "largest count of Alpha-MAML over MAML's there", weak=True, grid=True), records)


def c8(records: Records, facts: Facts) -> Judged:
    """Alpha-MAML takes at most as many iterations to 2.5 as MAML in every cell; weak: in nearly all."""
    return judge(Rule(_c8, "share of the cells in which it takes more", weak=True, grid=True), records)


def _c6(run: Run, pairs: Sequence[Pair]) -> Finding | None:
    slow = pairs[3:]
    asked: tuple[Place, ...] = tuple((pair, None) for pair in pairs if pair in run.boards[LOW].maml)
    if not all(any((pair, None) in asked for pair in some) for some in (slow, pairs[:3])):
        return None  # slow beside which?
    by = {target: _very_slow(board, slow, pairs) for target, board in run.boards.items()}
    strict, why = all_of(found.strict for found in by.values()), "; ".join(f.why for f in by.values())
    whole = Finding(strict, why, {}, asked, by[LOW].strict, by[LOW].value)
    return by_target(whole, by)


def _very_slow(board: Board, slow: Sequence[Pair], pairs: Sequence[Pair]) -> Finding:
    fastest = _fastest(board, pairs)
    counts = {pair: board.count_at((pair, None)) for pair in slow}
    texts = (f"{said(count, board.target, board.budget)} at {at(pair)}" for pair, count in counts.items())
    return Finding(
        all_of(_slow(count, fastest, _whole(board, pairs)) for count in counts.values()),
        f"MAML's fastest {said(fastest, board.target, board.budget)}; it {' and '.join(texts)}",
        {"fastest": shown(fastest)} | {at(pair): shown(count) for pair, count in counts.items()},
        (),
        value=min(count if math.isinf(count) else count / fastest for count in counts.values()),
    )


def _fastest(board: Board, pairs: Sequence[Pair]) -> float:
    """MAML's least count of these pairs, of those run; NaN of none."""
    counts = (board.count_at((pair, None)) for pair in pairs)
    return min((count for count in counts if not math.isnan(count)), default=math.nan)


def _whole(board: Board, pairs: Sequence[Pair]) -> bool:
    """Whether MAML was run at all of these pairs that were asked."""
    return not any(math.isnan(board.maml[pair]) for pair in pairs if pair in board.maml)


def _slow(count: float, fastest: float, whole: bool) -> Told:
    """Very slow, beside the fastest known: a pair that was not run may be faster still, never slower."""
    if math.isnan(count):
        return None
    if math.isinf(count) or count >= VERY_SLOW * fastest:
        return True
    return False if whole else None


def _c7(run: Run, pairs: Sequence[Pair]) -> Finding | None:
    by = {target: _all_fast(run, board, pairs) for target, board in run.boards.items()}
    low = by[LOW]
    return low and by_target(low, by)


def _all_fast(run: Run, board: Board, pairs: Sequence[Pair]) -> Finding | None:
    both = [pair for pair in pairs if pair in board.maml and board.alpha.get(pair)]
    if not both:
        return None
    limit = FAST * _fastest(board, pairs)
    fast = [pair for pair in both if math.isfinite(count := board.maml[pair]) and count <= limit]
    ratios: dict[Place, float] = {
        (pair, hyper): count / board.maml[pair] for pair in fast for hyper, count in board.alpha[pair].items()
    }
    quick = share(at_most(ratio, AS_FAST) for ratio in ratios.values())
    enough = all(pair in run.enough for pair in fast)
    told = bool(fast) and enough and _whole(board, pairs)
    where = ", ".join(f"{at(pair)} ({shown(board.maml[pair])})" for pair in fast) or "no pair that was run"
    slowest = sorted((place for place in ratios if ratios[place] > AS_FAST), key=lambda place: -ratios[place])
    largest = max((ratio for ratio in ratios.values() if not math.isnan(ratio)), default=math.nan)
    end = "misses" if math.isinf(largest) else f"takes {largest:.2f} times as many"
    return Finding(
        quick.at_least(1) if told else None,
        f"MAML is fast to {board.target:g} at {where}; {quick.words('Alpha-MAML cells')} there are too"
        + f", the slowest {end}" * bool(ratios)
        + FEW * (not enough),
        {
            "fast": {at(pair): shown(board.maml[pair]) for pair in fast},
            "cells": quick.yes,
            "not told": quick.unknown,
            "of": quick.total,
            "largest ratio": shown(largest),
        },
        (*((pair, None) for pair in fast or both), *(slowest or ratios)),
        quick.at_least(definitions.NEARLY_ALL) if told else None,
        largest,
    )


def _c8(run: Run, pairs: Sequence[Pair]) -> Finding | None:
    by = {target: _never_slower(run, board, pairs) for target, board in run.boards.items()}
    low = by[LOW]
    return low and by_target(low, by)


def _never_slower(run: Run, board: Board, pairs: Sequence[Pair]) -> Finding | None:
    """In every cell asked on the diagonal; of those elsewhere, wherever both methods were run."""
    both = [pair for pair in board.alpha if pair in board.maml and board.alpha[pair]]
    told: dict[Place, Told] = {
        (pair, hyper): at_most(count, board.maml[pair])
        for pair in both
        for hyper, count in board.alpha[pair].items()
    }
    told = {place: value for place, value in told.items() if value is not None or place[0] in pairs}
    if not told:
        return None
    enough = all(pair in run.enough for pair in both if pair in pairs) and any(p in pairs for p in both)
    never = share(told.values())
    more = {place: board.count_at(place) - board.maml[place[0]] for place in told if told[place] is False}
    worst = sorted(more, key=lambda place: -more[place])
    largest = more[worst[0]] if worst else math.nan
    end = "misses where MAML does not" if math.isinf(largest) else f"takes {largest:g} more"
    maml: tuple[Place, ...] = tuple((pair, None) for pair in both)
    return Finding(
        never.at_least(1) if enough else None,
        f"{never.words('Alpha-MAML cells')} take at most as many iterations to {board.target:g} as MAML"
        + f", the worst {end}" * bool(worst)
        + FEW * (not enough),
        {
            "cells": never.yes,
            "not told": never.unknown,
            "of": never.total,
            "violations": len(worst),
            "worst": [_violation(board, place) for place in worst[:WORST]],
        },
        (*worst, *maml),
        never.at_least(definitions.NEARLY_ALWAYS) if enough else None,
        len(worst) / never.total if not never.unknown else math.nan,
    )


def _violation(board: Board, place: Place) -> dict[str, object]:
    pair, hyper = place
    assert hyper is not None
    return {
        "pair": at(pair),
        "hyper-rates": at(hyper),
        "maml": shown(board.maml[pair]),
        "alpha-maml": shown(board.count_at(place)),
    }
