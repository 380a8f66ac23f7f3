"""`harness compare`: the user's records beside the reference records."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import out, say, say_written, short
from harness.cli.layout import Columns
from harness.cli.options import Dataset, Results, check_target, grid_names
from harness.cli.plot import say_left_out
from harness.common import places
from harness.common.errors import UserError
from harness.common.files import figures, whole_files
from harness.common.text import counted

if TYPE_CHECKING:
    import pandas as pd

    from harness.analysis.comparison import Compared
    from harness.analysis.rounding import Interval, Rounding
    from harness.grids import Grid
    from harness.records.tables import Tables

YARDSTICK = "yardstick"
"""The reference grid that measures how far rounding alone moves a count."""
NAME = "compare"
"""Of the files, in the grid's folder."""
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
    target: Annotated[
        float | None,
        typer.Option(help="Count iterations to this training loss.", show_default="the grid's own"),
    ] = None,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
    keep: Annotated[
        bool, typer.Option("--keep", help="Also keep the result with the reference: how far machines agree.")
    ] = False,
) -> None:
    """Compare your records of a grid with the reference records, cell by cell.

    Prints how far they agree, measured by what rounding alone does, and writes compare.parquet and a figure
    into the grid's folder; of --target 0.9 compare-0.9.parquet. A grid without a target needs --target.
    """
    from harness import grids
    from harness.analysis import comparison
    from harness.records import pool, reference
    from harness.records.tables import check_free

    check_target(target)
    asked = grids.load(grid, dataset=dataset)
    if asked.target_loss is None and target is None:
        raise UserError(
            f"{asked.folder}: this grid has no target, so there are no counts to compare; say with --target "
            "(make: TARGET=...) to which training loss to count"
        )
    check_free(asked, results.absolute() / asked.folder)
    if keep:
        places.checkout("compare --keep")
        reference.find(asked.folder)
    recount, named = target is not None, NAME if target is None else f"{NAME}-{target:g}"
    theirs, source = pool.reference_tables(asked, curves=recount)
    mine = _mine(asked, results.absolute(), grids.parse_seeds(seeds, [asked]) if seeds else (), recount)
    if target is not None:
        mine, theirs = _counted_to(target, asked, mine, theirs)
    rounding = _rounding()
    try:
        compared = comparison.compare(mine.trials, theirs.trials, rounding)
    except UserError as error:
        raise UserError(f"{asked.folder}: {error}") from None
    say(f"reference: {source}")
    if target is not None:
        say(f"counted to a training loss of {target:g}")
    out.print(_counts(compared.seeds))
    for line in (_say_rounding(rounding), *compared.notes, *_differing(asked, compared.cells)):
        say(line)
    say_written(_write(asked, compared, rounding, theirs, results.absolute() / asked.folder / named))
    if keep:
        say_written(_keep(asked, compared, target, named))


def _mine(grid: Grid, results: Path, seeds: tuple[int, ...], curves: bool) -> Tables:
    """The tables of the user's records, of these seeds (none: of all). UserError: there are none."""
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
    made, damaged = tables.make(grid, store, scan, seeds, curves=curves)
    say_left_out(grid, damaged)
    return _of_seeds(made, seeds) if seeds else made


def _of_seeds(tables: Tables, seeds: Collection[int]) -> Tables:
    return replace(tables, trials=tables.trials[tables.trials["seed"].isin(seeds)])


def _counted_to(target: float, grid: Grid, mine: Tables, theirs: Tables) -> tuple[Tables, Tables]:
    """Both with their counts to this training loss; of the reference the seeds that are the user's too.
    UserError: a run stopped before."""
    from harness.analysis.counting import counted_to

    theirs = _of_seeds(theirs, {*mine.trials["seed"]})
    sides = (f"{grid.folder}, your records", mine), (f"{grid.folder}, the reference", theirs)
    yours, ours = (replace(side, trials=counted_to(name, side, target)) for name, side in sides)
    return yours, ours


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
        table.add_row(*map(_shown, row))
    return table


def _shown(value: object) -> str:
    """A count or a name; a median of no differences is empty."""
    if isinstance(value, float):
        return "" if value != value else f"{value:g}"
    return str(value)


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
    grid: Grid, compared: Compared, rounding: Rounding | None, theirs: Tables, path: Path
) -> list[Path]:
    """<path>.parquet and the figure; the paths."""
    from harness.plots import compare as figure

    table = path.with_name(f"{path.name}.parquet")
    with whole_files([table], made_from=figures(path)) as (file,):
        compared.cells.to_parquet(file, index=False)
    title = f"{grid.title}: your records beside the reference's"
    return [table, *figure.render(compared, rounding, theirs.trials, title, path, theirs.about)]


def _keep(grid: Grid, compared: Compared, target: float | None, name: str) -> list[Path]:
    """Write results/reference/devices/<grid>/: the cells that were run on both machines, and a README."""
    from harness.records.reference import DEVICES

    folder = places.REFERENCE / DEVICES / grid.folder
    both = compared.cells[compared.cells["first_agreement"].notna()]
    table, to = f"{name}.parquet", "" if target is None else f" to a training loss of {target:g}"
    lines = [
        f"# {grid.folder}, run again on another machine",
        "",
        f"The counts{to} of {len(both)} cells on another machine beside those of",
        f"[the reference](../../{grid.folder}/README.md), cell by cell: `{table}`. The other machine is",
        '"yours" below; its columns end in `_mine`.',
        "",
        *(f"- {note}" for note in compared.notes),
        "",
        f"Made by `harness compare {grid.name}{'' if target is None else f' --target {target:g}'} --keep`.",
        "",
    ]
    paths = [folder / table, folder / "README.md"]
    with whole_files(paths) as (cells, page):
        both.to_parquet(cells, index=False)
        page.write_text("\n".join(lines), "utf-8")
    return paths
