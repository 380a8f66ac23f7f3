"""What a sweep shows: one live display in a terminal, plain lines in a file or a pipe."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.cell import Cell, Question
from harness.cli.console import Printer, say
from harness.cli.layout import Columns, wrapped
from harness.cli.naming import names
from harness.cli.pace import Pace
from harness.common.text import counted
from harness.methods import METHODS
from harness.records import Progress, Record
from harness.records.passages import first_passage, outcome

MAX_ROWS = 16
"""Running cells shown at a time."""
MAX_RATES = 4
"""Columns of what methods record of their rates."""
BAR = 30
"""Columns of the bar, at most."""


class Display:
    """Shows a sweep on a console. See sweeping.driver.Display."""

    def __init__(self, console: Printer, cells: Sequence[Cell], budget: int) -> None:
        """cells: all that were asked for; budget: the most iterations of one."""
        self.console = console
        self._names, self._budget = names(cells), budget
        self._live: Live | None = None
        self._pace = Pace(0, budget, 0)
        self._running: dict[str, Progress] = {}
        self._total = self._done = 0
        self._opened = 0.0
        self._announced = False
        """Whether an estimate of the time left has been printed."""
        self._in_parts = self._split = False
        """Whether it has been said that packs are computed in parts, and that they are split."""

    def note(self, text: str) -> None:
        """A line that stays."""
        say(text, "yellow", self.console)

    def begin(self, total: int, done: int, jobs: int) -> None:
        """Say what will run, and open the live display if there is a terminal and anything to run."""
        self._total, self._done, self._running = total, done, {}
        self._opened, self._announced = time.monotonic(), False
        self._pace = Pace(total - done, self._budget, jobs)
        pace = f", {min(jobs, total - done)} at a time" if jobs and total > done else ""
        known = f", {done} of them in the store" if done else ""
        self._say(f"{counted(total, 'cell')}{known}; {total - done} to run{pace}")
        if total == done:
            return
        if self._names.shared and self._names.varying:
            self._say(f"all with {self._names.shared}")
        if self.console.live:
            self._live = Live(
                get_renderable=self._render, console=self.console, refresh_per_second=4, transient=True
            )
            self._live.start()

    def progress(self, now: list[Progress]) -> None:
        """How far the cells in training are."""
        self._running.update({p.cell.cell_id: p for p in now})
        self._pace.progress(time.monotonic(), {p.cell.cell_id: p.row["iteration"] for p in now})
        if self._live is None and not self._announced and (left := self._left()):
            self._announced = True
            self._say(left)

    def record(self, record: Record, question: Question) -> None:
        """A line for a cell that has ended."""
        header = record.header
        self._running.pop(header.cell.cell_id, None)
        self._done += 1
        self._pace.ended(time.monotonic(), header.cell.cell_id, header.iterations)
        ended = f"{verdict(record, question):<{len(f'not reached in {self._budget}')}}"
        place = f"[{self._done:{len(str(self._total))}}/{self._total}]"
        error = f": {header.error}" if header.error else ""
        left = f"  ({left})" if self._live is None and (left := self._left()) else ""
        self._say(f"{place} {ended}  {self._names.of(header.cell)}{error}{left}", indent=len(place) + 1)
        if (pairs := header.provenance.get("pairs_at_once")) and not self._in_parts:
            self._in_parts = True
            self.note(f"to save memory, {counted(pairs, 'task')} of a pack's cells are computed at a time")
        if (whole := header.provenance.get("split_from")) and not self._split:
            self._split = True
            self.note(f"to save memory, the {whole} cells of a pack train in parts, one after the other")

    def end(self) -> None:
        """Close the live display."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _say(self, text: str, indent: int = 4) -> None:
        say(text, console=self.console, indent=indent)

    def _left(self) -> str:
        """How long the rest may take; nothing while that is not known, or if there is no rest."""
        left = self._pace.left()
        if left is None or self._done == self._total:
            return ""
        return f"{'at most' if left.at_most else 'about'} {duration(left.seconds)} left"

    def _render(self) -> Group:
        so_far = duration(time.monotonic() - self._opened)
        left = self._left() or "time left not known yet"
        text = Text(f"{self._done}/{counted(self._total, 'cell')}, {so_far} so far, {left}")
        room = self.console.width - text.cell_len - 1
        head: RenderableType = wrapped(text, self.console.width)
        if room >= BAR // 3:
            bar, head = (
                ProgressBar(total=self._total, completed=self._done, width=min(room, BAR)),
                Table.grid(),
            )
            head.add_row(bar, " ", text)
        return Group(head, *self._rows())

    def _rows(self) -> list[RenderableType]:
        """The cells in training, as many as the terminal has room for."""
        if not self._running:
            return []
        running = sorted(self._running.values(), key=lambda p: p.cell.cell_id)
        shown = max(1, min(MAX_ROWS, self.console.height - 4))
        rates = _rates(p.cell for p in running[:shown])
        numbers = ("iteration", "loss", *rates)
        rows = Columns((*(self._names.varying or ["cell"]), *numbers), right={*self._names.numbers, *numbers})
        for p in running[:shown]:
            row = p.row
            name = self._names.values(p.cell) or [self._names.of(p.cell)]
            values = (_rate(row.get(rate)) for rate in rates)
            rows.add_row(*name, f"{row['iteration']}", f"{row['train_loss']:.3f}", *values)
        more = len(running) - shown
        return [rows, *([Text(f"... and {more} more")] if more > 0 else [])]


def _rates(cells: Iterable[Cell]) -> list[str]:
    """The first MAX_RATES that the methods of these cells record, without what says more of one of them, as
    alpha_lowest does of alpha."""
    methods = dict.fromkeys(cell.method for cell in cells)
    names = list(dict.fromkeys(name for one in methods for name in METHODS[one].columns))
    return [name for name in names if not any(name.startswith(f"{one}_") for one in names)][:MAX_RATES]


def _rate(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def verdict(record: Record, question: Question) -> str:
    """How a cell ended, in a few words: `reached at 57`, `not reached in 500`."""
    header = record.header
    losses = record.rows["train_loss"].to_numpy()[: question.max_iterations]
    target, budget = question.target_loss, question.max_iterations
    match outcome(losses, header.ending, header.iterations, target, budget):
        case "reached" if target is not None:
            return f"reached at {first_passage(losses, target)}"
        case "budget":
            return f"not reached in {budget}" if target is not None else f"ran {len(losses)}"
        case "diverged":
            return f"diverged at {header.iterations}"
        case _:
            return "FAILED"


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 20 min`."""
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
