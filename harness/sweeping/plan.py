"""What a sweep has to run, and which cells go together. Pure: nothing is read or written."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.cell import Cell, Protocol, Question, alike
from harness.grids import Grid
from harness.problems.networks import NETWORKS
from harness.records import Header, provenance
from harness.records.checkpoints import Checkpoints, Start
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


NOT_RUN = Todo(kind="missing", reason="not run yet")


def plan(
    cells: Iterable[Cell],
    scan: Scan,
    question: Question,
    stale: bool = False,
    lacks: Callable[[Header], bool] | None = None,
) -> dict[str, Todo]:
    """The cells that the store does not answer, by id. All others are done. stale: neither are those whose
    record was made by another version of a plug-in. lacks: neither are those without their weights, which it
    tells; None: nobody asks for them."""
    reasons = ((cell.cell_id, _todo(cell, scan, question, stale, lacks)) for cell in cells)
    return {cell_id: todo for cell_id, todo in reasons if todo is not None}


def lacking_weights(grid: Grid, checkpoints: Checkpoints) -> Callable[[Header], bool] | None:
    """What tells whether a record of the grid lacks its weights; None: the grid does not ask for them."""
    if not grid.keeps_weights:
        return None
    question = grid.question
    return lambda header: checkpoints.lacks_weights(header, question)


def made_by_others(cells: Collection[Cell], scan: Scan, todo: Collection[str]) -> dict[str, int]:
    """Of the cells that are not in `todo`: for each part whose source has changed, how many records were made
    by another version of it."""
    counts = Counter[str]()
    kinds = {(id(cell.protocol), cell.method): cell for cell in cells}  # far fewer than cells
    if not any(provenance.can_change(one) for one in kinds.values()):
        return {}
    for cell in cells:
        header = scan.headers.get(cell.cell_id)
        if header is not None and cell.cell_id not in todo:
            counts.update(provenance.changed(cell, header.provenance))
    return dict(counts)


def _todo(
    cell: Cell, scan: Scan, question: Question, stale: bool, lacks: Callable[[Header], bool] | None
) -> Todo | None:
    cell_id = cell.cell_id
    if cell_id in scan.damaged:
        return Todo(kind="damaged", reason=scan.damaged[cell_id])
    header = scan.headers.get(cell_id)
    if header is None:
        return NOT_RUN
    reason = header.why_not(question)
    if reason is None and stale and (parts := provenance.changed(cell, header.provenance)):
        return Todo(kind="stale", reason=f"made by another version of {', '.join(parts)}")
    if reason is None and lacks is not None and lacks(header):
        return Todo(kind="missing", reason="its weights were not kept")
    if reason is None:
        return None
    return Todo(kind="failed" if header.ending == "failed" else "stale", reason=reason)


Together = Callable[[Protocol], int]
"""Most cells of a protocol in a pack on a CPU."""


def alone(protocol: Protocol) -> int:
    """Each cell is a pack of its own."""
    return 1


def together(protocol: Protocol) -> int:
    """As many as its network says: cells of a small one train faster together."""
    return NETWORKS[protocol.network].together(protocol)


def pack(
    cells: Sequence[Cell],
    devices: int,
    *,
    jobs: int = 1,
    together: Together = alone,
    starts: Mapping[str, Start] | None = None,
) -> list[Pack]:
    """Cells as packs. Those of a pack are alike, and cells that are alike are spread evenly over packs.

    starts: by cell id, where cells go on. Those of one checkpoint are a pack, as they were, and come first.

    devices 0: a CPU that trains `jobs` packs at a time (0: nobody knows how many), each of at most `together`
    cells; the packs with the cells that are likely to take longest come first. Otherwise over that many
    accelerators, at most PACK in a pack; the largest come first.
    """
    starts = starts or {}
    going_on: dict[Path, list[Cell]] = {}
    for cell in sorted((c for c in cells if c.cell_id in starts), key=lambda c: starts[c.cell_id].place):
        if not (start := starts[cell.cell_id]).ended:
            going_on.setdefault(start.path, []).append(cell)
    first = sorted(map(tuple, going_on.values()), key=len, reverse=True)
    packed = {cell for one in first for cell in one}
    rest = [cell for cell in cells if cell not in packed]

    def group(cell: Cell) -> tuple[Any, ...]:
        start = starts.get(cell.cell_id)
        return (*alike(cell), 1 if start is None else start.iteration)

    if devices:
        packs = _dealt(rest, devices, lambda protocol: PACK, group)
        return [*first, *sorted(packs, key=len, reverse=True)]
    ordered = sorted(rest, key=lambda cell: cell.hyper.pace())
    places = {cell: at for at, cell in enumerate(ordered)}
    return [*first, *sorted(_dealt(ordered, max(1, jobs), together, group), key=lambda one: places[one[0]])]


def _dealt(
    cells: Iterable[Cell], workers: int, most: Together, group: Callable[[Cell], tuple[Any, ...]]
) -> Iterator[Pack]:
    """Cells of a group in packs of equal size, give or take one: as many for each worker."""
    groups: dict[tuple[Any, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault(group(cell), []).append(cell)
    for same in groups.values():
        count = workers * math.ceil(len(same) / (workers * most(same[0].protocol)))
        yield from (tuple(same[i::count]) for i in range(min(count, len(same))))


def at_a_time(packs: Sequence[Pack], jobs: int) -> int:
    """How many cells train at a time at most, when so many packs do."""
    return sum(sorted(map(len, packs))[-jobs:]) if jobs else 0
