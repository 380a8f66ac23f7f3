"""`harness status`: which cells of the grids are done, and why the others are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.console import out, say, say_json, short
from harness.cli.layout import Columns
from harness.cli.options import AsJson, Dataset, Results, grid_names
from harness.common import places
from harness.common.machine import undisturbed
from harness.common.text import counted, listed, size

if TYPE_CHECKING:
    from harness.cell import Cell
    from harness.grids import Grid
    from harness.records.checkpoints import Checkpoints
    from harness.records.store import Scan
    from harness.sweeping.driver import Running

MAX_ALIKE = 20
"""If more cells than this are not done for the same reason, they share a line: in a stale store, say."""
KINDS = ("done", "running", "missing", "failed", "stale")
"""What a cell can be; a damaged record counts as stale."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """One grid."""

    grid: str
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]
    """Those of which anything is known."""
    reasons: dict[str, tuple[str, str]]
    """Cell id -> one of KINDS, and why, for the cells that are not done."""

    changed: dict[str, int] = field(default_factory=dict)
    """Part -> how many records were made by other versions of its source."""
    unknown: int = 0
    """How many other cells it has: they are missing."""

    @property
    def size(self) -> int:
        """How many cells it has."""
        return len(self.cells) + self.unknown

    @property
    def counts(self) -> dict[str, int]:
        """By kind, in the order of KINDS."""
        counts = Counter(kind for kind, _ in self.reasons.values())
        counts["done"] = len(self.cells) - len(self.reasons)
        counts["missing"] += self.unknown
        return {kind: counts[kind] for kind in KINDS}


@undisturbed()  # it makes many objects, and soon ends
def status(
    grid: Annotated[
        list[str] | None,
        typer.Argument(help="Grids.", show_default="all with records", autocompletion=grid_names),
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Such as 0-4.", show_default="those with records")] = None,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
    as_json: AsJson = False,
) -> None:
    """Show how many cells are done, running, missing, failed or stale, and why.

    With --json: sweeping (whether a sweep or a restore is running in this folder), grids (each with grid,
    seeds, cells, done, running, missing, failed, stale), cells (those neither done nor missing: grid,
    cell_id, cell, kind, reason; grid null: a running cell of none of these grids), not_loaded (of how many
    records what is not loaded, such as "method sign") and kept (checkpoints, weights: how many files; bytes).
    """
    from harness import grids
    from harness.cli.lookup import kept, recorded
    from harness.records.checkpoints import Checkpoints
    from harness.records.store import Store
    from harness.sweeping.driver import in_training

    folder = results.absolute()
    names, as_they_are = kept(folder, grid or [], dataset)
    loaded = [grids.load(name, dataset=dataset) for name in names]  # first: the records are of their plug-ins
    store = Store(folder)
    scan = store.scan()
    running = in_training(store)
    if not grid:
        loaded = recorded(scan, folder, [], dataset, running or ())
    chosen = [grids.parse_seeds(seeds, [one]) if seeds else None for one in loaded]
    checkpoints = Checkpoints(store)
    found = [
        _status(one, scan, asked, running or {}, checkpoints)
        for one, asked in zip(loaded, chosen, strict=True)
    ]
    known = {i for one in found for i, (kind, _) in one.reasons.items() if kind == "running"}
    others = {} if grid else {i: cell for i, cell in (running or {}).items() if i not in known}
    if as_json:
        say_json(
            _for_programs(found, others, running is not None)
            | {"not_loaded": Counter(scan.foreign.values()), "kept": _kept_for_programs(checkpoints)}
        )
        return
    if running is not None and not running:
        say("a sweep or a restore is running in this folder; no cell has reported yet")
    if not found and not others and not as_they_are and not scan.foreign:
        if running is None:
            say(f"no records yet; {places.typed('sweep')} makes some")
        _say_kept(checkpoints)
        return
    if found:
        _show(found)
    for left in as_they_are:
        say(f"{left.folder.name}  its tables are as they were: {left.why}")
    if scan.foreign:
        of = ", ".join(sorted(set(scan.foreign.values())))
        say(f"{counted(len(scan.foreign), 'more record')} in {short(store.folder)}, not loaded: {of}")
    for cell_id, (words, iteration) in others.items():
        say(f"{cell_id}  {words}  running: at iteration {iteration}")
    _say_kept(checkpoints)


def _kept_for_programs(checkpoints: Checkpoints) -> dict[str, int]:
    in_training, weights = checkpoints.counts
    return {"checkpoints": in_training, "weights": weights, "bytes": checkpoints.used}


def _say_kept(checkpoints: Checkpoints) -> None:
    """A line on the disk that checkpoints and weights take, if there are any."""
    in_training, weights = checkpoints.counts
    what = [counted(in_training, "checkpoint")] * bool(in_training)
    what += [f"the weights of {counted(weights, 'run')}"] * bool(weights)
    if what:
        say(f"kept in {short(checkpoints.store.folder)}: {listed(what)}, {size(checkpoints.used)}")


def _status(
    grid: Grid, scan: Scan, seeds: tuple[int, ...] | None, running: Running, checkpoints: Checkpoints
) -> Status:
    """seeds None: those with records, or else the grid's."""
    from harness.records import tables
    from harness.sweeping.plan import lacking_weights, made_by_others, plan

    chosen = tables.recorded_seeds(grid, scan) if seeds is None else seeds
    cells = _known(grid, chosen, scan, running)
    reasons = {}
    lacks = lacking_weights(grid, checkpoints)
    for cell_id, todo in plan(cells, scan, grid.question, lacks=lacks).items():
        if cell_id in running:
            reasons[cell_id] = "running", f"at iteration {running[cell_id][1]}"
        else:
            reasons[cell_id] = "stale" if todo.kind == "damaged" else todo.kind, todo.reason
    changed = made_by_others(cells, scan, reasons)
    return Status(
        grid=grid.folder,
        seeds=tuple(chosen),
        cells=cells,
        reasons=reasons,
        changed=changed,
        unknown=len(grid.points) * len({*chosen}) - len(cells),
    )


