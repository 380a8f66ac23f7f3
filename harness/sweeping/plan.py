"""What a sweep has to run, and which cells go together. Pure: nothing is read or written."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.cell import Cell, Question, alike
from harness.records import provenance
from harness.records.store import Scan
from harness.sweeping.runner import Pack

PACK = 200
"""Most cells in a pack on an accelerator: those of fig2 of one method and seed train together."""


@dataclass(frozen=True, kw_only=True)
class Todo:
    """Why a cell has to run."""

    kind: Literal["missing", "failed", "stale", "damaged"]
    reason: str
    """In words: what its record lacks."""


def plan(cells: Iterable[Cell], scan: Scan, question: Question, stale: bool = False) -> dict[str, Todo]:
    """The cells that the store does not answer, by id. All others are done. stale: neither are those whose
    record was made by another version of a plug-in."""
    reasons = ((cell.cell_id, _todo(cell, scan, question, stale)) for cell in cells)
    return {cell_id: todo for cell_id, todo in reasons if todo is not None}


def made_by_others(cells: Iterable[Cell], scan: Scan, todo: Collection[str]) -> dict[str, int]:
    """Of the cells that are not in `todo`: for each part whose source has changed, how many records were made
    by another version of it."""
    counts = Counter[str]()
    for cell in cells:
        header = scan.headers.get(cell.cell_id)
        if header is not None and cell.cell_id not in todo:
            counts.update(provenance.changed(cell, header.provenance))
    return dict(counts)


def _todo(cell: Cell, scan: Scan, question: Question, stale: bool) -> Todo | None:
    cell_id = cell.cell_id
    if cell_id in scan.damaged:
        return Todo(kind="damaged", reason=scan.damaged[cell_id])
    header = scan.headers.get(cell_id)
    if header is None:
        return Todo(kind="missing", reason="not run yet")
    reason = header.why_not(question)
    if reason is None and stale and (parts := provenance.changed(cell, header.provenance)):
        return Todo(kind="stale", reason=f"made by another version of {', '.join(parts)}")
    if reason is None:
        return None
    return Todo(kind="failed" if header.ending == "failed" else "stale", reason=reason)


def pack(cells: Sequence[Cell], devices: int) -> list[Pack]:
    """Cells as packs. devices 0: one pack per cell, first those that are likely to take longest. Otherwise
    cells that are alike are spread evenly over that many accelerators, at most PACK in a pack."""
    if devices == 0:
        return [(cell,) for cell in sorted(cells, key=lambda cell: cell.hyper.pace())]
    groups: dict[tuple[Any, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault(alike(cell), []).append(cell)
    packs = []
    for group in groups.values():
        count = devices * math.ceil(len(group) / (devices * PACK))
        packs += [tuple(group[i::count]) for i in range(count)]
    return sorted((one for one in packs if one), key=len, reverse=True)
