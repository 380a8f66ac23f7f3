"""What a grid's file says of its figure, and which of the grid's cells each part of it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator

from harness.protocol import Cell, Frozen
from harness.strictyaml import Path_, Problem, show, suggest

Where = Mapping[str, tuple[int | float | str, ...]]
"""Wanted values of columns; see `matches`."""


def listed(value: Any) -> Any:
    """A scalar stands for a list of one."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _word(value: Any) -> int | float | str:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return value
    raise ValueError(f"{show(value)} is neither word nor number")


Words = Annotated[
    tuple[Annotated[int | float | str, PlainValidator(_word)], ...],
    BeforeValidator(listed),
    Field(min_length=1),
]
Line = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Heatmap(Frozen):
    """Counts in squares x by y, one panel for each combination of the `panels` columns. A method without
    x or y (MAML over hyper-rates) has its count beside the panel."""

    kind: Literal["heatmap"]
    panels: tuple[str, ...] = Field(min_length=1)
    x: str
    y: str

    @property
    def columns(self) -> tuple[str, ...]:
        """All the columns that it names."""
        return (*self.panels, self.x, self.y)


class Column(Frozen):
    """A column of the trajectories: its title, and the cells that are drawn in it."""

    title: Line
    where: dict[str, Words]


class Trajectories(Frozen):
    """Rates and losses over iterations; the cell `reference` is drawn in all columns."""

    kind: Literal["trajectories"]
    reference: dict[str, Words]
    columns: tuple[Column, ...] = Field(min_length=1)


Figure = Annotated[Heatmap | Trajectories, Field(discriminator="kind")]


def row_of(cell: Cell) -> dict[str, Any]:
    """The columns of a cell that a grid's file may name."""
    row = {"method": cell.method, "protocol": cell.protocol.label}
    return row | cell.hyper.model_dump() | {"seed": cell.seed}


def matches(wanted: Where, cell: Cell) -> bool:
    """Whether each wanted column that the cell has is among its wanted values. A column that its method
    lacks is passed over: MAML matches whatever the hyper-rates."""
    row = row_of(cell)
    return all(row[key] in values for key, values in wanted.items() if key in row)


def figure_problems(figure: Figure, target_loss: float | None, cells: tuple[Cell, ...]) -> Iterator[Problem]:
    """What is wrong with a figure of these cells of one seed; the paths are the grid's."""
    if isinstance(figure, Trajectories):
        yield from _trajectories_problems(figure, cells)
        return
    if target_loss is None:
        yield Problem(("target_loss",), "null; a heatmap counts the iterations to a target")
    yield from _heatmap_problems(figure, cells)


def _heatmap_problems(figure: Heatmap, cells: tuple[Cell, ...]) -> Iterator[Problem]:
    known = list(dict.fromkeys(key for cell in cells for key in row_of(cell) if key != "seed"))
    if "protocol" not in figure.panels and len({cell.protocol for cell in cells}) > 1:
        yield Problem(("figure", "panels"), "name protocol too: the grid has several readings")
        return
    at: list[Path_] = [*(("figure", "panels", i) for i in range(len(figure.panels)))]
    for key, path in zip(figure.columns, [*at, ("figure", "x"), ("figure", "y")], strict=True):
        if key not in known:
            yield Problem(path, f"no cell has {key}; {suggest(key, known)}")
        elif key == "protocol" and key not in figure.panels:
            yield Problem(path, "protocol is no number; it stands among the panels")
        elif figure.columns.count(key) > 1:
            yield Problem(path, f"{key} is there twice")
        elif key in figure.panels and (lacks := next((c for c in cells if key not in row_of(c)), None)):
            yield Problem(path, f"{lacks.method} has no {key}, so it would be in no panel")
    seen: dict[tuple[Any, ...], Cell] = {}
    for cell in cells:
        row = row_of(cell)
        inside = figure.x in row and figure.y in row
        square = tuple(row.get(key) for key in (figure.columns if inside else figure.panels))
        if square in seen:
            both = f"{describe(seen[square])} and {describe(cell)}"
            yield Problem(("figure", "panels"), f"name what differs; in one square fall {both}")
            return
        seen[square] = cell


def _trajectories_problems(figure: Trajectories, cells: tuple[Cell, ...]) -> Iterator[Problem]:
    values: dict[str, set[Any]] = {}
    for cell in cells:
        for key, value in row_of(cell).items():
            values.setdefault(key, set()).add(value)
    wanted: list[tuple[Path_, Where]] = [(("figure", "reference"), figure.reference)]
    wanted += [(("figure", "columns", i, "where"), c.where) for i, c in enumerate(figure.columns)]
    for path, where in wanted:
        unknown = list(_unknown(path, where, values))
        yield from unknown
        count = sum(matches({k: v for k, v in where.items() if k != "seed"}, cell) for cell in cells)
        if not unknown and (count == 0 or (path[-1] == "reference" and count > 1)):
            yield Problem(path, f"selects {count or 'no'} cells{' of a seed; one is drawn' if count else ''}")


def _unknown(path: Path_, where: Where, values: dict[str, set[Any]]) -> Iterator[Problem]:
    """Keys and values of a `where` that no cell has. Seeds are chosen when the grid is run."""
    for key, options in where.items():
        if key not in values:
            yield Problem((*path, key), f"no cell has {key}; {suggest(key, values)}")
        elif key != "seed":
            for i, option in enumerate(options):
                if option not in values[key]:
                    yield Problem((*path, key, i), f"no cell has {key} {show(option)}")


def describe(cell: Cell) -> str:
    """The cell in words, its seed apart."""
    return cell.describe().removesuffix(f" seed={cell.seed}")
