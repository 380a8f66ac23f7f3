"""`harness show`: one record."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import out, say, say_facts
from harness.cli.layout import Columns
from harness.cli.options import ItsGrid, Results
from harness.common import places
from harness.common.errors import UserError
from harness.common.text import counted

if TYPE_CHECKING:
    from harness.cell import Protocol
    from harness.records import Record

ROWS = {1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000}
"""The iterations that are shown, besides the last one: closer together at the beginning."""


def show(
    cell_id: Annotated[str, typer.Argument(help="Cell id, or enough of its beginning.")],
    target: Annotated[
        list[float] | None,
        typer.Option(help="A loss; may be repeated.", show_default="those of grids of sweeps/ like it"),
    ] = None,
    grid: ItsGrid = None,
    results: Results = places.RESULTS,
) -> None:
    """Show one record: its cell, how it ended, its passages, what made it, some of its rows."""
    from harness import grids
    from harness.cli.lookup import record_of

    if grid is not None:
        grids.load(grid)
    record = record_of(cell_id, results.absolute())
    targets = _targets(record.header.cell.protocol) if target is None else target
    say_facts(_facts(record, targets))
    out.print(_excerpt(record))
    if _thinned(record):
        say("from compact tables: of most iterations they keep the training loss alone", style="dim")


def _targets(protocol: Protocol) -> list[float]:
    """What the grids of sweeps/ ask of cells of this protocol."""
    from harness import grids

    asked = set()
    for name in grids.names():
        with contextlib.suppress(UserError):  # a mistake in some grid's file is not this command's
            one = grids.load(name)
            asked |= {one.target_loss} if protocol in one.protocols else set()
    return sorted(target for target in asked if target is not None)


def _facts(record: Record, targets: list[float]) -> Iterator[tuple[str, object]]:
    header = record.header
    cell = header.cell
    yield "cell", cell.cell_id
    yield "", cell.describe()
    yield "protocol", ", ".join(filter(None, (cell.protocol.dataset_name, cell.protocol.label)))
    for name, value in cell.protocol.model_dump(exclude_defaults=True).items():
        yield "", f"{name}: {value}"
    reason = f": {header.error}" if header.error else ""
    yield "ending", f"{header.ending} after {counted(header.iterations, 'iteration')}{reason}"
    for target in targets:
        yield "passages", f"of {target:g}: {_passages(record, target)}"
    for place, (name, value) in enumerate(header.provenance.items()):
        if isinstance(value, dict):  # versions; None: not known, or not installed
            value = ", ".join(f"{key} {version}" for key, version in value.items() if version is not None)
        yield "made by" if place == 0 else "", f"{name}: {value}"


def _passages(record: Record, target: float) -> str:
    from harness.records.passages import first_passage, sustained_passage

    losses = record.rows["train_loss"].to_numpy()
    passages = ("first", first_passage(losses, target)), ("sustained", sustained_passage(losses, target))
    return ", ".join(f"{name} {'none' if at is None else at}" for name, at in passages)


def _excerpt(record: Record) -> Columns:
    """Some of its rows."""
    names = record.rows.column_names
    table = Columns(names, right=names)
    for row in record.rows.to_pylist():
        if row["iteration"] in ROWS or row["iteration"] == record.header.iterations:
            table.add_row(*map(_text, row.values()))
    return table


def _thinned(record: Record) -> bool:
    """Whether rows before the last update lack what every iteration has."""
    names = [name for name in record.rows.column_names if not name.startswith("val_")]
    return any(column.null_count for column in record.rows.select(names).slice(0, len(record.rows) - 1))


def _text(value: float | int | None) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
