"""A sweep: find the cells without an answer, have them run, keep every record, make the tables.

The store is the truth. The same command continues where it stopped, whatever stopped it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness import grids, problems
from harness.cell import Cell, is_cell_id
from harness.common.errors import NotWritten, UserError
from harness.common.files import check_writable, clear_leftovers
from harness.common.text import counted
from harness.grids import Grid
from harness.records import Header, provenance, tables
from harness.records.checkpoints import EVERY_S, LIMIT, Checkpoints
from harness.records.store import UNREADABLE, Scan, Store
from harness.sweeping.driver import Display, StoreDriver
from harness.sweeping.interrupts import Interrupts
from harness.sweeping.plan import (
    Todo,
    at_a_time,
    lacking_weights,
    made_by_others,
    pack,
    plan,
    together,
)
from harness.sweeping.runner import Keeping, Machine, Runner
from harness.training import precision

Draw = Callable[[Path], object]
"""Draws the figures of a folder's tables."""


@dataclass(frozen=True, kw_only=True)
class Request:
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
    stale: bool = False
    """Whether cells are trained again whose records were made by other versions of a plug-in."""
    checkpoints: int = LIMIT
    """Bytes that checkpoints and weights may take."""
    every_s: float = EVERY_S
    """Seconds between two checkpoints of a pack."""

    @property
    def store(self) -> Store:
        """The store of the results folder."""
        return Store(self.results)

    @property
    def keeping(self) -> Keeping:
        """What is kept of cells in training. UserError: there is no room for weights."""
        every_s = self.every_s if self.checkpoints else math.inf
        if not self.checkpoints and self.grid.keeps_weights:
            raise UserError(f"checkpoints 0: {self.grid.name} keeps weights, which need room")
        return Keeping(results=self.results, every_s=every_s, weights=self.grid.keeps_weights)

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
                raise UserError(f"where '{self.where}': no cell of {self.grid.name} matches")
        if self.shard:
            cells = grids.select_shard(cells, self.shard)
        return cells


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a sweep ended."""

    asked: int
    ran: int
    failed: dict[str, str]
    """Cell id -> error."""
    left: int
    """Cells without an answer that did not fail: interrupted, or given up by the runner."""
    why_left: str | None
    """Why the runner gave them up, in words; None: the user interrupted, or nothing is left."""
    interrupted: bool
    unsaved: int
    """Records that could not be written."""
    unwritten: str | None
    """Which tables or figures could not be written, and why; None: all were, or were left as they are."""
    left_out: dict[str, str]
    """Damaged records of cells of the grid that were not asked for: cell id -> what is wrong."""


NOTHING = Result(
    asked=0,
    ran=0,
    failed={},
    left=0,
    why_left=None,
    interrupted=False,
    unsaved=0,
    unwritten=None,
    left_out={},
)


def sweep(request: Request, runner: Runner, display: Display, draw: Draw | None = None) -> Result:
    """Run what is missing, then make the grid's tables, and its figures with `draw`.

    Raises UserError before anything trains. The tables are made whatever happens after that.
    """
    cells = request.cells()
    if request.where and (note := grids.where_note(request.where, cells)):
        display.note(note)
    if not cells:
        display.note(f"shard {request.shard}: no cells are left for it")
        return NOTHING
    ours = {cell.cell_id for cell in cells}
    store, question = request.store, request.grid.question
    with store.lock(), Interrupts() as interrupts:
        for protocol in dict.fromkeys(cell.protocol for cell in cells):
            problems.check(protocol)
            if request.grid.meta_test is not None:
                problems.tested_on(protocol)
        tables.check_free(request.grid, request.folder)
        _check_writable(request.folder)
        clear_leftovers(request.folder)
        ran: dict[str, Header] = {}
        for _ in range(2):  # a second time if the rows of a record turn out to be damaged
            checkpoints = Checkpoints(store, request.checkpoints)
            driver = StoreDriver(store, question, display, interrupts, checkpoints)
            try:
                why_left = _run_missing(request, cells, runner, driver, display, checkpoints)
            except (UserError, KeyboardInterrupt):  # nothing ran, or a second signal: stop at once
                raise
            except Exception:
                _make_tables(request, draw, store.scan())
                raise
            ran |= driver.ran
            scan = store.scan()
            left = plan(cells, scan, question, request.stale, lacking_weights(request.grid, checkpoints))
            if left and not ran and _nothing_new(request, scan):
                made = _Made()
            else:
                made = _make_tables(request, draw, scan)
            again = {i: reason for i, reason in made.damaged.items() if i in ours}
            _set_aside(store, display, again, AGAIN)
            if not again or driver.interrupted():
                break
        left |= {i: Todo(kind="damaged", reason=reason) for i, reason in again.items()}
        failed = {i: h.error or "" for i, h in ran.items() if h.ending == "failed" and i in left}
        unanswered = len(left) - len(failed)
        return Result(
            asked=len(cells),
            ran=len(ran),
            failed=failed,
            left=unanswered,
            why_left=why_left or ("records could not be written" if driver.full else None),
            interrupted=interrupts.wanted and unanswered > 0,
            unsaved=len(driver.unsaved),
            unwritten=made.unwritten,
            left_out={i: reason for i, reason in made.damaged.items() if i not in ours},
        )


def _run_missing(
    request: Request,
    cells: Sequence[Cell],
    runner: Runner,
    driver: StoreDriver,
    display: Display,
    checkpoints: Checkpoints,
) -> str | None:
    """Run what is missing. Returns why the runner left cells without a record, or None."""
    store, question = request.store, request.grid.question
    machine = replace(request.machine, keeping=request.keeping)
    scan = store.scan()
    todo = plan(cells, scan, question, request.stale, lacking_weights(request.grid, checkpoints))
    for part, count in made_by_others(cells, scan, todo).items():
        made = counted(count, "record was", "records were")
        display.note(f"{made} made by other versions of {part}: STALE=1 trains them again")
    damaged = {i: t.reason for i, t in todo.items() if t.kind == "damaged"}
    if unreadable := [i for i, why in damaged.items() if why == UNREADABLE]:
        raise UserError(
            f"{store.folder}: no permission to read {counted(len(unreadable), 'record')} of these cells, "
            f"such as {unreadable[0]}.parquet; make them readable, or move them away"
        )
    others = {i: why for i, why in scan.damaged.items() if not is_cell_id(i) and why != UNREADABLE}
    _set_aside(store, display, damaged, AGAIN)
    _set_aside(store, display, others)
    missing = [cell for cell in cells if cell.cell_id in todo]
    for protocol in dict.fromkeys(cell.protocol for cell in missing):
        precision.check(protocol, machine.device, machine.ray_address)
    if any(map(provenance.others, missing)):
        from harness.training import trial  # late: it loads torch, which a sweep of our own does without

        trial.check(missing)
        if request.grid.meta_test is not None:
            for protocol in dict.fromkeys(cell.protocol for cell in missing):
                trial.check_test(protocol)
    on_cpu = machine.device == "cpu"
    devices = 0 if on_cpu else max(1, machine.jobs)
    for path, why in checkpoints.tidy(scan, todo).items():
        try:
            aside = checkpoints.set_aside(path)
        except NotWritten as error:
            display.note(f"checkpoint {path.name}: {why}; it stays where it is: {error.reason}")
        else:
            display.note(f"checkpoint {path.name} set aside as {aside.name}: {why}")
    starts = checkpoints.starts(missing, question)
    packs = pack(missing, devices, jobs=machine.jobs, together=together, starts=starts)
    if starts:
        furthest = max(start.iteration for start in starts.values())
        display.note(
            f"going on from checkpoints: {len(starts)} of {counted(len(missing), 'cell')}, the furthest at "
            f"iteration {furthest}"
        )
    display.begin(len(cells), len(cells) - len(missing), at_a_time(packs, machine.jobs) if on_cpu else 0)
    try:
        if not missing:
            return None
        return runner(packs, question, machine, driver)
    finally:
        display.end()
        driver.close()


def _check_writable(folder: Path) -> None:
    """UserError unless files can be made in `folder`: nothing has been trained that could be lost."""
    try:
        check_writable(folder)
    except NotWritten as error:
        raise UserError(
            f"{folder}: cannot be written ({error.reason}); choose another folder with RESULTS=..."
        ) from None


AGAIN = "; its cell is run again"


def _set_aside(store: Store, display: Display, damaged: Mapping[str, str], more: str = "") -> None:
    """Move damaged records out of the way: their cells now have none."""
    for stem, reason in damaged.items():
        try:
            aside = store.set_aside(stem)
        except FileNotFoundError:
            continue
        except NotWritten as error:
            if more:
                raise
            display.note(f"{stem}: {reason}; it stays where it is: {error.reason}")
        else:
            display.note(f"record {stem} set aside as {aside.name}: {reason}{more}")


@dataclass(frozen=True, kw_only=True)
class _Made:
    """What came of a grid's tables and figures."""

    damaged: dict[str, str] = field(default_factory=dict)
    """Records that are left out: cell id -> what is wrong."""
    unwritten: str | None = None
    """See Result."""


def _nothing_new(request: Request, scan: Scan) -> bool:
    """Whether tables would say no more than those that are there, after a sweep that kept nothing."""
    if (request.folder / "trials.parquet").exists():
        return True
    return not tables.records_by_seed(request.grid, scan)


def _make_tables(request: Request, draw: Draw | None, scan: Scan) -> _Made:
    """Make the grid's tables and figures of what is in the store."""
    store, grid = request.store, request.grid
    asked = request.seeds or grid.seeds
    damaged: dict[str, str] = {}
    try:
        damaged = tables.write(grid, store, scan, request.folder, asked)
        if draw is not None:
            draw(request.folder)
    except NotWritten as error:
        return _Made(damaged=damaged, unwritten=str(error))
    return _Made(damaged=damaged)
