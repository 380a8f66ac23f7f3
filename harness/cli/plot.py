"""`harness plot`: the figures, from the user's records or else from the reference records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import say, say_written, short
from harness.cli.options import Dataset, Results
from harness.common import places
from harness.common.errors import UserError

if TYPE_CHECKING:
    from harness.grids import Grid
    from harness.records.store import Scan, Store


def plot(
    grid: Annotated[list[str] | None, typer.Argument(help="Grids.", show_default="all with records")] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Such as 0-4, besides those with half of their cells.")
    ] = None,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
) -> None:
    """Draw the figures again, from the records alone.

    A grid without records of your own is drawn from the reference records.
    """
    from harness import grids
    from harness.cli.lookup import recorded
    from harness.records import reference
    from harness.records.store import Store

    folder, names, references = results.absolute(), grid or [], reference.grids()
    store = Store(folder)
    scan = store.scan()
    loadable = [name for name in names if name in grids.names() or name not in references]
    with_records = recorded(scan, folder, loadable, dataset) if loadable or not names else []
    wanted = _asked(names, loadable, dataset) if names else _on(references, dataset)
    others = [name for name in references if name in wanted - {one.folder for one in with_records}]
    if not with_records and not others:
        asked = f" of {', '.join(names)}" if names else ""
        raise UserError(f"{short(folder)}: no records{asked} yet; {places.typed('sweep')} makes some")
    chosen = grids.parse_seeds(seeds, with_records) if seeds else ()
    for one in with_records:
        make_tables(one, store, scan, folder / one.folder, chosen)
        draw(folder / one.folder)
    for name in others:
        draw_reference(name, references[name], folder / name)


def _asked(names: Sequence[str], loadable: Sequence[str], dataset: str | None) -> set[str]:
    """The folders of the grids that were named; a grid that only the reference has goes by its folder's
    name."""
    from harness import grids

    return {grids.load(name, dataset=dataset).folder for name in loadable} | ({*names} - {*loadable})


def _on(references: dict[str, Path], dataset: str | None) -> set[str]:
    """The reference grids of a data set (None: of any)."""
    from harness.records import tables

    return {
        name
        for name, path in references.items()
        if dataset in (None, tables.read_about(path)["grid"]["protocol"]["dataset"])
    }


def make_tables(grid: Grid, store: Store, scan: Scan, folder: Path, seeds: Iterable[int]) -> None:
    """The grid's tables in `folder`; a record that turns out to be damaged is left out, with a note."""
    from harness.records import tables

    for cell_id, reason in tables.write(grid, store, scan, folder, seeds).items():
        say(f"{grid.folder}: record {cell_id} left out, damaged: {reason}", style="yellow")


def draw(folder: Path, into: Path | None = None) -> list[Path]:
    """The figures of a folder's tables, in `into` (None: beside them)."""
    from harness.plots.render import render
    from harness.records import tables

    curves = tables.read_about(folder)["grid"]["figure"]["kind"] == "trajectories"
    drawn = tables.read(folder, curves)  # a heatmap needs the trials alone
    paths = render(drawn.trials, drawn.trajectories, drawn.about["grid"], into or folder)
    say_written(paths, "figures:")
    return paths


def draw_reference(name: str, folder: Path, into: Path) -> None:
    """The figures of reference tables, and a line that says so."""
    from harness.records import reference, tables

    trials = tables.read(folder, curves=False).trials
    say(f"{name}: the reference records ({reference.describe(trials)})")
    into.mkdir(parents=True, exist_ok=True)
    draw(folder, into)
