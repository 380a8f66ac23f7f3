"""`harness status`: which cells of the grids are done, and why the others are not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import out, plain_table, say
from harness.cli.options import Dataset, Results
from harness.common import places
from harness.common.files import opened

if TYPE_CHECKING:
    from harness.cell import Cell
    from harness.sweeping.plan import Todo

MAX_ALIKE = 20
"""If more cells than this are not done for the same reason, they share a line: in a stale store, say."""

Running = Mapping[str, tuple[str, int]]
"""The cells that a sweep is training: cell id -> (the cell in words, its iteration)."""


def status(
    grid: Annotated[list[str] | None, typer.Argument(help="Grids.", show_default="all with records")] = None,
    seeds: Annotated[str | None, typer.Option(help="Such as 0-4.", show_default="those with records")] = None,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
) -> None:
    """Show how many cells are done, running, missing, failed or stale, and why."""
    from harness import grids
    from harness.cli.lookup import recorded
    from harness.grids.selection import seed_ranges
    from harness.records import tables
    from harness.records.store import Store
    from harness.sweeping.plan import plan

    folder, names = results.absolute(), grid or []
    scan = Store(folder).scan()
    running = _running(folder)
    shown = [grids.load(name, dataset=dataset) for name in names] or recorded(scan, folder, [], dataset)
    if not shown:
        say(f"no records yet; {places.typed('sweep')} makes some")
        return
    counted = ("cells", "done", "running", "missing", "failed", "stale")
    table = plain_table(("grid", *counted, "seeds"), right=counted)
    lines: list[str] = []
    for one in shown:
        chosen = grids.parse_seeds(seeds, [one]) if seeds else tables.recorded_seeds(one, scan)
        cells = one.cells(chosen)
        todo = plan(cells, scan, one.question)
        kinds = Counter("running" if cell_id in running else why.kind for cell_id, why in todo.items())
        counts = [
            len(cells),
            len(cells) - len(todo),
            *(kinds[kind] for kind in ("running", "missing", "failed")),
            kinds["stale"] + kinds["damaged"],
        ]
        table.add_row(one.folder, *map(str, counts), seed_ranges(chosen))
        lines += [f"{one.folder}  {line}" for line in reasons(cells, todo, running)]
    out.print(table)
    for line in lines:
        say(line)


def reasons(cells: Sequence[Cell], todo: Mapping[str, Todo], running: Running) -> Iterator[str]:
    """A line for each cell that is neither done nor missing; one line for all with the same reason if there
    are more than MAX_ALIKE."""
    alike: dict[str, list[Cell]] = {}
    for cell in cells:
        why = todo.get(cell.cell_id)
        if why is not None and cell.cell_id in running:
            alike.setdefault(f"running: at iteration {running[cell.cell_id][1]}", []).append(cell)
        elif why is not None and why.kind != "missing":
            alike.setdefault(f"{why.kind}: {why.reason}", []).append(cell)
    for reason, group in alike.items():
        if len(group) > MAX_ALIKE:
            yield f"{len(group)} cells  {reason}"
        else:
            yield from (f"{cell.cell_id}  {cell.describe()}  {reason}" for cell in group)


def _running(results: Path) -> Running:
    """The cells that the sweep in this folder is training; what a killed one left behind says nothing."""
    from harness.records.store import Store
    from harness.sweeping.driver import RUNNING

    store = Store(results)
    try:
        with opened(store.folder / RUNNING) as file:
            running = json.loads(file.read())
        return (
            {cell_id: (str(words), int(at)) for cell_id, (words, at) in running.items()}
            if store.held()
            else {}
        )
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
