"""The parts of a folder in compact tables, put together as those of one grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from harness.cell import Cell
from harness.records import schema
from harness.records.describing import grid_of
from harness.records.trials import row


def joined(
    parts: Sequence[tuple[pa.Table, pa.Table, dict[str, Any]]],
) -> tuple[pa.Table, pa.Table, dict[str, Any]]:
    """The tables of all parts as those of one grid. Cells of methods that have no part yet are rows too."""
    trials, trajectories = (
        pa.concat_tables([part[at] for part in parts], promote_options="default") for at in (0, 1)
    )
    about, cells = joined_about([about for *_, about in parts], trials)
    grid, known = grid_of(about), {*trials["cell_id"].to_pylist()}
    rest = of_rows([row(grid, cell, None) for cell in cells if cell.cell_id not in known], cells)
    whole = pa.concat_tables([trials, rest], promote_options="default")
    recorded = schema.trajectories(cells)
    places = {cell_id: at for at, cell_id in enumerate(whole["cell_id"].to_pylist())}
    return (
        whole.take([places[cell.cell_id] for cell in cells]).select(rest.column_names),
        trajectories.select([name for name in recorded if name in trajectories.column_names]),
        about,
    )


def joined_about(parts: Sequence[dict[str, Any]], trials: pa.Table) -> tuple[dict[str, Any], Sequence[Cell]]:
    """The description of a folder in parts, and the cells of its grid. Parts are written one after the other,
    while the grid grows or changes: it is the largest that has the cells of all. `trials`: of all, or their
    cell_id and seed alone. ValueError: there is none."""
    known, seeds = {*trials["cell_id"].to_pylist()}, sorted({*trials["seed"].to_pylist()})
    for about in sorted(parts, key=lambda about: -grid_of(about).size):
        cells = grid_of(about).cells(seeds)
        if known <= {cell.cell_id for cell in cells}:
            return about | {"origins": [origin for part in parts for origin in part["origins"]]}, cells
    raise ValueError("its parts are of different grids")


def of_rows(rows: Iterable[Mapping[str, Any]], cells: Iterable[Cell]) -> pa.Table:
    """The trials of these cells."""
    return pa.Table.from_pylist(list(rows), schema.arrow(schema.trials(cells)))
