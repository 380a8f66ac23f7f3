"""`harness grids`: the grids of sweeps/, and the dry run of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import out, plain_table, say
from harness.cli.options import Dataset, Results
from harness.common import places
from harness.common.errors import UserError

if TYPE_CHECKING:
    from harness.cell import Cell
    from harness.records.store import Scan
    from harness.sweeping.sweep import Request


def list_grids(
    grid: Annotated[
        str | None, typer.Argument(help="One grid.", show_default="all of sweeps/; with --cells: quick")
    ] = None,
    cells: Annotated[
        bool, typer.Option("--cells", help="List every cell, and how long they may take.")
    ] = False,
    seeds: Annotated[str | None, typer.Option(help="Such as 0-4, in place of the grid's.")] = None,
    where: Annotated[str | None, typer.Option(help="Only these cells.")] = None,
    shard: Annotated[str | None, typer.Option(help="Only the i-th of n equal parts: i/n.")] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Cells at a time, for the estimate.", show_default="cores")
    ] = None,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
) -> None:
    """List the grids, or with --cells the cells of one: a dry run.

    The dry run prints every cell, and how long they take at most.
    """
    from harness import grids
    from harness.sweeping.runner import Machine
    from harness.sweeping.sweep import Request, available_cores

    if not cells:
        _show_grids([grid] if grid else grids.names(), dataset)
        return
    _show_cells(
        Request(
            grid=grids.load(grid or "quick", dataset=dataset),
            results=results.absolute(),
            machine=Machine(device="cpu", jobs=jobs or available_cores()),
            seeds=grids.parse_seeds(seeds) if seeds else None,
            where=where,
            shard=shard,
        )
    )


def _show_grids(names: Sequence[str], dataset: str | None) -> None:
    """One row per grid."""
    from harness import grids

    table = plain_table(
        ("grid", "cells per seed", "seeds", "data set", "protocol", "target", "budget", "title"),
        right=("cells per seed", "target", "budget"),
        wrap=("protocol", "title"),
    )
    for name in names:
        grid = grids.load(name, dataset=dataset)
        target = "none" if grid.target_loss is None else f"{grid.target_loss:g}"
        numbers = f"{len(grid.cells([0]))}", ",".join(map(str, grid.seeds))
        what = grid.protocol.dataset, grid.label, target, f"{grid.max_iterations}"
        table.add_row(grid.folder, *numbers, *what, grid.title)
    out.print(table)


def _show_cells(request: Request) -> None:
    """Every cell in the order in which it would start, and at most how long they take."""
    from harness.sweeping.plan import pack, plan

    scan = request.store.scan()
    cells = request.cells()
    todo = plan(cells, scan, request.grid.question)
    for (cell,) in pack(cells, devices=0):
        state = todo[cell.cell_id].reason if cell.cell_id in todo else "done"
        reading = f"  {cell.protocol.label}" if request.grid.readings else ""
        say(f"{cell.cell_id}  {cell.describe()}{reading}  {state}")
    if todo:
        missing = [cell for cell in cells if cell.cell_id in todo]
        say(f"{len(cells)} cells, {len(missing)} to run{_estimate(request, missing, scan)}")
    else:
        say(f"{len(cells)} cells, all done")


def _estimate(request: Request, cells: Sequence[Cell], scan: Scan) -> str:
    """How long these cells take at most, and where that estimate comes from."""
    from harness.cli.progress import duration
    from harness.sweeping.plan import pack

    counts = Counter(cell.protocol for cell in cells)
    slowest = {cell.protocol: cell for (cell,) in reversed(pack(cells, devices=0))}
    try:
        times = {protocol: _seconds_per_iteration(scan, slowest[protocol]) for protocol in counts}
    except UserError as error:
        return f"; no estimate: {error}"
    seconds = sum(counts[one] * times[one][0] for one in counts) / counts.total()
    source = " and ".join(dict.fromkeys(source for _, source in times.values()))
    jobs, budget = request.machine.jobs, request.grid.max_iterations
    return (
        f": at most {duration(len(cells) * budget * seconds / jobs)}, {jobs} at a time, if none ends before "
        f"{budget} iterations ({seconds:.2g} s per iteration, {source})"
    )


def _seconds_per_iteration(scan: Scan, cell: Cell) -> tuple[float, str]:
    """From the records of the cell's protocol; if there are none, from a few iterations of the cell."""
    known = [
        header.provenance["wall_seconds"] / header.iterations
        for header in scan.headers.values()
        if header.cell.protocol == cell.protocol
        and header.iterations >= 5
        and header.provenance.get("device", "").startswith("cpu")
    ]
    if known:
        return median(known), f"median of {len(known)} records"
    return _timed(cell), "measured just now"


def _timed(cell: Cell) -> float:
    """Seconds of a meta-iteration on one thread: the median of three after one to warm up."""
    from itertools import pairwise
    from time import perf_counter

    import torch

    from harness.cell import Question
    from harness.problems import datasets
    from harness.training import loop

    datasets.check(cell.protocol.dataset, cell.protocol.resize)
    torch.set_num_threads(1)
    ends = [perf_counter()]
    question = Question(target_loss=None, max_iterations=4)
    list(loop.train([cell], question, observe=lambda now: ends.append(perf_counter())))
    times = [end - start for start, end in pairwise(ends)]
    return median(times[1:] or times)  # one alone if the cell diverged at once
