"""A row for each method, in a group for each environment; columns of axes along them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.analysis.sensitivity import Measures
from harness.plots import style, texts
from harness.plots.measures import page

# Inches.
ROW, GAP, HEAD_LINE = 0.2, 0.1, 0.17
MOST = 10.4
"""Of all rows: what does not fit is left out, so that a figure is no higher than some 12 inches."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Which rows there are, and where the columns stand. Lengths in inches."""

    groups: Mapping[str, Sequence[str]]
    """Environment -> methods, from top to bottom."""
    columns: Sequence[str]
    """Their titles."""
    beside: Sequence[float]
    """Room for words to the right of each column."""
    before: Sequence[float] = ()
    """The same to the left; empty: none."""
    width: float = page.WIDTH
    name: float = page.NAME
    """Of a method, at most."""
    titles: Mapping[str, str]
    """Environment -> title; empty: none."""
    under: float = 0.24
    """Room for an axis."""
    own_scales: bool = False
    """Whether each group has an axis of its own; else all have that of the last."""

    @property
    def named(self) -> dict[str, str]:
        """Method -> its name as it is written."""
        return page.named(dict.fromkeys(name for some in self.groups.values() for name in some), self.name)

    @property
    def names(self) -> float:
        """Of the widest name of a method."""
        return texts.widest(self.named.values(), style.TICK) + 0.1

    @property
    def wide(self) -> float:
        """Of a column's axes."""
        words = sum(self.beside) + sum(self.before)
        return (self.width - 2 * style.MARGIN - self.names - words) / len(self.columns)

    def left(self, column: int) -> float:
        """Where the axes of a column begin, from the left of the figure."""
        words = sum(self.beside[:column]) + sum(self.before[: column + 1])
        return style.MARGIN + self.names + column * self.wide + words

    @property
    def heads(self) -> list[str]:
        """The titles of the columns."""
        room = [self.wide + beside - 0.1 for beside in self.beside]
        return [texts.wrapped(title, w, style.TICK) for title, w in zip(self.columns, room, strict=True)]

    @property
    def head(self) -> float:
        """Height of the columns' titles."""
        if not any(self.heads):
            return 0.0
        return HEAD_LINE * (max(title.count("\n") for title in self.heads) + 1) + 0.06

    def title(self, name: str) -> str:
        """Of a group."""
        return texts.wrapped(self.titles[name], self.width - 2 * style.MARGIN, style.TICK, bold=True)

    def heights(self) -> list[tuple[float, float]]:
        """Of each group's title, and of its rows."""
        titles = [self.title(name) for name in self.groups]
        lines = [(title.count("\n") + 1) * bool(title) for title in titles]
        return [
            (HEAD_LINE * n + 0.04 * (n > 0), ROW * len(some))
            for n, some in zip(lines, self.groups.values(), strict=True)
        ]

    @property
    def height(self) -> float:
        """Of everything."""
        axes = self.under * (len(self.groups) if self.own_scales else 1)
        return self.head + sum(title + rows + GAP for title, rows in self.heights()) + axes

    def fitting(self) -> Rows:
        """With as many groups, from the first on, as there is room for."""
        room = MOST - self.head - self.under * (not self.own_scales)
        kept: dict[str, Sequence[str]] = {}
        for (place, names), (title, rows) in zip(self.groups.items(), self.heights(), strict=True):
            room -= title + rows + GAP + self.under * self.own_scales
            if kept and room < 0:
                break
            kept[place] = names
        return replace(self, groups=kept)

    def axes(self, fig: Figure, top: float) -> dict[tuple[str, int], Axes]:
        """(Environment, column) -> its axes, row 0 at the top, with the names of the rows and all titles."""
        found = {}
        named = self.named
        at = top + self.head
        for place, (title, high) in zip(self.groups, self.heights(), strict=True):
            for c in range(len(self.columns)):
                ax = style.axes_at(fig, self.left(c), at + title, self.wide, high, label=f"{place}|{c}")
                self._rows(ax, place, named if c == 0 else {}, place == [*self.groups][-1])
                found[place, c] = ax
            page.write(fig, style.MARGIN, at + title - 0.05, self.title(place), weight="bold")
            at += title + high + GAP + self.under * self.own_scales
        for c, head in enumerate(self.heads):
            page.write(fig, self.left(c), top + self.head - 0.06, head)
        return found

    def _rows(self, ax: Axes, place: str, named: Mapping[str, str], last: bool) -> None:
        names = self.groups[place]
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.set_yticks(range(len(names)), [named[name] for name in names] if named else [])
        page.bare(ax)
        if self.before:
            ax.tick_params(axis="y", pad=3.5 + 72 * self.before[0])
        ax.tick_params(axis="x", pad=2, length=2.5)
        if not (last or self.own_scales):
            ax.tick_params(axis="x", which="both", labelbottom=False)


def grouped(rows: pd.DataFrame, measures: Measures) -> dict[str, list[str]]:
    """Environment -> methods, of these numbers."""
    return {
        place: page.methods(rows[rows["environment"] == place], measures)
        for place in page.environments(rows, measures)
    }


def beside(ax: Axes, row: float, text: str, colour: str = page.INK) -> None:
    """Words to the right of a row."""
    ax.annotate(
        text,
        (1, row),
        (5, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        size=style.SMALL,
        color=colour,
        va="center_baseline",
    )
