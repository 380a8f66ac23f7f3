"""The measures of one environment: random search, variance shares, tunability, robustness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.analysis.sensitivity import profiles, searching, shares, tunability
from harness.analysis.sensitivity.over_environments import (
    NO_COMMON_SEED,
    NO_COMMON_SETTING,
    ONE_ENVIRONMENT,
    not_run_in,
)
from harness.analysis.sensitivity.resamples import Array, Resamples
from harness.analysis.sensitivity.rows import TOTAL, Rows, Subject
from harness.analysis.sensitivity.runs import DECADES, Here, Runs, Settings

ITERATIONS, EVALUATIONS = "iterations", "gradient evaluations"
FACTOR = 2.0
"""Within which a setting counts to the robust area."""
FACTORS = np.geomspace(1, 100, 81)
"""At which profiles are taken."""
POINTS = 200
"""Of a curve, at most."""
OF_SETTINGS, OF_VARIANCE = "share of settings", "share of variance"
OF_TARGETS = "share of settings and targets"
COUNTED = "counted, so no interval"
OF_SEEDS = "no interval: the seeds are its levels"
OF_ALL = "of all runs, so no interval"


def measure(runs: Runs, place: int, sample: Resamples, rows: Rows) -> None:
    """Add the measures of the environment at `place` to the rows. `sample`: of its seeds."""
    name = runs.environments[place]
    used = sample.weights[0] > 0
    present = [one.at(place, name, used) for one in runs.methods if one.ran[place].any()]
    small = Resamples(weights=sample.weights[:, used], chance=sample.chance)
    for one in present:
        subject = rows.of(one.name, small, name)
        subject.plain("settings", float(len(one.table)), COUNTED, unit="settings")
        _score(runs, one, subject)
        _tunability(runs, place, one, subject)
        _rate_sensitivity(runs, one, subject)
        if "count" in one.results:
            _hits(one, subject)
        _shares(runs, one, subject)
    if all("count" in one.results for one in present):
        _profiles(present, small, rows, name)
    if all(one.passages is not None for one in present):
        _ecdf(present, small, rows, name)


def _score(runs: Runs, one: Here, subject: Subject) -> None:
    """The best and the mean score, and the budget curve, in the unit of the table."""
    scores = one.results["score"]
    sign, unit = -1.0 if runs.less_is_better else 1.0, runs.units[one.environment]
    weights = subject.sample.weights
    means = scores @ weights.T  # [N, R + 1]
    subject.add("best", sign * means.max(0), unit=unit, how="difference")
    subject.add("mean", sign * means.mean(0), unit=unit, how="difference")
    if not runs.of_counts:
        best, tried = searching.expected_best(scores.T), _tried(len(scores))  # [S, B]
        subject.curve("budget", tried, sign * (best[:, tried - 1].T @ weights.T), unit=unit)


def _rate_sensitivity(runs: Runs, one: Here, subject: Subject) -> None:
    """Learning-rate sensitivity over all settings, and along each factor from the best of them."""
    if "start" not in one.results:
        subject.null("rate_sensitivity", "no loss before training is given", of=TOTAL)
        return
    weights = subject.sample.weights
    losses, before = (-one.results[name] for name in ("score", "start"))
    # Run by run: a seed that diverges counts as one that learnt nothing, whatever the others do.
    final, start = np.minimum(losses, before) @ weights.T, before @ weights.T
    stats = tunability.rate_sensitivity(final, start)
    subject.add("rate_sensitivity", stats, of=TOTAL, unit=runs.units[one.environment], how="difference")
    best = int(final[:, 0].argmin())
    for name, columns in one.factors.items():
        line = tunability.along(one.knobs, best, columns)
        stats = tunability.rate_sensitivity(final[line], start[line])
        subject.add("rate_sensitivity", stats, of=name, unit=runs.units[one.environment])


def _tunability(runs: Runs, place: int, one: Here, subject: Subject) -> None:
    """What the environment's own best setting gains over the best for all environments."""
    method = next(method for method in runs.methods if method.name == one.name)
    default = _default(runs, method)
    if isinstance(default, str):
        subject.null("tunability", default, of=TOTAL)
        return
    at = int(np.count_nonzero(method.ran[place, :default]))
    risk = -one.results["score"] @ subject.sample.weights.T
    stats = tunability.tunability(risk, at, np.ones(len(risk), bool))
    subject.add("tunability", stats, of=TOTAL, unit=runs.units[one.environment], how="difference")
    for name, columns in one.factors.items():
        stats = tunability.tunability(risk, at, tunability.along(one.knobs, at, columns))
        subject.add("tunability", stats, of=name, unit=runs.units[one.environment])


