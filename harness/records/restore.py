"""The way back from tables to records: a sweep continues from the reference, and a grid without tables of its
own is answered by those of others (pool.py)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from harness.common.errors import NotWritten, UserError
from harness.common.text import one_line
from harness.records import compact, describing, record, tables
from harness.records.record import NUMERICS, DamagedRecord, Record
from harness.records.store import Store

_OWN = ("wall_seconds", "finished", "device", "threads", "pack_size", "dataset_sha256")
"""What the trials keep of each record's provenance; the rest is in the tables' description."""


@dataclass(frozen=True, kw_only=True)
class Restored:
    """How many records `restore` has put into a store, and how many were there already."""

    put: int
    there: int


def restore(records: Iterable[Record], store: Store) -> Restored:
    """Write these records into `store`. One that is there already stays if it has at least as many
    iterations; one that is damaged is set aside.

    Raises NotWritten, which says how many were put; UserError: one is no record.
    """
    stored = store.scan()
    put = there = 0
    for one in records:
        header, cell_id = one.header, one.header.cell.cell_id
        known = stored.headers.get(cell_id)
        if known is not None and known.iterations >= header.iterations:
            there += 1
            continue
        try:
            if cell_id in stored.damaged:
                store.set_aside(cell_id)
            store.put(record.dump(one))
        except DamagedRecord as error:
            raise UserError(f"cell {cell_id}: no record in these tables ({error})") from None
        except NotWritten as error:
            raise error.leaving(f"{put} put before it; the same command goes on") from error
        put += 1
    return Restored(put=put, there=there)


def records_of(folder: Path, cells: Collection[str] | None = None) -> Iterator[Record]:
    """The records that the tables in `folder` were made from; `cells`: only those of these ids.

    Failures, and records of another version of the arithmetic, are left out: a sweep would run them again. A
    run that was longer than its grid's budget comes back only up to the budget. UserError: there are no
    tables, or they do not fit together.
    """
    for part in compact.parts(folder) or [folder]:
        yield from _records_of(part, cells)


def _records_of(folder: Path, cells: Collection[str] | None) -> Iterator[Record]:
    trials, trajectories, about = tables.read_arrow(folder)
    wanted = {
        trial["cell_id"]: trial
        for trial in trials.to_pylist()
        if trial["outcome"] not in (None, "failed") and trial["numerics"] == NUMERICS
    }
    seeds = {trial["seed"] for trial in wanted.values()}
    try:
        known = {cell.cell_id: cell for cell in describing.grid_of(about).cells(seeds)}
        for cell_id, rows in by_cell(trajectories):
            if cell_id in wanted and (cells is None or cell_id in cells):
                trial = wanted[cell_id]
                origin = _provenance(trial, about["origins"])
                yield record.of_table(known[cell_id], trial["ending"], rows, origin)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(
            f"{folder}: its tables do not fit their description ({one_line(str(error), 80)})"
        ) from None


def by_cell(trajectories: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Each cell's rows, in their order."""
    ids = trajectories["cell_id"].to_numpy()
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]][: len(ids)]).tolist()
    for start, end in zip(starts, [*starts[1:], len(ids)], strict=True):
        yield ids[start], trajectories.slice(start, end - start)


def _provenance(row: dict[str, Any], origins: list[dict[str, Any]]) -> dict[str, Any]:
    """The record's own, put together again from its row of the trials and the tables' description. What
    remains ambiguous, because several origins fit the row, is left out."""
    kept = {name: row[name] for name in _OWN if row.get(name) is not None}
    if row.get("plugins") is not None:
        kept["plugins"] = json.loads(row["plugins"])
    fitting = [origin for origin in origins if _fits(origin, row)]
    versions = [origin["versions"] or {} for origin in fitting] or [{}]
    same = {name: value for name, value in versions[0].items() if all(v.get(name) == value for v in versions)}
    digests = {origin["dataset_sha256"] for origin in fitting}
    if "dataset_sha256" not in kept and len(digests) == 1:
        kept["dataset_sha256"] = digests.pop()
    rest = {"versions": same or None, "dataset_sha256": kept.get("dataset_sha256")}
    return {key: value for key, value in {**kept, **rest}.items() if value is not None}


def _fits(origin: dict[str, Any], row: dict[str, Any]) -> bool:
    versions = origin["versions"] or {}
    named = all(origin[key] == row[key] for key in ("device", "threads", "pack_size"))
    return named and all(versions.get(key) == row[key] for key in ("commit", "torch"))
