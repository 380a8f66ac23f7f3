"""`harness plot`: the figures, from the user's own records or else from the reference ones."""

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
    grid: Annotated[list[str] | None, typer.Argument(help="Grids; none: every one with records.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Such as 0-4; seeds half done are drawn too.")] = None,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
) -> None:
    """Draw the figures again, from the records alone.

    A grid without records of your own is drawn from the reference ones.
    """
    from harness import grids
    from harness.cli.lookup import recorded
    from harness.records import reference
    from harness.records.store import Store

    folder, names, kept = results.absolute(), grid or [], reference.grids()
    store = Store(folder)
    scan = store.scan()
    ours = [name for name in names if name in grids.names() or name not in kept]
    found = recorded(scan, folder, ours, dataset) if ours or not names else []
    wanted = _asked(names, ours, dataset) if names else _on(kept, dataset)
    others = [name for name in kept if name in wanted - {one.folder for one in found}]
    if not found and not others:
        asked = f" of {', '.join(names)}" if names else ""
        raise UserError(f"{short(folder)}: no records{asked} yet; {places.typed('sweep')} makes some")
    chosen = grids.parse_seeds(seeds) if seeds else ()
    for one in found:
        make_tables(one, store, scan, folder / one.folder, chosen)
        draw(folder / one.folder)
    for name in others:
        draw_reference(name, kept[name], folder / name)


def _asked(names: Sequence[str], ours: Sequence[str], dataset: str | None) -> set[str]:
    """The folders of the grids that were named; one that only the reference has is named by its folder."""
    from harness import grids

    return {grids.load(name, dataset=dataset).folder for name in ours} | ({*names} - {*ours})


def _on(kept: dict[str, Path], dataset: str | None) -> set[str]:
    """The reference grids of a data set (None: of any)."""
    from harness.records import tables

    return {
        name
        for name, path in kept.items()
        if dataset in (None, tables.read_about(path)["grid"]["protocol"]["dataset"])
    }


def make_tables(grid: Grid, store: Store, scan: Scan, folder: Path, seeds: Iterable[int]) -> None:
    """The grid's tables in `folder`; a record that turns out damaged is left out and named."""
    from harness.records import tables

    for cell_id, reason in tables.write(grid, store, scan, folder, seeds).items():
        say(f"{grid.folder}: record {cell_id} left out, damaged: {reason}", style="yellow")


def draw(folder: Path, into: Path | None = None) -> list[Path]:
    """The figures of a folder's tables, in `into` (None: beside them)."""
    from harness.plots.render import render
    from harness.records import tables

    lines = tables.read_about(folder)["grid"]["figure"]["kind"] == "trajectories"
    own = tables.read(folder, curves=lines)  # a heatmap needs the trials alone
    paths = render(own.trials, own.trajectories, own.about["grid"], into or folder)
    say_written(paths, "figures:")
    return paths


def draw_reference(name: str, kept: Path, into: Path) -> None:
    """The figures of reference tables, and a line that says so."""
    from harness.records import reference, tables

    trials = tables.read(kept, curves=False).trials
    say(f"{name}: the reference records ({reference.describe(trials)})")
    into.mkdir(parents=True, exist_ok=True)
    draw(kept, into)
