"""What a race says in numbers: how many runs of a tuner one untuned run is worth, and what tuning costs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from harness.analysis.sensitivity.resamples import NOISE, Array, Resamples, resamples
from harness.analysis.sensitivity.searching import chance_of_hit, expected_best
from harness.study.race.contenders import (
    ANY_PAIR,
    ASHA,
    COARSE,
    DEFAULT,
    LOG_DEFAULT,
    PBT,
    RANDOM,
    SEARCHED,
    TPE,
    Race,
)
from harness.study.race.racers import PARTS, Racer
from harness.study.race.searched import Searched

MEASURES = {
    "worth_by_loss": "runs of the other after which its expected best validation loss is the mean of one "
    "run of this racer; of TPE, ASHA and PBT iterations in whole budgets; -inf: the first that it is told is "
    "better already; inf: it never is as good",
    "worth_by_hit": "the same by the chance that a run has reached the target; -inf also where one run of "
    "this racer never does; null: neither ever does",
    "tuning_cost": "iterations until the target is first reached, abandoned runs included; of a tuner all "
    "that its repeats spend, until then or in vain, over the number of those that reach it; inf: in some "
    "seed, or with some hyper-rates, it never is",
    "single_loss": "expected validation loss of one run",
    "single_hit": "probability that one run reaches the target",
    "gain_by_search": "expected best validation loss after so many whole budgets, minus that of the other",
}
"""What the rows of race.parquet are."""
COLUMNS = ("measure", "racer", "other", "of", "unit", "value", "low", "high", "first", "last", "seeds", "why")
UNTUNED = (DEFAULT, LOG_DEFAULT, ANY_PAIR)
"""Those of whom one run is set beside a search."""
TUNERS = (RANDOM, COARSE, TPE, ASHA, PBT)
NEVER, NOT_ALWAYS = "never", "not always"
NEITHER, NOTHING_TOLD = "neither reaches it", "no run has ended"
RUNS = (1, 4, 16)
"""Whole budgets after which searches are compared."""


def numbers(race: Race) -> pd.DataFrame:
    """One row for each number, with its interval over training seeds: see MEASURES.

    `other`: the racer that it is set beside; `of`: after how many whole budgets; `first`, `last`: of a worth,
    the smallest and the largest number of runs that could have come out; `why`: why there is no number, no
    interval, or none that is finite.
    """
    sample = resamples(np.ones(len(race.seeds), bool))
    rows = [*_worth(race, sample), *_costs(race, sample), *_singles(race, sample), *_gains(race, sample)]
    return pd.DataFrame(rows, columns=[*COLUMNS])


def worth(value: ArrayLike, x: ArrayLike, curve: ArrayLike) -> Array:
    """Where a falling curve [X, ...] reaches a value [...]: linear in between; -inf: it begins below; inf: it
    never does. A curve that is infinite has not begun; NaN: it never begins."""
    value, x, curve = (np.asarray(one, float) for one in (value, x, curve))
    begun = np.isfinite(curve)
    enough = NOISE * np.maximum(np.abs(value), np.abs(np.where(begun, curve, 0)).max(0))
    reaches = curve <= value + enough
    first, start = reaches.argmax(0), begun.argmax(0)

    def at(places: NDArray[np.int64]) -> Array:
        return np.take_along_axis(curve, places[None], 0)[0]

    high, low = at(np.maximum(first - 1, 0)), at(first)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.clip((high - value) / (high - low), 0, 1)
        found = x[np.maximum(first - 1, 0)] + share * (x[first] - x[np.maximum(first - 1, 0)])
    equal = np.abs(at(start) - value) <= enough
    found = np.where(first == start, np.where(equal, x[start], -np.inf), found)
    found = np.where(reaches.any(0), found, np.inf)
    return np.where(begun.any(0), found, np.nan)


def worth_by_hit(value: ArrayLike, x: ArrayLike, chance: ArrayLike) -> Array:
    """Where a rising chance [X, ...] reaches a value [...], as `worth`. No chance at all is less than a run
    is worth, wherever the curve begins; NaN: the curve is without any as well."""
    value, chance = np.asarray(value, float), np.asarray(chance, float)
    found = np.where(value == 0, -np.inf, worth(1 - value, x, 1 - chance))
    return np.where((value == 0) & (chance.max(0) == 0), np.nan, found)


def mean_of_one(known: Searched) -> tuple[Array, Array]:
    """[S] each: the expected validation loss of one run, and its chance of a hit."""
    return known.scored.mean(0), known.hit.mean(0)


def _untuned(race: Race) -> Iterable[tuple[str, Array, Array]]:
    """Racer, its expected loss and its chance of a hit of one run [S]."""
    for racer in race.racers:
        if racer.single is not None and racer.name in UNTUNED:
            yield racer.name, *mean_of_one(racer.single)
        elif racer.name == ANY_PAIR and (searched := race.find(SEARCHED)) is not None:
            assert searched.single is not None  # one run of either is the same
            yield racer.name, *mean_of_one(searched.single)


def _worth(race: Race, sample: Resamples) -> Iterable[dict[str, Any]]:
    tuners = [racer for racer in race.racers if racer.name in TUNERS]
    for name, loss, hit in _untuned(race):
        for other in tuners:
            x, best, chance = _by_runs(race, other)
            by_loss, by_hit = sample.mean(best), sample.mean(chance)
            worths = {
                "worth_by_loss": (worth(sample.mean(loss), x, by_loss), NOTHING_TOLD),
                "worth_by_hit": (worth_by_hit(sample.mean(hit), x, by_hit), NEITHER),
            }
            begun = {"worth_by_loss": int(np.isfinite(by_loss[:, 0]).argmax()), "worth_by_hit": 0}
            for measure, (found, why) in worths.items():
                first, last = float(x[begun[measure]]), float(x[-1])
                beside: dict[str, Any] = {"other": other.name, "first": first, "last": last}
                yield _row(sample, measure, name, found, unit="runs", why=_why(found, why), **beside)


def _why(found: Array, why: str) -> str:
    """Why there is no number, or no interval; empty: there is."""
    if np.isnan(found[0]):
        return why
    return f"no interval: in some resamples {why}" if np.isnan(found).any() else ""


def _by_runs(race: Race, racer: Racer) -> tuple[Array, Array, Array]:
    """Runs [X], or iterations in whole budgets, and the expected best loss and the chance of a hit by then
    [X, S]."""
    if racer.single is not None:
        known = racer.single
        best = expected_best(known.scored.T, more_is_better=False).T
        return np.arange(1.0, len(best) + 1), best, chance_of_hit(known.hit.sum(0), len(best)).T
    x = race.axis.x
    some = (x > 0) & (x <= max(racer.until, x[1]))
    return x[some] / race.axis.budget, racer.best[some], racer.told[some]


def _costs(race: Race, sample: Resamples) -> Iterable[dict[str, Any]]:
    first = race.find(RANDOM)
    for racer in race.racers:
        spent, why = sample.mean(racer.cost), _never(racer)
        yield _row(sample, "tuning_cost", racer.name, spent, unit="iterations", why=why)
        if first is not None and racer is not first:
            beside = sample.mean(first.cost)
            if lacks := _never(first):
                why = "; ".join([*[why] * bool(why), f"random search over MAML's rates reaches it {lacks}"])
            with np.errstate(invalid="ignore"):
                ratio = np.where(np.isfinite(beside), spent / beside, np.nan)
            yield _row(sample, "tuning_cost", racer.name, ratio, other=RANDOM, unit="ratio", why=why)


def _never(racer: Racer) -> str:
    """In how many seeds it does not reach the target, or not with all hyper-rates; empty: in none."""
    never = int(np.isinf(racer.cost).sum())
    often = NOT_ALWAYS if racer.name == ANY_PAIR else NEVER  # some hyper-rates never reach it
    return f"{often} in {never} of {len(racer.cost)} seeds" if never else ""


def _singles(race: Race, sample: Resamples) -> Iterable[dict[str, Any]]:
    for racer in race.racers:
        if racer.single is not None:
            loss, hit = mean_of_one(racer.single)
            yield _row(sample, "single_loss", racer.name, sample.mean(loss))
            yield _row(sample, "single_hit", racer.name, sample.mean(hit), unit="probability")


def _gains(race: Race, sample: Resamples) -> Iterable[dict[str, Any]]:
    """What drawing Alpha-MAML's own rates anew for each run adds to one pair that is kept."""
    searched = race.find(SEARCHED)
    others = [racer for racer in race.racers if racer.name in (DEFAULT, ANY_PAIR)]
    for other in others if searched is not None else ():
        assert searched is not None
        for runs in RUNS:
            if runs * race.axis.budget <= min(searched.until, other.until, race.axis.x[-1]):
                ours, theirs = (sample.mean(racer.best[runs * PARTS]) for racer in (searched, other))
                alike = np.isclose(ours, theirs, rtol=NOISE, atol=0)  # after one run those of "any" are
                stats = np.where(alike, 0.0, ours - theirs)
                yield _row(sample, "gain_by_search", SEARCHED, stats, other=other.name, of=f"{runs}")


def _row(
    sample: Resamples,
    measure: str,
    racer: str,
    stats: Array,
    other: str | None = None,
    of: str = "",
    unit: str = "",
    first: float = np.nan,
    last: float = np.nan,
    why: str = "",
) -> dict[str, Any]:
    """A number by resample [R + 1], the estimate first."""
    stats = np.asarray(stats, float)
    low, high = sample.interval(stats)
    row = (measure, racer, other, of, unit, stats[0], low, high, first, last, sample.seeds, why)
    return dict(zip(COLUMNS, row, strict=True))
