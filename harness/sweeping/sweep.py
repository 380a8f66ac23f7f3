"""A sweep: which cells have no answer yet, have them run, keep every record, make the tables.

The store is the truth. Running the same command again goes on where it ended, whatever ended it.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from harness import grids
from harness.cell import Cell, Question
from harness.common.errors import UserError
from harness.common.files import write_whole
from harness.grids import Grid
from harness.problems import datasets
from harness.records import Header, Progress, Record, tables
from harness.records.store import Scan, Store
from harness.sweeping.interrupts import Interrupts
from harness.sweeping.runner import Driver, Machine, Pack, Runner

PACK = 200
"""Cells of a pack on an accelerator: those of fig2 of one method and seed go together."""


class Request(NamedTuple):
    """What the user asked for."""

    grid: Grid
    results: Path
    machine: Machine
    seeds: tuple[int, ...] | None = None
    """None: the grid's."""
    where: str | None = None
    """A filter such as `alpha0=1e-4,method=maml`."""
    shard: str | None = None
    """`i/n`."""

    @property
    def store(self) -> Store:
        """The store of the results folder."""
        return Store(self.results)

    @property
    def folder(self) -> Path:
        """Where the grid's tables and figures go."""
        return self.results / self.grid.folder

    def cells(self) -> tuple[Cell, ...]:
        """The cells asked for. UserError if the filters leave none."""
        cells = self.grid.cells(self.seeds)
        if self.where:
            keep = grids.where(self.where)
            cells = tuple(cell for cell in cells if keep(cell))
            if not cells:
                raise UserError(f"where '{self.where}': no cell of {self.grid.name} is like that")
        if self.shard:
            cells = grids.select_shard(cells, self.shard)
        return cells


class Todo(NamedTuple):
    """Why a cell has to run."""

    kind: Literal["missing", "failed", "stale", "damaged"]
    reason: str
    """In words: what its record lacks."""


class Plan(NamedTuple):
    """The cells asked for, by whether the store answers them."""

    done: dict[str, Header]
    todo: dict[str, Todo]
    """By cell id."""


class Result(NamedTuple):
    """How a sweep came out."""

    asked: int
    ran: int
    failed: dict[str, str]
    """Cell id -> error."""
    left: int
    """Cells without an answer that did not fail: interrupted, or given up by the runner."""
    interrupted: bool
    unsaved: int
    """Records that the disk did not take."""


class Display(Protocol):
    """What the sweep tells the person who watches."""

    def note(self, text: str) -> None:
        """Something that is worth a line."""

    def begin(self, total: int, done: int, jobs: int) -> None:
        """The plan. jobs: cells at a time; 0: not known, a cluster's or a GPU's."""

    def progress(self, now: list[Progress]) -> None:
        """Where cells in training stand."""

    def record(self, record: Record, question: Question) -> None:
        """A cell has ended."""

    def end(self) -> None:
        """No more is coming."""


def plan(cells: Iterable[Cell], scan: Scan, question: Question) -> Plan:
    """What has to run. Pure: nothing is read or written."""
    done: dict[str, Header] = {}
    todo: dict[str, Todo] = {}
    for cell in cells:
        header = scan.headers.get(cell.cell_id)
        if cell.cell_id in scan.damaged:
            todo[cell.cell_id] = Todo("damaged", scan.damaged[cell.cell_id])
        elif header is None:
            todo[cell.cell_id] = Todo("missing", "not run yet")
        elif reason := header.why_not(question):
            todo[cell.cell_id] = Todo("failed" if header.ending == "failed" else "stale", reason)
        else:
            done[cell.cell_id] = header
    return Plan(done, todo)


def pack(cells: Sequence[Cell], devices: int) -> list[Pack]:
    """Cells as packs. devices 0: a pack a cell, those first that are likely to take longest; else the cells
    of a protocol and method are dealt evenly to the accelerators, at most PACK of them together."""
    if devices == 0:
        return [(cell,) for cell in sorted(cells, key=_pace)]
    groups: dict[tuple, list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.protocol, cell.method), []).append(cell)
    packs = []
    for group in groups.values():
        parts = devices * math.ceil(len(group) / (devices * PACK))
        packs += [tuple(group[i::parts]) for i in range(parts)]
    return sorted((one for one in packs if one), key=len, reverse=True)


def _pace(cell: Cell) -> float:
    """The smaller the rates, the longer a cell is likely to run: the sum of their logarithms."""
    hyper = cell.hyper.model_dump()
    moving = [name for name in ("alpha_hyperlr", "beta_hyperlr") if name not in hyper]
    logs = [math.log10(value) if value > 0 else -20.0 for value in hyper.values()]
    return sum(logs) - 20.0 * len(moving)


