"""`harness bench`: a meta-iteration timed beside other libraries."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.codes import FAILED
from harness.cli.console import complain, say, say_written
from harness.cli.options import Device, Results
from harness.common import places
from harness.common.errors import UserError
from harness.common.files import check_writable
from harness.common.machine import check_device


def bench(
    rounds: Annotated[
        int | None,
        typer.Option(min=1, help="How often each program runs.", show_default="5, 15 or 25; GPU: 10"),
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="Peers: some of learn2learn,higher,torchopt.", show_default="all")
    ] = None,
    curves: Annotated[bool, typer.Option(help="Also measure how the cost grows with the work (CPU).")] = True,
    quick: Annotated[bool, typer.Option("--quick", help="A small workload, to see that it runs.")] = False,
    full: Annotated[
        bool,
        typer.Option("--full", help="Also a long run, and the counts of fig2 in each precision (GPU)."),
    ] = False,
    device: Device = "cpu",
    results: Results = places.RESULTS,
) -> None:
    """Time a meta-iteration beside the libraries that are installed.

    All must first agree in float64. Writes bench.json and a figure into results/bench. On a GPU the result is
    written after each part.
    """
    import json

    from harness.bench import report
    from harness.plots import bench as figure

    check_device(device)
    if full and device == "cpu":
        raise UserError("--full: takes a GPU; add --device cuda")
    folder, peers = results.absolute() / report.FOLDER, only.split(",") if only else ()
    check_writable(folder)
    try:
        if device == "cpu":
            path = report.on_cpu(folder, rounds, peers, quick, curves, say)
        else:
            path = report.on_gpu(folder, device, rounds, peers, quick, full, say)
    except report.Disagreement as error:
        complain(str(error))
        raise typer.Exit(FAILED) from error
    figures = figure.render(json.loads(path.read_text("utf-8")), path.with_suffix(""))
    say_written([path, *figures])
