"""Runners: they take packs of cells and hand over finished records. Only the driver writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.cell import Cell, Question
from harness.records import Progress
from harness.records.checkpoints import EVERY_S, Checkpoints, Source
from harness.records.store import Store

Pack = tuple[Cell, ...]
"""Cells of one protocol and one method that train together."""


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """What is kept of cells in training, so that a killed run goes on."""

    results: Path
    """The folder whose store has the checkpoints. Only the driver writes there."""
    every_s: float = EVERY_S
    """Seconds between two checkpoints of a pack."""
    weights: bool = False
    """Whether the weights of runs that end are kept."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a sweep trains on."""

    device: str
    """`cpu` or `cuda`."""
    jobs: int
    """Packs at a time; 0: as many as the cluster has room for."""
    threads: int = 1
    """torch threads of each pack's process."""
    ray_address: str | None = None
    """A cluster to join (`auto`, or host:port); None: Ray is started on this machine."""
    keeping: Keeping | None = None
    """None: nothing is kept but records."""


def sources(pack: Pack, question: Question, machine: Machine) -> list[Source]:
    """Where a pack goes on; empty: it begins."""
    if machine.keeping is None:
        return []
    return Checkpoints(Store(machine.keeping.results)).sources(pack, question)


class Driver(Protocol):
    """The side that a runner talks to."""

    def record(self, content: bytes) -> None:
        """Take a finished record (`records.dump`)."""

    def checkpoint(self, content: bytes) -> None:
        """Take a checkpoint (`training.checkpoint.dump`)."""

    def progress(self, now: list[Progress]) -> None:
        """Learn now and then how far the cells in training are."""

    def interrupted(self) -> bool:
        """Whether the user wants the sweep to stop now."""
        ...


class Runner(Protocol):
    """Runs packs until all have ended or the user interrupts. A cell that fails gives a failed record.

    Returns why cells are left without a record, in words; None if none are, or if the user interrupted.
    """

    def __call__(
        self, packs: Sequence[Pack], question: Question, machine: Machine, driver: Driver
    ) -> str | None: ...
