"""`harness compare`: one's own records beside the reference ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from harness.cli.console import out, say_written, short
from harness.cli.options import Dataset, Results
from harness.cli.plot import make_tables
from harness.common import places
from harness.common.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from harness.analysis.comparison import Compared
    from harness.analysis.rounding import Interval, Rounding
    from harness.grids import Grid

YARDSTICK = "yardstick"
"""The reference grid that measures how far rounding alone moves a count."""
MOST_CELLS = 20
"""Cells that differ, printed one by one; the file has all."""


def compare(
    grid: Annotated[str, typer.Argument(help="A grid of sweeps/, or the path of a YAML file.")],
    seeds: Annotated[str | None, typer.Option(help="Only these, such as 0-4.")] = None,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
    keep: Annotated[
        bool, typer.Option("--keep", help="Also keep it with the reference: how far machines agree.")
    ] = False,
) -> None:
    """Lay your own records of a grid beside the reference's, cell by cell.

    Prints how far they agree, by the yardstick of what rounding alone does, and writes compare.parquet
    and a figure into the grid's folder.
    """
    from harness import grids
    from harness.analysis import rounding
    from harness.analysis.comparison import compare as lay
    from harness.common.files import write_whole
    from harness.plots import compare as figure
    from harness.records import reference, tables

    one = grids.load(grid, dataset=dataset)
    kept = reference.find(one.folder)
    folder = results.absolute() / one.folder
    chosen = grids.parse_seeds(seeds) if seeds else ()
    mine = _own(one, results.absolute(), chosen)
    theirs = tables.read(kept, curves=False).trials
    measured = reference.grids().get(YARDSTICK)
    yardstick = rounding.interval(tables.read(measured, curves=False).trials) if measured else None
    try:
        found = lay(mine, theirs, yardstick)
    except UserError as error:
        raise UserError(f"{one.folder}: {error}") from None
    out.print(f"reference: {reference.describe(theirs)}", soft_wrap=True, markup=False)
    _show(one, found, yardstick)
    table = folder / "compare.parquet"
    write_whole(table, lambda path: found.cells.to_parquet(path, index=False))
    title = f"{one.title}: own records beside the reference"
    say_written([table, *figure.render(found, yardstick, theirs, title, folder / "compare")])
    if keep:
        say_written(reference.keep_comparison(one, found))


def _own(grid: Grid, results: Path, seeds: tuple[int, ...]) -> pd.DataFrame:
    """The trials of the user's own records, of these seeds (none: of all). UserError: there are none."""
    from harness.records import tables
    from harness.records.store import Store

    store = Store(results)
    scan = store.scan()
    if not tables.records_by_seed(grid, scan):
        raise UserError(
            f"{short(results)}: no records of {grid.folder} yet; make sweep GRID={grid.name} makes some"
        )
    make_tables(grid, store, scan, results / grid.folder, seeds)
    trials = tables.read(results / grid.folder, curves=False).trials
    return trials[trials["seed"].isin(seeds)] if seeds else trials


def _show(grid: Grid, found: Compared, yardstick: Rounding | None) -> None:
    """A row a seed and passage, what rounding does, and the cells that are further apart than that."""
    from harness.analysis.comparison import OUTCOME, OUTSIDE

    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in found.seeds.columns:
        table.add_column(name.replace("_", " "), justify="left" if name == "passage" else "right")
    for row in found.seeds.itertuples(index=False):
        table.add_row(*(f"{value:g}" if isinstance(value, float) else str(value) for value in row))
    out.print(table)
    out.print(Text(_yardstick(yardstick)), soft_wrap=True)
    for note in found.notes:
        out.print(Text(note), soft_wrap=True)
    names = {cell.cell_id: cell.describe() for cell in grid.cells(found.cells["seed"].unique().tolist())}
    apart = found.cells[found.cells["first_agreement"].isin([OUTSIDE, OUTCOME])]
    for cell in apart.head(MOST_CELLS).to_dict("records"):
        counts = [_count(cell[f"first_{side}"], cell[f"outcome_{side}"]) for side in ("mine", "reference")]
        what = f"yours {counts[0]}, the reference's {counts[1]}"
        out.print(Text(f"{cell['cell_id']}  {names.get(cell['cell_id'], '')}  {what}"), soft_wrap=True)
    if len(apart) > MOST_CELLS:
        out.print(f"and {len(apart) - MOST_CELLS} cells more")


def _count(count: float, outcome: str) -> str:
    return f"{count:g}" if count == count else outcome  # NaN: a miss


def _yardstick(rounding: Rounding | None) -> str:
    """What rounding alone does, in a line."""
    if rounding is None:
        return "rounding: not measured (no reference of the grid yardstick), so every difference is outside"
    passages = (("first", rounding.first), ("sustained", rounding.sustained))
    parts = [f"{name} passage {_interval(interval)}" for name, interval in passages if interval]
    return f"rounding alone, {rounding.runs} runs: {', '.join(parts) or 'no count to compare'}"


def _interval(interval: Interval) -> str:
    shares = f"{interval.low_share:+.1%} to {interval.high_share:+.1%}"
    return f"{interval.low:+d} to {interval.high:+d} iterations ({shares})"
