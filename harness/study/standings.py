"""The league: which method needs least tuning. Defaults are chosen on two seeds, and judged on the other
three."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.sensitivity.over_environments import normalised, scale
from harness.analysis.sensitivity.resamples import first_best, resamples
from harness.analysis.sensitivity.runs import Runs
from harness.common.errors import UserError
from harness.records.reference import say_seeds

CHOICE, REPORT = (0, 1), (2, 3, 4)
"""Seeds on which defaults are chosen, and seeds on which they are reported."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One method in the league. Scores are Gamma, means over the environments."""

    method: str
    settings: int
    """That were run in every environment."""
    default: dict[str, Any]
    """The setting with the best mean score on the seeds of the choice: hyper-parameters that vary."""
    chosen: float
    """Its score on these seeds."""
    reported: float
    """Its score on the seeds of the report."""
    low: float
    high: float
    """Of an interval over the seeds of the report; NaN: too few."""
    tuned: float
    """The same on the seeds of the report with the best setting of each environment, chosen as the default
    is."""

    @property
    def optimism(self) -> float:
        """What the choice promised and the report does not keep."""
        return self.chosen - self.reported


def standings(
    runs: Runs, choice: Collection[int] = CHOICE, report: Collection[int] = REPORT
) -> list[Standing]:
    """Methods with a setting that was run in every environment, the best reported score first.

    Scores of the choice are normalised by the choice's seeds, those of the report by the report's. UserError:
    a seed is missing, or in both.
    """
    if both := sorted({*choice} & {*report}):
        raise UserError(
            f"the league's {say_seeds(both)}: a default is chosen on them, so they cannot report it"
        )
    used, other = _flags(runs, choice), _flags(runs, report)
    once, sample = (used / used.sum())[None], resamples(other)
    first, later = scale(runs, once), scale(runs, sample.weights)
    found = []
    for one in runs.methods:
        common = np.flatnonzero(one.ran.all(0))
        if not common.size:
            continue
        before = normalised(one, first, once)[..., 0]
        after = normalised(one, later, sample.weights)
        default = common[first_best(before[:, common].mean(0))]
        best = first_best(np.where(one.ran, before, -np.inf).T)
        scores = after[:, default].mean(0)
        low, high = sample.interval(scores)
        found.append(
            Standing(
                method=one.name,
                settings=len(common),
                default={str(name): value for name, value in one.table.iloc[default].dropna().items()},
                chosen=float(before[:, default].mean()),
                reported=float(scores[0]),
                low=low,
                high=high,
                tuned=float(after[np.arange(len(best)), best, 0].mean()),
            )
        )
    return sorted(found, key=lambda one: -one.reported)


def _flags(runs: Runs, seeds: Collection[int]) -> NDArray[np.bool_]:
    """[S] which of the runs' seeds these are."""
    flags = np.array([seed in set(seeds) for seed in runs.seeds])
    if flags.sum() < len(set(seeds)) or not runs.has_seed[:, flags].all():
        raise UserError(f"the league needs seeds {sorted(seeds)} of every grid")
    return flags
