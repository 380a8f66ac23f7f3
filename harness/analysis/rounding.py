"""How far a count moves by rounding alone: the yardstick by which other differences are measured.

A point of the grid `yardstick` is run as it is (draw 0) and again with its initial weights moved by 1e-7 of
themselves (draws 1, 2, ...: `perturbation` in the protocol). What draw n differs in from draw 0 is rounding.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.analysis.summary import finished, numbers, setting_columns

PASSAGES = {"first": "iterations_to_target", "sustained": "iterations_to_target_sustained"}
"""The two kinds of passage, and the columns of the trials that count iterations to them."""
DRAW = "perturbation"
"""The field of the protocol that names the draw."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Smallest and largest of the differences (a draw's count minus draw 0's), in iterations and as a
    share of draw 0's count."""

    low: int
    high: int
    low_share: float
    high_share: float

    def allows(self, difference: float, count: float) -> bool:
        """Whether rounding alone may explain this difference from `count`: it is at most `share` of the
        count, rounded up to whole iterations, in either direction."""
        return abs(difference) <= math.ceil(self.share * count)

    @property
    def share(self) -> float:
        """The larger of the two shares in absolute value."""
        return max(abs(self.low_share), abs(self.high_share))


@dataclass(frozen=True, kw_only=True)
class Rounding:
    """What the yardstick measured. An interval is None where no draw has a count beside draw 0's."""

    first: Interval | None
    sustained: Interval | None
    runs: int
    """Draws (other than 0) whose draw 0 was run too, over all points and seeds."""
    one_missed: int
    """How many of these have a first passage where draw 0 has none, or the reverse."""
    points: pd.DataFrame
    """See `points`."""


def measure(trials: pd.DataFrame) -> Rounding:
    """What the trials of the yardstick show, over all points and seeds."""
    moved = differences(trials)
    first, sustained = (_interval(moved, name) for name in PASSAGES)
    return Rounding(
        first=first,
        sustained=sustained,
        runs=len(moved),
        one_missed=int(_one_missed(moved, "first").sum()),
        points=points(moved),
    )


def differences(trials: pd.DataFrame) -> pd.DataFrame:
    """One row for each draw other than 0, if draw 0 of the same protocol, method, rates and seed was run too.

    `trials` as in records.schema. Columns: method, its hyper-parameters, preset and changes (draw 0's),
    seed, draw; for each of PASSAGES <name>_base and <name>, the counts of draw 0 and of this draw (NaN: a
    miss), and <name>_difference.
    """
    done = finished(trials)
    keys = ["method", *setting_columns(trials), "seed"]
    fields = [json.loads(changes) for changes in done["changes"]]
    rows = done[keys].assign(
        draw=[changed.get(DRAW, 0) for changed in fields],
        changes=[_without_draw(changed) for changed in fields],
        **{name: numbers(done[column]) for name, column in PASSAGES.items()},
    )
    base = rows[rows["draw"] == 0].drop(columns="draw")
    both = rows[rows["draw"] > 0].merge(base, on=keys, suffixes=("", "_base"))
    for name in PASSAGES:
        both[f"{name}_difference"] = both[name] - both[f"{name}_base"]
    return both


def _without_draw(changes: dict[str, object]) -> str:
    """Changed fields without the draw, as the tables' column `changes` has them."""
    return json.dumps({name: value for name, value in changes.items() if name != DRAW}, sort_keys=True)


def points(moved: pd.DataFrame) -> pd.DataFrame:
    """`differences` summed up: one row per point and seed, in their order.

    Columns beside those that name it: draws (how many, without draw 0); for each of PASSAGES <name>_base,
    draw 0's count, <name>_low and <name>_high, the smallest and largest difference (NaN: none), and
    <name>_one_missed, how many draws missed although draw 0 did not, or the reverse.
    """
    keys = list(moved.columns[: moved.columns.get_loc("draw")])
    rows = []
    for key, group in moved.groupby(keys, sort=False, dropna=False):
        row = dict(zip(keys, key, strict=True)) | {"draws": len(group)}
        for name in PASSAGES:
            row[f"{name}_base"] = group[f"{name}_base"].iloc[0]
            row[f"{name}_low"] = group[f"{name}_difference"].min()
            row[f"{name}_high"] = group[f"{name}_difference"].max()
            row[f"{name}_one_missed"] = int(_one_missed(group, name).sum())
        rows.append(row)
    kinds = [f"{name}_{what}" for name in PASSAGES for what in ("base", "low", "high", "one_missed")]
    return pd.DataFrame(rows, columns=[*keys, "draws", *kinds])


def _interval(moved: pd.DataFrame, name: str) -> Interval | None:
    counted = moved[moved[f"{name}_difference"].notna()]
    if counted.empty:
        return None
    by = counted[f"{name}_difference"]
    share = by / counted[f"{name}_base"]
    return Interval(
        low=int(by.min()),
        high=int(by.max()),
        low_share=float(share.min()),
        high_share=float(share.max()),
    )


def _one_missed(moved: pd.DataFrame, name: str) -> np.ndarray:
    return np.asarray(moved[name].isna() != moved[f"{name}_base"].isna())
