"""Which settings the measures speak of: the best of each environment, and the default for all of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis.sensitivity.runs import Runs, Settings

CHOSEN = ("method", "environment", "setting", "score", "unit", "edges")
"""Columns of the frame, see Measures.chosen."""


def chosen(runs: Runs) -> pd.DataFrame:
    """One row for each method and environment, and one without environment for its default: the setting with
    the best score, mean over the seeds; ties go to the first. See Measures.chosen."""
    rows = []
    sign = -1.0 if runs.less_is_better else 1.0
    for one in runs.methods:
        for place, name in enumerate(runs.environments):
            if one.ran[place].any():
                scores = one.results["score"][place][:, runs.has_seed[place]].mean(-1)
                best = int(np.where(one.ran[place], scores, -np.inf).argmax())
                rows.append(_row(one, best, name, sign * scores[best], runs.unit_of(place)))
        common = one.ran.all(0)
        if len(runs.environments) > 1 and common.any() and runs.common_seeds.any():
            scores = one.results["score"][..., runs.common_seeds].mean(-1).mean(0)
            best = int(np.where(common, scores, -np.inf).argmax())
            rows.append(_row(one, best, None, sign * scores[best], ""))
    return pd.DataFrame(rows, columns=[*CHOSEN])


def _row(one: Settings, place: int, environment: str | None, score: float, unit: str) -> tuple[Any, ...]:
    setting = {name: _plain(one.table[name].iloc[place]) for name in one.hyper}
    edges = [name for name in one.hyper if _at_an_edge(one.table[name], place)]
    return one.name, environment, json.dumps(setting), score, unit, ", ".join(edges)
