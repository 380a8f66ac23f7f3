"""All measures of a table of runs at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.analysis.sensitivity import in_environment, over_environments
from harness.analysis.sensitivity.resamples import DRAWS, resamples
from harness.analysis.sensitivity.rows import Rows
from harness.analysis.sensitivity.runs import Runs


@dataclass(frozen=True, kw_only=True, eq=False)
class Measures:
    """What `measure` returns."""

    values: pd.DataFrame
    """One row for each number."""
    curves: pd.DataFrame
    """One row for each point of a curve."""
    runs: Runs
    """What was measured."""


def measure(runs: Runs, draws: int = DRAWS, rng: np.random.Generator | None = None) -> Measures:
    """Everything that the table allows."""
    rows, common = Rows(), runs.common_seeds
    # Drawn once for each set of seeds: where two environments have the same, they are resampled together.
    samples = {used.tobytes(): used for used in (common, *runs.has_seed)}
    drawn = {key: resamples(used, draws, rng) for key, used in samples.items()}
    over_environments.measure(runs, drawn[common.tobytes()], rows)
    for place, used in enumerate(runs.has_seed):
        in_environment.measure(runs, place, drawn[used.tobytes()], rows)
    rows.compare([one.name for one in runs.methods])
    values, curves = rows.frames()
    return Measures(values=values, curves=curves, runs=runs)
