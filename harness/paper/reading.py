"""A reading of the paper, the records that belong to it, and the facts that no reading changes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness import cell
from harness.cell import PRESETS
from harness.common.errors import UserError

PAPER_PRESETS = ("paper-adam", "paper-sgd")
"""Every reading is named by what it changes in one of these, whatever other presets exist."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A protocol: one of PAPER_PRESETS and what differs from it."""

    preset: str
    changes: str = "{}"
    """The fields that differ, the data set apart: a JSON object, keys sorted."""
    few_cells: bool = False
    """Whether it is judged on only the cells that all the readings beside it have."""

    @property
    def fields(self) -> dict[str, Any]:
        """`changes` as an object."""
        fields: dict[str, Any] = json.loads(self.changes)
        return fields

    @property
    def order(self) -> tuple[bool, int]:
        """Sort key: first the readings that change nothing, then by preset."""
        return bool(self.fields), PAPER_PRESETS.index(self.preset)


MAIN = Reading(preset="paper-adam")
"""The reading that the others change a field of."""
ON_FEW_CELLS = Reading(preset="paper-adam", few_cells=True)

Column = Reading | None
"""A column of verdicts. None: the column of the claims that no reading changes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Records:
    """All records of one reading, pooled over grids. What is counted in them for several claims is
    remembered: the frames must not be changed."""

    reading: Reading
    trials: pd.DataFrame
    """As schema.trials, one row per cell_id; outcome null: not run."""
    trajectories: pd.DataFrame
    """As schema.trajectories, the longest run of each cell."""
    limits: tuple[Records, ...] = ()
    """The records of each grid that has hyper-rates of 0, not pooled: within such a grid, MAML and Alpha-MAML
    are more likely to have run on the same machine and in packs of one size than the longest runs of each."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was measured beside the records. None: not measured."""

    cost: dict[str, Any] | None = None
    noise: dict[str, Any] | None = None
    """By head and by tasks of a meta-batch, as in harness.paper.chance.summary."""
    data: dict[str, Any] | None = None


def readings_of(trials: pd.DataFrame) -> list[Reading]:
    """The reading of each row. Raises UserError for a preset that does not exist."""
    keys = list(zip(trials["preset"], trials["changes"], strict=True))
    readings = {key: reading_of(*key) for key in dict.fromkeys(keys)}
    return [readings[key] for key in keys]


def reading_of(preset: str, changes: str) -> Reading:
    """The reading that a table's columns `preset` and `changes` describe.

    It is named by its differences from the nearest of PAPER_PRESETS (if tied, the first).
    """
    if preset not in PRESETS:
        raise UserError(
            f"some tables name an unknown preset '{preset}'; the presets are {', '.join(PRESETS)}"
        )
    fields = _fields(preset) | json.loads(changes)
    changed = {name: _differing(fields, _fields(name)) for name in PAPER_PRESETS}
    nearest = min(PAPER_PRESETS, key=lambda name: len(changed[name]))
    return Reading(preset=nearest, changes=json.dumps(changed[nearest], sort_keys=True))


def _differing(fields: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in other or value != other[name]}


def _fields(preset: str) -> dict[str, Any]:
    return PRESETS[preset].model_dump(mode="json", exclude={"dataset"})


def in_limit(trials: pd.DataFrame) -> pd.Series:
    """Which trials are Alpha-MAML in the limit of MAML: both hyper-rates are 0."""
    zero = (trials[["alpha_hyperlr", "beta_hyperlr"]] == 0).all(axis=1)
    return zero & (trials["method"] == "alpha-maml")


def labels(columns: Sequence[Column]) -> list[str]:
    """Each column's name in full, for people."""
    return [_label(column) for column in columns]


def short_labels(columns: Sequence[Column]) -> list[str]:
    """Each column's name without what it shares with the first reading."""
    first = next(column for column in columns if column is not None)
    return [_short_label(column, first) for column in columns]


def _label(column: Column) -> str:
    if column is None:
        return "any reading"
    return cell.label(column.preset, column.fields) + ", on few cells" * column.few_cells


def _short_label(column: Column, first: Reading) -> str:
    if column is None or column == first:
        return _label(column)
    if column.few_cells:
        return "on few cells"
    return cell.labels([(one.preset, one.fields) for one in (first, column)])[1]