def _known(grid: Grid, seeds: Sequence[int], scan: Scan, running: Running) -> tuple[Cell, ...]:
    """The cells of which there may be more to say than that they are missing: those with a record. Where a
    record is damaged or a cell runs, all cells: of these two nothing is known but ids."""
    if scan.damaged or running:
        return grid.cells(seeds)
    points = [(point, {*scan.seeds.get(point, ())}) for point in grid.points]
    return tuple(
        point.cell(seed) for seed in dict.fromkeys(seeds) for point, recorded in points if seed in recorded
    )


def _show(found: Sequence[Status]) -> None:
    """A row for each grid, then the cells that are neither done nor missing."""
    from harness.grids.selection import seed_ranges

    counted_kinds = ("cells", *KINDS)
    table = Columns(("grid", *counted_kinds, "seeds"), right=counted_kinds)
    for one in found:
        numbers = (one.size, *one.counts.values())
        table.add_row(one.grid, *map(str, numbers), seed_ranges(one.seeds))
    out.print(table)
    for one in found:
        for line in reasons(one):
            say(f"{one.grid}  {line}")
        for part, count in one.changed.items():
            say(f"{one.grid}  {others_made(part, count)}")


def others_made(part: str, count: int) -> str:
    """Of records that a changed plug-in has made."""
    made = counted(count, "record was", "records were")
    return f"{made} made by other versions of {part}; --stale, or STALE=1, trains them again"


def reasons(one: Status) -> Iterator[str]:
    """A line for each cell that is neither done nor missing; one line for all with the same reason if there
    are more than MAX_ALIKE."""
    alike: dict[tuple[str, str], list[Cell]] = {}
    for cell in one.cells:
        if (why := one.reasons.get(cell.cell_id)) and why[0] != "missing":
            alike.setdefault(why, []).append(cell)
    for (kind, reason), group in alike.items():
        if len(group) > MAX_ALIKE:
            yield f"{counted(len(group), 'cell')}  {kind}: {reason}"
        else:
            yield from (f"{cell.cell_id}  {cell.describe()}  {kind}: {reason}" for cell in group)


def _for_programs(found: Sequence[Status], others: Running, sweeping: bool) -> dict[str, Any]:
    cells: list[dict[str, str | None]] = [
        {"grid": one.grid, "cell_id": cell.cell_id, "cell": cell.describe(), "kind": kind, "reason": reason}
        for one in found
        for cell in one.cells
        for kind, reason in [one.reasons.get(cell.cell_id, ("done", ""))]
        if kind not in ("done", "missing")
    ]
    cells += [
        {"grid": None, "cell_id": i, "cell": words, "kind": "running", "reason": f"at iteration {iteration}"}
        for i, (words, iteration) in others.items()
    ]
    counts = [{"grid": one.grid, "seeds": list(one.seeds), "cells": one.size} | one.counts for one in found]
    return {"sweeping": sweeping, "grids": counts, "cells": cells}
