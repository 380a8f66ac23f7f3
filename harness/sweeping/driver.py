"""The driver's side of a sweep: it takes what the runner hands over, and it alone writes to the store."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from typing import Protocol

from harness.cell import Question
from harness.common.errors import reason
from harness.common.files import opened, write_whole
from harness.common.text import size
from harness.records import Header, Progress, Record
from harness.records.checkpoint import about_of
from harness.records.checkpoints import Checkpoints
from harness.records.store import Store
from harness.sweeping.interrupts import Interrupts

RUNNING = "running.json"
"""In the store's folder while a sweep runs: cell id -> (the cell in words, its iteration)."""
EVERY_S = 2.0
"""Seconds between two updates of that file."""


class Display(Protocol):
    """What the sweep shows to the person who watches it."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def begin(self, total: int, done: int, jobs: int) -> None:
        """Before cells run. jobs: cells at a time; 0: unknown, on a cluster or a GPU."""

    def progress(self, now: list[Progress]) -> None:
        """How far the cells in training are."""

    def record(self, record: Record, question: Question) -> None:
        """A cell has ended."""

    def end(self) -> None:
        """Nothing more will come."""


class StoreDriver:
    """Puts every record into the store as it comes. See runner.Driver."""

    def __init__(
        self,
        store: Store,
        question: Question,
        display: Display,
        interrupts: Interrupts,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self.ran: dict[str, Header] = {}
        """The records that are in the store now, by cell id."""
        self.unsaved: list[bytes] = []
        """Records that could not be written."""
        self._store, self._question, self._display = store, question, display
        self._interrupts = interrupts
        self._checkpoints = checkpoints or Checkpoints(store)
        self._refused = False
        self._without: set[str] = set()
        """Cells whose weights could not be written."""
        self._running: dict[str, tuple[str, int]] = {}
        self._written = 0.0
        self._announced = False
        self.full = False
        """Whether something could not be written that is lost without it, so that the sweep has to stop."""
        with contextlib.suppress(OSError):  # what a killed sweep has left there is not of this one
            (store.folder / RUNNING).unlink()

    def record(self, content: bytes) -> None:
        """Store a finished record. A full disk ends the sweep."""
        try:
            record = self._store.put(content, longer_stays=True)
        except OSError as error:
            self.unsaved.append(content)
            self._display.note(f"cannot write to {self._store.folder}: {reason(error)}; the sweep stops here")
            self.full = True
            return
        cell_id = record.header.cell.cell_id
        self._checkpoints.ended(record.header, cell_id not in self._without)
        self.ran[cell_id] = record.header
        self._running.pop(cell_id, None)
        self._display.record(record, self._question)

    def checkpoint(self, content: bytes) -> None:
        """Store a checkpoint. A sweep goes on without those of cells in training where there is no room for
        them, and ends where there is none for the weights of a run."""
        about = about_of(content)
        try:
            if self._checkpoints.put(content):
                return
            full = f"its {size(self._checkpoints.limit)} are full (CHECKPOINTS=... allows more)"
        except OSError as error:
            full = reason(error)
        what = f"the weights of {about.cells[0].cell_id}" if about.ended else "a checkpoint"
        text = f"cannot write {what} to {self._checkpoints.store.folder}: {full}"
        if about.ended:
            self._without.add(about.cells[0].cell_id)
            if not self.full:
                self._display.note(f"{text}; the sweep stops here")
            self.full = True
        elif not self._refused:
            self._refused = True
            self._display.note(f"{text}; a run that is killed may have to begin again")

    def progress(self, now: list[Progress]) -> None:
        """Show how far cells are, and write it down for `status` now and then."""
        now = [one for one in now if one.cell.cell_id not in self.ran]  # it may come after the cell's record
        self._running |= {one.cell.cell_id: (one.cell.describe(), one.row["iteration"]) for one in now}
        self._display.progress(now)
        if time.monotonic() - self._written > EVERY_S:
            self._written = time.monotonic()
            text = json.dumps(self._running)
            with contextlib.suppress(OSError):  # only `status` reads it
                write_whole(self._store.folder / RUNNING, lambda path: path.write_text(text, "utf-8"))

    def interrupted(self) -> bool:
        """Whether the sweep has to stop. The first time that the user wants it, say so."""
        if self._interrupts.wanted and not self._announced:
            self._announced = True
            self._display.note("stopping; finished cells are kept (press Ctrl-C again to stop at once)")
        return self._interrupts.wanted or self.full

    def close(self) -> None:
        """Try once more to write what could not be written: by now there may be room."""
        with contextlib.suppress(OSError):
            (self._store.folder / RUNNING).unlink()
        unsaved, self.unsaved = self.unsaved, []
        for content in unsaved:
            try:
                header = self._store.put(content, longer_stays=True).header
                self._checkpoints.ended(header, header.cell.cell_id not in self._without)
                self.ran[header.cell.cell_id] = header
            except OSError:
                self.unsaved.append(content)


Running = Mapping[str, tuple[str, int]]
"""Cell id -> the cell in words, and its iteration."""


def in_training(store: Store) -> Running | None:
    """The cells that the sweep of this store is training, as far as it has said; None: no sweep runs here,
    and what is there was left behind by one that was killed."""
    if not store.held():
        return None
    try:
        with opened(store.folder / RUNNING) as file:
            found = json.loads(file.read())
        return {cell_id: (str(words), int(at)) for cell_id, (words, at) in found.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
