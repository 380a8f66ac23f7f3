"""`harness sweep`: run the missing cells of a grid, and say how it ended."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.codes import FAILED, INTERRUPTED
from harness.cli.console import complain, err, out, say
from harness.cli.drawing import Loading
from harness.cli.meta_test import of_grid
from harness.cli.options import Dataset, Device, Results, grid_names, room
from harness.cli.plot import draw, say_left_out
from harness.cli.report import report as write_report
from harness.common import places
from harness.common.errors import UserError
from harness.common.machine import check_device, cores
from harness.common.text import counted

if TYPE_CHECKING:
    from harness.cell import Question
    from harness.sweeping.runner import Driver, Machine, Pack, Runner
    from harness.sweeping.sweep import Result

MOST_PER_CORE = 4
"""Jobs: Ray starts a process for each at once, and each takes some 300 MB."""


class RunnerName(StrEnum):
    """Who runs the cells."""

    ray = "ray"
    serial = "serial"


def sweep(
    grid: Annotated[
        str, typer.Argument(help="A grid of sweeps/, or the path of a YAML file.", autocompletion=grid_names)
    ] = "quick",
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
    stale: Annotated[
        bool, typer.Option("--stale", help="Train again what other versions of a plug-in have made.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Then also write a page to look at, as `harness report` does.")
    ] = False,
    checkpoints: Annotated[
        str,
        typer.Option(help="Room for checkpoints and weights in the results folder; 0: none are written."),
    ] = "2GiB",
    runner: Annotated[
        RunnerName, typer.Option(help="Ray Tune, or one cell after another in this process.")
    ] = RunnerName.ray,
) -> None:
    """Run the missing cells of a grid, then draw its figures, and make its meta-test if it asks for one."""
    from harness import grids
    from harness.cli.progress import Display
    from harness.records.tables import FILES
    from harness.sweeping.runner import Machine
    from harness.sweeping.sweep import Request
    from harness.sweeping.sweep import sweep as run

    loaded = grids.load(grid, dataset=dataset)
    check_device(device, ray_address)
    if jobs is None:
        jobs = 1 if runner == "serial" else _workers(device, ray_address)
    elif runner == "ray" and ray_address is None and jobs > (most := MOST_PER_CORE * cores()):
        raise UserError(f"jobs {jobs}: at most {most} on this machine, {MOST_PER_CORE} for each core")
    request = Request(
        grid=loaded,
        results=results.absolute(),
        machine=Machine(device=device, jobs=jobs, ray_address=ray_address),
        seeds=grids.parse_seeds(seeds, [loaded]) if seeds else None,
        where=where,
        shard=shard,
        stale=stale,
        checkpoints=room(checkpoints),
        every_s=_every(),
    )
    display = Display(out, request.cells(), loaded.max_iterations)
    loading = Loading()

    def draw_loaded(folder: Path) -> None:
        loading.wait()
        draw(folder)

    result = run(request, _runner(runner, loading), display, draw=draw_loaded)
    loading.wait()
    say_left_out(loaded, result.left_out)
    tested = True
    if (test := loaded.meta_test) is not None and not result.interrupted:
        here = "cpu" if ray_address else device
        tested = _said_anyway(lambda: of_grid(loaded, request.results, test, here, request.seeds or ()))
    if report and not result.interrupted and (request.folder / FILES[0]).exists():
        _said_anyway(lambda: write_report(grid, results=request.results, seeds=seeds, dataset=dataset))
    _conclude(result)
    if not tested:
        raise typer.Exit(FAILED)


def _said_anyway(do: Callable[[], object]) -> bool:
    """Do what follows a sweep. How that ended is said all the same; returns whether it went well."""
    try:
        do()
    except UserError as error:
        complain(str(error))
        return False
    return True


EVERY = "HARNESS_CHECKPOINT_SECONDS"
"""A variable of the environment: seconds between two checkpoints of a pack."""


def _every() -> float:
    """Seconds between two checkpoints. UserError: the environment has no number of them."""
    from harness.records.checkpoints import EVERY_S

    text = os.environ.get(EVERY, "").strip()
    try:
        seconds = float(text or EVERY_S)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UserError(f"{EVERY}: '{text}' is no number of seconds; without it there are {EVERY_S:g}")
    return seconds


def _runner(name: RunnerName, loading: Loading) -> Runner:
    """The runner, which is loaded only when there is something to run. While Ray starts, and the driver only
    waits, it loads what it draws with."""

    def run_packs(packs: Sequence[Pack], question: Question, machine: Machine, driver: Driver) -> str | None:
        if name == RunnerName.serial:
            from harness.sweeping.serial import run as chosen
        else:
            from harness.sweeping.supervisor import run as chosen

            loading.start()
        return chosen(packs, question, machine, driver)

    return run_packs


def _conclude(result: Result) -> None:
    """Say how the sweep ended, and exit."""
    if result.unwritten:
        complain(result.unwritten)
    if result.unsaved:
        others = f", {result.left - result.unsaved} more did not run" * (result.left > result.unsaved)
        complain(
            f"lost because it could not be written: {counted(result.unsaved, 'finished cell')}{others}; "
            "once there is room, the same command continues"
        )
        raise typer.Exit(FAILED)
    if result.interrupted:
        complain(f"interrupted; kept: {counted(result.ran, 'finished cell')}; the same command continues")
        raise typer.Exit(FAILED if result.unwritten else INTERRUPTED)
    if result.left:
        reason = f": {result.why_left}" if result.why_left else ""
        others = "the others are kept, and " * (result.left < result.asked)
        asked = counted(result.asked, "cell")
        complain(f"{result.left} of {asked} did not run{reason}; {others}the same command continues")
    if result.failed:
        asked = counted(result.asked, "cell")
        complain(f"{len(result.failed)} of {asked} failed; the same command tries them again")
        for cell_id, message in result.failed.items():
            say(f"  {cell_id}  {message}", console=err)
    if result.failed or result.left or result.unwritten:
        raise typer.Exit(FAILED)


def _workers(device: str, ray_address: str | None) -> int:
    """Packs at a time: this machine's cores or GPUs; on a cluster 0, as many as it has room for."""
    if device == "cpu":
        return 0 if ray_address else cores()
    if ray_address:
        raise UserError("device 'cuda' on a cluster: say with JOBS=n how many GPUs it has (a pack each)")
    import torch

    return torch.cuda.device_count()
