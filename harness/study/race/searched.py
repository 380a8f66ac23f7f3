"""What a method did at every setting of a grid, as arrays: what the racers are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from harness.analysis import losses
from harness.analysis.sensitivity.resamples import Array
from harness.analysis.summary import finished, hyper_columns, numbers
from harness.common import places
from harness.common.errors import UserError
from harness.common.text import counted
from harness.records.describing import grid_of
from harness.records.passages import sustained_passage
from harness.records.tables import Tables


@dataclass(frozen=True, kw_only=True, eq=False)
class Searched:
    """The runs of one method: B settings, S seeds, nothing missing."""

    method: str
    table: pd.DataFrame
    """[B] its hyper-parameters, in the order of the grid."""
    seeds: tuple[int, ...]
    budget: int
    """Iterations."""
    loss: Array
    """[B, S] validation loss at the budget; of a run that diverged, or whose loss is no finite number there:
    that of iteration 1, or `worst` if that is none either."""
    passage: Array
    """[B, S] iterations to the sustained passage of the target, inf: a miss."""
    ran: Array
    """[B, S] iterations to the budget, or to where it diverged."""
    steps: NDArray[np.int64]
    """[V] iterations at which every run was validated that got there; the first is 1."""
    validation: Array
    """[B, S, V] validation loss; NaN: it had diverged, or the loss is no finite number."""
    worst: float = np.inf
    """No run counts as worse: one that ends at 1e8 would decide every mean. A tuner sees the losses as they
    are."""

    @property
    def scored(self) -> Array:
        """[B, S] what a run counts as."""
        return np.minimum(self.loss, self.worst)

    @property
    def hit(self) -> NDArray[np.bool_]:
        """[B, S] whether the target is reached."""
        return np.isfinite(self.passage)

    @property
    def cost(self) -> Array:
        """[B, S] what a search that stops at the target spends: the passage, else all that a run took."""
        return np.where(self.hit, self.passage, self.ran)

    def only(self, settings: ArrayLike) -> Searched:
        """Of these settings alone: flags, or places."""
        at = np.asarray(settings)
        return replace(
            self,
            table=self.table[at] if at.dtype == bool else self.table.iloc[at],
            **{name: getattr(self, name)[at] for name in ("loss", "passage", "ran", "validation")},
        )

    def at(self, **values: float) -> Searched | None:
        """The one setting with these hyper-parameters; None: it is not there."""
        same = [np.isclose(self.table[name], value, rtol=1e-9, atol=0) for name, value in values.items()]
        found = np.logical_and.reduce(same)
        return self.only(found) if found.sum() == 1 else None

    def of_seeds(self, seeds: Sequence[int]) -> Searched:
        """On these seeds alone."""
        at = [self.seeds.index(seed) for seed in seeds]
        return replace(
            self,
            seeds=tuple(seeds),
            **{name: getattr(self, name)[:, at] for name in ("loss", "passage", "ran", "validation")},
        )


def untrained(tables: Tables) -> float:
    """What untrained weights have, validated: see losses.untrained. inf: nothing was validated."""
    first = tables.trajectories.loc[tables.trajectories["iteration"] == 1, "val_loss"]
    found = losses.untrained(numbers(first))
    return np.inf if np.isnan(found) else found


def whole_seeds(trials: pd.DataFrame) -> tuple[int, ...]:
    """The seeds of which every cell has a result."""
    done = trials["cell_id"].isin(finished(trials)["cell_id"])
    whole = done.groupby(trials["seed"], sort=True).all()
    return tuple(int(seed) for seed in whole.index[whole])


def searched(name: str, tables: Tables, method: str, target: float, worst: float = np.inf) -> Searched:
    """The runs of a method in a grid's tables, on the seeds of which every cell has a result. worst: see
    Searched.

    UserError: there is none of the method; no seed is whole; runs stopped before the budget, so that nobody
    knows what would have come; runs have no finite loss, and `worst` is inf; the grid has several
    protocols or targets.
    """
    again = places.typed("sweep", tables.about.get("file") or name)
    trials = tables.trials[tables.trials["method"] == method].reset_index(drop=True)
    if trials.empty:
        raise UserError(f"{name}: it has no cells of {method}")
    if trials[["preset", "changes"]].drop_duplicates().shape[0] > 1:
        raise UserError(f"{name}: it has several readings of a protocol; a race is run in one")
    seeds = whole_seeds(trials)
    if not seeds:
        lacking = f"{len(trials) - len(finished(trials))} of {counted(len(trials), 'cell')}"
        raise UserError(
            f"{name}: {lacking} of {method} have no result, so no seed is whole; {again} runs them"
        )
    trials = trials[trials["seed"].isin(seeds)]
    if trials["ending"].isin(["stopped"]).any():
        raise UserError(
            f"{name}: runs of {method} stopped at their target; a race needs a grid without target_loss"
        )
    hyper = [one for one in hyper_columns(trials) if trials[one].notna().any()]
    settings = trials[hyper].drop_duplicates(ignore_index=True)
    order = trials.merge(settings.assign(setting=range(len(settings))), on=hyper, how="left")["setting"]
    shape = len(settings), len(seeds)
    at = order.to_numpy(), np.searchsorted(seeds, trials["seed"].to_numpy(int))
    own = tables.trajectories[tables.trajectories["cell_id"].isin(trials["cell_id"])]
    rows = {str(cell): some for cell, some in own.groupby("cell_id", sort=False)}
    curves = [rows[cell] for cell in trials["cell_id"]]
    diverged = trials["ending"].eq("diverged").to_numpy()
    (protocol,) = grid_of(tables.about).protocols
    no_end = ~np.isfinite(numbers(trials["final_val_loss"]))
    steps, seen = _validated(curves, diverged, no_end, protocol.validation_every)

    def laid(values: Sequence[float] | Array) -> Array:
        values = np.asarray(values, float)
        found = np.full((*shape, *values.shape[1:]), np.nan)
        found[at] = values
        return found

    start, last = seen[:, 0], seen[:, -1]
    finals = np.where(diverged | np.isnan(last), start, last)
    finals = np.where(np.isnan(finals), worst, finals)  # one that diverged at once
    if not np.isfinite(finals).all():
        raise UserError(f"{name}: runs of {method} have no finite validation loss, not even at iteration 1")
    passages = [sustained_passage(numbers(curve["train_loss"]), target) for curve in curves]
    return Searched(
        method=method,
        table=settings,
        seeds=seeds,
        budget=int(trials["max_iterations"].max()),
        loss=laid(finals),
        passage=laid([np.inf if passage is None else passage for passage in passages]),
        ran=laid(numbers(trials["iterations_run"])),
        steps=steps,
        validation=laid(seen),
        worst=worst,
    )


def _validated(
    curves: Sequence[pd.DataFrame], diverged: NDArray[np.bool_], no_end: NDArray[np.bool_], every: int
) -> tuple[NDArray[np.int64], Array]:
    """The iterations [V] at which all runs that did not diverge were validated, and the losses [runs, V], NaN
    for what is not finite.

    no_end [runs]: whether the last validation of a run gave no finite number; every: iterations between
    validations. Tables do not tell a loss that is no number from one that was not measured, so it must follow
    from these: each run is validated at iteration 1, after `every`, and at its own end, which is the last row
    here unless its record is longer than the budget.
    """
    seen = []
    for curve in curves:
        losses = numbers(curve["val_loss"])
        known = np.isfinite(losses)
        seen.append(dict(zip(numbers(curve["iteration"])[known].astype(int), losses[known], strict=True)))
    ends = [int(curve["iteration"].iloc[-1]) for curve in curves]
    measured = [
        {*own} | ({end} if lacks else set())
        for own, end, lacks, gone in zip(seen, ends, no_end, diverged, strict=True)
        if not gone
    ]
    steps = [
        step
        for step in sorted({1}.union(*measured))
        if step == 1 or step % every == 0 or all(step in own for own in measured)
    ]
    return np.array(steps), np.array([[own.get(step, np.nan) for step in steps] for own in seen])
