"""How long the rest of a sweep may take, from what its cells are doing."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

MEMORY_S = 60.0
"""What happened this long ago counts 1/e of what happens now."""
FIRST_S = 3.0
"""Seconds of training before the first estimate."""
RECENT = 20
"""The cells that ended last, from which the length of the others is estimated."""


@dataclass(frozen=True, kw_only=True)
class Left:
    """An estimate."""

    seconds: float
    at_most: bool
    """Whether no cell has ended yet, so that each may run to the budget or stop long before."""


class Pace:
    """Learns from the iterations of running cells and from the lengths of those that ended.

    Its clock is the caller's: `at` is in seconds, from any beginning.
    """

    def __init__(self, cells: int, budget: int, jobs: int) -> None:
        """cells: how many will run; budget: iterations of the longest; jobs: cells at a time, 0: unknown."""
        self._waiting = cells
        """Cells that have not reported yet, and have not ended."""
        self._budget, self._jobs = budget, jobs
        self._running: dict[str, int] = {}
        """The iteration of each."""
        self._lengths: deque[int] = deque(maxlen=RECENT)
        self._at: float | None = None
        self._iterations, self._busy = 0.0, 0.0
        """Made by running cells, and the seconds these had for it, summed over cells; older ones fade."""

    def progress(self, at: float, iterations: Mapping[str, int]) -> None:
        """Cells are at these iterations; the others where they were."""
        made = sum(self._step(cell, iteration) for cell, iteration in iterations.items())
        self._tick(at, made)

    def ended(self, at: float, cell: str, iterations: int) -> None:
        """A cell has ended after so many iterations; 0: it failed, and tells nothing."""
        made = self._step(cell, iterations)
        self._tick(at, made)
        del self._running[cell]
        if iterations:
            self._lengths.append(iterations)

    def left(self) -> Left | None:
        """Until all have ended; None: nobody can tell yet."""
        if self._busy < FIRST_S * self._at_a_time() or not self._iterations:
            return None
        speed = self._iterations / self._busy
        running = {cell: self._length_beyond(at) for cell, at in self._running.items()}
        expected = [*self._lengths, *running.values()] if self._lengths else [self._budget]
        rest = [running[cell] - at for cell, at in self._running.items()]
        work = sum(rest) + self._waiting * fmean(expected)
        return Left(seconds=max(work / self._at_a_time(), *rest, 0.0) / speed, at_most=not self._lengths)

    def _step(self, cell: str, iteration: int) -> int:
        """Iterations since the cell was heard of. Those before that count once a cell has ended: until then
        they may be older than the clock."""
        if cell not in self._running:
            self._waiting = max(0, self._waiting - 1)
            self._running[cell] = 0 if self._lengths else iteration
        made = iteration - self._running[cell]
        self._running[cell] = iteration
        return max(0, made)

    def _tick(self, at: float, made: int) -> None:
        passed = 0.0 if self._at is None else max(0.0, at - self._at)
        fade = math.exp(-passed / MEMORY_S)
        self._iterations = self._iterations * fade + made
        self._busy = self._busy * fade + passed * self._at_a_time()
        self._at = at

    def _at_a_time(self) -> int:
        """Cells in training."""
        left = len(self._running) + self._waiting
        return max(1, min(self._jobs, left) if self._jobs else len(self._running))

    def _length_beyond(self, iteration: int) -> float:
        """What a cell at this iteration will have run when it ends: as those that went further, or to the
        budget."""
        longer = [length for length in self._lengths if length > iteration]
        return fmean(longer) if longer else max(self._budget, iteration)
