"""`harness restore`: the reference records, put into the user's own store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import say, short, working
from harness.cli.options import Results, grid_names
from harness.common import places
from harness.common.errors import UserError
from harness.common.text import counted, size

if TYPE_CHECKING:
    from harness.records import Record
    from harness.records.store import Store


def restore(
    grid: Annotated[
        list[str],
        typer.Argument(help="Grids whose cells have reference records.", autocompletion=grid_names),
    ],
    results: Results = places.RESULTS,
) -> None:
    """Put the reference records of grids into your store: a sweep then continues from them.

    Records of your own that are at least as long stay as they are.
    """
    from harness.records.restore import restore as put_back
    from harness.records.store import Store

    store = Store(results.absolute())
    found = {name: _records(name) for name in grid}
    with store.lock():
        for name, (records, source) in found.items():
            with working(f"{name}: putting its records into {short(store.folder)}"):
                restored = put_back(records, store)
                weights = _put_weights(name, store)
            if not restored.put + restored.there:
                raise UserError(f"{name}: its reference records are of an older version of the arithmetic")
            there = f"{restored.there} {'was' if restored.there == 1 else 'were'} there already"
            already = f", {there}" if restored.there else ""
            put = counted(restored.put, "record")
            say(f"{name}: {put} put into {short(store.folder)}{already}{source}{weights}")


def _put_weights(name: str, store: Store) -> str:
    """Put the weights that are published into the store. Returns of how many runs, in words. UserError: some
    cannot be read, or there is no room for them."""
    from harness.records import reference
    from harness.records.checkpoint import Damaged, NotLoaded
    from harness.records.checkpoints import Checkpoints, weights

    kept, put = Checkpoints(store), 0
    folder = reference.grids().get(name)
    for path in sorted(folder.glob(f"{reference.WEIGHTS}/*.safetensors")) if folder else ():
        if not (kept.weights / path.name).exists():
            try:
                if not kept.put(weights(path)):
                    full = f"the {size(kept.limit)} for checkpoints and weights are full"
                    raise UserError(f"{path}: not put into {short(store.folder)}: {full}")
            except (Damaged, NotLoaded) as error:
                raise UserError(f"{path}: no weights: {error}") from None
            put += 1
    return f", and the weights of {counted(put, 'run')}" if put else ""


def _records(name: str) -> tuple[Iterable[Record], str]:
    """A grid's reference records, and where they are from, in words, if they are those of other grids.
    UserError: there are none."""
    from harness import grids
    from harness.records import pool, reference
    from harness.records.restore import records_of

    folders = reference.grids()
    if name in folders:
        return records_of(folders[name]), ""
    loaded = grids.load(name)
    if loaded.folder in folders:
        return records_of(folders[loaded.folder]), ""
    found = pool.of(loaded)
    asked = len(loaded.cells({one.header.cell.seed for one in found.records.values()}))
    return (
        found.records.values(),
        f" ({len(found.records)} of its {asked} cells, from {', '.join(found.folders)})",
    )
