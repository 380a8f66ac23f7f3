"""The rows of one cell so far, and the rules by which its training ends."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

from harness import records
from harness.cell import Cell, Question
from harness.records import Record, Row, provenance
from harness.records.passages import WINDOW, running_mean

End = Literal["stopped", "budget", "diverged"]
"""How training ends: at a sustained passage of the target, at the budget, or when a number is not finite."""


class Trajectory:
    """The rows of a cell, from iteration 1 on. They come in spans; those that a device computed after the
    cell's end are left out."""

    def __init__(self, cell: Cell, question: Question) -> None:
        self.cell = cell
        self.rows: list[Row] = []
        self.seconds = 0.0
        """Its share of the time of its iterations: each one's time over the number of cells trained in it."""
        self.end: End | None = None
        """None while it trains."""
        self._question = question
        self._losses = deque[float](maxlen=WINDOW)

    def extend(self, rows: Iterable[Row]) -> End | None:
        """Take the next rows, up to the one that ends the cell. Returns how it ends; None: not yet."""
        for row in rows:
            self.rows.append(row)
            self._losses.append(row.train_loss)
            self.end = self._end()
            if self.end:
                break
        return self.end

    def _end(self) -> End | None:
        """How the cell ends with its last row, if it does. A row that no update follows has no beta, and
        weights whose loss is not finite are not validated."""
        row, target = self.rows[-1], self._question.target_loss
        if not math.isfinite(row.train_loss):
            self._correct(beta=None, val_loss=None, val_accuracy=None)
            return "diverged"
        if target is not None and len(self._losses) == WINDOW and running_mean(self._losses)[-1] <= target:
            self._correct(beta=None)
            return "stopped"
        if row.iteration == self._question.max_iterations:
            self._correct(beta=None)
            return "budget"
        if row.beta is None or not math.isfinite(row.beta):
            return "diverged"
        return None

    @property
    def lacks_validation(self) -> bool:
        """Whether its last row has yet to be validated: every last row is, unless the cell diverged."""
        return self.end in ("stopped", "budget") and self.rows[-1].val_loss is None

    def validated(self, loss: float, accuracy: float) -> None:
        """Complete the last row."""
        self._correct(val_loss=loss, val_accuracy=accuracy)

    def _correct(self, **fields: Any) -> None:
        self.rows[-1] = replace(self.rows[-1], **fields)

    def record(self, origin: dict[str, Any]) -> Record:
        """What is kept of a cell that has ended. origin: `provenance.of_run` of its pack."""
        assert self.end is not None
        return records.make(self.cell, self.end, self.rows, origin | provenance.now(self.seconds))
