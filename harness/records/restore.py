"""The way back from a grid's tables to records in a store, so that a sweep continues from the reference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from harness.common.errors import UserError
from harness.records import record, tables
from harness.records.record import COLUMNS, NUMERICS, Row
from harness.records.store import Store

_OWN = ("wall_seconds", "finished", "device", "threads", "pack_size", "dataset_sha256")
"""What the trials keep of each record's provenance; the rest is in the tables' description."""


def restore(folder: Path, store: Store) -> int:
    """Write the records that the tables in `folder` were made from into `store`. Returns their number.

    A record that is already in the store stays if it has at least as many iterations. Failures, and records
    of another version of the arithmetic, are left out: a sweep would run them again. A run that was longer
    than its grid's budget comes back only up to the budget. UserError: there are no tables, or none of their
    records can come back.
    """
    about = tables.read_about(folder)
    trials = pq.read_table(folder / "trials.parquet").to_pylist()
    cells = {cell.cell_id: cell for cell in tables.grid_of(about).cells({trial["seed"] for trial in trials})}
    wanted = {
        trial["cell_id"]: trial
        for trial in trials
        if trial["outcome"] not in (None, "failed") and trial["numerics"] == NUMERICS
    }
    if not wanted:
        raise UserError(
            f"{folder}: no records of the current version of the arithmetic (numerics {NUMERICS})"
        )
    stored = store.scan().headers
    count = 0
    for cell_id, rows in _rows(folder / "trajectories.parquet"):
        if cell_id not in wanted or (cell_id in stored and stored[cell_id].iterations >= len(rows)):
            continue
        trial = wanted[cell_id]
        restored = record.make(cells[cell_id], trial["ending"], rows, _provenance(trial, about["origins"]))
        store.put(record.dump(restored))
        count += 1
    return count


def _rows(path: Path) -> Iterator[tuple[str, list[Row]]]:
    """Each cell's rows, in their order."""
    table = pq.read_table(path)
    ids = table["cell_id"].to_numpy()
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]][: len(ids)]).tolist()
    for start, end in zip(starts, [*starts[1:], len(ids)], strict=True):
        rows = table.slice(start, end - start).select(list(COLUMNS)).to_pylist()
        yield ids[start], [Row(**row) for row in rows]


def _provenance(row: dict[str, Any], origins: list[dict[str, Any]]) -> dict[str, Any]:
    """The record's own, put together again from its row of the trials and the tables' description. What
    remains ambiguous, because several origins fit the row, is left out."""
    kept = {name: row[name] for name in _OWN if row.get(name) is not None}
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
