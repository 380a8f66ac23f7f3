"""The two tables of a grid, summed up over seeds: frames in, frames out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from harness.records.passages import running_mean
from harness.records.schema import TRAJECTORIES, hyper_columns

STATES = ("reached", "budget", "diverged", "failed", "not run")

LOSSES = ("train_loss", "train_loss_mean", "val_loss")
"""What `bands` sums up beside the rates; train_loss_mean is each seed's own mean over the last 10 training
losses."""

ENOUGH_FOR_QUARTILES = 4


def rate_columns(trajectories: pd.DataFrame) -> list[str]:
    """The columns that the methods record of their rates, in order: alpha, beta, ..."""
    return [
        name
        for name in trajectories.columns
        if name not in TRAJECTORIES and not name.startswith(("train_", "val_"))
    ]


def equal(column: pd.Series, value: Any) -> pd.Series:
    """Which rows have this value; null is equal to null alone."""
    return column.isna() if pd.isna(value) else (column == value).fillna(False).astype(bool)


def setting_columns(trials: pd.DataFrame) -> list[str]:
    """What distinguishes two cells of one method and seed: the hyper-parameters and the protocol."""
    return [*hyper_columns(trials), "preset", "changes"]


def finished(trials: pd.DataFrame) -> pd.DataFrame:
    """The cells with a result. A failed run is an error, not a result."""
    return trials[trials["outcome"].notna() & (trials["outcome"] != "failed")]


def cells_over_seeds(trials: pd.DataFrame) -> pd.DataFrame:
    """One row per (method, setting_columns), in the order of the trials.

    Columns beside these:
    - seeds, run, reached: how many seeds the grid has here, have a result (see finished), reached the target
    - reached_share: of those with a result; NaN if there are none
    - iterations_to_target, iterations_to_target_sustained: median over the seeds with a result, where a
      miss counts as +inf. The median of an even number is the mean of the middle two, so it is inf as
      soon as the upper one is a miss. NaN if no seed has a result
    - state: one of STATES. `reached` if the median first passage is finite, else the more common kind of
      miss (diverged in a tie). Without a result `failed` if a run failed, else `not run`
    """
    keys = ["method", *setting_columns(trials)]
    which = trials.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    _, first = np.unique(which, return_index=True)
    outcomes = trials["outcome"].fillna("").to_numpy(dtype=object)
    counts = [numbers(trials[name]) for name in COUNTS]
    order = np.argsort(which, kind="stable")
    groups = np.split(order, np.searchsorted(which[order], np.arange(1, len(first))))
    rows = [_over_seeds(outcomes[at], *(count[at] for count in counts)) for at in groups if len(first)]
    names = _over_seeds(outcomes[:0], *(count[:0] for count in counts))
    summed = pd.DataFrame(rows, columns=[*names])
    return pd.concat([trials[keys].iloc[first].reset_index(drop=True), summed], axis=1)


COUNTS = ("iterations_to_target", "iterations_to_target_sustained")


def _over_seeds(outcomes: np.ndarray, first: np.ndarray, sustained: np.ndarray) -> dict[str, object]:
    """outcomes [seeds], empty: not run; first, sustained [seeds]: passages, NaN: none."""
    counts = Counter(outcomes.tolist())
    done = np.array([one not in ("", "failed") for one in outcomes], bool)
    run, reached = int(done.sum()), counts["reached"]
    median = _median(first[done])
    if run == 0:
        state = "failed" if counts["failed"] else "not run"
    elif np.isfinite(median):
        state = "reached"
    else:
        state = max(("diverged", "budget"), key=counts.__getitem__)
    return {
        "seeds": len(outcomes),
        "run": run,
        "reached": reached,
        "reached_share": reached / run if run else np.nan,
        "iterations_to_target": median,
        "iterations_to_target_sustained": _median(sustained[done]),
        "state": state,
    }


def _median(counts: np.ndarray) -> float:
    """The median of counts, where NaN is a miss, +inf; NaN if there are no counts."""
    return float(np.median(np.where(np.isnan(counts), np.inf, counts))) if counts.size else np.nan


def numbers(column: pd.Series) -> np.ndarray:
    """A column as float64, null as NaN, whatever nullable type it was read as."""
    return pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan)


def bands(trajectories: pd.DataFrame, trials: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The curves of Figure 1: one row per group of the columns `by` of the trials, and iteration.

    Columns beside these: `seeds`, the cells that have a row at this iteration; `all_seeds`, the cells of
    the group that have any; and for each of rate_columns and LOSSES <name>_median, <name>_low and
    <name>_high over those seeds: the quartiles from 4 seeds on, else smallest and largest. A seed that has
    ended is left out from there on, so where seeds < all_seeds the numbers are of the survivors: draw them
    as such. NaN: no value.
    """
    keys = list(by)
    rows = trajectories.sort_values(["cell_id", "iteration"], kind="stable")
    means = rows.groupby("cell_id", sort=False)["train_loss"].transform(_trailing_mean)
    rows = rows.assign(train_loss_mean=means).merge(trials[["cell_id", *keys]], on="cell_id")
    columns = [*keys, "iteration", "seeds", "all_seeds"]
    curves = [*rate_columns(trajectories), *LOSSES]
    parts = [
        _band(group, dict(zip(keys, key, strict=True)), curves)
        for key, group in rows.groupby(keys, sort=False, dropna=False)
    ]
    columns += [f"{name}_{what}" for name in curves for what in ("median", "low", "high")]
    if not parts:
        return pd.DataFrame(columns=columns, dtype=float)
    return pd.concat(parts, ignore_index=True)[columns].astype({key: trials[key].dtype for key in keys})


def _trailing_mean(losses: pd.Series) -> np.ndarray:
    means = running_mean(numbers(losses))
    return np.concatenate([np.full(len(losses) - len(means), np.nan), means])


def _band(group: pd.DataFrame, key: dict[str, Any], curves: Sequence[str]) -> pd.DataFrame:
    """One group over its iterations."""
    over = group.groupby("iteration")
    seeds, all_seeds = over.size(), group["cell_id"].nunique()
    columns = key | {"seeds": seeds, "all_seeds": all_seeds}
    low, high = (0.25, 0.75) if all_seeds >= ENOUGH_FOR_QUARTILES else (0.0, 1.0)
    places = np.searchsorted(seeds.index.to_numpy(), group["iteration"].to_numpy())
    runs = pd.factorize(group["cell_id"])[0]
    for name in curves:
        table = np.full((len(seeds), all_seeds), np.nan)
        table[places, runs] = numbers(group[name])
        for what, share in (("median", 0.5), ("low", low), ("high", high)):
            columns[f"{name}_{what}"] = _quantile(table, share)
    return pd.DataFrame(columns).reset_index(names="iteration")


def _quantile(table: np.ndarray, share: float) -> np.ndarray:
    """The quantile of each row of [iterations, seeds], NaN left out; NaN where a row has no values.

    Between two neighbours it is their weighted mean, or infinite if one of them is.
    """
    ordered = np.sort(table, axis=1)  # NaN last
    count = np.count_nonzero(~np.isnan(table), axis=1)
    position = share * np.maximum(count - 1, 0)
    below, row = np.floor(position).astype(int), np.arange(len(table))
    low, high = ordered[row, below], ordered[row, np.ceil(position).astype(int)]
    weight = position - below
    with np.errstate(invalid="ignore"):  # inf * 0
        between = low * (1 - weight) + high * weight
    return np.where(low == high, low, between)
