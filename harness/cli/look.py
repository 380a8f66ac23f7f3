"""What one looks at: `status`, `show`, `cell`, `grids` and `data`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import out
from harness.cli.options import Dataset, Device, Results, check_device
from harness.common import places


def status(
    grid: Annotated[list[str] | None, typer.Argument(help="Grids; none: every one with records.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Such as 0-4; none: those with records.")] = None,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
) -> None:
    """Cells done, running, missing, failed, stale; and why."""
    from harness.cli.overview import show_status

    show_status(out, results.absolute(), grid or [], seeds, dataset)


def show(
    cell_id: Annotated[str, typer.Argument(help="Cell id, or enough of its beginning.")],
    results: Results = places.RESULTS,
) -> None:
    """One record: what, how it ended, made by what, some rows."""
    from harness.cli.overview import show_record

    show_record(out, results.absolute(), cell_id)


def cell(
    what: Annotated[
        list[str], typer.Argument(help="A cell id, or hyper-parameters: alpha0=0.1 beta0=1e-3 ...")
    ],
    method: Annotated[str | None, typer.Option(help="By default the one that has these names.")] = None,
    grid: Annotated[str, typer.Option(help="Whose protocol, target and budget.")] = "fig2",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    target: Annotated[float | None, typer.Option(help="In place of the grid's, nats.")] = None,
    iterations: Annotated[int | None, typer.Option(min=1, help="In place of the grid's budget.")] = None,
    dataset: Dataset = None,
    device: Device = "cpu",
    threads: Annotated[int, typer.Option(min=1)] = 1,
    results: Results = places.RESULTS,
) -> None:
    """Train one cell and print it live.

    Nothing is kept: `sweep` keeps. Exits 0 however the cell ends.
    """
    from harness.cli.single import choose, train_and_print

    check_device(device)
    one, question = choose(what, method, grid, seed, target, iterations, dataset, results.absolute())
    train_and_print(out, one, question, device, threads)


def list_grids(
    grid: Annotated[str | None, typer.Argument(help="One grid; none: all of sweeps/.")] = None,
    cells: Annotated[bool, typer.Option("--cells", help="Every cell, and how long they may take.")] = False,
    seeds: Annotated[str | None, typer.Option(help="Such as 0-4, in place of the grid's.")] = None,
    where: Annotated[str | None, typer.Option(help="Only these cells.")] = None,
    shard: Annotated[str | None, typer.Option(help="Only the i-th of n parts: i/n.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="For the estimate.", show_default="cores")] = None,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
) -> None:
    """List the grids; with --cells a dry run of one.

    The dry run prints every cell and at most how long they take.
    """
    from harness import grids
    from harness.cli.overview import show_cells, show_grids
    from harness.sweeping import sweep as room
    from harness.sweeping.runner import Machine

    if not cells:
        show_grids(out, [grid] if grid else grids.names(), dataset)
        return
    request = room.Request(
        grid=grids.load(grid or "quick", dataset=dataset),
        results=results.absolute(),
        machine=Machine("cpu", jobs or room.available_cores()),
        seeds=grids.parse_seeds(seeds) if seeds else None,
        where=where,
        shard=shard,
    )
    show_cells(out, request)


def data(
    name: Annotated[str, typer.Argument(help="omniglot or glyphs.")] = "glyphs",
    resize: Annotated[str, typer.Option(help="lanczos or nearest (Omniglot only).")] = "lanczos",
    sheet: Annotated[Path | None, typer.Option(help="Draw some episodes as a PNG there.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the sheet's episodes.")] = 0,
) -> None:
    """Fetch, verify, describe and draw a data set.

    It is fetched only if it is missing. With --sheet a PNG shows what a learner sees.
    """
    from harness.cli.single import show_data

    show_data(out, name, resize, sheet, seed)
