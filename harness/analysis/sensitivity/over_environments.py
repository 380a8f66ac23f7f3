"""The measures over all environments: sensitivity, effective dimension, and what a choice is worth on seeds
that it was not made on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from harness.analysis.sensitivity import aggregates, performance
from harness.analysis.sensitivity.resamples import Array, Resamples, first_best
from harness.analysis.sensitivity.rows import Rows, Subject
from harness.analysis.sensitivity.runs import GAMMA, Runs, Settings

ONE_ENVIRONMENT = "with one environment, the best setting there is the best everywhere"
NO_COMMON_SEED = "no seed was run in every environment"
NO_COMMON_SETTING = "no setting was run in every environment"
ALL_EQUAL = "the 5th and 95th percentile of the scores are equal in {}"
NO_GRID = "no other setting has a value in common with the default, so factors cannot be tuned one by one"
NO_SEED_LEFT = "one seed: none is left to judge a choice on"
TUNED, DEFAULT, ANY = "tuned", "default", "any"
"""Which setting a method is judged by: the best of each environment, the best for all, or one at random."""
AT_ONCE = 4_000_000
"""Numbers of all methods and environments in memory at a time, of which a few copies are made."""


@dataclass(frozen=True, kw_only=True)
class Whys:
    """Why a method lacks a number; empty: it has it."""

    tuned: str
    """The best of each environment."""
    default: str
    """The best over all, and what is made of it."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What tuning is worth to a method, by resample. NaN where Whys says why."""

    tuned: Array
    """[R + 1] see performance.Tuned."""
    default: Array
    """[R + 1]"""
    phi: Array
    """[R + 1]"""
    subsets: Array
    """[H + 1, R + 1] see performance.subset_scores; [0, R + 1] where too many hyper-parameters vary."""


def measure(runs: Runs, sample: Resamples, rows: Rows) -> None:
    """Add the measures to the rows. `sample`: of the seeds that all environments have; none of them: nothing
    is known but that."""
    if not sample.seeds:
        for one in runs.methods:
            why = Whys(tuned=NO_COMMON_SEED, default=NO_COMMON_SEED)
            _nulls(rows.of(one.name, sample), why, (NO_COMMON_SEED, NO_COMMON_SEED))
        return
    scales = scale(runs, sample.weights[:1])
    whys = {one.name: _whys(runs, one, scales) for one in runs.methods}
    found = _found(runs, sample, whys)
    held_out = {}
    for one in runs.methods:
        subject, why = rows.of(one.name, sample), whys[one.name]
        alone = NO_SEED_LEFT if sample.seeds == 1 else ""
        _nulls(subject, why, (why.tuned or alone, why.default or alone))
        _tuned(one, found.get(one.name), why, subject)
        held_out[one.name] = _held_out(one, scales, why, sample)
        _summed_up(held_out[one.name], subject)
    _improvement(runs, held_out, sample, rows)


def _means(one: Settings, environment: int, weights: Array) -> Array:
    """[N, R] the mean scores over seeds, of the settings that were run in the environment."""
    used = weights.any(0)
    return one.results["score"][environment, one.ran[environment]][:, used] @ weights[:, used].T


def scale(runs: Runs, weights: Array) -> list[tuple[Array, Array]]:
    """By environment: what becomes 0 and 1, for each weighting of the seeds [R, S] -> [R] each."""
    if runs.normalised:
        return [(np.zeros(len(weights)), np.ones(len(weights)))] * len(runs.environments)
    everybody = [
        [_means(one, e, weights) for one in runs.methods if one.ran[e].any()]
        for e in range(len(runs.environments))
    ]
    return [performance.scale(means) for means in everybody]


def normalised(one: Settings, scales: list[tuple[Array, Array]], weights: Array) -> Array:
    """[E, N, R] Gamma of a method's mean scores; NaN: not run."""
    gamma = np.full((*one.ran.shape, len(weights)), np.nan)
    for e, (low, high) in enumerate(scales):
        gamma[e, one.ran[e]] = performance.gamma(_means(one, e, weights), low, high)
    return gamma


