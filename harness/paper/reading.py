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

OWN = ("paper-adam", "paper-sgd")
"""The paper's presets. Every reading is named beside one of these, whatever other presets there are."""
DRAW = "perturbation"
"""The field of runs from perturbed initial weights: they measure rounding and are no reading of the paper."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A protocol: one of OWN and what differs from it."""

    preset: str
    changes: str = "{}"
    """The fields that differ, the data set apart: a JSON object, keys sorted."""
    few_cells: bool = False
    """Whether it is judged on only the cells that the readings beside it all have."""

    @property
    def fields(self) -> dict[str, Any]:
        """`changes` as an object."""
        fields: dict[str, Any] = json.loads(self.changes)
        return fields

    @property
    def order(self) -> tuple[bool, int, list[tuple[str, str]]]:
        """Sorts readings: those that change nothing, then by preset and by what they change."""
        fields = [(name, json.dumps(value)) for name, value in self.fields.items()]
        return bool(fields), OWN.index(self.preset), fields


MAIN = Reading(preset="paper-adam")
"""The reading that the others change a field of."""
ON_FEW_CELLS = Reading(preset="paper-adam", few_cells=True)

Column = Reading | None
"""A column of verdicts. None: of the claims that no reading changes."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """All records of one reading, pooled over grids."""

    reading: Reading
    trials: pd.DataFrame
    """As schema.TRIALS, one row per cell_id; outcome null: not run."""
    trajectories: pd.DataFrame
    """As schema.TRAJECTORIES, the longest run of each cell."""
    limits: tuple[Records, ...] = ()
    """Of each grid that asks for hyper-rates 0, as it is: there MAML is more likely to have run as its limit
    did, on the same machine and in packs of the same size, than by its longest run, which is pooled."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known beside the records. None: not measured."""

    cost: dict[str, Any] | None = None
    noise: dict[str, Any] | None = None
    """Per head and tasks of a meta-batch, as harness.paper.chance sums it up."""
    data: dict[str, Any] | None = None


def of_rows(trials: pd.DataFrame) -> list[Reading]:
    """The reading of each row. UserError for a preset that does not exist."""
    keys = list(zip(trials["preset"], trials["changes"], strict=True))
    readings = {key: named(*key) for key in dict.fromkeys(keys)}
    return [readings[key] for key in keys]


def named(preset: str, changes: str) -> Reading:
    """The reading of a table's columns preset and changes, beside the nearest of OWN (if tied, the first)."""
    if preset not in PRESETS:
        raise UserError(f"preset '{preset}' of some tables is not known; known are {', '.join(PRESETS)}")
    fields = _fields(preset) | json.loads(changes)
    differ = {own: _differing(fields, _fields(own)) for own in OWN}
    nearest = min(OWN, key=lambda own: len(differ[own]))
    return Reading(preset=nearest, changes=json.dumps(differ[nearest], sort_keys=True))


def _differing(fields: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in other or value != other[name]}


def _fields(preset: str) -> dict[str, Any]:
    return PRESETS[preset].model_dump(mode="json", exclude={"dataset"})


def in_limit(trials: pd.DataFrame) -> pd.Series:
    """Which trials are Alpha-MAML with both hyper-rates 0."""
    zero = (trials[["alpha_hyperlr", "beta_hyperlr"]] == 0).all(axis=1)
    return zero & (trials["method"] == "alpha-maml")


def labels(columns: Sequence[Column]) -> list[str]:
    """Each in full, for people."""
    return [_label(column) for column in columns]


def short_labels(columns: Sequence[Column]) -> list[str]:
    """Each without what it shares with the first reading."""
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
