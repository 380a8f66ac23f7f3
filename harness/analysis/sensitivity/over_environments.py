"""The measures over all environments: sensitivity, effective dimension, and what a choice is worth on seeds
that it was not made on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from harness.analysis.sensitivity import aggregates, performance
from harness.analysis.sensitivity.resamples import Array, Resamples
from harness.analysis.sensitivity.rows import Rows, Subject
from harness.analysis.sensitivity.runs import Runs, Settings

GAMMA = "Gamma"
"""The unit of normalised scores."""
ONE_ENVIRONMENT = "one environment: the best setting there is the best everywhere"
NO_COMMON_SEED = "no seed was run in every environment"
NO_COMMON_SETTING = "no setting was run in every environment"
ALL_EQUAL = "the 5th and 95th percentile of the scores are equal in {}"
TUNED, DEFAULT, ANY = "tuned", "default", "any"
"""Which setting a method is judged by: the best of each environment, the best for all, or one at random."""


@dataclass(frozen=True, kw_only=True)
class Normalised:
    """Gamma of one method; NaN where a setting was not run."""

    by_resample: Array
    """[E, N, R + 1] of the means over seeds, each resample with percentiles of its own."""
    by_seed: Array
    """[E, N, S] of each seed, with the percentiles of the means over all of them."""


def normalised(runs: Runs, sample: Resamples) -> dict[str, Normalised]:
    """By method: Gamma in all environments, on the seeds of the sample."""
    shapes = {one.name: one.results["score"] for one in runs.methods}
    by_resample = {
        name: np.full((*scores.shape[:2], len(sample.weights)), np.nan) for name, scores in shapes.items()
    }
    by_seed = {name: np.full(scores.shape, np.nan) for name, scores in shapes.items()}
    for e in range(len(runs.environments)):
        means = {
            one.name: sample.mean(one.results["score"][e, one.ran[e]])
            for one in runs.methods
            if one.ran[e].any()
        }
        low, high = (0.0, 1.0) if runs.normalised else performance.scale([*means.values()])
        first = [np.reshape(x, -1)[0] for x in (low, high)]
        for one in runs.methods:
            if one.name in means:
                ran = one.ran[e]
                by_resample[one.name][e, ran] = performance.gamma(means[one.name], low, high)
                by_seed[one.name][e, ran] = performance.gamma(one.results["score"][e, ran], *first)
    return {name: Normalised(by_resample=by_resample[name], by_seed=by_seed[name]) for name in by_resample}


def measure(runs: Runs, sample: Resamples, rows: Rows) -> None:
    """Add the measures to the rows. `sample`: of the seeds that all environments have; none of them: nothing
    is known but that."""
    if not sample.seeds:
        for one in runs.methods:
            _nulls(rows.of(one.name, sample), NO_COMMON_SEED)
        return
    scaled = normalised(runs, sample)
    held_out = {}
    for one in runs.methods:
        subject = rows.of(one.name, sample)
        _tuned(runs, one, scaled[one.name].by_resample, subject)
        held_out[one.name] = _held_out(one, scaled[one.name], sample)
        _summed_up(held_out[one.name], subject)
    _improvement(runs, scaled, held_out, sample, rows)


def _nulls(subject: Subject, why: str) -> None:
    subject.null("sensitivity", why)
    subject.null("effective_dimension", why)


def _why_not(runs: Runs, one: Settings, scaled: Array) -> str:
    """Why a method has no sensitivity; empty: it has."""
    if len(runs.environments) == 1:
        return ONE_ENVIRONMENT
    missing = [name for name, ran in zip(runs.environments, one.ran, strict=True) if not ran.any()]
    if missing:
        return f"not run in {' and '.join(missing)}"
    if not one.ran.all(0).any():
        return NO_COMMON_SETTING
    places = enumerate(runs.environments)
    flat = [name for e, name in places if np.isnan(scaled[e, one.ran[e]][..., 0]).any()]
    return ALL_EQUAL.format(" and ".join(flat)) if flat else ""


def _tuned(runs: Runs, one: Settings, scaled: Array, subject: Subject) -> None:
    """Phi and d of one method, and what they are made of. `scaled` [E, N, R + 1]."""
    if why := _why_not(runs, one, scaled):
        _nulls(subject, why)
        return
    found = performance.tuned(scaled, one.ran)
    subject.add("sensitivity", found.phi, unit=GAMMA, how="difference")
    subject.add(TUNED, found.per_environment, unit=GAMMA, how="difference")
    subject.add(DEFAULT, found.default, unit=GAMMA, how="difference")
    if len(one.hyper) > performance.MAX_KNOBS:
        why = f"more than {performance.MAX_KNOBS} hyper-parameters vary"
        subject.null("effective_dimension", why)
        return
    scores = np.empty((len(one.hyper) + 1, scaled.shape[-1]))
    for default in np.unique(found.chosen):
        same = found.chosen == default
        scores[:, same] = performance.subset_scores(scaled[..., same], one.ran, one.knobs, default)
    dimension = performance.dimension(scores)
    why = "the tuned score is not above 0" if np.isnan(dimension[0]) else ""
    subject.add("effective_dimension", dimension, unit="hyper-parameters", how="difference", why=why)
    subject.curve("dimension", range(len(scores)), scores, unit=GAMMA)


def _held_out(one: Settings, scaled: Normalised, sample: Resamples) -> dict[str, Array]:
    """What a method scores on seeds that its setting was not chosen on: choice -> [E, S'] Gamma.

    For each seed the setting is that with the best mean over the other seeds: for each environment (tuned) or
    for all together (default). Empty with one seed, or where the method was not run everywhere.
    """
    used = sample.weights[0] > 0
    if used.sum() < 2 or not one.ran.any(1).all():
        return {}
    scores = scaled.by_seed[..., used]
    others = (scores.sum(-1, keepdims=True) - scores) / (scores.shape[-1] - 1)
    others = np.where(one.ran[..., None], others, -np.inf)
    if np.isnan(others).any():
        return {}
    chosen = others.argmax(1)
    found = {TUNED: np.take_along_axis(scores, chosen[:, None], 1)[:, 0]}
    common = np.flatnonzero(one.ran.all(0))
    if common.size and len(scores) > 1:
        best = common[others[:, common].mean(0).argmax(0)]
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


def _improvement(
    runs: Runs,
    scaled: dict[str, Normalised],
    held_out: dict[str, dict[str, Array]],
    sample: Resamples,
    rows: Rows,
) -> None:
    """How often a method beats another, seed by seed."""
    used = sample.weights[0] > 0
    for first, later in combinations(runs.methods, 2):
        chances = {
            choice: aggregates.chance_of_improvement(mine[None], held_out[first.name][choice][None])
            for choice, mine in held_out[later.name].items()
            if choice in held_out[first.name]
        }
        both = [e for e in range(len(runs.environments)) if later.ran[e].any() and first.ran[e].any()]
        if both:
            sides = [
                [scaled[one.name].by_seed[e, one.ran[e]][:, used] for one in (later, first)] for e in both
            ]
            chances[ANY] = np.stack([aggregates.chance_of_improvement(*side) for side in sides])
        for choice, chance in chances.items():  # [E, S]
            stats = chance.mean(0) @ sample.weights[:, used].T
            rows.of(later.name, sample).add(
                "improvement", stats, of=choice, unit="probability", other=first.name
            )
