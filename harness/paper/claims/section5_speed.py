"""The claims of Section 5 on speed: C6 (MAML is very slow), C7 (fast where MAML is), C8 (never slower)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from harness.paper.claims.claim import Claim
from harness.paper.definitions import TARGETS
from harness.paper.judging.boards import Board, Pair, Place, SeedCounts
from harness.paper.judging.by_seed import Finding, Rule, by_target
from harness.paper.judging.logic import Answer, all_of, at_most, share
from harness.paper.judging.panel import FEW
from harness.paper.judging.verdict import Verdict
from harness.paper.words import at, in_words, shown

LOW = TARGETS[0]
FAST = 2.0
"""MAML is fast up to this many times the count of its fastest pair."""
AS_FAST = 1.25
"""Alpha-MAML is fast too up to this many times MAML's count."""
VERY_SLOW = 5.0
"""MAML is very slow from this many times the count of its fastest pair."""
NEARLY_ALL = 0.9
NEARLY_ALWAYS = 0.95
WORST = 10
"""How many violations are listed."""


def _very_slow_below(counts: SeedCounts, pairs: Sequence[Pair]) -> Finding | None:
    slow = pairs[3:]
    asked: tuple[Place, ...] = tuple((pair, None) for pair in pairs if pair in counts.boards[LOW].maml)
    if not all(any((pair, None) in asked for pair in group) for group in (slow, pairs[:3])):
        return None  # nothing is slow, or there is nothing to compare it with
    by = {target: _very_slow(board, slow, pairs) for target, board in counts.boards.items()}
    strict = all_of(finding.strict for finding in by.values())
    why = "; ".join(finding.why for finding in by.values())
    whole = Finding(
        strict=strict, why=why, numbers={}, places=asked, weak=by[LOW].strict, value=by[LOW].value
    )
    return by_target(whole, by)


def _very_slow(board: Board, slow: Sequence[Pair], pairs: Sequence[Pair]) -> Finding:
    fastest = _fastest(board, pairs)
    counts = {pair: board.count_at((pair, None)) for pair in slow}
    texts = (f"{in_words(count, board.target, board.budget)} at {at(pair)}" for pair, count in counts.items())
    return Finding(
        strict=all_of(_slow(count, fastest, _whole(board, pairs)) for count in counts.values()),
        why=f"MAML's fastest run {in_words(fastest, board.target, board.budget)}; MAML {' and '.join(texts)}",
        numbers={"fastest": shown(fastest)} | {at(pair): shown(count) for pair, count in counts.items()},
        places=(),
        value=min(count if math.isinf(count) else count / fastest for count in counts.values()),
    )


def _fastest(board: Board, pairs: Sequence[Pair]) -> float:
    """MAML's smallest count over the pairs that were run; NaN if none was."""
    counts = (board.count_at((pair, None)) for pair in pairs)
    return min((count for count in counts if not math.isnan(count)), default=math.nan)


def _whole(board: Board, pairs: Sequence[Pair]) -> bool:
    """Whether MAML was run at all of these pairs that were asked for."""
    return not any(math.isnan(board.maml[pair]) for pair in pairs if pair in board.maml)


def _slow(count: float, fastest: float, whole: bool) -> Answer:
    """Whether it is very slow. A pair that was not run may be faster than the fastest known one."""
    if math.isnan(count):
        return None
    if math.isinf(count) or count >= VERY_SLOW * fastest:
        return True
    return False if whole else None


def _at_low(
    find: Callable[[SeedCounts, Board, Sequence[Pair]], Finding | None],
    counts: SeedCounts,
    pairs: Sequence[Pair],
) -> Finding | None:
    """The finding by the lower target, with the numbers of both."""
    by = {target: find(counts, board, pairs) for target, board in counts.boards.items()}
    low = by[LOW]
    return low and by_target(low, by)


def _all_fast(counts: SeedCounts, board: Board, pairs: Sequence[Pair]) -> Finding | None:
    both = board.pairs_of_both(pairs)
    if not both:
        return None
    limit = FAST * _fastest(board, pairs)
    fast = [pair for pair in both if math.isfinite(count := board.maml[pair]) and count <= limit]
    ratios: dict[Place, float] = {
        (pair, choice): count / board.maml[pair]
        for pair in fast
        for choice, count in board.alpha[pair].items()
    }
    quick = share(at_most(ratio, AS_FAST) for ratio in ratios.values())
    enough = all(pair in counts.enough for pair in fast)
    known = bool(fast) and enough and _whole(board, pairs)
    where = (
        ", ".join(f"{at(pair)} ({shown(board.maml[pair])} iterations)" for pair in fast)
        or "no pair that was run"
    )
    slowest = sorted((place for place in ratios if ratios[place] > AS_FAST), key=lambda place: -ratios[place])
    largest = max((ratio for ratio in ratios.values() if not math.isnan(ratio)), default=math.nan)
    end = "never reaches it" if math.isinf(largest) else f"takes {largest:.2f} times as many iterations"
    return Finding(
        strict=quick.at_least(1) if known else None,
        why=f"MAML reaches {board.target:g} fast at {where}; {quick.words('Alpha-MAML cells')} "
        f"are fast there too" + f"; the slowest {end}" * bool(ratios) + FEW * (not enough),
        numbers={
            "fast": {at(pair): shown(board.maml[pair]) for pair in fast},
            "cells": quick.yes,
            str(Verdict.OPEN): quick.unknown,
            "of": quick.total,
            "largest ratio": shown(largest),
        },
        places=(*((pair, None) for pair in fast or both), *(slowest or ratios)),
        weak=quick.at_least(NEARLY_ALL) if known else None,
        value=largest,
    )


