"""The claims about how counts change from pair to pair: C9 (the advantage grows) and C12 (less sensitive)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise
from statistics import median
from typing import Any, NamedTuple

from harness.paper.claims.boards import Board, Hyper, Pair, Place, Run
from harness.paper.claims.definitions import TARGETS, at
from harness.paper.claims.judged import Judged
from harness.paper.claims.logic import Told, all_of, any_of, not_
from harness.paper.claims.rules import Finding, Rule, by_target, judge, shown
from harness.paper.reading import Facts, Records

LOW = TARGETS[0]


class Bounds(NamedTuple):
    """What a number lies between."""

    low: float
    high: float

    def below(self, other: Bounds) -> Told:
        """Less than the other, for certain; None: they overlap."""
        return True if self.high < other.low else False if self.low >= other.high else None

    @property
    def exact(self) -> bool:
        return self.low == self.high

    @property
    def numbers(self) -> dict[str, Any]:
        """inf, where there is no bound, as None."""
        return {"least": shown(self.low), "most": None if math.isinf(self.high) else shown(self.high)}


def c9(records: Records, facts: Facts) -> Judged:
    """Alpha-MAML's advantage never shrinks down the diagonal, by both targets; weak: it ends larger."""
    statistic = "advantage at the last pair less that at the first, iterations to 2.5"
    return judge(Rule(_c9, statistic, weak=True, grid=True), records)


def c12(records: Records, facts: Facts) -> Judged:
    """Alpha-MAML's spread over the pairs is less than MAML's with the best, the median and the worst choice
    of hyper-rates; weak: with the median one. To 2.5."""
    statistic = "Alpha-MAML's spread with the median choice, decades; with a miss in it a lower bound"
    return judge(Rule(_c12, statistic, weak=True, grid=True), records)


def _both(board: Board, pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """Of the diagonal, where both methods were asked."""
    return tuple(pair for pair in pairs if pair in board.maml and board.alpha.get(pair))


def _c9(run: Run, pairs: Sequence[Pair]) -> Finding | None:
    both = _both(run.boards[LOW], pairs)
    if len(both) < 2:
        return None
    by = {target: _growing(board, both) for target, board in run.boards.items()}
    whole = by[LOW]._replace(
        strict=all_of(found.strict for found in by.values()),
        weak=all_of(found.weak for found in by.values()),
        why="; ".join(found.why for found in by.values()),
    )
    return by_target(whole, by)


def _growing(board: Board, both: tuple[Pair, ...]) -> Finding:
    advantages = {pair: advantage(board, pair) for pair in both}
    down = list(advantages.values())
    # Not neighbours alone: two known ones may tell whatever stands between them.
    shrinks = any_of(later.below(earlier) for earlier, later in combinations(down, 2))
    grows = not_(shrinks) if shrinks or all(a.high <= b.low for a, b in pairwise(down)) else None
    first, last = down[0], down[-1]
    texts = ", ".join(f"{at(pair)} {_range(bounds)}" for pair, bounds in advantages.items())
    drop = max(earlier.low - later.high for earlier, later in combinations(down, 2))
    return Finding(
        grows,
        f"advantage to {board.target:g}, iterations: {texts}" + f"; it shrinks by {drop:g}" * bool(shrinks),
        {at(pair): bounds.numbers for pair, bounds in advantages.items()},
        tuple((pair, None) for pair in both),
        first.below(last),
        last.low - first.low if first.exact and last.exact else math.nan,
    )


def _range(bounds: Bounds) -> str:
    return f"{bounds.low:g}" if bounds.exact else f"{bounds.low:g} to {bounds.high:g}"


def advantage(board: Board, pair: Pair) -> Bounds:
    """MAML's count less the median of Alpha-MAML's, a miss as the budget: iterations. A cell that was not
    run may take any number of them."""
    maml, alpha = [board.maml[pair]], board.alpha[pair].values()

    def middle(counts: Iterable[float], unknown: int) -> float:
        return median(unknown if math.isnan(count) else min(count, board.budget) for count in counts)

    return Bounds(
        middle(maml, 1) - middle(alpha, board.budget),
        middle(maml, board.budget) - middle(alpha, 1),
    )


def _c12(run: Run, pairs: Sequence[Pair]) -> Finding | None:
    both = _both(run.boards[LOW], pairs)
    if len(both) < 2:
        return None
    enough = all(pair in run.enough for pair in both)
    by = {target: _steadier(board, both, enough) for target, board in run.boards.items()}
    return by_target(by[LOW], by)


def _steadier(board: Board, both: tuple[Pair, ...], enough: bool) -> Finding:
    common = [h for h in board.alpha[both[0]] if all(h in board.alpha[pair] for pair in both)]
    columns = {hyper: [board.alpha[pair][hyper] for pair in both] for hyper in common}
    counts = [count for column in columns.values() for count in column]
    maml = spread([board.maml[pair] for pair in both], [board.lasted[pair] for pair in both])
    ranked = _ranked(columns)
    spreads = {name: spread(columns[hyper], [board.budget] * len(both)) for name, hyper in ranked.items()}
    told = {name: bounds.below(maml) if enough else None for name, bounds in spreads.items()}
    four = spread(counts, [board.budget] * len(counts))
    unknown = sum(map(math.isnan, counts))
    texts = ", ".join(f"{name} {_at_least(bounds)}" for name, bounds in spreads.items())
    missing = f"{unknown} of {len(counts)} cells not run" if unknown else "no choice asked at every pair"
    places: list[Place] = [(pair, None) for pair in both]
    places += [(pair, hyper) for hyper in dict.fromkeys(ranked.values()) for pair in both]
    return Finding(
        all_of(told.values()) if told else None,
        f"spread to {board.target:g} in decades: MAML {_at_least(maml)}, Alpha-MAML {texts or missing}"
        + "; asked on few cells" * (not enough),
        {
            "maml": maml.numbers,
            "alpha-maml": {
                name: {"hyper-rates": at(ranked[name])} | bounds.numbers for name, bounds in spreads.items()
            },
            "over all four rates": four.numbers | {"less than maml": four.below(maml)},
        },
        tuple(places),
        told.get("median"),
        spreads["median"].low if spreads else math.nan,
    )


def _ranked(columns: Mapping[Hyper, list[float]]) -> dict[str, Hyper]:
    """The best, median and worst choice of hyper-rates by their median count over the pairs (of equals the
    lesser rates; of two in the middle the better); nothing as long as a cell was not run."""
    if not columns or any(math.isnan(count) for column in columns.values() for count in column):
        return {}
    order = sorted(columns, key=lambda hyper: (median(columns[hyper]), hyper))
    return {"best": order[0], "median": order[(len(order) - 1) // 2], "worst": order[-1]}


def spread(counts: Sequence[float], lasted: Sequence[int]) -> Bounds:
    """log10 of the largest count over the least, in decades: a lower bound if one is a miss or was not run,
    of no count at all 0. `lasted`: for each count, what it is at least if it is a miss."""
    each = zip(counts, lasted, strict=True)
    known = [min(count, least) for count, least in each if not math.isnan(count)]
    decades = math.log10(max(known) / min(known)) if known else 0.0
    return Bounds(decades, decades if all(map(math.isfinite, counts)) and known else math.inf)


def _at_least(bounds: Bounds) -> str:
    return f"{bounds.low:.2f}" if bounds.exact else f"at least {bounds.low:.2f}"
