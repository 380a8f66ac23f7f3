"""What a grid's tables say of themselves: the grid, the problem, and where their records come from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from harness import grids
from harness.cell import Cell
from harness.grids import Grid
from harness.records import provenance, record, schema
from harness.records.store import Scan


def describe(grid: Grid) -> dict[str, Any]:
    """What goes into the tables' metadata. `file` is there for a grid that is not one of sweeps/.

    chance_loss is null where the problem has no chance level. Older tables have no `problem`: theirs is
    few-shot.
    """
    return {
        "schema": schema.VERSION,
        "versions": provenance.of_code(),
        "grid": dumped(grid),
        **({"file": grid.file} if grid.file else {}),
        "protocol_label": grid.label,
        "problem": _described_problem(grid),
        "chance_loss": grid.protocol.chance_loss,
    }


def _described_problem(grid: Grid) -> dict[str, Any]:
    """What figures and pages say of it: they need not load what brought it."""
    what = grid.protocol.problem_type
    return {
        "name": grid.protocol.problem,
        "title": what.title,
        "unit": what.unit,
        "metrics": list(what.metrics),
    }


def dumped(grid: Grid) -> dict[str, Any]:
    """The grid as JSON has it."""
    whole: dict[str, Any] = json.loads(grid.model_dump_json())
    return whole


def about(grid: Grid, cells: Sequence[Cell], scan: Scan) -> dict[str, Any]:
    """The same, with where the records of these cells come from."""
    return describe(grid) | {"origins": _origins(cells, scan)}


def _origins(cells: Sequence[Cell], scan: Scan) -> list[dict[str, Any]]:
    """The different code and machines that made these cells' records, and how many records each."""
    counts: Counter[str] = Counter()
    for cell in cells:
        if header := scan.headers.get(cell.cell_id):
            keys = ("versions", "device", "threads", "pack_size", "dataset_sha256")
            origin = {key: header.provenance.get(key) for key in keys}
            if sources := header.provenance.get("plugins"):
                origin["plugins"] = sources
            counts[json.dumps(origin, sort_keys=True)] += 1
    return [json.loads(text) | {"records": count} for text, count in counts.items()]


def not_loaded(about: dict[str, Any]) -> str | None:
    """What a grid's tables are of and is not loaded: `method sign`; None: all of it is."""
    grid = about["grid"]
    protocols = [grid.get("protocol"), *(grid.get("readings") or ())]
    methods = [block.get("method") for block in grid.get("cells") or () if isinstance(block, dict)]
    parts = [{"protocol": one, "method": None} for one in protocols]
    parts += [{"protocol": {}, "method": method} for method in methods]
    return next((found for part in parts if (found := record.not_loaded(part)) is not None), None)


def grid_of(about: dict[str, Any]) -> Grid:
    """The grid that the tables were made for."""
    return grids.from_json(json.dumps(about["grid"])).model_copy(update={"file": about.get("file")})
