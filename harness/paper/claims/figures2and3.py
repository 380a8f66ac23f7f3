"""The claims on Figures 2 and 3 together: C9 (the advantage grows) and C15 (counts and blank cells)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from statistics import median

import numpy as np
import pandas as pd

from harness.analysis.summary import finished
from harness.common.text import halves
from harness.paper.claims.claim import Claim
from harness.paper.definitions import TARGETS
from harness.paper.judging.boards import Board, Pair, SeedCounts, curves
from harness.paper.judging.by_seed import Finding, Rule, by_target
from harness.paper.judging.logic import Bounds, all_of, any_of, not_, verdict
from harness.paper.judging.verdict import MOST_CELLS, Form, Judged
from harness.paper.reading import Facts, Records
from harness.paper.words import at, bounds_shown
from harness.records.passages import first_passage, outcome, sustained_passage

LOW = TARGETS[0]


def _never_shrinks(counts: SeedCounts, pairs: Sequence[Pair]) -> Finding | None:
    both = counts.boards[LOW].pairs_of_both(pairs)
    if len(both) < 2:
        return None
    by = {target: _growing(board, both) for target, board in counts.boards.items()}
    whole = replace(
        by[LOW],
        strict=all_of(finding.strict for finding in by.values()),
        weak=all_of(finding.weak for finding in by.values()),
        why="; ".join(finding.why for finding in by.values()),
    )
    return by_target(whole, by)


def _growing(board: Board, both: tuple[Pair, ...]) -> Finding:
    advantages = {pair: advantage(board, pair) for pair in both}
    down = list(advantages.values())
    # Not only neighbours: two known ones may decide it, whatever lies between them.
    shrinks = any_of(later.below(earlier) for earlier, later in combinations(down, 2))
    grows = not_(shrinks) if shrinks or all(a.high <= b.low for a, b in pairwise(down)) else None
    first, last = down[0], down[-1]
    texts = ", ".join(f"{at(pair)} {_range(bounds)}" for pair, bounds in advantages.items())
    drop = max(earlier.low - later.high for earlier, later in combinations(down, 2))
    return Finding(
        strict=grows,
        why=f"advantage to {board.target:g} in iterations: {texts}"
        + f"; it shrinks by {halves(drop)}" * bool(shrinks),
        numbers={at(pair): bounds_shown(bounds) for pair, bounds in advantages.items()},
        places=tuple((pair, None) for pair in both),
        weak=first.below(last),
        value=last.low - first.low if first.exact and last.exact else math.nan,
    )


def _range(bounds: Bounds) -> str:
    ends = halves(bounds.low), halves(bounds.high)
    return ends[0] if bounds.exact else " to ".join(ends)


def advantage(board: Board, pair: Pair) -> Bounds:
    """MAML's count minus the median of Alpha-MAML's, in iterations; a miss counts as the budget, and a cell
    that was not run as anything up to it."""
    maml, alpha = [board.maml[pair]], board.alpha[pair].values()

    def middle(counts: Iterable[float], unknown: int) -> float:
        return median(unknown if math.isnan(count) else min(count, board.budget) for count in counts)

    return Bounds(
        low=middle(maml, 1) - middle(alpha, board.budget),
        high=middle(maml, board.budget) - middle(alpha, 1),
    )


def _c15(records: Records, facts: Facts) -> Judged:
    trials = records.trials
    run = finished(trials)
    losses = curves(records)
    wrong = {
        row["cell_id"]: why
        for _, row in run.iterrows()
        if (why := _wrong(row, losses.get(row["cell_id"], np.empty(0))))
    }
    cells = tuple(wrong) or tuple(run["cell_id"])
    asked = tuple(trials["cell_id"])
    agree = None if run.empty else not wrong
    why = f"in {len(run) - len(wrong)} of {len(run)} runs the counts match the losses"
    why += "".join(f"; {cell}: {text}" for cell, text in list(wrong.items())[:1])
    return Judged(
        strict=Form(verdict=verdict(agree), why="no cell was run" if run.empty else why),
        numbers={"runs": len(run), "runs that do not agree": len(wrong)},
        cells=(cells or asked)[:MOST_CELLS],
        seeds=tuple(sorted(map(int, run["seed"].unique()))),
    )


def _wrong(row: pd.Series, losses: np.ndarray) -> str:
    """What does not match in a run; empty if everything does."""
    budget = int(row["max_iterations"])
    target = None if pd.isna(row["target_loss"]) else float(row["target_loss"])
    for name, passage in (("first", first_passage), ("sustained", sustained_passage)):
        low, high = (passage(losses, target) for target in TARGETS)
        if low is not None and (high is None or high > low):
            return f"the {name} passage of {TARGETS[1]:g} comes after that of {TARGETS[0]:g}"
    within = losses[:budget]
    expected = {
        "outcome": outcome(losses, row["ending"], int(row["iterations_run"]), target, budget),
        "iterations_run": len(within),
        "iterations_to_target": None if target is None else first_passage(within, target),
        "iterations_to_target_sustained": None if target is None else sustained_passage(within, target),
    }
    for name, value in expected.items():
        stated = None if pd.isna(row[name]) else row[name]
        if stated != value:
            return f"{name} is {stated} in the table, but the losses give {value}"
    return ""


C9 = Claim(
    key="C9",
    place="Figures 2 and 3",
    sentence="It can be seen that as we go far from the tuned hyper-parameter range, converge "
    "of Alpha-MAML is better than MAML.",
    short="Alpha-MAML's advantage grows away from the tuned rates",
    strict="Alpha-MAML's advantage never shrinks from one pair of the diagonal to the next",
    weak="it is larger at the last pair than at the first",
    meanings={
        "advantage": "MAML's count minus the median of Alpha-MAML's over the choices of the hyper-rates; a "
        "miss counts as the budget"
    },
    judge=Rule(
        find=_never_shrinks,
        statistic="advantage at the last pair minus that at the first, in iterations to 2.5",
        weak=True,
        grid=True,
    ),
)
C15 = Claim(
    key="C15",
    place="Figures 2 and 3",
    sentence="... the number of iterations to converge to a training loss ... Here the blank "
    "cells denote the cases where algorithm did not converge till 500 iterations.",
    short="counts match the losses, 2.99 no later than 2.5",
    strict="in every run 2.99 is passed no later than 2.5, and the tables have the counts that its losses "
    "give, blank where it never passes",
    judge=_c15,
)
