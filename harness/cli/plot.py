"""`harness plot`: the figures, from the user's records or else from the reference records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.console import Line, kept, say, say_written, short, tell, working
from harness.cli.options import Dataset, Results, grid_names
from harness.common import places
from harness.common.errors import UserError
from harness.common.text import one_line

if TYPE_CHECKING:
    import pandas as pd

    from harness.cli.drawing import Call
    from harness.grids import Grid
    from harness.records.meta_tests import MetaTests
    from harness.records.store import Scan, Store
    from harness.records.tables import Tables

MAX_LEFT_OUT = 20
"""Records of a grid that are named when they are left out."""


def plot(
    grid: Annotated[
        list[str] | None,
        typer.Argument(help="Grids.", show_default="all with records", autocompletion=grid_names),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Such as 0-4, besides those with half of their cells.")
    ] = None,
    column: Annotated[
        bool, typer.Option("--column", help="Also as wide as a paper's column, 3.3 inches.")
    ] = False,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
) -> None:
    """Draw the figures again, from the records alone.

    A grid without records of your own is drawn from the reference records. With --column, a figure is also
    drawn for a paper's column: its panels below each other, in parts no higher than a page. From then on it
    is drawn again with the others.
    """
    from harness.cli.drawing import Drawers

    folder = results.absolute()
    with Drawers(len(grid or [*places.REFERENCE.glob("*")])) as drawers:
        from harness import grids  # these load while the drawers do
        from harness.cli.lookup import choose
        from harness.records import tables
        from harness.records.store import Store

        store = Store(folder)
        found = choose(store, folder, grid or [], dataset)
        chosen = grids.parse_seeds(seeds, found.mine) if seeds else ()
        if grid:  # refused before anything is drawn, if there is none of some grid
            for one in found.others:
                _theirs(one, folder)
        for one in (*found.mine, *found.others):
            tables.check_free(one, folder / one.folder)
        left_out: set[str] = set()

        def calls() -> Iterator[Call]:
            for one in found.mine:
                with kept() as lines:
                    damaged = make_tables(one, store, found.scan, folder / one.folder, chosen)
                left_out.update(damaged)
                yield partial(_draw_own, folder / one.folder, column, lines)
            for one in found.others:
                yield partial(_draw_theirs, one, folder, column)
            for left in found.as_they_are:
                why = f"{left.folder.name}: drawn from its tables as they are: {left.why}"
                yield partial(_draw_own, left.folder, column, [(why, "yellow", 4)])

        drawers.draw(calls())
    _say_rest(found.scan, left_out, store)
    if not (found.mine or found.others or found.as_they_are):
        raise UserError(f"{short(folder)}: no records yet; {places.typed('sweep')} makes some")


def _draw_own(folder: Path, column: bool, lines: Sequence[Line]) -> None:
    """Those of the folder's tables. lines: to be said before."""
    for line in lines:
        tell(line)
    draw(folder, column)


def _draw_theirs(grid: Grid, results: Path, column: bool) -> None:
    """Those of the reference's tables of a grid."""
    from harness.records import meta_tests

    name, made, source = _theirs(grid, results)
    folder = results / name
    say(f"{name}: the reference records ({source})")
    _draw(made, folder, column)
    own = meta_tests.is_there(folder)
    _draw_meta_test_of(folder if own else places.REFERENCE / name, made, folder, column)


Theirs = tuple[str, "Tables", str]
"""A grid's folder, the reference's tables of it, and where they are from."""


def _theirs(grid: Grid, results: Path) -> Theirs:
    """UserError: the reference has none of its cells."""
    from harness import grids
    from harness.cli import lookup
    from harness.grids.figure import WITHOUT_CURVES

    known = grid.name in grids.names()
    today = grids.load(grid.name, dataset=grid.protocol.dataset_name) if known else grid
    curves = not {grid.figure.kind, today.figure.kind} <= {*WITHOUT_CURVES}
    made, source = lookup.theirs(grid, results, curves=curves)
    return grid.folder, _with_figure(made, today), source


