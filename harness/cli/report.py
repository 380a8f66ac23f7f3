"""`harness report`: one page to look at, in a single file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import say, say_written, short, working
from harness.cli.options import Dataset, Results, grid_names, path_option
from harness.cli.sensitivity import Known, gather
from harness.common import places
from harness.common.errors import UserError

if TYPE_CHECKING:
    from harness.report.page import Shown

REFERENCE = "reference"
"""Beside a grid: its own reference records."""


def report(
    grid: Annotated[str, typer.Argument(help="A grid.", show_default=False, autocompletion=grid_names)],
    beside: Annotated[
        str | None,
        typer.Option(help="A second grid, or `reference`: your records beside the reference's."),
    ] = None,
    out: Annotated[
        Path | None,
        path_option("out", help="The file.", show_default="report.html in the grid's results"),
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Only these, such as 0-4.")] = None,
    reference: Annotated[
        bool, typer.Option("--reference", help="Show the reference records, not your own.")
    ] = False,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
) -> None:
    """Write a page to look at: one HTML file, which needs no network and no server.

    Squares for any target, the curves of every run, all runs as a table, the measures of sensitivity. A grid
    without records of your own is shown from the reference records, a sweep under way as far as it is.
    """
    from harness.report import page, sections

    folder = results.absolute()
    known = gather([grid], folder, dataset, seeds, reference, quiet=False)
    ((name, _),) = known.items()
    shown = _shown(known)
    if beside == REFERENCE:
        shown += _shown(gather([grid], folder, dataset, seeds, True, quiet=False), f"reference/{name}")
        if shown[1].source == shown[0].source:
            raise UserError(f"{short(folder)}: no records of {name} yet to be shown beside the reference's")
    elif beside is not None:
        shown += _shown(gather([beside], folder, dataset, seeds, reference, quiet=False))
        if shown[1].name == name:
            raise UserError(f"beside: {name} itself; name another grid, or {REFERENCE}")
    path = out.absolute() if out is not None else folder / name / _file(beside)
    for one in shown:
        say(f"{one.name}: {one.source}")
    with working("measuring"):
        parts = sections.parts(shown, folder, reference)
    for line in parts.left_out:
        say(line, style="yellow")
    with working("writing"):
        page.write(path, shown, parts)
    say_written([path])


def _shown(known: Known, name: str | None = None) -> list[Shown]:
    """What the page shows of a grid's tables. name: in place of the grid's."""
    from harness.report.page import Shown

    return [Shown(name=name or own, tables=tables, source=source) for own, (tables, source) in known.items()]


def _file(beside: str | None) -> str:
    """`report.html`, `report-fig2-sgd.html`."""
    return f"report{f'-{Path(beside).stem}' if beside else ''}.html"
