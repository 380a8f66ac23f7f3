"""What is there: grids, their cells, and what the store says of each. Printed for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from filelock import FileLock, Timeout
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness import grids
from harness.cell import Cell, Protocol
from harness.cli.progress import duration
from harness.common.errors import UserError
from harness.grids import Grid
from harness.grids.selection import seed_ranges
from harness.records import DamagedRecord, Record, tables
from harness.records.store import Scan, Store
from harness.sweeping.sweep import Request, Todo, pack, plan

MOST_ALIKE = 20
"""More cells that are not done for one reason share a line: of a whole store that is stale, say."""


def recorded(scan: Scan, results: Path, names: Sequence[str], dataset: str | None) -> list[Grid]:
    """The grids (by name or path; none: all, on any data set, and those that have tables) with records."""
    if names:
        found = [grids.load(name, dataset=dataset) for name in names]
    else:
        found = []
        stored = {header.cell.protocol.dataset for header in scan.headers.values()} & {*grids.datasets()}
        for name in grids.names():
            own = grids.load(name, dataset=dataset)
            others = stored - {own.protocol.dataset} if dataset is None else ()
            found += [own, *(grids.load(name, dataset=other) for other in sorted(others))]
        for path in sorted(results.glob("*/trials.parquet")):
            try:
                found.append(tables.grid_of(tables.read_about(path.parent)))
            except UserError:
                continue  # of another version: made again from its own file
    unique = {grid.folder: grid for grid in reversed(found)}
    return [grid for grid in reversed(unique.values()) if tables.records_by_seed(grid, scan)]


def show_status(
    out: Console, results: Path, names: Sequence[str], seeds: str | None, dataset: str | None
) -> None:
    """Print a row a grid, and below it the reasons for what is not done."""
    scan = Store(results).scan()
    running = _running(results)
    found = recorded(scan, results, names, dataset)
    if names:
        found = [grids.load(name, dataset=dataset) for name in names]
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("grid", "cells", "done", "running", "missing", "failed", "stale", "seeds"):
        table.add_column(name, justify="left" if name in ("grid", "seeds") else "right", no_wrap=True)
    lines: list[str] = []
    for grid in found:
        chosen = grids.parse_seeds(seeds) if seeds else tables.recorded_seeds(grid, scan)
        cells = grid.cells(chosen)
        planned = plan(cells, scan, grid.question)
        kinds = Counter("running" if i in running else todo.kind for i, todo in planned.todo.items())
        counts = [
            len(cells),
            len(planned.done),
            *(kinds[kind] for kind in ("running", "missing", "failed")),
            kinds["stale"] + kinds["damaged"],
        ]
        table.add_row(grid.folder, *map(str, counts), seed_ranges(chosen))
        lines += [f"{grid.folder}  {line}" for line in _reasons(cells, planned.todo, running)]
    if not found:
        out.print("no records yet; make sweep makes some")
        return
    out.print(table)
    for line in lines:
        out.print(Text(line), soft_wrap=True)


def _reasons(
    cells: Sequence[Cell], todo: dict[str, Todo], running: dict[str, tuple[str, int]]
) -> Iterator[str]:
    """A line for each cell that is neither done nor missing; one for all that have the same reason if those
    are more than MOST_ALIKE."""
    alike: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.cell_id in todo and cell.cell_id in running:
            alike.setdefault(f"running: at iteration {running[cell.cell_id][1]}", []).append(cell)
        elif cell.cell_id in todo and todo[cell.cell_id].kind != "missing":
            alike.setdefault(": ".join(todo[cell.cell_id]), []).append(cell)
    for why, those in alike.items():
        if len(those) > MOST_ALIKE:
            yield f"{len(those)} cells  {why}"
        else:
            yield from (f"{cell.cell_id}  {cell.describe()}  {why}" for cell in those)


def _running(results: Path) -> dict[str, tuple[str, int]]:
    """What the sweep that holds the folder trains now: cell id -> (cell, iteration)."""
    store = Store(results).folder
    try:
        running = json.loads((store / "running.json").read_text())
        with FileLock(store / ".lock", timeout=0):
            return {}  # left behind by a sweep that was killed
    except Timeout:
        return running
    except (OSError, ValueError):
        return {}


def show_record(out: Console, results: Path, beginning: str) -> None:
    """Print one record. UserError if no id, or more than one, begins like that."""
    store = Store(results)
    ids = [p.stem for p in sorted(store.folder.glob("*.parquet")) if p.stem.startswith(beginning)]
    if len(ids) != 1:
        what = f"{len(ids)} records begin" if ids else "no record begins"
        raise UserError(
            f"cell '{beginning}': {what} with that in {store.folder}; harness grids NAME --cells lists them"
        )
    try:
        record = store.read(ids[0])
    except DamagedRecord as error:
        raise UserError(f"cell {ids[0]}: {error}; the next sweep sets it aside and runs it again") from None
    header = record.header
    out.print(f"cell       {header.cell.cell_id}")
    out.print(Text(f"           {header.cell.describe()}"), soft_wrap=True)
    out.print(
        Text(f"protocol   {header.cell.protocol.dataset}, {header.cell.protocol.label}"), soft_wrap=True
    )
    for name, value in header.cell.protocol.model_dump(exclude_defaults=True).items():
        out.print(f"           {name}: {value}")
    reason = f": {header.error}" if header.error else ""
    out.print(
        Text(f"ending     {header.ending} after {header.iterations} iterations{reason}"), soft_wrap=True
    )
    out.print("made by")
    for name, value in header.provenance.items():
        out.print(Text(f"           {name}: {value}"), soft_wrap=True)
    out.print(_excerpt(record))


def _excerpt(record: Record) -> Table:
    """Some rows, closer together where it begins."""
    rows = record.rows.to_pylist()
    picked = {1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000, len(rows)}
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in record.rows.column_names:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        if row["iteration"] in picked:
            table.add_row(
                *("" if v is None else f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values())
            )
    return table


def show_grids(out: Console, names: Sequence[str], dataset: str | None) -> None:
    """Print a row a grid."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("grid", "cells a seed", "seeds", "data set", "protocol", "target", "budget", "title"):
        right = name in ("cells a seed", "target", "budget")
        wrap = name in ("protocol", "title")
        table.add_column(name, justify="right" if right else "left", no_wrap=not wrap)
    for name in names:
        grid = grids.load(name, dataset=dataset)
        target = "none" if grid.target_loss is None else f"{grid.target_loss:g}"
        numbers = f"{len(grid.cells([0]))}", ",".join(map(str, grid.seeds))
        what = grid.protocol.dataset, grid.label, target, f"{grid.max_iterations}"
        table.add_row(grid.folder, *numbers, *what, grid.title)
    out.print(table)


