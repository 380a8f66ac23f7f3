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
                why = "" if np.isfinite(stats[0]) else "not finite for both"
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
        at all); `why`: why it is null, or has no interval."""
        stats = np.asarray(stats, float)
        low, high = self.sample.interval(stats)
        if not why and self.sample.seeds == 1:
            why = ONE_SEED
        row = (measure, self.method, other, self.environment, of, unit, stats[0], low, high)
        self._row(*row, self.sample.seeds, why)
        if how is not None:
            known = self.rows.compared.setdefault((measure, self.environment, of, how), {})
            known[self.method] = stats, self.sample

    def plain(self, measure: str, value: float, of: str = "", unit: str = "") -> None:
        """A number that has no interval by its nature."""
        row = (measure, self.method, None, self.environment, of, unit, value, np.nan, np.nan)
        self._row(*row, self.sample.seeds, "")

    def null(self, measure: str, why: str) -> None:
        """A number that there is not, and why."""
        row = (measure, self.method, None, self.environment, "", "", np.nan, np.nan, np.nan)
        self._row(*row, self.sample.seeds, why)

    def curve(self, curve: str, x: ArrayLike, stats: Array, unit: str = "") -> None:
        """A curve by resample [X, R + 1]."""
        for at, row in zip(np.asarray(x, float), np.asarray(stats, float), strict=True):
            point = (at, row[0], *self.sample.interval(row), unit, self.sample.seeds)
            self.rows.curves.append(
                dict(zip(CURVES, (curve, self.method, self.environment, *point), strict=True))
            )

    def _row(self, *row: Any) -> None:
        self.rows.values.append(dict(zip(VALUES, row, strict=True)))