def _never_slower(counts: SeedCounts, board: Board, pairs: Sequence[Pair]) -> Finding | None:
    """Judged by every cell of the diagonal, and elsewhere by those where both methods were run."""
    both = [pair for pair in board.alpha if pair in board.maml and board.alpha[pair]]
    answers: dict[Place, Answer] = {
        (pair, choice): at_most(count, board.maml[pair])
        for pair in both
        for choice, count in board.alpha[pair].items()
    }
    answers = {place: value for place, value in answers.items() if value is not None or place[0] in pairs}
    if not answers:
        return None
    enough = all(pair in counts.enough for pair in both if pair in pairs) and any(p in pairs for p in both)
    never = share(answers.values())
    more = {
        place: board.count_at(place) - board.maml[place[0]] for place in answers if answers[place] is False
    }
    worst = sorted(more, key=lambda place: -more[place])
    largest = more[worst[0]] if worst else math.nan
    end = "never reaches it where MAML does" if math.isinf(largest) else f"takes {largest:g} more"
    maml: tuple[Place, ...] = tuple((pair, None) for pair in both)
    return Finding(
        strict=never.at_least(1) if enough else None,
        why=f"{never.words('Alpha-MAML cells')} take at most as many iterations to reach {board.target:g} as "
        "MAML" + f"; the worst {end}" * bool(worst) + FEW * (not enough),
        numbers={
            "cells": never.yes,
            str(Verdict.OPEN): never.unknown,
            "of": never.total,
            "violations": len(worst),
            "worst": [_violation(board, place) for place in worst[:WORST]],
        },
        places=(*worst, *maml),
        weak=never.at_least(NEARLY_ALWAYS) if enough else None,
        value=len(worst) / never.total if not never.unknown else math.nan,
    )


def _violation(board: Board, place: Place) -> dict[str, object]:
    pair, choice = place
    assert choice is not None
    return {
        "pair": at(pair),
        "hyper-rates": at(choice),
        "maml": shown(board.maml[pair]),
        "alpha-maml": shown(board.count_at(place)),
    }


C6 = Claim(
    key="C6",
    place="Section 5",
    sentence="It can be seen that MAML shows very slow convergence for a range of initial "
    "learning rates, more specifically for α0 = 1e− 4, β0 = 1e− 6 and α0 = 1e− 5, β0 "
    "= 1e− 7.",
    short="3 and 4 decades off, MAML is very slow",
    strict=f"at both pairs and for both targets MAML takes at least {VERY_SLOW:g} times as many iterations "
    "as at its fastest pair, or misses",
    weak="the same for 2.5 alone",
    meanings={
        "very slow": f"at least {VERY_SLOW:g} times the count of MAML's fastest pair for that target, "
        "or a miss"
    },
    judge=Rule(
        find=_very_slow_below,
        statistic="the smaller of MAML's counts at the two pairs, divided by its fastest, to 2.5",
        weak=True,
    ),
)
C7 = Claim(
    key="C7",
    place="Section 5",
    sentence="For the cases where MAML shows fast convergence, Alpha MAML also shows fast "
    "convergence for all values of αhyperlr and βhyperlr.",
    short="where MAML is fast, so is every Alpha-MAML run",
    strict=f"where MAML is fast, every choice of the hyper-rates takes at most {AS_FAST:g} times "
    "MAML's iterations to 2.5",
    weak=f"at least {NEARLY_ALL:g} of them do",
    meanings={
        "fast": f"at most {FAST:g} times the count of MAML's fastest pair for that target; Alpha-MAML is "
        f"fast too if it takes at most {AS_FAST:g} times MAML's count",
        "all": f"every choice of the hyper-rates; weak: at least {NEARLY_ALL:g} of them",
    },
    judge=Rule(
        find=partial(_at_low, _all_fast),
        statistic="Alpha-MAML's largest count to 2.5 divided by MAML's, where MAML is fast",
        weak=True,
        grid=True,
    ),
)
C8 = Claim(
    key="C8",
    place="Section 5",
    sentence="This indicates that in practice no matter which values one chooses for the "
    "inital learning and meta-learning rates α0 and β0, Alpha MAML always shows "
    "faster, or in the worst case the same, convergence as MAML.",
    short="Alpha-MAML is never slower than MAML",
    strict="in every cell Alpha-MAML takes at most as many iterations to 2.5 as MAML at the same pair",
    weak=f"in at least {NEARLY_ALWAYS:g} of the cells it does",
    meanings={"always": f"in every cell; weak: in at least {NEARLY_ALWAYS:g} of them"},
    judge=Rule(
        find=partial(_at_low, _never_slower),
        statistic="share of the cells in which Alpha-MAML takes more iterations to 2.5",
        weak=True,
        grid=True,
    ),
)
