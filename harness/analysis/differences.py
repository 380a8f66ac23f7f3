"""How far runs are from other runs, iteration by iteration: frames in, frames out."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from harness.analysis.summary import rate_columns

_KEYS = ["cell_id", "iteration"]


def differences(trajectories: pd.DataFrame, partners: Mapping[str, str]) -> pd.DataFrame:
    """How far each cell is from its partner (cell id -> cell id), without the sign.

    One row per cell of `partners` and iteration that both have; columns: `cell_id`, `iteration`, those of
    rate_columns, `train_loss` and `val_loss`. NaN: one of the two has no value there, or both are infinite.
    """
    values = [*rate_columns(trajectories), "train_loss", "val_loss"]
    pairs = pd.DataFrame({"cell_id": [*partners], "partner": [*partners.values()]}, dtype=object)
    mine = trajectories.merge(pairs, on="cell_id")
    theirs = trajectories.rename(columns={"cell_id": "partner"})
    both = mine.merge(theirs, on=["partner", "iteration"], suffixes=("", "_of_partner"))
    apart = {
        name: (both[name].astype(float) - both[f"{name}_of_partner"].astype(float)).abs() for name in values
    }
    return both[_KEYS].assign(**apart).sort_values(_KEYS, ignore_index=True)