def not_run_in(runs: Runs, one: Settings) -> str:
    """Which environments lack the method; empty: none."""
    missing = [name for name, ran in zip(runs.environments, one.ran, strict=True) if not ran.any()]
    return f"not run in {' and '.join(missing)}" if missing else ""


def _whys(runs: Runs, one: Settings, scales: list[tuple[Array, Array]]) -> Whys:
    """From the scales of the estimate."""
    places = zip(runs.environments, scales, strict=True)
    flat = [name for name, (low, high) in places if not performance.apart(low[0], high[0])]
    tuned = default = ""
    if missing := not_run_in(runs, one):
        tuned = default = missing
    elif flat:
        tuned = default = ALL_EQUAL.format(" and ".join(flat))
    if len(runs.environments) == 1:
        default = ONE_ENVIRONMENT
    elif not default and not one.ran.all(0).any():
        default = NO_COMMON_SETTING
    return Whys(tuned=tuned, default=default)


def _nulls(subject: Subject, why: Whys, held_out: tuple[str, str]) -> None:
    """A row for each number that there is not. `held_out`: why not for both choices; empty: there is."""
    absent = {"sensitivity": why.default, "effective_dimension": why.default}
    absent |= {TUNED: why.tuned, DEFAULT: why.default}
    absent |= {f"{choice}_held_out": words for choice, words in zip((TUNED, DEFAULT), held_out, strict=True)}
    for measure, words in absent.items():
        if words:
            subject.null(measure, words)
    for choice, words in zip((TUNED, DEFAULT), held_out, strict=True):
        if words:
            subject.null("interquartile_mean", words, of=choice)


