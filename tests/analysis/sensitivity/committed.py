"""The committed tables as runs, for tests."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.analysis.sensitivity import Runs
from harness.analysis.sensitivity.tables import Passage, of_tables
from harness.common.errors import UserError
from harness.records import reference, tables
from harness.records.tables import Tables


@functools.cache
def committed(name: str) -> Tables:
    return tables.read(reference.find(name))


def read(*names: str, **passage: Any) -> Runs:
    return of_tables({name: committed(name) for name in names}, Passage(**passage))


def edited(of: Tables, at: Any, **columns: Any) -> Tables:
    """With other values in some rows of the trials."""
    trials = of.trials.copy()
    for name, value in columns.items():
        trials.loc[at, name] = value
    return replace(of, trials=trials)


def refused(asked: dict[str, Tables], passage: Passage = Passage()) -> str:  # noqa: B008
    with pytest.raises(UserError) as caught:
        of_tables(asked, passage)
    return str(caught.value)


def results(found: Runs, name: str, environment: int = 0) -> dict[str, np.ndarray]:
    """By method, sorted numbers of an environment."""
    return {
        one.name: np.sort(one.results[name][environment, one.ran[environment]], axis=None)
        for one in found.methods
    }


def of_column(trials: pd.DataFrame, column: str, method: str) -> np.ndarray:
    values = pd.to_numeric(trials[column][trials["method"] == method])
    return np.sort(values.to_numpy(dtype=float, na_value=np.inf))
