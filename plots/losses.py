"""Losses at the end of the runs, over two hyper-parameters of each method.

There is a panel for each method, each protocol and each combination of flags and choices, with axes of its
own: upwards the method's first number that varies, to the right its second. All panels have one colour scale.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.analysis.labels import words as in_words
from harness.analysis.learned import learned
from harness.analysis.losses import Panel, Panels, panels
from harness.analysis.summary import hyper_columns
from harness.plots import squares, style, texts
from harness.plots.heading import Heading
from harness.plots.panels import BOTTOM, GAP, TITLE_LINE

# Inches. Squares are as large as the height of a printed page allows.
HIGHEST = 9.0
SIDES = (0.45, 0.4, 0.35, 0.3, 0.26)
NAME = 1.15  # a panel's least width, for its title
BARE = 0.12  # beside and below a panel without an axis there


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A panel, and the room that it takes. Lengths in inches."""

    panel: Panel
    title: str
    """Of one line or several."""
    words: float
    """Width of the widest part of the title that is never broken."""
    xs: list[Any]
    """[None]: no x varies."""
    ys: list[Any]
    """From top to bottom: the largest first."""
    x_labels: list[str]
    y_labels: list[str]
    side: float
    """Of a square."""

    @property
    def width(self) -> float:
        """Of the squares."""
        return len(self.xs) * self.side

    @property
    def room(self) -> float:
        """Of the squares, the title above and the name of x below."""
        return max(self.width, NAME, self.words, name_width(self.panel.axes.x))

    @property
    def height(self) -> float:
        """Of the squares."""
        return len(self.ys) * self.side

    @property
    def head(self) -> float:
        """Of the title."""
        return TITLE_LINE * (self.title.count("\n") + 1)

    @property
    def left(self) -> float:
        """The name and the labels of y."""
        return 0.33 + texts.widest(self.y_labels, style.TICK) if self.panel.axes.y else BARE

    @property
    def upright(self) -> bool:
        """Whether the labels of x are rotated: side by side they would overlap."""
        pitch = self.side if len(self.xs) > 1 else 1.0
        return texts.widest(self.x_labels, style.TICK) > pitch - 0.02

    @property
    def bottom(self) -> float:
        """The labels and the name of x; or what the name of y needs beyond the squares."""
        if not self.panel.axes.x:
            return BARE
        labels = texts.widest(self.x_labels, style.TICK) if self.upright else 0.0
        return max(BOTTOM + max(labels - style.TICK / 72, 0.0), name_width(self.panel.axes.y) - self.height)


def name_width(hyper_parameter: str | None) -> float:
    """Of an axis."""
    return texts.size(texts.name(hyper_parameter), style.LABEL)[0] if hyper_parameter else 0.0


Rows = list[list[Placed]]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """All panels, row by row. Lengths in inches."""

    rows: Rows
    left: float
    """From the left of a slot to the squares, the same everywhere, so that panels stand below each other."""

    def slot(self, one: Placed) -> float:
        """From the left of a panel's labels to those of the next."""
        return self.left + one.room + GAP

    def across(self, row: Sequence[Placed]) -> float:
        """Width of a row."""
        return sum(map(self.slot, row))

    @property
    def width(self) -> float:
        """Of the widest row."""
        return max(map(self.across, self.rows))

    @property
    def height(self) -> float:
        """Of all rows."""
        return sum(map(row_height, self.rows))


def row_height(row: Sequence[Placed]) -> float:
    """From the top of its titles to the names of its axes."""
    return max(one.head for one in row) + max(one.height + one.bottom for one in row)


def draw(
    trials: pd.DataFrame,
    trajectories: pd.DataFrame,
    grid: dict[str, Any],
    about: Mapping[str, Any] | None = None,
) -> Figure:
    """The figure of kind losses; frames as in records.schema, `grid` as its model dumps to JSON, `about` as
    in render.render."""
    rest = grid["figure"].get("rest", "median")
    found, what = panels(trials, trajectories, rest), learned(trials, about)
    sheet = _sheet(trials, found, rest)
    every = pd.concat([panel.squares for panel in found.panels], ignore_index=True)
    side = sheet.rows[0][0].side
    look = squares.look(every, found.untrained, what.named(found.name), side)

    # The key is to the right of the last row if there is room, else below it.
    used = sheet.across(sheet.rows[-1])
    page = style.page()
    fits = used + squares.key_width(look, wide=False) <= max(page.widest, sheet.width)
    right = len(sheet.rows) > 1 and fits
    wide = not (right or page.column)
    key_left = used + GAP if right else sheet.left
    edge = key_left + squares.key_width(look, wide=wide) + style.MARGIN
    width = max(sheet.width, page.narrowest * (not right), edge)
    said = _what(trials, found, rest)
    if look.norm.vmax == found.untrained:
        untrained = what.with_unit(float(f"{found.untrained:.3g}"))
        said += f". The colours end at what untrained weights have, {untrained}: a quarter of all runs at "
        said += "iteration 1 have less"
    heading = Heading.of(trials, what, grid["title"], said, width)
    top = heading.height + 0.08
    last = top + sheet.height - row_height(sheet.rows[-1])
    key_top = last + max(one.head for one in sheet.rows[-1]) - 0.2 if right else top + sheet.height + 0.02
    lowest = max(top + sheet.height, key_top + squares.key_height(look, wide)) + 0.05

    fig = Figure(figsize=(width, lowest))
    heading.draw(fig)
    for row in sheet.rows:
        left, upper = sheet.left, top + max(one.head for one in row)
        for one in row:
            ax = style.axes_at(fig, left, upper, one.width, one.height, label="panel")
            _fill(ax, one, look)
            ax.set_title(one.title, loc="left", pad=4, linespacing=1.15)
            left += sheet.slot(one)
        top += row_height(row)
    squares.key(fig, (key_left, key_top), wide, look)
    return fig


