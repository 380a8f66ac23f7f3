"""What a sweep shows: one live display in a terminal, plain lines in a file or a pipe."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.cell import Cell, Question
from harness.cli.console import plain_table
from harness.records import Progress, Record
from harness.records.passages import first_passage, outcome

MAX_ROWS = 16
"""Running cells shown at a time."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Estimates the time left, from the pace of this sweep since its first cell began to train."""

    began: float | None
    total: int
    done_before: int

    def left(self, ended: int, running: int) -> str:
        """How long the rest may take after `ended` cells; a running cell counts as half done."""
        if not ended or self.began is None:
            return "time left: known after the first cell"
        worked = ended + running / 2
        waiting = max(0.0, self.total - self.done_before - worked)
        return f"about {duration(waiting * (time.monotonic() - self.began) / worked)} left"


class Display:
    """Shows a sweep on a console. See sweeping.driver.Display.

    readings: whether its cells have several protocols, so that each is shown with its own.
    """

    def __init__(self, console: Console, readings: bool = False) -> None:
        self.console = console
        self._readings = readings
        self._live: Live | None = None
        self._clock = Clock(began=None, total=0, done_before=0)
        self._running: dict[str, Progress] = {}
        self._ended = 0
        self._opened = 0.0

    def note(self, text: str) -> None:
        """A line that stays."""
        self.console.print(Text(text, style="yellow"), soft_wrap=True)

    def begin(self, total: int, done: int, jobs: int) -> None:
        """Say what will run, and open the live display if there is a terminal and anything to run."""
        self._clock = Clock(began=None, total=total, done_before=done)
        self._opened = time.monotonic()
        self._ended, self._running = 0, {}
        pace = f", {min(jobs, total - done)} at a time" if jobs and total > done else ""
        known = f", {done} of them in the store" if done else ""
        self._say(f"{total} cells{known}; {total - done} to run{pace}")
        if total > done and self.console.is_terminal:
            self._live = Live(
                get_renderable=self._render, console=self.console, refresh_per_second=4, transient=True
            )
            self._live.start()

    def progress(self, now: list[Progress]) -> None:
        """How far the cells in training are."""
        if self._clock.began is None:
            self._clock = replace(self._clock, began=time.monotonic())
            import harness.plots.render  # noqa: F401  # now: cells train, and the driver only waits
        self._running.update({p.cell.cell_id: p for p in now})

    def record(self, record: Record, question: Question) -> None:
        """A line for a cell that has ended."""
        header = record.header
        self._running.pop(header.cell.cell_id, None)
        self._ended += 1
        place = self._clock.done_before + self._ended
        width = len(str(self._clock.total))
        line = (
            f"[{place:{width}}/{self._clock.total}] {verdict(record, question):<24} {self._name(header.cell)}"
        )
        if self._live is None:
            line += f"  ({self._clock.left(self._ended, len(self._running))})"
        self._say(line)

    def end(self) -> None:
        """Close the live display."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _name(self, cell: Cell) -> str:
        return cell.describe() + f"  {cell.protocol.label}" * self._readings

    def _say(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True)

    def _render(self) -> Group:
        clock, total = self._clock, self._clock.total
        done = clock.done_before + self._ended
        head = Table.grid(padding=(0, 1))
        head.add_row(
            ProgressBar(total=total, completed=done, width=30),
            f"{done}/{total} cells",
            f"{duration(time.monotonic() - self._opened)} so far,",
            clock.left(self._ended, len(self._running)),
        )
        numbers = ("iteration", "loss", "alpha", "beta")
        rows = plain_table(("running", *numbers), right=numbers)
        running = sorted(self._running.values(), key=lambda p: p.cell.cell_id)
        for p in running[:MAX_ROWS]:
            beta = p.row.beta if p.row.beta is not None else float("nan")
            loss, alpha = f"{p.row.train_loss:.3f}", f"{p.row.alpha:.3g}"
            rows.add_row(self._name(p.cell), f"{p.row.iteration}", loss, alpha, f"{beta:.3g}")
        more = [Text(f"... and {len(running) - MAX_ROWS} more")] if len(running) > MAX_ROWS else []
        return Group(head, rows, *more)


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
            return f"FAILED {header.error}"


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 20 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