def _found(runs: Runs, sample: Resamples, whys: Mapping[str, Whys]) -> dict[str, Found]:
    """By method, some resamples at a time."""
    size = sum(one.ran.size for one in runs.methods)
    step = max(1, AT_ONCE // size)
    parts: dict[str, list[Found]] = {one.name: [] for one in runs.methods}
    for start in range(0, len(sample.weights), step):
        weights = sample.weights[start : start + step]
        scales = scale(runs, weights)
        for one in runs.methods:
            if not whys[one.name].tuned:
                gamma = normalised(one, scales, weights)
                parts[one.name].append(_part(one, gamma, whys[one.name]))
    return {
        name: Found(
            tuned=np.concatenate([part.tuned for part in some]),
            default=np.concatenate([part.default for part in some]),
            phi=np.concatenate([part.phi for part in some]),
            subsets=np.concatenate([part.subsets for part in some], axis=1),
        )
        for name, some in parts.items()
        if some
    }


def _part(one: Settings, gamma: Array, why: Whys) -> Found:
    """Of some resamples. `gamma` [E, N, R]."""
    count = gamma.shape[-1]
    if why.default:
        best = np.where(one.ran[..., None], gamma, -np.inf).max(1).mean(0)
        unknown = np.full(count, np.nan)
        return Found(tuned=best, default=unknown, phi=unknown, subsets=np.empty((0, count)))
    found = performance.tuned(gamma, one.ran)
    levels = one.levels
    few = levels.shape[1] <= performance.MAX_KNOBS and _is_grid(one, levels, int(found.chosen[0]))
    subsets = np.empty((levels.shape[1] + 1 if few else 0, count))
    for default in np.unique(found.chosen) if few else ():
        same = found.chosen == default
        subsets[:, same] = performance.subset_scores(gamma[..., same], one.ran, levels, default)
    return Found(tuned=found.per_environment, default=found.default, phi=found.phi, subsets=subsets)


def _is_grid(one: Settings, levels: NDArray[np.int64], default: int) -> bool:
    """Whether some other setting of all environments has a value in common with the default, so that tuning
    some factors alone means anything."""
    common = np.flatnonzero(np.logical_and.reduce(one.ran, axis=0))
    shared = (levels[common] == levels[default]).any(1) & (common != default)
    return levels.shape[1] < 2 or len(common) < 2 or bool(shared.any())


def _tuned(one: Settings, found: Found | None, why: Whys, subject: Subject) -> None:
    """Phi and d of one method, and what they are made of."""
    if found is None:
        return
    subject.add(TUNED, found.tuned, unit=GAMMA, how="difference")
    if why.default:
        return
    subject.add("sensitivity", found.phi, unit=GAMMA, how="difference")
    subject.add(DEFAULT, found.default, unit=GAMMA, how="difference")
    if not len(found.subsets):
        many = len(one.factors) > performance.MAX_KNOBS
        why_null = f"more than {performance.MAX_KNOBS} factors vary" if many else NO_GRID
        subject.null("effective_dimension", why_null)
        return
    dimension = performance.dimension(found.subsets)
    why_null = "the tuned score is not above 0" if np.isnan(dimension[0]) else ""
    subject.add("effective_dimension", dimension, unit="factors", how="difference", why=why_null)
    subject.curve("dimension", range(len(found.subsets)), found.subsets, unit=GAMMA)


def _held_out(
    one: Settings, scales: list[tuple[Array, Array]], why: Whys, sample: Resamples
) -> dict[str, Array]:
    """What a method scores on seeds that its setting was not chosen on: choice -> [E, S'] Gamma, with the
    percentiles of the means over all seeds.

    For each seed the setting is that with the best mean over the other seeds: for each environment (tuned) or
    for all together (default). A choice that cannot be made is left out.
    """
    if why.tuned or sample.seeds < 2:
        return {}
    # Each seed alone is a weighting, too.
    used = np.flatnonzero(sample.weights[0])
    scores = normalised(one, scales, np.eye(sample.weights.shape[1])[used])
    others = (scores.sum(-1, keepdims=True) - scores) / (scores.shape[-1] - 1)
    others = np.where(one.ran[..., None], others, -np.inf)
    chosen = first_best(np.moveaxis(others, 1, 0))
    found = {TUNED: np.take_along_axis(scores, chosen[:, None], 1)[:, 0]}
    if not why.default:
        common = np.flatnonzero(one.ran.all(0))
        best = common[first_best(others[:, common].mean(0))]
        found[DEFAULT] = scores[:, best, np.arange(scores.shape[-1])]
    return found


def _summed_up(held_out: dict[str, Array], subject: Subject) -> None:
    """Mean and interquartile mean over environments and seeds."""
    sample = subject.sample
    used = sample.weights[0] > 0
    for choice, scores in held_out.items():
        means = scores.mean(0) @ sample.weights[:, used].T
        subject.add(f"{choice}_held_out", means, unit=GAMMA, how="difference")
        counts = np.tile(sample.counts[:, used], len(scores))
        means = aggregates.interquartile_mean(scores.ravel(), counts)
        subject.add("interquartile_mean", means, of=choice, unit=GAMMA, how="difference")


def _improvement(runs: Runs, held_out: dict[str, dict[str, Array]], sample: Resamples, rows: Rows) -> None:
    """How often a method beats another, seed by seed: by its choice on the other seeds, or by any setting."""
    used = sample.weights[0] > 0
    for first, later in combinations(runs.methods, 2):
        chances = {
            choice: aggregates.chance_of_improvement(mine[None], held_out[first.name][choice][None])
            for choice, mine in held_out[later.name].items()
            if choice in held_out[first.name]
        }
        both = np.flatnonzero(later.ran.any(1) & first.ran.any(1))
        if both.size:
            sides = [[one.results["score"][e, one.ran[e]][:, used] for one in (later, first)] for e in both]
            chances[ANY] = np.stack([aggregates.chance_of_improvement(*side) for side in sides])
        for choice, chance in chances.items():  # [E, S]
            stats = chance.mean(0) @ sample.weights[:, used].T
            subject = rows.of(later.name, sample)
            subject.add("improvement", stats, of=choice, unit="probability", other=first.name)
