"""The commands: `python -m harness`, or `harness`. `make help` shows the short way to the usual ones."""

from __future__ import annotations

import sys
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Annotated, Any

import typer
from rich.console import Console

from harness import places
from harness.errors import UserError

app = typer.Typer(
    help=__doc__.splitlines()[0] if __doc__ else None,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_WIDE = None if sys.stdout.isatty() else 200  # tables in a file or a pipe are not folded at 80
out = Console(highlight=False, width=_WIDE)
err = Console(stderr=True, highlight=False)

OK, FAILED, USER_ERROR, INTERRUPTED = 0, 1, 2, 130

Results = Annotated[Path, typer.Option(help="Folder of the results.", show_default="results/")]
Dataset = Annotated[
    str | None, typer.Option(help="omniglot or glyphs, in place of the grid's; names the folder too.")
]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]


class RunnerName(StrEnum):
    """Who runs the cells."""

    ray = "ray"
    serial = "serial"


def main() -> None:
    """Run a command; a user's error is one line on stderr and exit code 2."""
    try:
        app()
    except UserError as error:
        err.print(f"harness: {error}", soft_wrap=True, markup=False)
        sys.exit(USER_ERROR)
    except KeyboardInterrupt:
        err.print("harness: interrupted")
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.filename is None:
            raise
        err.print(f"harness: {error.filename}: {error.strerror}", soft_wrap=True, markup=False)
        sys.exit(USER_ERROR)


@app.command(epilog="Example: harness sweep fig2 --seeds 0-4 --where alpha0=1e-4")
def sweep(
    grid: Annotated[str, typer.Argument(help="A grid of sweeps/, or the path of a YAML file.")] = "quick",
    seeds: Annotated[str | None, typer.Option(help="Such as 0,1 or 0-4, in place of the grid's.")] = None,
    dataset: Dataset = None,
    device: Device = "cpu",
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Cells (on GPUs: packs) at a time.", show_default="cores or GPUs"),
    ] = None,
    results: Results = places.RESULTS,
    ray_address: Annotated[
        str | None, typer.Option(help="A Ray cluster to run on: auto, or host:port.")
    ] = None,
    where: Annotated[
        str | None, typer.Option(help="Only these cells, such as alpha0=1e-4,method=maml.")
    ] = None,
    shard: Annotated[str | None, typer.Option(help="Only the i-th of n equal parts: i/n.")] = None,
    runner: Annotated[
        RunnerName, typer.Option(help="Ray Tune, or one cell after the other in this process.")
    ] = RunnerName.ray,
) -> None:
    """Run what is missing of a grid, then draw its figures."""
    from harness import grids
    from harness import sweep as room
    from harness.progress import Display
    from harness.runners import Machine

    loaded = grids.load(grid, dataset=dataset)
    _check_device(device, ray_address)
    if jobs is None:
        jobs = 1 if runner == "serial" else _workers(device, ray_address)
    request = room.Request(
        grid=loaded,
        results=results.absolute(),
        machine=Machine(device, jobs, 1, ray_address),
        seeds=grids.parse_seeds(seeds) if seeds else None,
        where=where,
        shard=shard,
    )
    result = room.sweep(request, _runner(runner), Display(out), draw=_draw)
    _conclude(request, result)


def _runner(name: RunnerName) -> Any:
    """The runner, and Ray, only when there is something to run."""

    def serial(*arguments: Any) -> None:
        from harness.runners.serial import run

        run(*arguments)

    def ray(packs: Any, question: Any, machine: Any, driver: Any) -> None:
        from harness.runners.raytune import run

        drawing = Thread(target=import_module, args=("plots.render",), daemon=True)

        def progress(now: Any) -> None:
            if drawing.ident is None:  # the driver waits from now on: time to load what it will draw with
                drawing.start()
            driver.progress(now)

        run(packs, question, machine, driver._replace(progress=progress))

    return serial if name == "serial" else ray


def _conclude(request: Any, result: Any) -> None:
    """Say how the sweep came out, and exit."""
    if result.unsaved:
        err.print(
            f"harness: {result.unsaved} finished cells could not be written, the disk takes no more; "
            "free space, then the same command goes on (only these cells are run again)"
        )
        raise typer.Exit(FAILED)
    if result.interrupted:
        err.print(f"harness: interrupted; {result.ran} cells were kept, the same command goes on from there")
        raise typer.Exit(INTERRUPTED)
    if result.left:
        err.print(
            f"harness: {result.left} of {result.asked} cells did not run, Ray ended early (out of memory? "
            "fewer JOBS need less); the same command goes on from there",
            soft_wrap=True,
        )
    if result.failed:
        err.print(
            f"harness: {len(result.failed)} of {result.asked} cells failed; the same command tries again"
        )
        for cell_id, message in result.failed.items():
            err.print(f"  {cell_id}  {message}", markup=False, soft_wrap=True)
    if result.failed or result.left:
        raise typer.Exit(FAILED)


def _workers(device: str, ray_address: str | None) -> int:
    """Packs at a time: this machine's cores or GPUs; on a cluster 0, as many as it has room for."""
    from harness.sweep import available_cores

    if device == "cpu":
        return 0 if ray_address else available_cores()
    if ray_address:
        raise UserError("device 'cuda' on a cluster: say with JOBS=n how many GPUs it has (a pack each)")
    import torch

    return torch.cuda.device_count()


