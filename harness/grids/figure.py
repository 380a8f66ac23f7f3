"""What a grid's file says about its figure, and which of the grid's cells each part of it shows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from harness.cell import Cell
from harness.common.frozen import Frozen
from harness.grids.matching import Where, Words, among, matches, partners, row_of
from harness.grids.mistakes import Mistake, show, suggest
from harness.grids.strictyaml import Place

MAX_TITLE = 200
"""Characters."""
MAX_VALUES, MAX_PANELS, MAX_SQUARES = 40, 100, 4_000
"""Of a heatmap, and of losses: values along an axis, panels, squares in all of them. More can no longer be
read."""
MAX_COLUMNS, MAX_LINES = 10, 20
"""Of trajectories: columns, and lines in one; with more lines their colours can no longer be told apart."""

WITHOUT_CURVES = ("heatmap",)
"""The kinds that are drawn from the trials alone; the others need the trajectories too."""

# Controls and line breaks, what turns the direction of writing, and code points that are no characters:
_UNPRINTABLE = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff"
_PRINTABLE = rf"^[^{_UNPRINTABLE}]*[^\s{_UNPRINTABLE}][^{_UNPRINTABLE}]*$"
Line = Annotated[str, Field(min_length=1, max_length=MAX_TITLE, pattern=_PRINTABLE)]


class Heatmap(Frozen):
    """Counts in squares, x by y, one panel for each combination of the `panels` columns; a single panel if
    there are none. The count of a method without x or y (MAML over hyper-rates) is shown beside the panel."""

    kind: Literal["heatmap"]
    panels: tuple[str, ...] = Field((), max_length=12)
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
    """Rates and losses over iterations; the cell `reference`, if there is one, is drawn in all columns. With
    `minus`, how far each cell is from the one that has these values and is otherwise the same: see
    `partners`."""

    kind: Literal["trajectories"]
    reference: dict[str, Words] | None = None
    columns: tuple[Column, ...] = Field(min_length=1, max_length=MAX_COLUMNS)
    # Left out if there is none: the figures of older tables say nothing of it.
    minus: dict[str, Words] | None = Field(None, exclude_if=lambda minus: minus is None)


class Losses(Frozen):
    """Losses at the end of the runs in squares, on axes of each method's own: see `axes_of`. `rest`: what is
    shown over the values of its further hyper-parameters."""

    kind: Literal["losses"]
    rest: Literal["median", "best"] = "median"


Figure = Annotated[Heatmap | Trajectories | Losses, Field(discriminator="kind")]


class Axes(Frozen):
    """Where the hyper-parameters of a method go in a figure of losses, by name: those that vary."""

    y: str | None
    """The first number; None: fewer than two vary, so that the panel is a row."""
    x: str | None
    """The second number, or the only one; None: none varies."""
    rest: tuple[str, ...]
    """Further numbers."""
    panels: tuple[str, ...]
    """Flags and choices: a panel for each combination."""


def axes_of(values: Mapping[str, Collection[int | float | str | bool]]) -> Axes:
    """The axes of a method whose hyper-parameters have these values in a grid, each once."""
    varied = [key for key, found in values.items() if len(found) > 1]
    panels = [key for key in varied if any(isinstance(value, str | bool) for value in values[key])]
    numbers = [key for key in varied if key not in panels]
    y, x = (numbers[0], numbers[1]) if len(numbers) > 1 else (None, next(iter(numbers), None))
    return Axes(y=y, x=x, rest=tuple(numbers[2:]), panels=tuple(panels))


def figure_mistakes(
    figure: Figure, target_loss: float | None, cells: tuple[Cell, ...], preset: str
) -> Iterator[Mistake]:
    """What is wrong with a figure of these cells, those of one seed; places and `preset` are the grid's.

    What passes can be drawn, and legibly.
    """
    rows = [row_of(cell, preset) for cell in cells]
    if isinstance(figure, Trajectories):
        yield from _trajectories_mistakes(figure, cells, rows)
        return
    if isinstance(figure, Losses):
        yield from _losses_mistakes(rows)
        return
    if target_loss is None:
        yield Mistake(
            ("target_loss",), "null; a heatmap counts the iterations to a target (kind: losses needs none)"
        )
    for check in (
        _column_mistakes(figure, rows),
        _square_mistakes(figure, cells, rows),
        _limit_mistakes(figure, cells, rows),
    ):
        if found := list(check):
            yield from found
            return  # what comes later takes this for granted


def _column_mistakes(figure: Heatmap, rows: Sequence[dict[str, Any]]) -> Iterator[Mistake]:
    """Columns that no cell has, or that cannot be where they are."""
    known = list(dict.fromkeys(key for row in rows for key in row if key != "seed"))
    if "protocol" not in figure.panels and len({row["protocol"] for row in rows}) > 1:
        yield Mistake(("figure", "panels"), "name protocol too: the grid has several readings")
        return
    at: list[Place] = [*(("figure", "panels", i) for i in range(len(figure.panels)))]
    for key, path in zip(figure.columns, [*at, ("figure", "x"), ("figure", "y")], strict=True):
        if key == "seed":
            yield Mistake(path, "a heatmap shows the median over seeds; leave seed out")
        elif key not in known:
            yield Mistake(path, f"no cell has {key}; {suggest(key, known)}")
        elif figure.columns.count(key) > 1:
            yield Mistake(path, f"{key} is listed twice")
        elif path[-1] in ("x", "y") and any(isinstance(row.get(key), str | bool) for row in rows):
            yield Mistake(path, f"{key} is not a number; list it among the panels")
        elif key in figure.panels and (lacks := next((row for row in rows if key not in row), None)):
            yield Mistake(path, f"{lacks['method']} has no {key}, so it would be in no panel")


def _square_mistakes(
    figure: Heatmap, cells: Sequence[Cell], rows: Sequence[dict[str, Any]]
) -> Iterator[Mistake]:
    """Two cells in one square."""
    seen: dict[tuple[Any, ...], Cell] = {}
    for cell, row in zip(cells, rows, strict=True):
        inside = figure.x in row and figure.y in row
        square = tuple(row.get(key) for key in (figure.columns if inside else figure.panels))
        if square in seen:
            both = f"{seen[square].describe_point()} and {cell.describe_point()}"
            yield Mistake(("figure", "panels"), f"name what differs; {both} share a square")
            return
        seen[square] = cell


def _limit_mistakes(
    figure: Heatmap, cells: Sequence[Cell], rows: Sequence[dict[str, Any]]
) -> Iterator[Mistake]:
    """More than can be drawn, and cells that no panel would show."""
    inside = [row for row in rows if figure.x in row and figure.y in row]
    if not inside:
        yield Mistake(("figure", "x"), f"no cell has both {figure.x} and {figure.y}")
        return
    apart = {"seed", figure.x, figure.y}
    panels = {frozenset((key, row[key]) for key in row.keys() - apart) for row in inside}
    for axis, key in (("x", figure.x), ("y", figure.y)):
        if (count := len({row[key] for row in inside})) > MAX_VALUES:
            yield Mistake(("figure", axis), f"{key} has {count:,} values; {_most(MAX_VALUES)}")
    if len(panels) > MAX_PANELS:
        yield Mistake(("figure", "panels"), f"{len(panels):,} panels; {_most(MAX_PANELS)}")
    elif len(inside) > MAX_SQUARES:
        yield Mistake(("figure", "panels"), f"{len(inside):,} squares; {_most(MAX_SQUARES)}")
    else:
        for cell, row in zip(cells, rows, strict=True):
            beside = {(key, row[key]) for key in row.keys() - apart - {"method"}}
            if not any(beside <= panel for panel in panels):
                lacks = " and ".join(key for key in (figure.x, figure.y) if key not in row)
                text = f"no panel has the values of {cell.describe_point()}, which has no {lacks}"
                yield Mistake(("figure", "panels"), text)
                return


def _most(count: int) -> str:
    return f"at most {count:,} can be drawn legibly"


def _losses_mistakes(rows: Sequence[dict[str, Any]]) -> Iterator[Mistake]:
    """More than can be drawn."""
    place, panels, squares = ("figure", "kind"), 0, 0
    known = dict.fromkeys(key for row in rows for key in row if key not in ("method", "protocol", "seed"))
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        values = {key: {row[key] for row in own} for key in known if key in own[0]}
        axes = axes_of(values)
        for key in (axes.x, axes.y):
            if key and (count := len(values[key])) > MAX_VALUES:
                yield Mistake(place, f"{method} has {count:,} values of {key}; {_most(MAX_VALUES)}")
                return
        apart = ["protocol", *axes.panels]
        inside = [*apart, *filter(None, (axes.x, axes.y))]
        panels += len({tuple(row[key] for key in apart) for row in own})
        squares += len({tuple(row[key] for key in inside) for row in own})
    for count, what, most in ((panels, "panels", MAX_PANELS), (squares, "squares", MAX_SQUARES)):
        if count > most:
            yield Mistake(place, f"{count:,} {what}; {_most(most)}")
            return


def _trajectories_mistakes(
    figure: Trajectories, cells: Sequence[Cell], rows: Sequence[dict[str, Any]]
) -> Iterator[Mistake]:
    values: dict[str, set[Any]] = {}
    for row in rows:
        for key, value in row.items():
            values.setdefault(key, set()).add(value)
    wanted: list[tuple[Place, Where]] = []
    if figure.reference is not None:
        wanted.append((("figure", "reference"), figure.reference))
    wanted += [(("figure", "columns", i, "where"), c.where) for i, c in enumerate(figure.columns)]
    sound = True
    for path, where in wanted:
        found = [*_unknown(path, where, values)] or [*_count_mistakes(path, where, rows)]
        yield from found
        sound = sound and not found
    if figure.minus is not None and sound:
        yield from _minus_mistakes(figure.minus, wanted, cells, rows, values)


def _count_mistakes(path: Place, where: Where, rows: Sequence[dict[str, Any]]) -> Iterator[Mistake]:
    """No cell, too many lines, or not one reference."""
    count = len(_selected(where, rows))
    if count == 0 or (path[-1] == "reference" and count > 1):
        yield Mistake(path, f"selects {count or 'no'} cells{' per seed; select one' if count else ''}")
    elif count > MAX_LINES:
        yield Mistake(path, f"selects {count:,} lines; {_most(MAX_LINES)}")


def _selected(where: Where, rows: Sequence[dict[str, Any]]) -> list[int]:
    """The positions of the rows that it selects, whatever their seeds."""
    of_any_seed = {key: frozenset(options) for key, options in where.items() if key != "seed"}
    return [at for at, row in enumerate(rows) if matches(of_any_seed, row)]


def _minus_mistakes(
    minus: Where,
    wanted: Sequence[tuple[Place, Where]],
    cells: Sequence[Cell],
    rows: Sequence[dict[str, Any]],
    values: dict[str, set[Any]],
) -> Iterator[Mistake]:
    """Drawn cells without exactly one to be compared with, and parts that would show nothing but zeros."""
    place: Place = ("figure", "minus")
    if not minus:
        yield Mistake(place, "names nothing; write what the runs to compare with have, such as method: maml")
        return
    if "seed" in minus:
        yield Mistake((*place, "seed"), "a run is compared with one of its own seed; leave seed out")
        return
    if unknown := list(_unknown(place, minus, values)):
        yield from unknown
        return
    found = partners(minus, rows)
    for path, where in wanted:
        drawn = [at for at in _selected(where, rows) if found[at] != [at]]
        if not drawn:
            yield Mistake(path, "selects only cells that figure.minus names; their difference is 0")
        if (odd := next((at for at in drawn if len(found[at]) != 1), None)) is not None:
            which = f"{cells[odd].describe_point()} under {rows[odd]['protocol']}"
            if count := len(found[odd]):
                yield Mistake(place, f"{count} cells have these values; name what else differs from {which}")
            else:
                yield Mistake(place, f"no cell has these values and is otherwise the same as {which}")
            return


def _unknown(path: Place, where: Where, values: dict[str, set[Any]]) -> Iterator[Mistake]:
    """Keys and values of a `where` that no cell has. Seeds are chosen when the grid is run."""
    for key, options in where.items():
        if key not in values:
            yield Mistake((*path, key), f"no cell has {key}; {suggest(key, values)}")
        for i, option in enumerate(options if key in values else ()):
            if key == "seed" and (isinstance(option, bool) or not isinstance(option, int) or option < 0):
                yield Mistake((*path, key, i), f"{show(option)} is not a seed; write a whole number >= 0")
            elif key != "seed" and not among(option, values[key]):
                yield Mistake((*path, key, i), f"no cell has {key} {show(option)}")
