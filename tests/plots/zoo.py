"""Made-up tables of many methods that share no axes, for the figure of losses."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tests.readings import TRIALS, reading

DECADES = [10.0**k for k in range(-3, 2)]
OUTER = [10.0**k for k in range(-5, 0)]
METHODS: dict[str, dict[str, Sequence[Any]]] = {
    **{name: {"alpha0": DECADES, "beta0": OUTER} for name in ("maml", "fomaml", "anil", "meta-sgd")},
    "lslr": {"alpha0": DECADES, "beta0": OUTER, "msl": [False, True]},
    "reptile": {"alpha0": DECADES, "eps0": [10.0**k for k in range(-4, 1)], "steps": [1, 5]},
    "alpha-maml": {
        "alpha0": DECADES,
        "beta0": OUTER,
        "alpha_hyperlr": [0.1, 1.0],
        "beta_hyperlr": [1e-6, 1.0],
    },
    "alpha-maml-log": {"alpha0": DECADES, "beta0": OUTER, "eta": [0.02, 0.2]},
    "alpha-maml-normalised": {"alpha0": DECADES, "beta0": OUTER},
    "alpha-maml-multiplicative": {"alpha0": DECADES, "beta0": OUTER},
    "la-maml": {"alpha0": DECADES, "eta": OUTER},
    "maml-dog": {"alpha0": DECADES, "r0": [10.0**k for k in range(-7, -2)]},
    "maml-prodigy": {"alpha0": DECADES, "d0": [10.0**k for k in range(-8, -3)]},
}
"""Those of the league, over grids of its size."""
ONE = {"maml": {"alpha0": [1.0, 10.0], "beta0": [1e-3, 1e-2]}}

Hyper = Mapping[str, Mapping[str, Sequence[Any]]]


def tables(
    hyper: Hyper, seeds: int = 1, times: float = 1.0, label: str = "paper-adam", **same: Any
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Trials and trajectories: losses fall towards the middle of each axis, the largest first rates diverge.
    `times`: of all losses; `same`: columns of all trials."""
    rng, rows, curves = np.random.default_rng(5), [], []
    for seed, (method, values) in itertools.product(range(seeds), hyper.items()):
        for at in np.ndindex(*map(len, values.values())):
            point = {key: some[i] for (key, some), i in zip(values.items(), at, strict=True)}
            away = np.mean([abs(i - len(some) // 2) for i, some in zip(at, values.values(), strict=True)])
            diverged = at[0] == len(next(iter(values.values()))) - 1 and rng.random() < 0.5 and len(at) > 1
            row = dict.fromkeys(TRIALS) | {"cell_id": f"{label}{len(rows)}", "method": method, "seed": seed}
            row |= reading(label) | {"dataset": "omniglot", "n_way": 5, "max_iterations": 300}
            row |= {"outcome": "diverged" if diverged else "budget"} | point | same
            row |= {"ending": row["outcome"]}
            row["final_val_loss"] = times * (1.65 - 1.2 * np.exp(-0.4 * away) + rng.normal(0, 0.01))
            rows.append(row)
            curves.append((row["cell_id"], 1, times * 1.61, times * 1.61))
    columns = ["cell_id", "iteration", "val_loss", "train_loss"]
    trials = pd.DataFrame(rows)
    hypers = [key for key in trials if key not in TRIALS]
    return trials.astype({key: trials[key].convert_dtypes().dtype for key in hypers}), pd.DataFrame(
        curves, columns=columns
    )


def not_run(frames: tuple[pd.DataFrame, pd.DataFrame], rows: Any = slice(None), outcome: Any = None) -> Any:
    """The same tables, some of whose cells were not run, or failed."""
    trials, curves = frames
    trials = trials.copy()
    at = trials.index[rows]
    trials.loc[at, ["outcome", "ending", "final_val_loss"]] = [outcome, outcome, None]
    return trials, curves[~curves["cell_id"].isin(trials["cell_id"][at])]