def sweep(
    request: Request,
    runner: Runner,
    display: Display,
    draw: Callable[[Path], object] | None = None,
) -> Result:
    """Run what is missing, then make the grid's tables, and its figures with `draw(folder)`.

    Raises UserError before anything trains. The tables are made whatever happens after that.
    """
    cells = request.cells()
    store, question = request.store, request.grid.question
    with store.lock(), Interrupts() as interrupts:
        for data, resize in sorted({(one.protocol.dataset, one.protocol.resize) for one in cells}):
            datasets.check(data, resize)
        _writable(request.folder)
        ran: dict[str, Header] = {}
        unsaved: list[bytes] = []
        for _ in range(2):  # a second time if records turn out damaged within
            planned = plan(cells, store.scan(), question)
            _set_aside(store, display, {i: t.reason for i, t in planned.todo.items() if t.kind == "damaged"})
            todo = [cell for cell in cells if cell.cell_id in planned.todo]
            device, jobs = request.machine.device, request.machine.jobs
            display.begin(len(cells), len(cells) - len(todo), jobs if device == "cpu" else 0)
            refused = False
            try:
                if todo:
                    driver = _driver(store, question, display, interrupts, ran, unsaved)
                    packs = pack(todo, devices=0 if device == "cpu" else max(1, jobs))
                    runner(packs, question, request.machine, driver)
            except UserError:
                refused = True
                raise
            finally:
                display.end()
                (store.folder / "running.json").unlink(missing_ok=True)
                unsaved = _save(store, unsaved)
                damaged = {} if refused else _tables(request, display, draw)
            _set_aside(store, display, damaged)
            if not damaged or interrupts.wanted:
                break
        left = plan(cells, store.scan(), question).todo
        failed = {i: h.error or "" for i, h in ran.items() if h.ending == "failed" and i in left}
        without = len(left) - len(failed)
        return Result(len(cells), len(ran), failed, without, interrupts.wanted and without > 0, len(unsaved))


def _driver(
    store: Store,
    question: Question,
    display: Display,
    interrupts: Interrupts,
    ran: dict[str, Header],
    unsaved: list[bytes],
) -> Driver:
    """The driver's side of a runner: every record goes to the store at once."""
    running: dict[str, tuple[str, int]] = {}
    ended: set[str] = set()
    written = 0.0
    told = False

    def record(content: bytes) -> None:
        try:
            one = store.put(content)
        except OSError as error:  # a full disk: end the sweep, and try again when its files are gone
            unsaved.append(content)
            display.note(f"cannot write to {store.folder}: {error.strerror}; the sweep ends here")
            interrupts.wanted = True
            return
        ran[one.header.cell.cell_id] = one.header
        ended.add(one.header.cell.cell_id)
        running.pop(one.header.cell.cell_id, None)
        display.record(one, question)

    def progress(now: list[Progress]) -> None:
        nonlocal written
        now = [p for p in now if p.cell.cell_id not in ended]  # a worker's word may come after its record
        running.update({p.cell.cell_id: (p.cell.describe(), p.row.iteration) for p in now})
        display.progress(now)
        if time.monotonic() - written > 2:
            written = time.monotonic()
            try:
                text = json.dumps(running)
                write_whole(store.folder / "running.json", lambda path: path.write_text(text))
            except OSError:
                pass  # only `status` reads it

    def interrupted() -> bool:
        nonlocal told
        if interrupts.wanted and not told and not unsaved:
            told = True
            display.note("ending; what has finished is kept (once more to end at once)")
        return interrupts.wanted

    return Driver(record, progress, interrupted, interrupts.listen)


def _set_aside(store: Store, display: Display, damaged: dict[str, str]) -> None:
    """Move what cannot be read out of the way: its cells have no record now."""
    for cell_id, reason in damaged.items():
        aside = store.set_aside(cell_id)
        display.note(f"record {cell_id} set aside as {aside.name}: {reason}; its cell is run again")


def _save(store: Store, unsaved: list[bytes]) -> list[bytes]:
    """Try once more to write what the disk did not take; give back what it still does not."""
    still = []
    for content in unsaved:
        try:
            store.put(content)
        except OSError:
            still.append(content)
    return still


def _tables(request: Request, display: Display, draw: Callable[[Path], object] | None) -> dict[str, str]:
    """The grid's tables and figures; the records found damaged."""
    store = request.store
    try:
        asked = request.seeds or request.grid.seeds
        damaged = tables.write(request.grid, store, store.scan(), request.folder, asked)
        if draw is not None:
            draw(request.folder)
    except OSError as error:
        display.note(f"cannot write to {request.folder}: {error.strerror}; make plots draws it later")
        return {}
    return damaged


def _writable(folder: Path) -> None:
    """UserError unless files can be made in `folder`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "probe", lambda path: path.write_text(""))
        (folder / "probe").unlink()
    except OSError as error:
        raise UserError(
            f"{folder}: not writable ({error.strerror}); choose another folder with RESULTS=..."
        ) from None


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
