"""`harness restore`: the reference records, put into the user's own store."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.console import say, short
from harness.cli.options import Results
from harness.common import places


def restore(
    grid: Annotated[list[str], typer.Argument(help="Grids that have reference records.")],
    results: Results = places.RESULTS,
) -> None:
    """Put the reference records of grids into your store: a sweep then continues from them.

    Records of your own that are at least as long stay as they are.
    """
    from harness.records import reference
    from harness.records.restore import restore as put_back
    from harness.records.store import Store

    store = Store(results.absolute())
    folders = {name: reference.find(name) for name in grid}
    with store.lock():
        for name, folder in folders.items():
            count = put_back(folder, store)
            say(f"{name}: {count} records put into {short(store.folder)}")
