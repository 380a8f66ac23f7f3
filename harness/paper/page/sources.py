"""Where the tables' numbers come from: the reference records, cell by cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from harness.analysis.summary import numbers
from harness.common import places
from harness.paper.definitions import from_pair
from harness.records.tables import Tables
from harness.records.tables import read as read_tables


def read(grid: str) -> Tables:
    """A grid's reference tables."""
    return read_tables(places.REFERENCE / grid)


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as dicts, a missing value as None."""
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def losses_of(tables: Tables, cell_id: str) -> np.ndarray:
    """The training losses of a cell, iteration by iteration."""
    return numbers(tables.trajectories.loc[tables.trajectories["cell_id"] == cell_id, "train_loss"])


def cells_of(trials: pd.DataFrame, method: str, pair: tuple[float, float]) -> pd.DataFrame:
    """A method's cells from a pair of initial rates, if they were run."""
    return trials[(trials["method"] == method) & from_pair(trials, pair) & trials["outcome"].notna()]