def _check_device(device: str, ray_address: str | None = None) -> None:
    """UserError unless torch can train there. What a cluster's machines have, Ray knows."""
    if device not in ("cpu", "cuda"):
        raise UserError(f"device '{device}': write cpu or cuda")
    if device == "cpu" or ray_address:
        return
    import torch

    if not torch.cuda.is_available():
        raise UserError("device 'cuda': torch sees no CUDA device here; DEVICE=cpu trains without one")


def _draw(folder: Path) -> list[Path]:
    """The figures of a folder's tables."""
    from harness import frames
    from plots.render import render

    lines = frames.read_about(folder)["grid"]["figure"]["kind"] == "trajectories"
    tables = frames.read(folder, curves=lines)  # a heatmap needs the trials alone
    paths = render(tables.trials, tables.trajectories, tables.about["grid"], folder)
    out.print(f"figures: {', '.join(_short(path) for path in paths)}", soft_wrap=True, markup=False)
    return paths


def _short(path: Path) -> str:
    """A path as one types it from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


@app.command(epilog="Example: harness plot fig2 fig3")
def plot(
    grid: Annotated[list[str] | None, typer.Argument(help="Grids; none: every one with records.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Such as 0-4; also those with half their cells.")] = None,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
) -> None:
    """Draw the figures again, from the records alone."""
    from harness import frames, grids
    from harness.overview import recorded
    from harness.store import Store

    store = Store(results.absolute())
    scan = store.scan()
    found = recorded(scan, results.absolute(), grid or [], dataset)
    if not found:
        asked = f" of {', '.join(grid)}" if grid else ""
        raise UserError(f"{_short(results.absolute())}: no records{asked} yet; make sweep makes some")
    chosen = grids.parse_seeds(seeds) if seeds else ()
    for one in found:
        folder = results.absolute() / one.folder
        damaged = frames.write(one, store, scan, folder, chosen)
        for cell_id, reason in damaged.items():
            out.print(f"{one.folder}: record {cell_id} left out, damaged: {reason}", style="yellow")
        _draw(folder)


@app.command(epilog="Example: harness status fig2")
def status(
    grid: Annotated[list[str] | None, typer.Argument(help="Grids; none: every one with records.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Such as 0-4; none: those with records.")] = None,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
) -> None:
    """Cells done, running, missing, failed, stale; and why."""
    from harness.overview import show_status

    show_status(out, results.absolute(), grid or [], seeds, dataset)


@app.command(epilog="Example: harness show 0af8e3dc481b7096")
def show(
    cell_id: Annotated[str, typer.Argument(help="Cell id, or enough of its beginning.")],
    results: Results = places.RESULTS,
) -> None:
    """One record: what, how it ended, made by what, some rows."""
    from harness.overview import show_record

    show_record(out, results.absolute(), cell_id)


@app.command(epilog="Example: harness cell --grid quick alpha0=1 beta0=1e-2")
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
    from harness.single import choose, train_and_print

    _check_device(device)
    one, question = choose(what, method, grid, seed, target, iterations, dataset, results.absolute())
    train_and_print(out, one, question, device, threads)


@app.command("grids", epilog="Example: harness grids fig2 --cells")
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
    from harness import sweep as room
    from harness.overview import show_cells, show_grids
    from harness.runners import Machine

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


@app.command(epilog="Example: harness data omniglot --sheet episodes.png")
def data(
    name: Annotated[str, typer.Argument(help="omniglot or glyphs.")] = "glyphs",
    resize: Annotated[str, typer.Option(help="lanczos or nearest (Omniglot only).")] = "lanczos",
    sheet: Annotated[Path | None, typer.Option(help="Draw some episodes as a PNG there.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the sheet's episodes.")] = 0,
) -> None:
    """Fetch, verify, describe and draw a data set.

    It is fetched only if it is missing. With --sheet a PNG shows what a learner sees.
    """
    from harness.single import show_data

    show_data(out, name, resize, sheet, seed)


@app.command(epilog="Example: harness bench --only higher,torchopt --rounds 5")
def bench(
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Times that each program runs.", show_default="15; GPU: 10")
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="Peers: some of learn2learn,higher,torchopt.", show_default="all")
    ] = None,
    curves: Annotated[bool, typer.Option(help="Also how the cost grows with the work (CPU).")] = True,
    quick: Annotated[bool, typer.Option("--quick", help="A small problem, to see that it runs.")] = False,
    device: Device = "cpu",
    results: Results = places.RESULTS,
) -> None:
    """Time a meta-iteration beside the libraries that are installed.

    First all have to agree in float64. Writes bench.json and a figure into results/bench.
    """
    import json

    from harness.bench import report
    from plots import bench as figure

    _check_device(device)
    folder, peers = results.absolute() / report.FOLDER, only.split(",") if only else ()
    try:
        if device == "cpu":
            path = report.on_cpu(folder, rounds, peers, quick, curves, out.print)
        else:
            path = report.on_gpu(folder, device, rounds, peers, quick, out.print)
    except report.Disagreement as error:
        err.print(f"harness: {error}", soft_wrap=True, markup=False)
        raise typer.Exit(FAILED) from error
    figures = figure.render(json.loads(path.read_text()), path.with_suffix(""))
    wrote = ", ".join(_short(one) for one in (path, *figures))
    out.print(f"wrote {wrote}", soft_wrap=True, markup=False)
