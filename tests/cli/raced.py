"""Made-up records of a small league, and a trainer of populations that does not train."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from harness import grids, records
from harness.cell import Cell
from harness.common.errors import UserError
from harness.records import Row
from harness.records.store import Store
from harness.study.race import contenders, live
from harness.study.race.contenders import PBT, TPE
from tests.records.test_tables import ORIGIN

BUDGET, EVERY = 20, 5
COARSE = """
title: Mine
figure:
  kind: trajectories
  reference: {method: maml, alpha0: 0.1, beta0: 1e-3}
  columns: [{title: All, where: {beta0: 1e-3}}]
protocol: {problem: sinusoid, validation_every: 5}
target_loss: null
max_iterations: 20
seeds: [0, 1]
cells:
  - method: alpha-maml
    alpha0: [0.1, 1]
    beta0: [1e-3, 1e-2]
    alpha_hyperlr: [0.1, 1]
    beta_hyperlr: [1e-4, 1e-3]
  - {method: alpha-maml-log, alpha0: [0.1, 1], beta0: [1e-3, 1e-2], eta: [0.1, 0.5]}
  - {method: maml, alpha0: 0.1, beta0: 1e-3}
"""
FINE = COARSE.partition("cells:")[0] + (
    "cells:\n  - {method: maml, alpha0: [0.01, 0.1, 0.2, 1], beta0: [1e-4, 1e-3, 2e-3, 1e-2]}\n"
)
REPEATS = {TPE: 4, contenders.ASHA: 4, PBT: 4}


def record(cell: Cell, best: float = 0.1) -> bytes:
    """A run whose loss falls to one that depends on its seed and its rates, of which its own are best at
    `best`; the largest rates diverge."""
    hyper = cell.hyper.model_dump()
    away = abs(math.log10(hyper["alpha0"] / 0.2)) + abs(math.log10(hyper["beta0"] / 2e-3))
    own = [abs(math.log10(hyper[name] / best)) / 5 for name in ("alpha_hyperlr", "eta") if name in hyper]
    final = 0.5 + away / 2 + sum(own) + cell.seed / 50
    diverges = hyper["alpha0"] * hyper["beta0"] >= 1e-2
    losses = [3 + (final - 3) * min(i / 8, 1) for i in range(BUDGET)]
    losses = [*losses[:6], math.nan] if diverges else losses
    rows = [
        Row(
            iteration=i,
            alpha=0.5,
            beta=None if i == len(losses) else 0.1,
            train_loss=loss,
            val_loss=loss + 0.1 if (i == 1 or i % EVERY == 0) and math.isfinite(loss) else None,
        )
        for i, loss in enumerate(losses, 1)
    ]
    return records.dump(records.make(cell, "diverged" if diverges else "budget", rows, ORIGIN))


def fill(results: Path, name: str, best: float = 0.1, seeds: Sequence[int] | None = None) -> None:
    store = Store(results)
    for cell in grids.load(name).cells(seeds):
        store.put(record(cell, best))


def write(folder: Path, *names: str, seeds: Sequence[int] = (0, 1)) -> None:
    for name in names:
        shots = "k_shot: 5, " if name == "other" else ""
        coarse = COARSE.replace("validation_every", f"{shots}validation_every")
        for path, text in ((f"{name}.yaml", coarse), (f"{name}-fine.yaml", FINE)):
            (folder / path).write_text(text.replace("[0, 1]\ncells", f"{[*seeds]}\ncells"))


def with_seeds(results: Path, *seeds: int) -> None:
    """The race's own grids on these seeds, with all records."""
    write(Path(), "mine", seeds=seeds)
    for name in ("mine.yaml", "mine-fine.yaml"):
        fill(results, name)


def trained(population: live.Population) -> list[live.Step]:
    """Made-up intervals in place of real ones."""
    return [
        {"member": m, "interval": i, "ran": 5, "losses": [2.0 - 0.1 * m] * 5 * (i + 1), "loss": 2.0 - i / 10}
        for i in range(population.intervals)
        for m in range(len(population.members))
    ]


class Trainer:
    """In the place of live.train: notes what it is asked for, and stops after `enough`."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.enough = 100

    def __call__(
        self, populations: Sequence[live.Population], done: Callable[[live.Population, list[live.Step]], None]
    ) -> None:
        self.asked.append(len(populations))
        for at, one in enumerate(populations):
            if at == self.enough:
                raise UserError("the race: Ray's raylet died; the same command continues")
            done(one, trained(one))
