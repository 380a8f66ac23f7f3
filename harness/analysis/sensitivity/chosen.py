"""Which settings the measures speak of: the best of each environment, and the default for all of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.sensitivity.over_environments import normalised, scale
from harness.analysis.sensitivity.resamples import first_best
from harness.analysis.sensitivity.runs import GAMMA, Runs, Settings

CHOSEN = ("method", "environment", "setting", "value", "unit", "edges")
"""Columns of the frame, see Measures.chosen."""


def chosen(runs: Runs) -> pd.DataFrame:
    """One row for each method and environment, and one without environment for its default: see
    Measures.chosen. On all seeds of the environment, or those that all of them have."""
    rows = []
    sign = -1.0 if runs.less_is_better else 1.0
    for one in runs.methods:
        for place, name in enumerate(runs.environments):
            if (ran := one.ran[place]).any():
                scores = one.results["score"][place, ran][:, runs.has_seed[place]].mean(-1)
                best = int(first_best(scores))
                at = int(np.flatnonzero(ran)[best])
                rows.append((one.name, name, *_of(one, at, ran, sign * scores[best], runs.units[name])))
        common, seeds = np.logical_and.reduce(one.ran, axis=0), runs.common_seeds
        if len(runs.environments) > 1 and common.any() and seeds.any():
            weights = (seeds / seeds.sum())[None]
            means = normalised(one, scale(runs, weights), weights)[:, common, 0].mean(0)
            if not np.isnan(means).any():
                best = int(first_best(means))
                at = int(np.flatnonzero(common)[best])
                rows.append((one.name, None, *_of(one, at, common, means[best], GAMMA)))
    return pd.DataFrame(rows, columns=[*CHOSEN])


def _of(one: Settings, at: int, among: NDArray[np.bool_], value: float, unit: str) -> tuple[Any, ...]:
    """The setting, its value and unit, and where it lies."""
    setting = {
        name: getattr(value, "item", lambda value=value: value)()
        for name, value in one.table.iloc[at].items()
    }
    edges = [name for name in one.hyper if _at_an_edge(one.table[name], at, among)]
    return json.dumps(setting, default=str), value, unit, ", ".join(edges)


def _at_an_edge(column: pd.Series, at: int, among: NDArray[np.bool_]) -> bool:
    """Whether a number is the smallest or the largest of those that were run; of two values, neither."""
    tried = column[among]
    if pd.api.types.is_bool_dtype(tried) or not pd.api.types.is_numeric_dtype(tried) or tried.nunique() < 3:
        return False
    return bool(column.iloc[at] in (tried.min(), tried.max()))
