"""Populations that train live: what is asked for, and the process that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.cell import Cell
from harness.common.errors import UserError
from harness.study.league import RATES
from harness.study.race.searched import Searched
from harness.sweeping import supervisor
from harness.sweeping.runner import Machine

PROGRAM = "import sys; from harness.study.race.population import serve; serve(int(sys.argv[1]))"
Step = dict[str, Any]
"""An interval of a member: `member`, `interval`, its rates; `ran`, `losses` and `loss`: see Learner.train."""
MEMBERS, QUANTILE, RESAMPLE = 8, 0.25, 0.25
"""Members; the share that is replaced, and replaces; the chance that a rate is drawn anew. The last two are
Ray's own."""
INTERVALS = 12
"""At most so many, of whole validations each."""


@dataclass(frozen=True, kw_only=True)
class Population:
    """One repeat of population based training."""

    cell: Cell
    """Of any rates: protocol, method and training seed."""
    members: tuple[dict[str, float], ...]
    """The rates that each begins with."""
    levels: Mapping[str, tuple[float, ...]]
    """The rates that there are: a move goes to the next one up or down, or to any."""
    interval: int
    """Iterations between two exchanges."""
    intervals: int
    tuner_seed: int
    quantile: float = QUANTILE
    resample: float = RESAMPLE


def population(known: Searched, cell: Cell, tuner_seed: int) -> Population:
    """A population that begins at random settings of a grid, all different. cell: any of it, of the training
    seed; its protocol says when members can be compared."""
    every, budget = cell.protocol.validation_every, known.budget
    interval = every * -(-budget // (every * INTERVALS))
    drawn = np.random.default_rng(tuner_seed).permutation(len(known.table))[:MEMBERS]
    rows = [{name: float(known.table[name].iloc[at]) for name in RATES} for at in drawn]
    levels = {name: tuple(sorted(map(float, known.table[name].unique()))) for name in RATES}
    return Population(
        cell=cell,
        members=tuple(rows),
        levels=levels,
        interval=interval,
        intervals=max(1, budget // interval),
        tuner_seed=tuner_seed,
    )


def train(
    populations: Sequence[Population],
    done: Callable[[Population, list[Step]], None],
    interrupted: Callable[[], bool] = lambda: False,
) -> None:
    """Train them one after the other; `done` gets the intervals of each, in order, member by member.

    UserError: Ray cannot start, or ended early; what is done is done.
    """
    if not populations:
        return
    machine = Machine(device="cpu", jobs=1)
    why = supervisor.watch(
        PROGRAM, ([*populations],), machine, interrupted, lambda kind, content: done(*content)
    )
    if why is not None:
        raise UserError(f"the race: {why}; the same command continues")
