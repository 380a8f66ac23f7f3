"""What is measured, as rows of two tidy frames: numbers with their intervals, and curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from harness.analysis.sensitivity.resamples import Array, Resamples

VALUES = ("measure", "method", "other", "environment", "of", "unit", "value", "low", "high", "seeds", "why")
"""Columns of the frame of numbers, see Measures.values."""
CURVES = ("curve", "method", "environment", "x", "value", "low", "high", "unit", "seeds")
"""Columns of the frame of curves, see Measures.curves."""
ONE_SEED = "one seed, so no interval"
SOME_RESAMPLES = "no interval: in some resamples of the seeds there is no such number"
TOTAL = "total"
"""`of`: of all hyper-parameters together."""

MEASURES = {
    "sensitivity": "what tuning for each environment adds to tuning once for all: Phi",
    "effective_dimension": "factors that have to be tuned for each environment",
    "tuned": "Gamma of the best setting of each environment",
    "default": "Gamma of the setting that is best over all environments",
    "tuned_held_out": "Gamma of each environment's best setting, on seeds that it was not chosen on",
    "default_held_out": "Gamma of the best setting over all environments, on seeds that it was not chosen on",
    "interquartile_mean": "mean of the middle half of the scores on held-out seeds",
    "improvement": "probability that a run is better than one of the other method",
    "settings": "settings that were run",
    "best": "score of the best setting",
    "mean": "mean score of all settings",
    "tunability": "what tuning gains over the default setting of all environments",
    "rate_sensitivity": "mean loss above the best setting's, a run that learns nothing at its start",
    "reached": "share of the settings that reach the target",
    "robust_area": "share of the settings within a factor of the fewest iterations",
    "seeds_without_hit": "seeds of which no setting reaches the target",
    "tuning_cost": "what random search spends until its first hit, each setting once",
    "tuning_cost_with_replacement": "what random search spends until its first hit, settings drawn anew",
    "deviation": "standard deviation of what the shares are of, over settings and seeds",
    "share_of_count": "share of the variance of log10 of the iterations to the target",
    "share_of_hit": "share of the variance of reaching the target, 0 or 1",
    "share_of_score": "share of the variance of the score",
}
"""Every measure of the frame of numbers, in words; see Measures for what its rows hold."""
CURVE_WORDS = {
    "dimension": "Gamma with so many factors tuned for each environment",
    "budget": "expected best score of so many settings, drawn at random",
    "hit": "chance that one of so many settings, drawn at random, reaches the target",
    "profile": "share of the settings within a factor of the fewest iterations of any method",
    "ecdf": "share of settings and targets that are reached within so many iterations",
}
"""Every curve of the frame of curves, in words, as a function of its x."""

How = Literal["difference", "ratio"]
"""How two methods are compared."""

Known = dict[str, tuple[Array, Resamples]]
"""By method: a number by resample, and the resamples."""


@dataclass(kw_only=True)
class Rows:
    """Collects the rows of both frames."""

    values: list[dict[str, Any]] = field(default_factory=list)
    curves: list[dict[str, Any]] = field(default_factory=list)
    compared: dict[tuple[str, str | None, str, How], Known] = field(default_factory=dict)
    """Measure, environment, `of`, and how methods are compared by it -> what is known of each."""

    def of(self, method: str, sample: Resamples, environment: str | None = None) -> Subject:
        """Where numbers of a method are added. `environment`: None for those over all."""
        return Subject(rows=self, method=method, sample=sample, environment=environment)

    def compare(self, methods: Sequence[str]) -> None:
        """Each method beside each that comes before it, resample by resample: rows with `other`."""
        for (measure, environment, of, how), known in list(self.compared.items()):
            order = [name for name in methods if name in known]
            for first, later in combinations(order, 2):
                (theirs, _), (mine, sample) = known[first], known[later]
                with np.errstate(invalid="ignore", divide="ignore"):
                    stats = mine - theirs if how == "difference" else mine / theirs
                stats = np.where(np.isfinite(theirs), stats, np.nan)  # nothing is 0 times infinity
                lacking = [name for name in (first, later) if not np.isfinite(known[name][0][0])]
                why = f"{' and '.join(lacking)}: no finite number" if lacking else ""
                self.of(later, sample, environment).add(measure, stats, of=of, unit=how, other=first, why=why)

    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Both frames."""
        return (
            pd.DataFrame(self.values, columns=[*VALUES]),
            pd.DataFrame(self.curves, columns=[*CURVES]),
        )


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A method in an environment (None: over all), on some seeds."""

    rows: Rows
    method: str
    sample: Resamples
    environment: str | None

    def add(
        self,
        measure: str,
        stats: Array,
        *,
        of: str = "",
        unit: str = "",
        other: str | None = None,
        how: How | None = None,
        why: str = "",
    ) -> None:
        """A number by resample [R + 1], the estimate first. `how`: how methods are compared by it (None: not
        at all); `why`: why it is null or infinite, if it is."""
        stats = np.asarray(stats, float)
        low, high = self.sample.interval(stats)
        if not why and np.isnan(low):
            why = self._no_interval()
        row = (measure, self.method, other, self.environment, of, unit, stats[0], low, high)
        self._row(*row, self.sample.seeds, why)
        if how is not None:
            known = self.rows.compared.setdefault((measure, self.environment, of, how), {})
            known[self.method] = stats, self.sample

    def bounded(
        self, measure: str, value: float, interval: tuple[float, float], of: str = "", unit: str = ""
    ) -> None:
        """A number whose interval comes from elsewhere; NaN: it has none."""
        why = self._no_interval() if np.isnan(interval[0]) else ""
        row = (measure, self.method, None, self.environment, of, unit, value, *interval)
        self._row(*row, self.sample.seeds, why)

    def _no_interval(self) -> str:
        return ONE_SEED if self.sample.seeds == 1 else SOME_RESAMPLES

    def plain(self, measure: str, value: float, why: str, of: str = "", unit: str = "") -> None:
        """A number that has no interval by its nature, and why."""
        row = (measure, self.method, None, self.environment, of, unit, value, np.nan, np.nan)
        self._row(*row, self.sample.seeds, why)

    def null(self, measure: str, why: str, of: str = "", unit: str = "") -> None:
        """A number that there is not, and why."""
        self.plain(measure, np.nan, why, of, unit)

    def curve(self, curve: str, x: ArrayLike, stats: Array, unit: str = "") -> None:
        """A curve by resample [X, R + 1]."""
        for at, row in zip(np.asarray(x, float), np.asarray(stats, float), strict=True):
            point = (at, row[0], *self.sample.interval(row), unit, self.sample.seeds)
            self.rows.curves.append(
                dict(zip(CURVES, (curve, self.method, self.environment, *point), strict=True))
            )

    def _row(self, *row: Any) -> None:
        self.rows.values.append(dict(zip(VALUES, row, strict=True)))
