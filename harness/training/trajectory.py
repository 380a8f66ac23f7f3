"""The rows of one cell so far, and the rules by which its training ends."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import Any, Literal

from harness import records
from harness.cell import Cell, Question
from harness.methods import METHODS
from harness.records import Record, Row, provenance
from harness.records.passages import WINDOW, running_mean
from harness.records.schema import judged

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
        self._of_update = [name for name, column in METHODS[cell.method].columns.items() if column.of_update]
        self._validated = [f"val_{name}" for name in judged(cell)]
        self._losses = deque[float](maxlen=WINDOW)

    def extend(self, rows: Iterable[Row]) -> End | None:
        """Take the next rows, up to the one that ends the cell. Returns how it ends; None: not yet."""
        for row in rows:
            self.rows.append(row)
            self._losses.append(row["train_loss"])
            self.end = self._end()
            if self.end:
                break
        return self.end

    def resume(self, rows: Iterable[Row], seconds: float) -> End | None:
        """Take the rows of a checkpoint, and its seconds. Returns how the cell ends among them; None: it goes
        on."""
        self.seconds = seconds
        return self.extend(rows)

    def _end(self) -> End | None:
        """How the cell ends with its last row, if it does. A row that no update follows has nothing of one,
        and weights whose loss is not finite are not validated."""
        row, target = self.rows[-1], self._question.target_loss
        no_update = dict.fromkeys(self._of_update)
        if not math.isfinite(row["train_loss"]):
            self.rows[-1] = row | no_update | dict.fromkeys(self._validated)
            return "diverged"
        if target is not None and len(self._losses) == WINDOW and running_mean(self._losses)[-1] <= target:
            self.rows[-1] = row | no_update
            return "stopped"
        if row["iteration"] == self._question.max_iterations:
            self.rows[-1] = row | no_update
            return "budget"
        if not all(math.isfinite(row[name]) for name in self._of_update):
            return "diverged"
        return None

    @property
    def lacks_validation(self) -> bool:
        """Whether its last row has yet to be validated: every last row is, unless the cell diverged."""
        return self.end in ("stopped", "budget") and self.rows[-1]["val_loss"] is None

    def validated(self, scores: Iterable[float]) -> None:
        """Complete the last row: loss and metrics."""
        self.rows[-1] |= dict(zip(self._validated, scores, strict=True))

    def record(self, origin: dict[str, Any]) -> Record:
        """What is kept of a cell that has ended. origin: `provenance.of_run` of its pack."""
        assert self.end is not None
        return records.make(self.cell, self.end, self.rows, origin | provenance.now(self.seconds))
