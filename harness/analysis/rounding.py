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
"""The two counts, and the columns of the trials that hold them."""
DRAW = "perturbation"
"""The field of the protocol that names the draw."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Least and largest of the differences, a draw's count less draw 0's: in iterations, and as a share of
    draw 0's count."""

    low: int
    high: int
    low_share: float
    high_share: float

    def allows(self, difference: float, count: float) -> bool:
        """Whether a count this far from `count` may be rounding: no further than the larger share of it,
        whatever the sign, in whole iterations rounded up."""
        return abs(difference) <= math.ceil(self.share * count)

    @property
    def share(self) -> float:
        """The larger of both shares, without its sign."""
        return max(abs(self.low_share), abs(self.high_share))


@dataclass(frozen=True, kw_only=True)
class Rounding:
    """What the yardstick measured. An interval is None where no draw has a count beside draw 0's."""

    first: Interval | None
    sustained: Interval | None
    runs: int
    """Draws that were run beside a draw 0, over all points and seeds."""
    one_missed: int
    """Those of them that have a first passage where draw 0 has none, or the other way round."""
    points: pd.DataFrame
    """See `points`."""


def interval(trials: pd.DataFrame) -> Rounding:
    """The yardstick of the grid's trials, over all its points and seeds."""
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
    """One row for each draw but 0 that was run beside a draw 0 of the same protocol, method, rates and seed.

    `trials` as in records.schema. Columns: method, its hyper-parameters, preset and changes (draw 0's),
    seed, draw; for each of PASSAGES <name>_base and <name>, the counts of draw 0 and of this draw (NaN: a
    miss), and <name>_difference.
    """
    done = finished(trials)
    keys = ["method", *setting_columns(trials), "seed"]
    changes = [json.loads(changes) for changes in done["changes"]]
    rows = done[keys].assign(
        draw=[protocol.get(DRAW, 0) for protocol in changes],
        changes=[_without_draw(protocol) for protocol in changes],
        **{name: numbers(done[column]) for name, column in PASSAGES.items()},
    )
    base = rows[rows["draw"] == 0].drop(columns="draw")
    both = rows[rows["draw"] > 0].merge(base, on=keys, suffixes=("", "_base"))
    for name in PASSAGES:
        both[f"{name}_difference"] = both[name] - both[f"{name}_base"]
    return both


def _without_draw(changes: dict[str, object]) -> str:
    """Changed fields without the draw, as the tables have them."""
    return json.dumps({name: value for name, value in changes.items() if name != DRAW}, sort_keys=True)


def points(moved: pd.DataFrame) -> pd.DataFrame:
    """`differences` summed up: one row a point and seed, in their order.

    Columns beside those that name it: draws (how many beside draw 0); for each of PASSAGES <name>_base, draw
    0's count, <name>_low and <name>_high, the least and largest difference (NaN: none), and
    <name>_one_missed, draws that missed though draw 0 did not, or the other way round.
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
