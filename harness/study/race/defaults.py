"""One choice of a method's own knobs, made on other problems alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.analysis.sensitivity.over_environments import normalised, scale
from harness.analysis.sensitivity.resamples import first_best
from harness.analysis.sensitivity.tables import of_tables
from harness.common.errors import UserError
from harness.records.tables import Tables
from harness.study.league import RATES
from harness.study.race.searched import Searched


def own_knobs(known: Searched) -> list[str]:
    """What it has beside the initial rates."""
    return [str(name) for name in known.table if name not in RATES and known.table[name].nunique() > 1]


def default(method: str, others: Mapping[str, Tables], among: Searched) -> dict[str, float]:
    """The values of its own knobs with the best mean, over the other grids and all their initial rates, of
    Gamma (see analysis.sensitivity): the score of one run at random rates, set beside what all methods reach
    there. Only values that the race's own grid has.

    UserError: one of the others has no run of the method, or they have no such values in common.
    """
    runs = of_tables(others)
    found = [one for one in runs.methods if one.name == method]
    if not found or not found[0].ran.any(1).all():
        raise UserError(f"{' and '.join(others)}: not all have runs of {method}")
    one, weights = found[0], (runs.common_seeds / max(1, runs.common_seeds.sum()))[None]
    gamma = normalised(one, scale(runs, weights), weights)[..., 0]
    knobs = own_knobs(among)
    if missing := [name for name in knobs if name not in one.table]:
        raise UserError(f"{' and '.join(others)}: {' and '.join(missing)} of {method} does not vary there")
    wanted = [*among.table[knobs].drop_duplicates().itertuples(index=False, name=None)]
    means = []
    for values in wanted:
        same = [one.table[name] == value for name, value in zip(knobs, values, strict=True)]
        chosen = one.ran.all(0) & np.logical_and.reduce(same)
        means.append(gamma[:, chosen].mean() if chosen.any() else -np.inf)
    if not np.isfinite(means).any():
        raise UserError(f"{' and '.join(others)}: no values of {' and '.join(knobs)} that all have")
    return dict(zip(knobs, wanted[int(first_best(means))], strict=True))
