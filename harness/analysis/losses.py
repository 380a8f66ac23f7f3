"""Losses at the end of a grid's runs, summed up over seeds and laid out on the axes of each method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from harness.analysis.summary import equal, finished, hyper_columns, numbers, setting_columns
from harness.grids.figure import Axes, axes_of

STATES = ("loss", "diverged", "failed", "not run")


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The losses of one method, under one protocol, with one value of each flag and choice that varies."""

    method: str
    preset: str
    changes: str
    axes: Axes
    apart: dict[str, Any]
    """The flags and choices that vary, and their values here."""
    squares: pd.DataFrame
    """A row for each square: see `panels`."""


@dataclass(frozen=True, kw_only=True)
class Panels:
    """See `panels`."""

    panels: tuple[Panel, ...]
    name: str
    """`validation loss`; `training loss` where no run was validated."""
    untrained: float
    """See the function `untrained`. NaN: nothing was run."""


def panels(trials: pd.DataFrame, trajectories: pd.DataFrame, rest: str = "median") -> Panels:
    """A panel for each method, protocol and combination of its flags and choices, in the trials' order.

    Frames as in records.schema. A run's loss is the last validation loss that it has (where no run of the
    table was validated: its last training loss), that of a run that diverged the one at iteration 1, or inf
    if that is not finite. First comes the median over the seeds with a result; then, over the values of the
    method's further hyper-parameters, the `median` or the `best`, which is the least.

    The squares have columns for the axes' x and y, and:
    - loss: NaN if nothing was run
    - seeds, run, diverged: how many runs the grid has there, have a result (see finished), diverged; of the
      best setting alone if the best is asked for
    - state: one of STATES. `diverged` if at least half of the runs did. Without a result `failed` if a run
      failed, else `not run`
    """
    runs, name, untrained = _of_runs(trials, trajectories)
    settings = _over_seeds(runs)
    found = []
    for method in settings["method"].unique():
        own = settings[settings["method"] == method]
        axes = axes_of({key: own[key].dropna().unique().tolist() for key in hyper_columns(trials)})
        keys = ["preset", "changes", *axes.panels]
        for values, part in own.groupby(keys, sort=False, dropna=False):
            preset, changes, *apart = values
            found.append(
                Panel(
                    method=method,
                    preset=preset,
                    changes=changes,
                    axes=axes,
                    apart=dict(zip(axes.panels, apart, strict=True)),
                    squares=_squares(part, [key for key in (axes.y, axes.x) if key], rest),
                )
            )
    return Panels(panels=tuple(found), name=name, untrained=untrained)


def _of_runs(trials: pd.DataFrame, trajectories: pd.DataFrame) -> tuple[pd.DataFrame, str, float]:
    """The trials with the columns `loss` (NaN: no result), `run`, `diverged` and `failed`; the loss's name;
    and what it is untrained."""
    done = trials.index.isin(finished(trials).index)
    diverged = done & equal(trials["ending"], "diverged").to_numpy()
    last = {split: numbers(trials[f"final_{split}_loss"]) for split in ("val", "train")}
    split = "val" if np.isfinite(last["val"][done]).any() or not done.any() else "train"
    at_1 = trajectories[trajectories["iteration"] == 1].set_index("cell_id")[f"{split}_loss"]
    first = numbers(trials["cell_id"].map(at_1))
    loss = np.where(diverged, np.where(np.isnan(first), np.inf, first), last[split])
    runs = trials[["method", *setting_columns(trials)]].assign(
        loss=np.where(done, loss, np.nan),
        run=done,
        diverged=diverged,
        failed=equal(trials["outcome"], "failed").to_numpy(),
    )
    name = {"val": "validation loss", "train": "training loss"}[split]
    return runs, name, untrained(first[done])


def untrained(first: ArrayLike) -> float:
    """What untrained weights have, of the losses [runs] at iteration 1: their lower quartile. Their median
    would not do: of some grids, most rates are so large that one inner step does harm. NaN: none is
    finite."""
    losses = np.asarray(first, float)
    known = losses[np.isfinite(losses)]
    return float(np.quantile(known, 0.25)) if known.size else np.nan


def _over_seeds(runs: pd.DataFrame) -> pd.DataFrame:
    """A row for each method and setting."""
    keys = [name for name in runs.columns if name not in ("loss", "run", "diverged", "failed")]
    over = runs.groupby(keys, sort=False, dropna=False)
    summed = over.agg(
        seeds=("run", "size"), run=("run", "sum"), diverged=("diverged", "sum"), failed=("failed", "sum")
    )
    return summed.assign(loss=over["loss"].agg(_median)).reset_index()


def _squares(settings: pd.DataFrame, axes: Sequence[str], rest: str) -> pd.DataFrame:
    """A row for each combination of the values of `axes`, at most two; without any, a single one."""
    groups = settings.groupby([*axes], sort=False) if axes else [((), settings)]
    rows = [dict(zip(axes, values, strict=True)) | _square(part, rest) for values, part in groups]
    return pd.DataFrame(rows)


def _square(settings: pd.DataFrame, rest: str) -> dict[str, Any]:
    loss = _median(settings["loss"])
    if rest == "best" and settings["loss"].notna().any():
        settings = settings.sort_values("loss", kind="stable").iloc[:1]
        loss = float(settings["loss"].iloc[0])
    seeds, run, diverged, failed = (
        int(settings[name].sum()) for name in ("seeds", "run", "diverged", "failed")
    )
    none = "failed" if failed else "not run"
    state = none if run == 0 else "diverged" if 2 * diverged >= run else "loss"
    return {"loss": loss, "seeds": seeds, "run": run, "diverged": diverged, "state": state}


def _median(losses: pd.Series) -> float:
    """NaN left out; NaN if there are no others. An even number: the mean of the middle two."""
    known = losses.to_numpy(dtype=float)
    known = known[~np.isnan(known)]
    return float(np.median(known)) if known.size else np.nan
