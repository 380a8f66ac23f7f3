"""From the records of one reading to counts on boards: for each seed and target, who took how long where.

A count is a float: the iteration of the passage, inf for a miss (run to the budget, or diverged), NaN where
no run went far enough to tell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from harness.analysis.summary import numbers
from harness.paper.claims.definitions import BUDGET, ENOUGH_VALUES, TARGETS
from harness.paper.reading import Records
from harness.records.passages import first_passage, sustained_passage

Pair = tuple[float, float]
"""alpha0 and beta0."""
Hyper = tuple[float, float]
"""alpha_hyperlr and beta_hyperlr."""
Place = tuple[Pair, Hyper | None]
"""A point of the board; None: MAML's."""

PASSAGES: dict[str, Callable[[np.ndarray, float], int | None]] = {
    "first": first_passage,
    "sustained": sustained_passage,
}


_COLUMNS = ["cell_id", "method", "seed", "alpha0", "beta0", "alpha_hyperlr", "beta_hyperlr", "ending"]


class Board(NamedTuple):
    """Counts of one seed by one target. What was not asked has no key."""

    target: float
    budget: int
    maml: dict[Pair, float]
    alpha: dict[Pair, dict[Hyper, float]]
    lasted: dict[Pair, int]
    """Iterations that MAML takes at least where it misses: the budget, or more if a run went past it."""

    def count_at(self, place: Place) -> float:
        """NaN too where it was not asked."""
        pair, hyper = place
        return self.maml.get(pair, math.nan) if hyper is None else self.alpha[pair].get(hyper, math.nan)


class Run(NamedTuple):
    """One seed by one kind of passage."""

    seed: int
    boards: dict[float, Board]
    """By target."""
    ids: dict[Place, str]
    """Every cell asked."""
    enough: frozenset[Pair] = frozenset()
    """Pairs at which so many hyper-rates were asked that a share of them means something; see `_enough`."""

    def without(self, axis: int, value: float) -> Run:
        """The same, the cells with this alpha_hyperlr (axis 0) or beta_hyperlr (1) left out."""

        def keep(counts: dict[Hyper, float]) -> dict[Hyper, float]:
            return {hyper: count for hyper, count in counts.items() if hyper[axis] != value}

        return self._replace(
            boards={
                target: board._replace(alpha={pair: keep(counts) for pair, counts in board.alpha.items()})
                for target, board in self.boards.items()
            }
        )


def runs(records: Records, passage: str) -> list[Run]:
    """A Run for each seed asked, in order. `passage`: first or sustained.

    The budget is the largest asked for, at most the paper's 500: a longer run is cut there, and `lasted` has
    what it says beyond. Cells of Alpha-MAML with a hyper-rate of 0 are no choice of one and are left out.
    """
    trials = records.trials[records.trials["method"].isin(["maml", "alpha-maml"])]
    trials = trials[~((trials["alpha_hyperlr"] == 0) | (trials["beta_hyperlr"] == 0))]
    if trials.empty:
        return []
    budget = min(BUDGET, int(trials["max_iterations"].max()))
    losses = dict(_losses(records.trajectories))
    found: dict[int, Run] = {}
    for row in trials[_COLUMNS].to_dict("records"):
        seed = int(row["seed"])
        run = found.setdefault(seed, Run(seed, {t: Board(t, budget, {}, {}, {}) for t in TARGETS}, {}))
        pair = (row["alpha0"], row["beta0"])
        hyper = (row["alpha_hyperlr"], row["beta_hyperlr"]) if row["method"] == "alpha-maml" else None
        run.ids[pair, hyper] = row["cell_id"]
        own = losses.get(row["cell_id"])
        for target, board in run.boards.items():
            counted = count(own, row["ending"], target, budget, PASSAGES[passage])
            if hyper is None:
                board.maml[pair] = counted
                beyond = 0 if own is None else PASSAGES[passage](own, target) or len(own)
                board.lasted[pair] = max(budget, beyond)
            else:
                board.alpha.setdefault(pair, {})[hyper] = counted
    return [found[seed]._replace(enough=_enough(found[seed])) for seed in sorted(found)]


def _enough(run: Run) -> frozenset[Pair]:
    """Pairs with ENOUGH_VALUES of each hyper-rate and half of their combinations."""
    board = next(iter(run.boards.values()))
    values = {pair: [set(axis) for axis in zip(*hypers, strict=True)] for pair, hypers in board.alpha.items()}
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
    passage: Callable[[np.ndarray, float], int | None],
) -> float:
    """The passage within the budget; inf for a miss; NaN: the run ended too early to tell, or was not made.

    `losses` [iterations], nats, or None; `ending` as schema.ENDINGS, or null.
    """
    if losses is None:
        return math.nan
    at = passage(losses[:budget], target)
    if at is not None:
        return float(at)
    return math.inf if len(losses) >= budget or ending == "diverged" else math.nan


def _losses(trajectories: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Each cell's training losses, iterations 1, 2, ..."""
    rows = trajectories.sort_values(["cell_id", "iteration"], kind="stable")
    losses, ids = numbers(rows["train_loss"]), rows["cell_id"].to_numpy(dtype=object)
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]]) if len(ids) else np.empty(0, int)
    for start, part in zip(starts, np.split(losses, starts[1:]), strict=False):
        yield ids[start], part
