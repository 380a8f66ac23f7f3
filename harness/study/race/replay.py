"""Optuna's tuners, replayed from a table: what they would have tried, and after how many iterations each run
was given up. Nothing is trained.

A tuner sees the validation loss, and the places 0 ... 12 of the two rates on their axes, which are evenly
spaced in their logarithm. A setting that it asks for again is answered from memory, for nothing: its run
would be the same to the last digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.common.errors import UserError
from harness.study.race.searched import Searched

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.trial import Trial

VERSION = "5.0.0"
TRIALS = 100
"""Of TPE; some two thirds of them ask for a setting of 169 for the first time."""
REDUCTION = 4
"""Of successive halving, Optuna's own: at each rung a quarter goes on."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What a tuner tried, in order; each setting again only where it went further than before."""

    settings: tuple[int, ...]
    """Places in the table."""
    iterations: tuple[int, ...]
    """What each run was given before it was given up, diverged or ended."""


def optuna() -> Any:
    """The library, quiet. UserError: it is not installed."""
    try:
        import optuna
    except ImportError:
        raise UserError(f"the race needs Optuna: python -m pip install optuna=={VERSION}") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def tpe(known: Searched, seed: int, tuner_seed: int) -> Tried:
    """TPESampler as it comes: ten random trials, then its estimator; TRIALS in all."""
    samplers = optuna().samplers
    return replay(known, seed, samplers.TPESampler(seed=tuner_seed))


def asha(known: Searched, seed: int, tuner_seed: int) -> Tried:
    """SuccessiveHalvingPruner with one worker: the settings in random order, each once, and a run is given up
    at a rung unless it is among the best quarter so far. Rungs: the first validation after training began,
    and each REDUCTION times further."""
    library = optuna()
    pruner = library.pruners.SuccessiveHalvingPruner(
        min_resource=first_rung(known), reduction_factor=REDUCTION
    )
    order = np.random.default_rng(tuner_seed).permutation(len(known.table))
    return replay(known, seed, library.samplers.RandomSampler(), pruner, order=order.tolist())


def first_rung(known: Searched) -> int:
    """In iterations."""
    return int(known.steps[min(1, len(known.steps) - 1)])


def replay(
    known: Searched,
    seed: int,
    sampler: BaseSampler,
    pruner: BasePruner | None = None,
    trials: int = TRIALS,
    order: Sequence[int] | None = None,
) -> Tried:
    """What a tuner tries on the runs of one training seed (`seed`: its place in known.seeds). order: these
    settings and no others; None: the sampler's."""
    library = optuna()
    place, sizes = _axes(known)
    study = library.create_study(sampler=sampler, pruner=pruner or library.pruners.NopPruner())
    given = np.zeros(len(known.table), int)
    settings, iterations = [], []

    def objective(trial: Trial) -> float:
        at = int(place[tuple(trial.suggest_int(name, 0, size - 1) for name, size in sizes.items())])
        given_up = _run(known, at, seed, trial)
        spent = given_up or int(known.ran[at, seed])
        if spent > given[at]:
            given[at] = spent
            settings.append(at)
            iterations.append(spent)
        if given_up:
            raise library.TrialPruned
        return float(known.loss[at, seed])

    if order is None:
        study.optimize(objective, n_trials=trials)
    for at in order or ():
        values = (int(one[0]) for one in np.nonzero(place == at))
        study.enqueue_trial(dict(zip(sizes, values, strict=True)))
        study.optimize(objective, n_trials=1)
    return Tried(settings=tuple(settings), iterations=tuple(iterations))


def _run(known: Searched, at: int, seed: int, trial: Trial) -> int | None:
    """The iteration at which a run is given up; None: it goes on to its end."""
    for step, loss in zip(known.steps[1:-1], known.validation[at, seed, 1:-1], strict=True):
        if np.isnan(loss):  # nothing to be told: it has diverged, or there is no number
            continue
        trial.report(float(loss), int(step))
        if trial.should_prune():
            return int(step)
    return None


def _axes(known: Searched) -> tuple[NDArray[np.int64], dict[str, int]]:
    """The setting at each place of the axes, and how many places each axis has. UserError: the settings are
    no full grid."""
    levels = [np.unique(known.table[name], return_inverse=True) for name in known.table]
    sizes = {str(name): len(values) for name, (values, _) in zip(known.table, levels, strict=True)}
    places = np.full(tuple(sizes.values()), -1)
    places[tuple(place for _, place in levels)] = range(len(known.table))
    if (places < 0).any() or places.size != len(known.table):
        raise UserError(
            f"{known.method}: its {len(known.table)} settings are no full grid, which the tuners need"
        )
    return places, sizes
