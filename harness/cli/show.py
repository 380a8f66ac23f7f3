"""`harness show`: one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import out, plain_table, say, short
from harness.cli.options import Results
from harness.common import places
from harness.common.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from harness.records import Record

ROWS = {1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000}
"""The iterations that are shown, besides the last one: closer together at the beginning."""


def show(
    cell_id: Annotated[str, typer.Argument(help="Cell id, or enough of its beginning.")],
    results: Results = places.RESULTS,
) -> None:
    """Show one record: its cell, how it ended, what made it, some of its rows."""
    from harness.cli.lookup import by_beginning
    from harness.records import DamagedRecord
    from harness.records.store import Store

    store = Store(results.absolute())
    ids = {path.stem: path.stem for path in sorted(store.folder.glob("*.parquet"))}
    whole_id = by_beginning(cell_id, ids, "record", f"in {short(store.folder)}")
    try:
        record = store.read(whole_id)
    except DamagedRecord as error:
        raise UserError(f"cell {whole_id}: {error}; the next sweep sets it aside and runs it again") from None
    header = record.header
    cell = header.cell
    say(f"cell       {cell.cell_id}")
    say(f"           {cell.describe()}")
    say(f"protocol   {cell.protocol.dataset}, {cell.protocol.label}")
    for name, value in cell.protocol.model_dump(exclude_defaults=True).items():
        say(f"           {name}: {value}")
    reason = f": {header.error}" if header.error else ""
    say(f"ending     {header.ending} after {header.iterations} iterations{reason}")
    say("made by")
    for name, value in header.provenance.items():
        say(f"           {name}: {value}")
    out.print(_excerpt(record))


def _excerpt(record: Record) -> Table:
    """Some of its rows."""
    names = record.rows.column_names
    table = plain_table(names, right=names)
    for row in record.rows.to_pylist():
        if row["iteration"] in ROWS or row["iteration"] == record.header.iterations:
            table.add_row(*map(_text, row.values()))
    return table


def _text(value: float | int | None) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
