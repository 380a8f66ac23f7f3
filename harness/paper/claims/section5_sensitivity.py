"""The claim of Section 5 on sensitivity: C12 (Alpha-MAML is less sensitive to the initial rates)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from harness.paper.claims.claim import Claim
from harness.paper.definitions import TARGETS
from harness.paper.judging.boards import Board, Choice, Pair, Place, SeedCounts
from harness.paper.judging.by_seed import Finding, Rule, by_target
from harness.paper.judging.logic import Bounds, all_of
from harness.paper.judging.panel import FEW
from harness.paper.words import at, bounds_shown

LOW = TARGETS[0]


def _less_sensitive(counts: SeedCounts, pairs: Sequence[Pair]) -> Finding | None:
    both = counts.boards[LOW].pairs_of_both(pairs)
    if len(both) < 2:
        return None
    enough = all(pair in counts.enough for pair in both)
    by = {target: _steadier(board, both, enough) for target, board in counts.boards.items()}
    return by_target(by[LOW], by)


def _steadier(board: Board, both: tuple[Pair, ...], enough: bool) -> Finding:
    common = [choice for choice in board.alpha[both[0]] if all(choice in board.alpha[pair] for pair in both)]
    columns = {choice: [board.alpha[pair][choice] for pair in both] for choice in common}
    counts = [count for column in columns.values() for count in column]
    maml = spread([board.maml[pair] for pair in both], [board.lasted[pair] for pair in both])
    ranked = _ranked(columns)
    of_choice = {choice: spread(column, [board.budget] * len(both)) for choice, column in columns.items()}
    spreads = {name: of_choice[choice] for name, choice in ranked.items()}
    smaller = {name: bounds.below(maml) if enough else None for name, bounds in spreads.items()}
    over_all = spread(counts, [board.budget] * len(counts))
    unknown = sum(map(math.isnan, counts))
    texts = ", ".join(f"choice with the {name} count {_at_least(bounds)}" for name, bounds in spreads.items())
    missing = f"{unknown} of {len(counts)} cells not run" if unknown else "no choice at every pair"
    places: list[Place] = [(pair, None) for pair in both]
    places += [(pair, choice) for choice in dict.fromkeys(ranked.values()) for pair in both]
    return Finding(
        strict=all_of(smaller.values()) if smaller else None,
        why=f"spread of the counts to {board.target:g} in decades: MAML {_at_least(maml)}; "
        f"Alpha-MAML: {texts or missing}" + FEW * (not enough),
        numbers={
            "maml": bounds_shown(maml),
            "alpha-maml": {
                name: {"hyper-rates": at(ranked[name])} | bounds_shown(bounds)
                for name, bounds in spreads.items()
            },
            "median of the choices' spreads": bounds_shown(_middle(of_choice.values())),
            "over all four rates": bounds_shown(over_all) | {"less than maml": over_all.below(maml)},
        },
        places=tuple(places),
        weak=smaller.get("median"),
        value=spreads["median"].low if spreads else math.nan,
    )


def _ranked(columns: Mapping[Choice, list[float]]) -> dict[str, Choice]:
    """The best, median and worst choice of the hyper-rates by their median count over the pairs.

    If tied, the smaller rates come first; of two in the middle, the better one is the median. Empty if a
    cell was not run.
    """
    if not columns or any(math.isnan(count) for column in columns.values() for count in column):
        return {}
    order = sorted(columns, key=lambda choice: (median(columns[choice]), choice))
    return {"best": order[0], "median": order[(len(order) - 1) // 2], "worst": order[-1]}


def spread(counts: Sequence[float], lasted: Sequence[int]) -> Bounds:
    """log10 of the largest count divided by the smallest, in decades; 0 without any count.

    A lower bound if a count is a miss or was not run. `lasted`: for each count, its least value if it is a
    miss.
    """
    pairs = zip(counts, lasted, strict=True)
    known = [min(count, least) for count, least in pairs if not math.isnan(count)]
    decades = math.log10(max(known) / min(known)) if known else 0.0
    exact = bool(known) and all(map(math.isfinite, counts))
    return Bounds(low=decades, high=decades if exact else math.inf)


def _middle(spreads: Iterable[Bounds]) -> Bounds:
    """What the median of these spreads lies between; 0 without any."""
    ends = [(bounds.low, bounds.high) for bounds in spreads] or [(0.0, math.inf)]
    low, high = map(median, zip(*ends, strict=True))
    return Bounds(low=low, high=high)


def _at_least(bounds: Bounds) -> str:
    """A lower bound is rounded down, so that it stays one."""
    return f"{bounds.low:.2f}" if bounds.exact else f"at least {math.floor(100 * bounds.low) / 100:.2f}"


C12 = Claim(
    key="C12",
    place="Section 5",
    sentence="In other words, Alpha MAML is less sensitive to the hyperparameter choice as "
    "compared to MAML, and hence needs significantly less tuning.",
    short="Alpha-MAML is less sensitive to the initial rates",
    strict="the spread of the counts to 2.5 over the pairs is smaller than MAML's with the best, the median "
    "and the worst choice of the hyper-rates",
    weak="with the median choice",
    meanings={
        "spread": "log10 of the largest count divided by the smallest, over the pairs of initial rates. A "
        "miss counts as the budget, or as the length of MAML's run where that went past it, so a spread that "
        "contains a miss is a lower bound",
        "best, median and worst choice": "the choices of the hyper-rates are ordered by their median count "
        "over the pairs, not by their spread: that of the median choice is not the median of the spreads",
    },
    judge=Rule(
        find=_less_sensitive,
        statistic="Alpha-MAML's spread with the choice that has the median count, in decades; a lower bound "
        "if it contains a miss",
        weak=True,
        grid=True,
    ),
)
