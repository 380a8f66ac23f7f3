"""`harness grids`: the grids of sweeps/, and the dry run of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.console import out, say, say_facts, say_json, working
from harness.cli.layout import Columns
from harness.cli.options import AsJson, Dataset, Results, grid_names
from harness.common import places
from harness.common.errors import UserError
from harness.common.machine import cores
from harness.common.text import counted

if TYPE_CHECKING:
    from harness.cell import Cell, Protocol
    from harness.grids import Grid
    from harness.records.store import Scan
    from harness.sweeping.sweep import Request

ITERATIONS = 4
"""That the dry run times of a cell: one to warm up, and three."""
TIMING, TIMING_GB = 10.0, 0.5
"""Seconds and memory that the dry run takes for that, roughly."""


WIDE = 120
"""Columns of a terminal that has room for the data sets and the protocols of all grids."""


def list_grids(
    grid: Annotated[
        str | None,
        typer.Argument(
            help="One grid.",
            show_default="all of sweeps/; with --cells: quick",
            autocompletion=grid_names,
        ),
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
    as_json: AsJson = False,
) -> None:
    """List the grids, or with --cells the cells of one: a dry run.

    The dry run prints every cell, and how long they take at most. With --json, a grid has the keys grid,
    title, dataset, protocol, target_loss, max_iterations, seeds and cells_per_seed; a cell has cell_id,
    method, its hyper-parameters, seed, protocol and state. null: the grid has no target.
    """
    from harness import grids
    from harness.sweeping.runner import Machine
    from harness.sweeping.sweep import Request

    if not cells:
        loaded = [grids.load(grid, dataset=dataset)] if grid else grids.load_all(dataset)
        if as_json:
            say_json([_facts(one) for one in loaded])
        elif grid:
            _show_grid(loaded[0])
        else:
            _show_grids(loaded)
        return
    one = grids.load(grid or "quick", dataset=dataset)
    request = Request(
        grid=one,
        results=results.absolute(),
        machine=Machine(device="cpu", jobs=jobs or cores()),
        seeds=grids.parse_seeds(seeds, [one]) if seeds else None,
        where=where,
        shard=shard,
    )
    _show_cells(request, as_json)


def _facts(grid: Grid) -> dict[str, Any]:
    """The grid for programs."""
    return {
        "grid": grid.folder,
        "title": grid.title,
        "dataset": grid.protocol.dataset_name,
        "protocol": grid.label,
        "target_loss": grid.target_loss,
        "max_iterations": grid.max_iterations,
        "seeds": list(grid.seeds),
        "cells_per_seed": grid.size * len(grid.protocols),
    }


def _show_grids(grids: Sequence[Grid]) -> None:
    """One row per grid."""
    from harness.common.text import shorten
    from harness.grids.selection import seed_ranges

    wide = out.width >= WIDE
    more = ("data set", "protocol") if wide else ()
    heads = ("grid", "cells", "seeds", "target", "budget", *more, "title")
    table = Columns(heads, right=("cells", "target", "budget"), wrap=("protocol", "title"))
    for grid in grids:
        target = "none" if grid.target_loss is None else f"{grid.target_loss:g}"
        cells, budget = f"{grid.size * len(grid.protocols)}", f"{grid.max_iterations}"
        seeds = shorten(seed_ranges(grid.seeds), 24)
        what = (grid.protocol.data, shorten(grid.label, 300)) if wide else ()
        table.add_row(grid.folder, cells, seeds, target, budget, *what, grid.title)
    out.print(table)
    say("cells: of one seed; harness grids NAME shows a grid's data set, protocol and methods", "dim")


def _show_grid(grid: Grid) -> None:
    """What one grid says."""
    from harness.grids.selection import seed_ranges

    methods = Counter(cell.method for cell in grid.cells([0]))
    unit = grid.protocol.problem_type.unit
    target = "none" if grid.target_loss is None else f"{grid.target_loss:g} {unit}".strip()
    per_method = ", ".join(f"{count} {method}" for method, count in methods.items())
    say_facts(
        [
            ("grid", grid.folder),
            ("title", grid.title),
            ("data", grid.protocol.data),
            ("protocol", grid.label),
            ("target", target),
            ("budget", counted(grid.max_iterations, "iteration")),
            ("cells", f"{methods.total()} of each seed: {per_method}"),
            ("seeds", seed_ranges(grid.seeds)),
            ("figure", grid.figure.kind),
        ]
    )


def _show_cells(request: Request, as_json: bool) -> None:
    """Every cell in the order in which it would start, and at most how long they take."""
    from harness.cli.naming import names
    from harness.sweeping.plan import pack, plan

    scan = request.store.scan()
    cells = request.cells()
    todo = plan(cells, scan, request.grid.question)
    states = {cell.cell_id: todo[cell.cell_id].reason if cell.cell_id in todo else "done" for cell in cells}
    ordered = [cell for (cell,) in pack(cells, devices=0)]
    if as_json:
        say_json([_cell(cell, states[cell.cell_id]) for cell in ordered])
        return
    named = names(cells)
    table = Columns(("cell", *named.varying, "state"), named.numbers, wrap=("state",))
    for cell in ordered:
        table.add_row(cell.cell_id, *named.values(cell), states[cell.cell_id])
    out.print(table)
    if named.shared:
        say(f"all with {named.shared}")
    count = counted(len(cells), "cell")
    if todo:
        missing = [cell for cell in cells if cell.cell_id in todo]
        say(f"{count}, {len(missing)} to run{_estimate(request, missing, scan)}")
    else:
        say(f"{count}, all done")


def _cell(cell: Cell, state: str) -> dict[str, Any]:
    """The cell for programs."""
    return {
        "cell_id": cell.cell_id,
        "method": cell.method,
        **cell.hyper.model_dump(),
        "seed": cell.seed,
        "protocol": cell.protocol.label,
        "state": state,
    }


def _estimate(request: Request, cells: Sequence[Cell], scan: Scan) -> str:
    """How long these cells take at most, and where that estimate comes from."""
    from math import ceil

    from harness.cli.progress import duration
    from harness.sweeping.plan import pack, together

    counts = Counter(cell.protocol for cell in cells)
    slowest = {cell.protocol: cell for (cell,) in reversed(pack(cells, devices=0))}
    packs = {one: min(together(one), ceil(count / request.machine.jobs)) for one, count in counts.items()}
    try:
        times, source = _seconds_per_iteration(scan, slowest, packs)
    except UserError as error:
        return f"; no estimate: {error}"
    seconds = sum(counts[one] * times[one] for one in counts) / counts.total()
    jobs, budget = request.machine.jobs, request.grid.max_iterations
    return (
        f": at most {duration(len(cells) * budget * seconds / jobs)}, {jobs} at a time, if none ends before "
        f"{counted(budget, 'iteration')} ({seconds:.2g} s per iteration, {source})"
    )


def _seconds_per_iteration(
    scan: Scan, slowest: Mapping[Protocol, Cell], packs: Mapping[Protocol, int]
) -> tuple[dict[Protocol, float], str]:
    """For each protocol, from its records or else from a few iterations of its cell; and which of these.

    packs: how many cells of each train together, and share the time that this takes.
    The least work is timed first, for about TIMING seconds in all. What is left is inferred from the most
    work that is known. UserError: nothing is known, or the data set is missing.
    """
    from harness.cli.progress import duration

    recorded: dict[Protocol, list[float]] = {}
    for header in scan.headers.values():
        on_cpu = header.provenance.get("device", "").startswith("cpu")
        seconds = header.provenance.get("wall_seconds")
        if on_cpu and seconds and header.iterations >= 5 and header.cell.protocol in slowest:
            recorded.setdefault(header.cell.protocol, []).append(seconds / header.iterations)
    guesses = {protocol: _guess(protocol) for protocol in slowest}
    known = {protocol: median(seconds) for protocol, seconds in recorded.items()}
    unknown = sorted(guesses.keys() - known.keys(), key=lambda protocol: guesses[protocol])
    left, pace = TIMING, 1.0  # pace: of this machine, beside the guess
    for protocol in unknown:
        iterations = ITERATIONS + 2 * protocol.validation_tasks / protocol.meta_batch
        if iterations * guesses[protocol] * pace > left or protocol.gigabytes > TIMING_GB:
            break
        known[protocol] = _timed(slowest[protocol], packs[protocol])
        left -= iterations * known[protocol] * packs[protocol]
        pace = known[protocol] / guesses[protocol]
    if not known:
        needs = f"about {duration(guesses[unknown[0]])} and {unknown[0].gigabytes:.1f} GB"
        raise UserError(f"an iteration may take {needs}, too much to time one here")
    most = max(known, key=lambda protocol: guesses[protocol])
    inferred = {p: guesses[p] * known[most] / guesses[most] for p in guesses.keys() - known.keys()}
    records = [f"median of {counted(sum(map(len, recorded.values())), 'record')}"] if recorded else []
    measured = ["measured just now"] if len(known) > len(recorded) else []
    source = " and ".join(records + measured)
    if inferred:
        source += f"; {len(inferred)} of {len(slowest)} readings from these by their amount of work"
    return known | inferred, source


def _guess(protocol: Protocol) -> float:
    """Seconds of a meta-iteration on one slow core: arithmetic, calls of torch, and drawing the tasks."""
    if (protocol.problem, protocol.network) != ("few-shot", "conv4"):
        return CALLS_S
    from math import ceil

    import torch

    from harness.bench.floor import multiply_adds
    from harness.training.pack import default_chunk

    chunks = ceil(protocol.meta_batch / default_chunk(protocol, torch.device("cpu")))
    calls = chunks * protocol.inner_steps * protocol.layers
    return multiply_adds(protocol) / 1e10 + calls * 1e-3 + protocol.meta_batch * 2e-4


CALLS_S = 1e-2
"""Seconds of an iteration whose arithmetic is not known."""


def _timed(cell: Cell, together: int) -> float:
    """Seconds of a meta-iteration of a cell on one thread, when so many like it train together: the median of
    three after one to warm up."""
    from itertools import pairwise
    from time import perf_counter

    import torch

    from harness import problems
    from harness.cell import Question
    from harness.training import loop

    problems.check(cell.protocol)
    torch.set_num_threads(1)
    ends = [perf_counter()]
    question = Question(target_loss=None, max_iterations=ITERATIONS)
    with working("timing a few iterations"):
        cells = [cell.model_copy(update={"seed": seed}) for seed in range(together)]
        list(loop.train(cells, question, observe=lambda now: ends.append(perf_counter())))
    times = [(end - start) / together for start, end in pairwise(ends)]
    return median(times[1:] or times)  # one alone if the cell diverged at once
