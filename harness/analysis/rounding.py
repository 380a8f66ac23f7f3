"""How far a count moves by rounding alone: the yardstick by which other differences are measured.

A point of the grid `yardstick` is run as it is (draw 0) and again with its first weights moved by 1e-7 of
themselves (draws 1, 2, ...: `perturbation` in the protocol). What draw n has more than draw 0 is rounding.
"""

from __future__ import annotations

import json
import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.analysis.summary import hyper_columns, numbers

PASSAGES = {"first": "iterations_to_target", "sustained": "iterations_to_target_sustained"}
"""The two counts, and the columns of the trials that hold them."""
DRAW = "perturbation"
"""The field of the protocol that names the draw."""


class Interval(NamedTuple):
    """Least and largest difference, a draw's count less draw 0's: in iterations, and as a share of that."""

    low: int
    high: int
    low_share: float
    high_share: float

    def allows(self, difference: float, count: float) -> bool:
        """Whether a count this far from `count` may be rounding: by the larger share of the two, whatever the
        sign, in whole iterations rounded up."""
        return abs(difference) <= math.ceil(self.share * count)

    @property
    def share(self) -> float:
        """The larger of both, without its sign."""
        return max(abs(self.low_share), abs(self.high_share))


class Rounding(NamedTuple):
    """What the yardstick measured. An interval is None where no draw has a count beside draw 0's."""

    first: Interval | None
    sustained: Interval | None
    runs: int
    """Draws that were run beside a draw 0, over all points and seeds."""
    parted: int
    """Those of them of which one has a first passage and draw 0 has none, or the other way round."""
    points: pd.DataFrame
    """See `points`."""


def differences(trials: pd.DataFrame) -> pd.DataFrame:
    """One row for each draw but 0 that was run beside a draw 0 of the same protocol, method, rates and seed.

    `trials` as in records.schema. Columns: preset and changes (draw 0's), method, its hyper-parameters,
    seed, draw; for each of PASSAGES <name>_base and <name>, the counts of draw 0 and of this draw (NaN: a
    miss), and <name>_difference. A failed run is an error and no result.
    """
    done = trials[trials["outcome"].notna() & (trials["outcome"] != "failed")]
    keys = ["preset", "changes", "method", *hyper_columns(trials), "seed"]
    rows = done[[*keys, *PASSAGES.values()]].assign(
        draw=[json.loads(changes).get(DRAW, 0) for changes in done["changes"]],
        changes=[_without_draw(changes) for changes in done["changes"]],
        **{name: numbers(done[column]) for name, column in PASSAGES.items()},
    )
    rows = rows.drop(columns=list(PASSAGES.values()))
    base = rows[rows["draw"] == 0].drop(columns="draw")
    both = rows[rows["draw"] > 0].merge(base, on=keys, suffixes=("", "_base"))
    for name in PASSAGES:
        both[f"{name}_difference"] = both[name] - both[f"{name}_base"]
    return both


def _without_draw(changes: str) -> str:
    """The protocol's changes but for the draw, written as in the tables."""
    return json.dumps({k: v for k, v in json.loads(changes).items() if k != DRAW}, sort_keys=True)


def points(found: pd.DataFrame) -> pd.DataFrame:
    """`differences` summed up: one row a point and seed, in their order.

    Columns beside those that name it: draws (how many beside draw 0); for each of PASSAGES <name>_base, draw
    0's count, <name>_low and <name>_high, the least and largest difference (NaN: none), and <name>_parted,
    draws that missed though draw 0 did not, or the other way round.
    """
    keys = list(found.columns[: found.columns.get_loc("draw")])
    rows = []
    for key, group in found.groupby(keys, sort=False, dropna=False):
        row = dict(zip(keys, key, strict=True)) | {"draws": len(group)}
        for name in PASSAGES:
            row[f"{name}_base"] = group[f"{name}_base"].iloc[0]
            row[f"{name}_low"] = group[f"{name}_difference"].min()
            row[f"{name}_high"] = group[f"{name}_difference"].max()
            row[f"{name}_parted"] = int(_parted(group, name).sum())
        rows.append(row)
    kinds = [f"{name}_{what}" for name in PASSAGES for what in ("base", "low", "high", "parted")]
    return pd.DataFrame(rows, columns=[*keys, "draws", *kinds])


def interval(trials: pd.DataFrame) -> Rounding:
    """The yardstick of the grid's trials, over all its points and seeds."""
    found = differences(trials)
    parted = int(_parted(found, "first").sum())
    first, sustained = (_interval(found, name) for name in PASSAGES)
    return Rounding(first, sustained, len(found), parted, points(found))


def _interval(found: pd.DataFrame, name: str) -> Interval | None:
    told = found[found[f"{name}_difference"].notna()]
    if told.empty:
        return None
    by = told[f"{name}_difference"]
    share = by / told[f"{name}_base"]
    return Interval(int(by.min()), int(by.max()), float(share.min()), float(share.max()))


def _parted(found: pd.DataFrame, name: str) -> np.ndarray:
    return np.asarray(found[name].isna() != found[f"{name}_base"].isna())