def _default(runs: Runs, method: Settings) -> int | str:
    """The setting with the least mean risk over environments, on the seeds that all have; or why there is
    none. It is chosen once, not in each resample."""
    if len(runs.environments) == 1:
        return ONE_ENVIRONMENT
    if not runs.common_seeds.any():
        return NO_COMMON_SEED
    if missing := not_run_in(runs, method):
        return missing
    if not method.ran.all(0).any():
        return NO_COMMON_SETTING
    risk = -method.results["score"][..., runs.common_seeds].mean(-1)
    return tunability.best_everywhere(risk, method.ran)


def _hits(one: Here, subject: Subject) -> None:
    """Who reaches the target, and what random search spends on it."""
    sample = subject.sample
    hit = np.isfinite(one.results["count"])
    subject.add("reached", hit.mean(0) @ sample.weights.T, unit=OF_SETTINGS, how="difference")
    area = profiles.robust_area(one.results["count"], FACTOR) @ sample.weights.T
    subject.add("robust_area", area, of=f"{FACTOR:g}", unit=OF_SETTINGS, how="difference")
    chance = searching.chance_of_hit(hit.sum(0), len(hit))  # [S, B]
    tried = _tried(len(hit))
    subject.curve("hit", tried, chance[:, tried - 1].T @ sample.weights.T, unit="probability")
    never = int((~hit.any(0)).sum())
    subject.plain("seeds_without_hit", float(never), COUNTED, unit="seeds")
    why = f"no setting reaches the target in {never} of {sample.seeds} seeds" if never else ""
    for unit, result in ((ITERATIONS, "cost"), (EVALUATIONS, "evaluations")):
        if result in one.results:
            for replacement, suffix in ((False, ""), (True, "_with_replacement")):
                stats = sample.mean(searching.tuning_cost(one.results[result], hit, replacement))
                subject.add(f"tuning_cost{suffix}", stats, of=unit, unit=unit, how="ratio", why=why)


def _shares(runs: Runs, one: Here, subject: Subject) -> None:
    """Variance shares of the count (its log10, a miss at the budget), the hit (0 or 1) and the score."""
    responses = {}
    if (counts := one.results.get("count")) is not None:
        responses["count"] = np.log10(np.minimum(counts, one.results["cap"]))
        responses["hit"] = np.isfinite(counts).astype(float)
    if not runs.of_counts:
        responses["score"] = one.results["score"]
    units = {"count": DECADES, "hit": "", "score": runs.units[one.environment]}
    for what, values in responses.items():
        subject.plain("deviation", float(values.std()), OF_ALL, of=what, unit=units[what])
    design = shares.factorial(one.knobs, [*one.factors.values()])
    for what, values in responses.items():
        if design is None:
            subject.null(f"share_of_{what}", "its settings are no full factorial")
        elif len(one.table) == 1:
            subject.null(f"share_of_{what}", "one setting: nothing was varied")
        elif values.min() == values.max():
            subject.null(f"share_of_{what}", "all results are equal")
        else:
            places, shape = design
            laid = np.empty_like(values)
            laid[places] = values
            _share(f"share_of_{what}", laid.reshape(*shape, -1), [*one.factors], subject)


def _share(measure: str, values: Array, factors: list[str], subject: Subject) -> None:
    """`values` [levels ..., S]. With one seed, the seed is no factor."""
    seeds = values.shape[-1]
    whole = shares.variance_shares(
        values if seeds > 1 else values[..., 0], [*factors, *[shares.SEED] * (seeds > 1)]
    )
    intervals = shares.jackknife(values, factors)
    for effect, share in whole.items():
        if effect in intervals:
            subject.bounded(measure, share, intervals[effect], of=effect, unit=OF_VARIANCE)
        else:
            subject.plain(measure, share, OF_SEEDS, of=effect, unit=OF_VARIANCE)


def _profiles(present: list[Here], sample: Resamples, rows: Rows, name: str) -> None:
    best = np.min([one.results["count"].min(0) for one in present], axis=0)
    for one in present:
        near = profiles.profile(one.results["count"], best, FACTORS) @ sample.weights.T
        rows.of(one.name, sample, name).curve("profile", FACTORS, near, unit=OF_SETTINGS)


def _ecdf(present: list[Here], sample: Resamples, rows: Rows, name: str) -> None:
    x = _points(max(one.results["cap"].max() for one in present))
    for one in present:
        assert one.passages is not None
        by_seed = np.moveaxis(one.passages, 1, 0).reshape(one.passages.shape[1], -1)  # [S, N T]
        reached = profiles.reached_by(by_seed, x).T @ sample.weights.T
        rows.of(one.name, sample, name).curve("ecdf", x, reached, unit=OF_TARGETS)


def _tried(size: int) -> NDArray[np.int64]:
    """Of how many settings a curve of random search is taken: 1, 2, ... size; some of them where there are
    many."""
    return np.arange(1, size + 1) if size <= POINTS else _points(size)


def _points(last: float) -> NDArray[np.int64]:
    """Whole numbers from 1 to the last, evenly spaced on a logarithmic axis."""
    return np.unique(np.rint(np.geomspace(1, last, POINTS)).astype(np.int64))
