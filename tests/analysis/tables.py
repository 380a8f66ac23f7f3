"""Hand-made trials tables: a row per cell, with counts that are easy to compare."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from tests.readings import TRIALS, reading

COUNTS = ("iterations_to_target", "iterations_to_target_sustained")


def trial(cell_id: str, first: int | str | None, sustained: int | None = None, **more: Any) -> dict[str, Any]:
    """`first`: the first passage, or the outcome without one; None: not run."""
    return (
        dict.fromkeys(TRIALS)
        | {"cell_id": cell_id, "method": "maml", "dataset": "omniglot", "seed": 0}
        | reading("paper-adam")
        | {"alpha0": 0.1, "beta0": 1e-3, "alpha_hyperlr": math.nan, "beta_hyperlr": math.nan}
        | {"target_loss": 2.5, "max_iterations": 500, "numerics": 1, "device": "cpu", "torch": "2.13"}
        | {
            "outcome": "reached" if isinstance(first, int) else first,
            "iterations_to_target": first if isinstance(first, int) else None,
            "iterations_to_target_sustained": sustained,
        }
        | more
    )


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    """With the counts as nullable integers, as records.tables.read gives them."""
    return pd.DataFrame(list(rows)).astype(dict.fromkeys(COUNTS, "Int64"))
