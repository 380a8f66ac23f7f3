"""`harness export`: a grid's records in the files of other people's programs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import say, short, working
from harness.cli.options import Dataset, Results, grid_names, path_option
from harness.cli.sensitivity import gather
from harness.common import places

FOLDER = "export"
"""In the folder of a grid's results."""
MOST = 12
"""Files that are named; more are counted."""


def _formats(beginning: str) -> list[str]:
    """What a shell may complete a format to."""
    from harness.records.export import FORMATS

    return [name for name in FORMATS if name.startswith(beginning)]


def export(
    grid: Annotated[str, typer.Argument(help="A grid.", show_default=False, autocompletion=grid_names)],
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="syne-tune, mfpbench, optuna, croissant, csv, latex, markdown or tensorboard.",
            show_default=False,
            autocompletion=_formats,
        ),
    ],
    out: Annotated[
        Path | None,
        path_option(
            "out", help="The folder, replaced whole.", show_default="export/<format> of the grid's results"
        ),
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Only these, such as 0-4.")] = None,
    reference: Annotated[
        bool, typer.Option("--reference", help="Write the reference records, not your own.")
    ] = False,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
) -> None:
    """Write a grid's records for other programs: libraries of hyper-parameter optimisation, TensorBoard,
    spreadsheets, papers.

    A grid without records of your own is written from the reference records. What each format holds, and how
    to load it, is in docs/records.md.
    """
    from harness.analysis.printed import printed
    from harness.records import export as formats
    from harness.records.export.asked import Asked

    formats.check(format_)
    ((name, (tables, source)),) = gather(
        [grid], results.absolute(), dataset, seeds, reference, quiet=False
    ).items()
    chosen = tables.trajectories["cell_id"].isin(tables.trials["cell_id"])
    tables = replace(tables, trajectories=tables.trajectories[chosen].reset_index(drop=True))
    folder = out.absolute() if out is not None else results.absolute() / name / FOLDER / format_
    say(f"{name}: {source}")
    with working("writing"):
        shown = printed(tables.trials, tables.about) if formats.FORMATS[format_].prints else None
        notes = formats.write(format_, Asked(name=name, source=source, tables=tables, printed=shown), folder)
    for note in notes:
        say(note, style="yellow")
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    named = ", ".join(files[:MOST]) + (f" and {len(files) - MOST} more" if len(files) > MOST else "")
    size = sum((folder / file).stat().st_size for file in files) / 1e6
    say(f"wrote into {short(folder)}: {named}; {size:.1f} MB")