def _with_figure(made: Tables, today: Grid) -> Tables:
    """The reference's tables with the figure that the grid's file asks for today, if it is of the same cells:
    they keep the one of the day they were made."""
    from harness.records.describing import dumped

    ids = {cell.cell_id for cell in today.cells(made.trials["seed"].unique().tolist())}
    if ids != {*made.trials["cell_id"]}:
        return made
    asked = made.about["grid"] | {"figure": dumped(today)["figure"]}
    return replace(made, about=made.about | {"grid": asked})


def make_tables(grid: Grid, store: Store, scan: Scan, folder: Path, seeds: Iterable[int]) -> dict[str, str]:
    """The grid's tables in `folder`. Says, and returns, which records are left out because they are damaged,
    and says for which seeds there are none."""
    from harness.records import reference, tables

    damaged = tables.write(grid, store, scan, folder, seeds)
    say_left_out(grid, damaged)
    recorded = tables.records_by_seed(grid, scan)
    if none := [seed for seed in seeds if not recorded[seed]]:
        say(f"{grid.folder}: no records of {reference.say_seeds(none)}", style="yellow")
    return damaged


def say_left_out(grid: Grid, damaged: Mapping[str, str]) -> None:
    """A line for each of up to MAX_LEFT_OUT records."""
    for cell_id, reason in list(damaged.items())[:MAX_LEFT_OUT]:
        say(f"{grid.folder}: record {cell_id} left out, damaged: {reason}", style="yellow")
    if (more := len(damaged) - MAX_LEFT_OUT) > 0:
        say(f"{grid.folder}: {more} more left out", style="yellow")


def _say_rest(scan: Scan, named: Collection[str], store: Store) -> None:
    """A line on what is damaged in the store besides those named."""
    rest = [stem for stem in scan.damaged if stem not in named]
    if rest:
        some = ", ".join(one_line(stem, 40) for stem in rest[:3]) + (", ..." if len(rest) > 3 else "")
        files = f"{len(rest)} more damaged file{'s' * (len(rest) > 1)}"
        say(f"{short(store.folder)}: {files}, of no cell that is drawn: {some}", style="yellow")


def draw(folder: Path, column: bool = False) -> list[Path]:
    """The figures of a folder's tables, beside them; `column`: for a paper's column too."""
    from harness.grids.figure import WITHOUT_CURVES
    from harness.records import tables

    curves = tables.read_about(folder)["grid"]["figure"]["kind"] not in WITHOUT_CURVES
    drawn = tables.read(folder, curves)
    return [*_draw(drawn, folder, column), *_draw_meta_test_of(folder, drawn, folder, column)]


def _draw(drawn: Tables, folder: Path, column: bool) -> list[Path]:
    from harness.plots import fonts
    from harness.plots.render import render

    grid = drawn.about["grid"]
    with working(f"drawing {folder.name}"):
        paths = render(drawn.trials, drawn.trajectories, grid, folder, drawn.about, column)
    if boxes := fonts.lacking(_titles(grid)):
        say(f"{folder.name}: no installed font has {boxes}; boxes are drawn instead", style="yellow")
    say_written(paths, "figures:")
    return paths


def _draw_meta_test_of(source: Path, drawn: Tables, folder: Path, column: bool) -> list[Path]:
    """That of the folder `source`, if it has one that can be read. drawn: the grid's tables."""
    from harness.records import meta_tests

    if not meta_tests.is_there(source):
        return []
    try:
        tests = meta_tests.read(source)
    except UserError as error:
        say(f"left out: {error}", style="yellow")
        return []
    return draw_meta_test(tests, drawn.trials, drawn.about, folder, column)


def draw_meta_test(
    tests: MetaTests, trials: pd.DataFrame, about: dict[str, Any], folder: Path, column: bool = False
) -> list[Path]:
    """The figures of a meta-test, in `folder`. trials and about: of the grid's tables."""
    from harness.plots import meta_test

    with working(f"drawing {folder.name}"):
        paths = meta_test.render(tests, trials, about, folder, column)
    if paths:
        say_written(paths, "figures:")
    return paths


def _titles(grid: dict[str, Any]) -> str:
    """All that a grid's file says in words of its own."""
    return " ".join([grid["title"], *(column["title"] for column in grid["figure"].get("columns", ()))])
