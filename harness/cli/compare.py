"""`harness compare`: the user's records beside the reference records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import out, say, say_written, short
from harness.cli.layout import Columns
from harness.cli.options import Dataset, Results, grid_names
from harness.cli.plot import say_left_out
from harness.common import places
from harness.common.errors import UserError
from harness.common.files import whole_files
from harness.common.text import counted

if TYPE_CHECKING:
    import pandas as pd

    from harness.analysis.comparison import Compared
    from harness.analysis.rounding import Interval, Rounding
    from harness.grids import Grid
    from harness.records.tables import Tables

YARDSTICK = "yardstick"
"""The reference grid that measures how far rounding alone moves a count."""
MAX_CELLS = 20
"""Cells that differ, printed one by one; the file has all of them."""
HEADS = {"in_both": "in both", "within": "within rounding", "other_outcome": "other outcome"} | {
    "median_difference": "median difference",
    "only_mine": "only yours",
    "only_reference": "only the reference's",
}
"""Heads of the printed table, where they are not the columns' names."""


def compare(
    grid: Annotated[
        str, typer.Argument(help="A grid of sweeps/, or the path of a YAML file.", autocompletion=grid_names)
    ],
    seeds: Annotated[str | None, typer.Option(help="Only these, such as 0-4.")] = None,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
    keep: Annotated[
        bool, typer.Option("--keep", help="Also keep the result with the reference: how far machines agree.")
    ] = False,
) -> None:
    """Compare your records of a grid with the reference records, cell by cell.

    Prints how far they agree, measured by what rounding alone does, and writes compare.parquet and a figure
    into the grid's folder.
    """
    from harness import grids
    from harness.analysis import comparison
    from harness.records import pool, reference
    from harness.records.tables import check_free

    asked = grids.load(grid, dataset=dataset)
    check_free(asked, results.absolute() / asked.folder)
    if keep:
        places.checkout("compare --keep")
        reference.find(asked.folder)
    tables, source = pool.reference_tables(asked, curves=False)
    theirs = tables.trials
    mine = _mine(asked, results.absolute(), grids.parse_seeds(seeds, [asked]) if seeds else ())
    rounding = _rounding()
    try:
        compared = comparison.compare(mine, theirs, rounding)
    except UserError as error:
        raise UserError(f"{asked.folder}: {error}") from None
    say(f"reference: {source}")
    out.print(_counts(compared.seeds))
    for line in (_say_rounding(rounding), *compared.notes, *_differing(asked, compared.cells)):
        say(line)
    say_written(_write(asked, compared, rounding, tables, results.absolute() / asked.folder))
    if keep:
        say_written(_keep(asked, compared))


def _mine(grid: Grid, results: Path, seeds: tuple[int, ...]) -> pd.DataFrame:
    """The trials of the user's records, of these seeds (none: of all). UserError: there are none."""
    from harness.records import reference, tables
    from harness.records.store import Store

    store = Store(results)
    scan = store.scan()
    recorded = tables.records_by_seed(grid, scan)
    if not recorded:
        sweep = places.typed("sweep", grid.file or grid.name)
        raise UserError(f"{short(results)}: no records of {grid.folder} yet; {sweep} makes some")
    if none := [seed for seed in seeds if not recorded[seed]]:
        raise UserError(f"{grid.folder}: no records of {reference.say_seeds(none)}: nothing to compare")
    made, damaged = tables.make(grid, store, scan, seeds, curves=False)
    say_left_out(grid, damaged)
    trials = made.trials
    return trials[trials["seed"].isin(seeds)] if seeds else trials


def _rounding() -> Rounding | None:
    """What the yardstick of the reference measured; None: there is none."""
    from harness.analysis import rounding
    from harness.records import reference, tables

    folder = reference.grids().get(YARDSTICK)
    return None if folder is None else rounding.measure(tables.read(folder, curves=False).trials)


def _counts(seeds: pd.DataFrame) -> Columns:
    """One row per seed and passage."""
    heads = [HEADS.get(name, name) for name in seeds.columns]
    table = Columns(heads, right={*heads} - {"passage"}, wrap=heads)
    for row in seeds.itertuples(index=False):
        table.add_row(*(f"{value:g}" if isinstance(value, float) else str(value) for value in row))
    return table


def _say_rounding(rounding: Rounding | None) -> str:
    """What rounding alone does, in a line."""
    if rounding is None:
        return (
            f"rounding was not measured (no reference records of the grid {YARDSTICK}), "
            "so every difference counts as more than rounding"
        )
    passages = (("first", rounding.first), ("sustained", rounding.sustained))
    moves = [f"a {name} passage by {_interval(interval)}" for name, interval in passages if interval]
    return f"rounding alone moved {', '.join(moves) or 'no count'} in {rounding.runs} runs"


def _interval(interval: Interval) -> str:
    shares = f"{interval.low_share:+.1%} to {interval.high_share:+.1%}"
    return f"{interval.low:+d} to {interval.high:+d} iterations ({shares})"


def _differing(grid: Grid, cells: pd.DataFrame) -> Iterator[str]:
    """The cells whose first passages differ by more than rounding, a line for each of up to MAX_CELLS."""
    from harness.analysis.comparison import OUTCOME, OUTSIDE, SIDES

    names = {cell.cell_id: cell.describe() for cell in grid.cells(cells["seed"].unique().tolist())}
    differing = cells[cells["first_agreement"].isin([OUTSIDE, OUTCOME])]
    for cell in differing.head(MAX_CELLS).to_dict("records"):
        mine, theirs = (_count(cell[f"first_{side}"], cell[f"outcome_{side}"]) for side in SIDES)
        yield f"{cell['cell_id']}  {names[cell['cell_id']]}  yours: {mine}, the reference's: {theirs}"
    if len(differing) > MAX_CELLS:
        yield f"and {counted(len(differing) - MAX_CELLS, 'more cell')}"


def _count(count: float, outcome: str) -> str:
    if count == count:  # NaN: no passage
        return f"{count:g}"
    return "not reached" if outcome == "budget" else outcome


def _write(
    grid: Grid, compared: Compared, rounding: Rounding | None, theirs: Tables, folder: Path
) -> list[Path]:
    """compare.parquet and the figure; the paths."""
    from harness.plots import compare as figure

    table = folder / "compare.parquet"
    figures = [table.with_suffix(f".{kind}") for kind in ("png", "svg")]
    with whole_files([table], made_from=figures) as (path,):
        compared.cells.to_parquet(path, index=False)
    title = f"{grid.title}: your records beside the reference's"
    drawn = figure.render(compared, rounding, theirs.trials, title, folder / "compare", theirs.about)
    return [table, *drawn]


def _keep(grid: Grid, compared: Compared) -> list[Path]:
    """Write results/reference/devices/<grid>/: the cells that were run on both machines, and a README."""
    from harness.records.reference import COMPARED, DEVICES

    folder = places.REFERENCE / DEVICES / grid.folder
    both = compared.cells[compared.cells["first_agreement"].notna()]
    lines = [
        f"# {grid.folder}, run again on another machine",
        "",
        f"The counts of {len(both)} cells on another machine beside those of",
        f"[the reference](../../{grid.folder}/README.md), cell by cell: `{COMPARED}`. The other machine is",
        '"yours" below; its columns end in `_mine`.',
        "",
        *(f"- {note}" for note in compared.notes),
        "",
        f"Made by `harness compare {grid.name} --keep`.",
        "",
    ]
    paths = [folder / COMPARED, folder / "README.md"]
    with whole_files(paths) as (table, page):
        both.to_parquet(table, index=False)
        page.write_text("\n".join(lines), "utf-8")
    return paths
