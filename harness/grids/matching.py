"""Which cells a `where` of a grid's file means, and which cells are compared with each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator

from harness.cell import Cell, label_beside
from harness.grids.mistakes import show

Where = Mapping[str, Collection[int | float | str | bool]]
"""Wanted values of columns; see `matches`."""


def listed(value: Any) -> Any:
    """A scalar stands for a list of one."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _word(value: Any) -> int | float | str | bool:
    if isinstance(value, int | float | str):
        return value
    raise ValueError(f"{show(value)} is neither a word nor a number")


Words = Annotated[
    tuple[Annotated[int | float | str | bool, PlainValidator(_word)], ...],
    BeforeValidator(listed),
    Field(min_length=1, max_length=1000),
]


def row_of(cell: Cell, preset: str) -> dict[str, Any]:
    """The columns of a cell that a grid's file may name; `preset`: the grid's."""
    protocol = label_beside(preset, cell.protocol)
    return {"method": cell.method, "protocol": protocol} | cell.hyper.model_dump() | {"seed": cell.seed}


def matches(wanted: Where, row: Mapping[str, Any]) -> bool:
    """Whether the row has a wanted value in every wanted column. A column that its method does not have is
    ignored: MAML matches whatever the hyper-rates."""
    return all(among(row[key], values) for key, values in wanted.items() if key in row)


def among(value: Any, values: Collection[Any]) -> bool:
    """Whether it is one of them; true is not 1."""
    return value in values and any(
        one == value and isinstance(one, bool) == isinstance(value, bool) for one in values
    )


def partners(minus: Where, rows: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """For each row, the positions of those that it is compared with: they match `minus`, and beside its keys
    they are equal to the row in all that both have (the seed too). A row that matches `minus` is its own."""
    there = {at for at, row in enumerate(rows) if matches(minus, row)}
    by_seed: dict[Any, list[int]] = {}
    for at in sorted(there):
        by_seed.setdefault(rows[at].get("seed"), []).append(at)
    found = []
    for at, row in enumerate(rows):
        others = [at] if at in there else by_seed.get(row.get("seed"), [])
        found.append([other for other in others if _alike(row, rows[other], minus)])
    return found


def _alike(row: Mapping[str, Any], other: Mapping[str, Any], minus: Where) -> bool:
    return all(other[key] == row[key] for key in row.keys() & other.keys() - minus.keys())
