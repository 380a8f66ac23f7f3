"""What checkpoints cost: a short run, which only looks at the clock, beside one that does not even that; and
the writing of a checkpoint itself. A part of overhead.py."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch

from harness.cell import Cell, Question, protocol_of
from harness.records.checkpoints import Checkpoints
from harness.records.store import Store
from harness.training import checkpoint, loop
from harness.training.checkpoint import Checkpoint

RUNS: dict[str, tuple[dict[str, Any], int]] = {
    "sinusoid": ({"problem": "sinusoid"}, 500),
    "5-way": ({"dataset": "glyphs", "n_way": 5, "meta_batch": 8, "filters": 16}, 40),
    "20-way": ({"dataset": "glyphs", "train_characters": 100, "validation_characters": 50}, 6),
}
"""Fields of a protocol, and iterations of a short run."""
WRITTEN = 5000
"""Iterations before the checkpoint that is written."""


def checkpoints(pairs: int) -> dict[str, Any]:
    """Of each of RUNS, on one thread."""
    torch.set_num_threads(1)
    return {name: measured(fields, iterations, pairs) for name, (fields, iterations) in RUNS.items()}


def measured(fields: dict[str, Any], iterations: int, pairs: int) -> dict[str, Any]:
    """Seconds of runs with and without an eye on checkpoints, in turns, and the median of their ratios."""
    cell = Cell(protocol=protocol_of(**fields), method="maml", hyper={"alpha0": 0.1, "beta0": 1e-3}, seed=0)
    question = Question(target_loss=None, max_iterations=iterations)
    kept: list[Checkpoint] = []

    def seconds(keep: loop.Keep | None) -> float:
        began = perf_counter()
        list(loop.train([cell], question, keep=keep))
        return perf_counter() - began

    keep = loop.Keep(take=kept.append, every_s=300)
    seconds(keep)
    times = [(seconds(keep), seconds(None)) for _ in range(pairs)]
    assert not kept
    return {
        "iterations": iterations,
        "with_s": median(one for one, _ in times),
        "without_s": median(other for _, other in times),
        "ratio": median(one / other for one, other in times),
        "checkpoint": _written(cell),
    }


def _written(cell: Cell) -> dict[str, Any]:
    """Bytes of a checkpoint after many iterations, and the seconds that the worker and the disk take."""
    kept: list[Checkpoint] = []
    list(loop.train([cell], Question(max_iterations=2), keep=loop.Keep(take=kept.append, every_s=0)))
    (one,) = kept
    rows = [one.rows[0][0] | {"iteration": i} for i in range(1, WRITTEN + 1)]
    began = perf_counter()
    content = checkpoint.dump(Checkpoint(about=one.about, state=one.state, rows=(rows,)))
    dumped = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        Checkpoints(Store(Path(folder))).put(content)
    return {
        "iterations": WRITTEN,
        "bytes": len(content),
        "worker_s": dumped - began,
        "disk_s": perf_counter() - dumped,
    }
