"""`harness sweep`: run what is missing of a grid, and say how it came out."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from threading import Thread
from typing import Annotated, Any

import typer

from harness.cli.console import FAILED, INTERRUPTED, err, out
from harness.cli.options import Dataset, Device, Results, check_device
from harness.cli.plot import draw
from harness.common import places
from harness.common.errors import UserError


class RunnerName(StrEnum):
    """Who runs the cells."""

    ray = "ray"
    serial = "serial"


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
    from harness.cli.progress import Display
    from harness.sweeping import sweep as room
    from harness.sweeping.runner import Machine

    loaded = grids.load(grid, dataset=dataset)
    check_device(device, ray_address)
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
    result = room.sweep(request, _runner(runner), Display(out, readings=len(loaded.protocols) > 1), draw=draw)
    _conclude(request, result)


def _runner(name: RunnerName) -> Any:
    """The runner, and Ray, only when there is something to run."""

    def serial(*arguments: Any) -> None:
        from harness.sweeping.serial import run

        run(*arguments)

    def ray(packs: Any, question: Any, machine: Any, driver: Any) -> None:
        from harness.sweeping.raytune import run

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
    from harness.sweeping.sweep import available_cores

    if device == "cpu":
        return 0 if ray_address else available_cores()
    if ray_address:
        raise UserError("device 'cuda' on a cluster: say with JOBS=n how many GPUs it has (a pack each)")
    import torch

    return torch.cuda.device_count()
