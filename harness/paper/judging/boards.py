"""Counts of iterations from the records of one reading: a board of them for each seed and target.

A count is a float: the iteration of the passage, inf for a miss (run to the budget, or diverged), NaN
where no run went far enough to tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis.summary import numbers
from harness.paper.definitions import BUDGET, ENOUGH_VALUES, RATES, TARGETS, Passage
from harness.paper.reading import Records

Pair = tuple[float, float]
"""alpha0 and beta0."""
Choice = tuple[float, float]
"""alpha_hyperlr and beta_hyperlr: a choice of the hyper-rates."""
Place = tuple[Pair, Choice | None]
"""A point of the board; a choice of None is MAML's."""


@dataclass(frozen=True, kw_only=True)
class Board:
    """The counts of one seed for one target. A cell that was not asked for has no key."""

    target: float
    budget: int
    maml: dict[Pair, float]
    alpha: dict[Pair, dict[Choice, float]]
    lasted: dict[Pair, int]
    """The fewest iterations that MAML can need where it misses: the budget, or more if a run went past it."""

    def count_at(self, place: Place) -> float:
        """The count; NaN also if the cell was not asked for."""
        pair, choice = place
        return self.maml.get(pair, math.nan) if choice is None else self.alpha[pair].get(choice, math.nan)

    def pairs_of_both(self, pairs: Sequence[Pair]) -> tuple[Pair, ...]:
        """Those of these pairs at which both methods were asked for."""
        return tuple(pair for pair in pairs if pair in self.maml and self.alpha.get(pair))


@dataclass(frozen=True, kw_only=True)
class SeedCounts:
    """The counts of one seed, by one kind of passage."""

    seed: int
    boards: dict[float, Board]
    """By target."""
    ids: dict[Place, str]
    """Every cell asked for."""
    enough: frozenset[Pair]
    """Pairs with enough choices of the hyper-rates for a share of them to mean something; see `_enough`."""

    def without(self, axis: int, value: float) -> SeedCounts:
        """The same without the cells of this alpha_hyperlr (axis 0) or beta_hyperlr (axis 1)."""

        def keep(counts: dict[Choice, float]) -> dict[Choice, float]:
            return {choice: count for choice, count in counts.items() if choice[axis] != value}

        boards = {
            target: replace(board, alpha={pair: keep(counts) for pair, counts in board.alpha.items()})
            for target, board in self.boards.items()
        }
        return replace(self, boards=boards)


@lru_cache(maxsize=64)  # of some readings by two kinds of passage; ten claims ask for each
def counts_by_seed(records: Records, passage: Passage) -> list[SeedCounts]:
    """One SeedCounts for each seed, in order.

    The budget is the largest asked for, at most the paper's 500: a longer run is cut there, and only
    `lasted` knows more. Cells of Alpha-MAML with a hyper-rate of 0 are left out: 0 is not a choice of one.
    """
    trials = records.trials[records.trials["method"].isin(["maml", "alpha-maml"])]
    trials = trials[~((trials["alpha_hyperlr"] == 0) | (trials["beta_hyperlr"] == 0))]
    if trials.empty:
        return []
    budget = min(BUDGET, int(trials["max_iterations"].max()))
    losses = curves(records)
    return [
        _seed_counts(int(seed), trials[trials["seed"] == seed], losses, budget, passage)
        for seed in sorted(trials["seed"].unique())
    ]


def _seed_counts(
    seed: int, trials: pd.DataFrame, losses: dict[str, np.ndarray], budget: int, passage: Passage
) -> SeedCounts:
    boards = {t: Board(target=t, budget=budget, maml={}, alpha={}, lasted={}) for t in TARGETS}
    ids: dict[Place, str] = {}
    for row in trials[["cell_id", "method", "ending", *RATES]].to_dict("records"):
        pair = (row["alpha0"], row["beta0"])
        choice = (row["alpha_hyperlr"], row["beta_hyperlr"]) if row["method"] == "alpha-maml" else None
        ids[pair, choice] = row["cell_id"]
        curve = losses.get(row["cell_id"])
        for target, board in boards.items():
            counted = count(curve, row["ending"], target, budget, passage)
            if choice is None:
                board.maml[pair] = counted
                board.lasted[pair] = max(budget, 0 if curve is None else passage(curve, target) or len(curve))
            else:
                board.alpha.setdefault(pair, {})[choice] = counted
    return SeedCounts(seed=seed, boards=boards, ids=ids, enough=_enough(boards[TARGETS[0]]))


def _enough(board: Board) -> frozenset[Pair]:
    """Pairs with ENOUGH_VALUES of each hyper-rate and half of their combinations."""
    values = {
        pair: [set(axis) for axis in zip(*choices, strict=True)] for pair, choices in board.alpha.items()
    }
    return frozenset(
        pair
        for pair, (alphas, betas) in values.items()
        if min(len(alphas), len(betas)) >= ENOUGH_VALUES
        and 2 * len(board.alpha[pair]) >= len(alphas) * len(betas)
    )


def count(
    losses: np.ndarray | None,
    ending: Any,
    target: float,
    budget: int,
    passage: Passage,
) -> float:
    """The passage within the budget; inf: a miss; NaN: not run, or ended too early to tell.

    `losses` [iterations], nats, or None; `ending` as schema.ENDINGS, or null.
    """
    if losses is None:
        return math.nan
    at = passage(losses[:budget], target)
    if at is not None:
        return float(at)
    return math.inf if len(losses) >= budget or ending == "diverged" else math.nan


@lru_cache(maxsize=64)  # a few readings, two columns each; several claims ask for the same
def curves(records: Records, column: str = "train_loss") -> dict[str, np.ndarray]:
    """Cell id -> this column of its trajectory, iterations 1, 2, ...; no key for a cell that did not run."""
    rows = records.trajectories[["cell_id", "iteration", column]]
    rows = rows.sort_values(["cell_id", "iteration"], kind="stable")
    values, ids = numbers(rows[column]), rows["cell_id"].to_numpy(dtype=object)
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]]) if len(ids) else np.empty(0, int)
    return dict(zip(ids[starts], np.split(values, starts[1:]), strict=False))
