"""How low the training loss falls by the noise of the meta-batch alone: losses of networks that never learn.

The frame that `read` returns has a row for each (seed, head, iteration): the losses of the first task, the
second, ... in nats. A smaller meta-batch has the first of these tasks, and its training loss is their mean.
"""

from __future__ import annotations

from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from harness.analysis.intervals import wilson
from harness.paper.definitions import PAPER_COUNT, TARGETS, Passage
from harness.records.passages import first_passage, sustained_passage

FILE = "losses.parquet"
TARGET = TARGETS[1]
"""2.99 nats, the target of Figure 3."""
CHANCE = log(20)
"""Nats: the lowest expected loss of a network that does not adapt to its task of 20 classes."""
TASKS = (4, 8, 16)
"""Sizes of the meta-batch."""
KEYS = ("seed", "head", "iteration")
TASK = "task{}"
"""Name of a task's column, counted from 1."""


def read(folder: Path) -> pd.DataFrame | None:
    """The losses that `python -m harness.paper.chance_study` wrote to `folder`; None: it wrote none."""
    path = folder / FILE
    return pd.read_parquet(path) if path.exists() else None


def training_losses(frame: pd.DataFrame, head: str, tasks: int) -> NDArray[np.float64]:
    """[inits, iterations]: means over the first `tasks` tasks, in the order of seeds and iterations."""
    rows = frame[frame["head"] == head]
    means = rows[[TASK.format(task) for task in range(1, tasks + 1)]].mean(axis=1).astype(float)
    table = rows.assign(loss=means).pivot(index="seed", columns="iteration", values="loss")
    return table.to_numpy(float)


def networks(frame: pd.DataFrame) -> dict[str, dict[int, NDArray[np.float64]]]:
    """Initialiser of the head -> size of the meta-batch, if the frame has enough tasks -> training losses.

    Heads are in the frame's order; losses are as in `training_losses`.
    """
    sizes = [tasks for tasks in TASKS if TASK.format(tasks) in frame]
    return {
        str(head): {tasks: training_losses(frame, head, tasks) for tasks in sizes}
        for head in frame["head"].unique()
    }


def passages(losses: ArrayLike, passage: Passage, target: float = TARGET) -> NDArray[np.float64]:
    """[inits]: the iteration at which each network passes, inf: never. `losses`: [inits, iterations]."""
    return np.array([passage(row, target) or np.inf for row in np.asarray(losses, float)])


def summary(frame: pd.DataFrame) -> dict[str, dict[str, dict[str, Any]]]:
    """Head -> tasks (as text) -> numbers; fit for JSON.

    - inits, iterations, target
    - mean_loss: over all; init_sd: of the inits' own means; batch_sd: between the batches of one init, the
      root of the mean variance. Nats; null: fewer than two, so no spread
    - passed, passed_share, passed_interval: inits with a first passage; Wilson's 95 % interval
    - passed_by_paper, passed_by_paper_share, passed_by_paper_interval: the same up to the paper's count
    - sustained, sustained_share, sustained_interval: the same for sustained passages
    - median_first_passage: null if it is a miss, because too few inits pass
    - batches_below_share: the share of all meta-batches whose loss is at or below the target
    """
    return {
        head: {str(tasks): _summary(losses) for tasks, losses in by_tasks.items()}
        for head, by_tasks in networks(frame).items()
    }


def _summary(losses: NDArray[np.float64]) -> dict[str, Any]:
    first, sustained = (passages(losses, passage) for passage in (first_passage, sustained_passage))
    median = float(np.median(first))
    return {
        "inits": len(losses),
        "iterations": losses.shape[1],
        "target": TARGET,
        "mean_loss": float(losses.mean()),
        "init_sd": _spread(losses.mean(1)),
        "batch_sd": float(np.sqrt(losses.var(1, ddof=1).mean())) if losses.shape[1] > 1 else None,
        **_share("passed", np.isfinite(first)),
        **_share("passed_by_paper", first <= PAPER_COUNT),
        **_share("sustained", np.isfinite(sustained)),
        "median_first_passage": median if np.isfinite(median) else None,
        "batches_below_share": float((losses <= TARGET).mean()),
    }


def _spread(values: NDArray[np.float64]) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None


def _share(name: str, hits: NDArray[np.bool_]) -> dict[str, Any]:
    """The count, the share, and the share's interval."""
    count = int(hits.sum())
    return {
        name: count,
        f"{name}_share": count / len(hits),
        f"{name}_interval": [*wilson(count, len(hits))],
    }