def show_cells(out: Console, request: Request) -> None:
    """Print every cell in the order in which it would start, and at most how long they take."""
    store = Store(request.results)
    scan = store.scan()
    cells = request.cells()
    question = request.grid.question
    planned = plan(cells, scan, question)
    for (cell,) in pack(cells, devices=0):
        state = planned.todo[cell.cell_id].reason if cell.cell_id in planned.todo else "done"
        reading = f"  {cell.protocol.label}" if request.grid.readings else ""
        out.print(Text(f"{cell.cell_id}  {cell.describe()}{reading}  {state}"), soft_wrap=True)
    if not planned.todo:
        out.print(f"{len(cells)} cells, all done")
        return
    try:
        counts = Counter(cell.protocol for cell in cells if cell.cell_id in planned.todo)
        times = {protocol: _seconds_per_iteration(scan, protocol) for protocol in counts}
    except UserError as error:
        out.print(
            Text(f"{len(cells)} cells, {len(planned.todo)} to run; no estimate: {error}"), soft_wrap=True
        )
        return
    seconds = sum(counts[one] * times[one][0] for one in counts) / counts.total()
    source = " and ".join(dict.fromkeys(source for _, source in times.values()))
    most = len(planned.todo) * question.max_iterations * seconds / request.machine.jobs
    out.print(
        f"{len(cells)} cells, {len(planned.todo)} to run: at most {duration(most)}, {request.machine.jobs} "
        f"at a time, if none ends before {question.max_iterations} iterations "
        f"({seconds:.2g} s an iteration, {source})",
        soft_wrap=True,
    )


def _seconds_per_iteration(scan: Scan, protocol: Protocol) -> tuple[float, str]:
    """From the records of the same protocol; without any, measured on a few iterations."""
    known = [
        header.provenance["wall_seconds"] / header.iterations
        for header in scan.headers.values()
        if header.cell.protocol == protocol
        and header.iterations >= 5
        and header.provenance.get("device", "").startswith("cpu")
    ]
    if known:
        return median(known), f"median of {len(known)} records"
    from harness.cli.single import time_iteration

    return time_iteration(protocol), "measured just now"
