"""A contender: how likely it has reached the target after so many iterations, and how good it is then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.sensitivity.resamples import Array
from harness.analysis.sensitivity.searching import tuning_cost
from harness.records.passages import sustained_passage
from harness.study.race import exact
from harness.study.race.live import Step
from harness.study.race.replay import Tried
from harness.study.race.searched import Searched

PARTS = 20
"""Points of a curve in each budget."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Meta-iterations spent: 0, T / PARTS, ... up to `runs` budgets T."""

    budget: int
    runs: int

    @property
    def x(self) -> NDArray[np.int64]:
        """[X] in iterations."""
        every = np.arange(self.runs * PARTS + 1)
        return every // PARTS * self.budget + every % PARTS * self.budget // PARTS


@dataclass(frozen=True, kw_only=True, eq=False)
class Racer:
    """A contender on S training seeds; the luck of its draws is averaged out."""

    name: str
    chance: Array
    """[X, S] the probability that the target has been reached."""
    told: Array
    """[X, S] the same of runs that have ended, or were given up, by then: one that reaches the target is paid
    for in whole. Of random search after whole budgets, and the same until the next."""
    best: Array
    """[X, S] the expected lowest validation loss of these; inf: there may be none."""
    until: float
    """Iterations after which nothing new comes."""
    cost: Array
    """[S] what it spends until the target is first reached; inf: it may never be."""
    single: Searched | None = None
    """Of random search: its runs, of which each is as likely to be the first."""


def by_random_search(name: str, parts: Sequence[Searched], axis: Axis) -> Racer:
    """Random search without replacement over the settings of one of `parts`, each as likely. Exact."""
    runs = [[_of_seed(known, seed, axis) for seed in range(len(known.seeds))] for known in parts]
    chance, told, best = (np.mean([[of[k] for of in some] for some in runs], axis=0).T for k in range(3))
    whole = len(parts) == 1
    return Racer(
        name=name,
        chance=chance,
        told=told,
        best=best,
        until=float(len(parts[0].table) * axis.budget),
        cost=np.mean([tuning_cost(known.cost, known.hit) for known in parts], axis=0),
        single=parts[0] if whole else None,
    )


def _of_seed(known: Searched, seed: int, axis: Axis) -> tuple[Array, Array, Array]:
    """[X] each: the chance, the same of runs that have ended, and the expected best of these."""
    hit, ran = known.hit[:, seed], known.ran[:, seed]
    chance = exact.chance_by(known.cost[:, seed], hit, axis.budget, axis.runs, PARTS)
    told = exact.chance_by(ran, hit, axis.budget, axis.runs, 1)
    found = exact.best_by(known.scored[:, seed], ran, axis.budget, axis.runs)
    ended = axis.x // axis.budget  # told after each whole budget
    return chance, told[ended], np.concatenate([[np.inf], found])[ended]


@dataclass(frozen=True, kw_only=True)
class Path:
    """One repeat of a tuner."""

    spent: Array
    """[k] iterations after which it is told something."""
    told: Array
    """[k] validation losses."""
    hit: float
    """Iterations after which the target is reached; inf: never."""
    end: float
    """The same, with all that the run got which reached it."""


def of_tried(tried: Tried, known: Searched, seed: int) -> Path:
    """A replay on the table's runs of one training seed."""
    at, ran = np.array(tried.settings), np.array(tried.iterations, float)
    ends = ran >= known.ran[at, seed]
    place = np.searchsorted(known.steps, ran)
    given_up = known.validation[at, seed, np.minimum(place, len(known.steps) - 1)]
    passage = known.passage[at, seed]
    hits = np.flatnonzero(passage <= ran)
    spent = np.cumsum(ran)
    end = spent[hits[0]] if hits.size else np.inf
    hit = end - ran[hits[0]] + passage[hits[0]] if hits.size else np.inf
    losses = np.minimum(np.where(ends, known.loss[at, seed], given_up), known.worst)
    return Path(spent=spent, told=losses, hit=float(hit), end=float(end))


def of_population(steps: Sequence[Step], target: float, worst: float = np.inf) -> Path:
    """A population that was trained: member after member, interval after interval. worst: see `searched`."""
    spent = np.cumsum([step["ran"] for step in steps], dtype=float)
    losses = np.fmin(np.array([step["loss"] for step in steps], float), worst)
    for end, step in zip(spent, steps, strict=True):
        passage = sustained_passage(step["losses"], target)
        if passage is not None:
            hit = end - len(step["losses"]) + passage
            return Path(spent=spent, told=losses, hit=float(hit), end=float(end))
    return Path(spent=spent, told=losses, hit=np.inf, end=np.inf)


def by_repeats(name: str, paths: Sequence[Sequence[Path]], axis: Axis) -> Racer:
    """A tuner: the mean over its repeats. paths: [S][repeats]."""
    x = axis.x
    chance = [np.mean([one.hit <= x for one in some], axis=0) for some in paths]
    told = [np.mean([one.end <= x for one in some], axis=0) for some in paths]
    best = [np.mean([_lowest(one, x) for one in some], axis=0) for some in paths]
    return Racer(
        name=name,
        chance=np.stack(chance, 1),
        told=np.stack(told, 1),
        best=np.stack(best, 1),
        until=float(min(one.spent[-1] for some in paths for one in some)),
        cost=np.array([_running_time(some) for some in paths]),
    )


def _running_time(some: Sequence[Path]) -> float:
    """COCO's average running time: all that the repeats spend, until the target or in vain, for each that
    reaches it; inf: none does."""
    hits = np.array([one.hit for one in some])
    spent = np.where(np.isfinite(hits), hits, [one.spent[-1] for one in some])
    reached = int(np.isfinite(hits).sum())
    return float(spent.sum() / reached) if reached else np.inf


def _lowest(one: Path, x: NDArray[np.int64]) -> Array:
    """[X] the lowest loss that it has been told by then, inf: none."""
    lowest = np.concatenate([[np.inf], np.minimum.accumulate(one.told)])
    return lowest[np.searchsorted(one.spent, x, side="right")]
