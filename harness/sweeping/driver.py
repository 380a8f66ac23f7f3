"""The driver's side of a sweep: it takes what the runner hands over, and is the only one that writes."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Protocol

from harness.cell import Question
from harness.common.files import write_whole
from harness.records import Header, Progress, Record
from harness.records.store import Store
from harness.sweeping.interrupts import Interrupts

RUNNING = "running.json"
"""In the store's folder while a sweep runs: cell id -> (the cell in words, its iteration)."""
EVERY_S = 2.0
"""Seconds between two writings of it."""


class Display(Protocol):
    """What the sweep tells the person who watches."""

    def note(self, text: str) -> None:
        """Something that is worth a line."""

    def begin(self, total: int, done: int, jobs: int) -> None:
        """Before cells run. jobs: cells at a time; 0: not known, a cluster's or a GPU's."""

    def progress(self, now: list[Progress]) -> None:
        """Where cells in training stand."""

    def record(self, record: Record, question: Question) -> None:
        """A cell has ended."""

    def end(self) -> None:
        """No more is coming."""


class StoreDriver:
    """Puts every record into the store as it comes. See runner.Driver."""

    def __init__(self, store: Store, question: Question, display: Display, interrupts: Interrupts) -> None:
        self.ran: dict[str, Header] = {}
        """The records that are in the store now, by cell id."""
        self.unsaved: list[bytes] = []
        """Records that the disk did not take."""
        self._store, self._question, self._display = store, question, display
        self._interrupts = interrupts
        self._running: dict[str, tuple[str, int]] = {}
        self._written = 0.0
        self._told = False

    def record(self, content: bytes) -> None:
        """Store a finished record. A full disk ends the sweep."""
        try:
            record = self._store.put(content)
        except OSError as error:
            self.unsaved.append(content)
            self._display.note(f"cannot write to {self._store.folder}: {error.strerror}; the sweep ends here")
            self._interrupts.wanted = True
            return
        cell_id = record.header.cell.cell_id
        self.ran[cell_id] = record.header
        self._running.pop(cell_id, None)
        self._display.record(record, self._question)

    def progress(self, now: list[Progress]) -> None:
        """Show where cells stand, and write it down for `status` now and then."""
        now = [one for one in now if one.cell.cell_id not in self.ran]  # it may come after the cell's record
        self._running |= {one.cell.cell_id: (one.cell.describe(), one.row.iteration) for one in now}
        self._display.progress(now)
        if time.monotonic() - self._written > EVERY_S:
            self._written = time.monotonic()
            text = json.dumps(self._running)
            with contextlib.suppress(OSError):  # only `status` reads it
                write_whole(self._store.folder / RUNNING, lambda path: path.write_text(text))

    def interrupted(self) -> bool:
        """Whether the sweep is to end. The first time, say so."""
        if self._interrupts.wanted and not self._told and not self.unsaved:
            self._told = True
            self._display.note("ending; what has finished is kept (press again to stop at once)")
        return self._interrupts.wanted

    def listen(self) -> None:
        """Catch the signals (again)."""
        self._interrupts.listen()

    def close(self) -> None:
        """Try again to write what the disk did not take: with the sweep's other files gone it may."""
        (self._store.folder / RUNNING).unlink(missing_ok=True)
        left, self.unsaved = self.unsaved, []
        for content in left:
            try:
                self._store.put(content)
            except OSError:
                self.unsaved.append(content)
