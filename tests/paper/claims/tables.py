"""Hand-made tables: each cell's loss is 3.2 until it passes its targets, and 2.0 from then on.

So the mean of ten falls to 2.99 with the second low loss and to 2.5 with the sixth, from iteration 10 on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable

import pandas as pd

from harness.paper.definitions import DIAGONALS
from harness.paper.reading import MAIN, Facts, Reading, Records
from tests.readings import TRAJECTORIES, TRIALS

MISS = math.inf
NOTHING = Facts(cost=None, noise=None, data=None)
DIAGONAL = DIAGONALS["paper-adam"]
TUNED, SECOND, THIRD, FOURTH, FIFTH = DIAGONAL
HYPERS = [(a, b) for a in (0.1, 1.0, 10.0) for b in (1e-6, 1e-5, 1e-4)]
"""Three values of each hyper-rate: all but the middle one are at an edge."""

Count = float | None
"""Iteration of the first passage of 2.5 and 2.99 at once; MISS; None: not run."""
Cell = tuple[dict[str, object], list[float]]


def cell(pair, hyper, count: Count, seed=0, budget=60, ending="budget", losses=None) -> Cell:
    """One cell: its trial and losses. MAML if `hyper` is None; `losses` replace those of the count."""
    if losses is None and count is not None:
        losses = [2.0 if i >= count else 3.2 for i in range(1, budget + 1)]
    trial = dict.fromkeys(TRIALS) | {
        "cell_id": f"{'maml' if hyper is None else 'alpha'} {pair} {hyper} {seed}",
        "method": "maml" if hyper is None else "alpha-maml",
        "protocol": "paper-adam",
        "alpha0": pair[0],
        "beta0": pair[1],
        "alpha_hyperlr": math.nan if hyper is None else hyper[0],
        "beta_hyperlr": math.nan if hyper is None else hyper[1],
        "seed": seed,
        "max_iterations": budget,
        "ending": None if losses is None else ending,
        "outcome": None if losses is None else "budget",
    }
    return trial, losses or []


def changing(preset: str = "paper-adam", **fields: object) -> Reading:
    """A reading that changes these fields of a preset."""
    return Reading(preset=preset, changes=json.dumps(fields, sort_keys=True))


def records(*cells: Cell, reading=MAIN) -> Records:
    """The two tables of these cells."""
    rows = [
        dict.fromkeys(TRAJECTORIES) | {"cell_id": trial["cell_id"], "iteration": i, "train_loss": loss}
        for trial, losses in cells
        for i, loss in enumerate(losses, 1)
    ]
    return Records(
        reading=reading,
        trials=pd.DataFrame([trial for trial, _ in cells], columns=list(TRIALS)),
        trajectories=pd.DataFrame(rows, columns=list(TRAJECTORIES)),
    )


def board(
    maml: dict[tuple, Count],
    alpha: Callable[[tuple, tuple], Count],
    seed: int = 0,
    hypers: Iterable[tuple] = HYPERS,
    budget: int = 60,
) -> list[Cell]:
    """MAML's counts, and at each of its pairs Alpha-MAML's over the hyper-rates: alpha(pair, hyper)."""
    cells = [cell(pair, None, count, seed, budget) for pair, count in maml.items()]
    hypers = list(hypers)
    return cells + [cell(pair, hyper, alpha(pair, hyper), seed, budget) for pair in maml for hyper in hypers]


def nth(counts: Iterable[Count], hypers: Iterable[tuple] = HYPERS) -> Callable[[tuple, tuple], Count]:
    """Alpha-MAML's counts in the order of the hyper-rates, the same at every pair."""
    of = dict(zip(hypers, counts, strict=True))
    return lambda pair, hyper: of[hyper]