def _what(trials: pd.DataFrame, found: Panels, rest: str) -> str:
    """What the squares say."""
    budget = texts.iterations(int(trials["max_iterations"].iloc[0]))
    stopped = " or at the target" * bool(trials["target_loss"].notna().any())
    over = "median over seeds of the " * (trials["seed"].nunique() > 1)
    text = f"{over}{found.name} after {budget}{stopped}"
    if any(panel.axes.rest for panel in found.panels):
        which = "then the median" if rest == "median" else "then the least"
        text += f"; {which} over the hyper-parameters that a title names"
    return text


def _sheet(trials: pd.DataFrame, found: Panels, rest: str) -> Sheet:
    """With the largest squares whose panels are no higher than HIGHEST, or else the smallest."""
    protocols = in_words(trials)
    numbers = texts.numbers_of(trials, hyper_columns(trials))

    def placed(panel: Panel, side: float) -> Placed:
        x, y = panel.axes.x, panel.axes.y
        xs = sorted(panel.squares[x].unique().tolist()) if x else [None]
        ys = sorted(panel.squares[y].unique().tolist(), reverse=True) if y else [None]
        protocol = protocols[panel.preset, panel.changes] if len(protocols) > 1 else ""
        parts = _parts(panel, numbers, rest)
        words = texts.widest([part for line in parts for part in line], style.LABEL)
        return Placed(
            panel=panel,
            title=_title(panel.method, parts, protocol, max(len(xs) * side, NAME, words) + GAP / 2),
            words=words,
            xs=xs,
            ys=ys,
            x_labels=[numbers[x][value] for value in xs] if x else [],
            y_labels=[numbers[y][value] for value in ys] if y else [],
            side=side,
        )

    for side in SIDES:
        all_placed = [placed(panel, side) for panel in found.panels]
        sheet = Sheet(rows=[], left=max(one.left for one in all_placed))
        sheet = replace(sheet, rows=_rows(sheet, all_placed))
        if sheet.height <= HIGHEST:
            break
    return sheet


def _parts(panel: Panel, numbers: texts.Numbers, rest: str) -> list[list[str]]:
    """Lines of a panel's title below the method, in parts that are never broken."""
    lines = []
    if panel.apart:
        lines.append(texts.values(pd.Series(panel.apart, dtype=object), list(panel.apart), numbers))
    if panel.axes.rest:
        first, *others = map(texts.name, panel.axes.rest)
        lines.append([f"{'median over' if rest == 'median' else 'best of'} {first}", *others])
    return lines


def _title(method: str, parts: Sequence[Sequence[str]], protocol: str, inches: float) -> str:
    lines = [texts.wrapped(texts.method(method), inches, style.LABEL)]
    for line in parts:
        flowed = texts.flow(line, inches - 0.05, style.LABEL)
        lines.append(flowed.replace("\n", ",\n"))
    if protocol:
        lines.append(texts.wrapped(protocol, inches, style.LABEL))
    return "\n".join(lines)


def _rows(sheet: Sheet, all_placed: list[Placed]) -> Rows:
    """Even rows as wide as the page allows; each protocol begins one, if it has several panels."""

    by_protocol: dict[tuple[str, str], list[Placed]] = {}
    for one in all_placed:
        by_protocol.setdefault((one.panel.preset, one.panel.changes), []).append(one)
    several = max(map(len, by_protocol.values())) > 1
    rows: Rows = []
    for block in by_protocol.values() if several else [all_placed]:
        fewest = len(_flow(sheet, block, len(block)))
        rows += _flow(sheet, block, math.ceil(len(block) / fewest))
    return rows


def _flow(sheet: Sheet, block: Sequence[Placed], most: int) -> Rows:
    """Rows of at most so many panels, at least one."""
    rows: Rows = []
    for one in block:
        full = not rows or len(rows[-1]) == most
        if full or sheet.across([*rows[-1], one]) > style.page().widest:
            rows.append([])
        rows[-1].append(one)
    return rows


def _fill(ax: Axes, one: Placed, look: squares.Look) -> None:
    """Every square of the panel, and its axes; a point that the grid does not have stays empty."""
    x, y = one.panel.axes.x, one.panel.axes.y
    found = one.panel.squares
    columns = [one.xs.index(value) for value in found[x]] if x else [0] * len(found)
    rows = [one.ys.index(value) for value in found[y]] if y else [0] * len(found)
    losses = np.full((len(one.ys), len(one.xs)), np.nan)
    losses[rows, columns] = found["loss"].where(found["state"] == "loss")
    squares.draw(ax, pd.DataFrame(losses), look)
    for column, row, (_, square) in zip(columns, rows, found.iterrows(), strict=True):
        squares.write(ax, column, row, square, look)
    ax.tick_params(length=0, pad=2)
    if x:
        ax.set_xticks(np.arange(len(one.xs)) + 0.5, one.x_labels, rotation=90 if one.upright else 0)
        ax.set_xlabel(texts.name(x), labelpad=2, loc="left" if name_width(x) > one.width else "center")
    if y:
        ax.set_yticks(np.arange(len(one.ys)) + 0.5, one.y_labels)
        ax.set_ylabel(texts.name(y), labelpad=2, loc="top" if name_width(y) > one.height else "center")
