"""Figures 2 and 3, and the landscape: iterations to the target over two hyper-parameters.

There is a panel for each setting of the other hyper-parameters, each method and each protocol. A method that
lacks the two (MAML has no hyper-rates) is a box beside the panels whose setting it shares. A count is drawn
only where the median over seeds is finite; every other cell has a mark.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.analysis.labels import words as in_words
from harness.analysis.learned import Learned, learned
from harness.analysis.summary import cells_over_seeds, equal, hyper_columns, setting_columns
from harness.plots import cells, style, texts
from harness.plots.heading import Heading

# Inches. Up to WIDEST, a figure fits a printed page or a slide without being made smaller.
WIDEST, NARROWEST = 8.4, 5.6
LEFT, BOTTOM, GAP, TITLE_LINE, BOX_GAP = 0.68, 0.5, 0.22, 0.19, 0.13
SIDES, SQUEEZED = (0.285, 0.45), 0.385


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """What is drawn where. Lengths in inches."""

    x: str
    y: str
    shared: list[str]
    """The hyper-parameters that are the same all over a panel, as are its method and its protocol."""
    protocols: Mapping[tuple[str, str], str]
    """(preset, changes) -> words."""
    xs: list[float]
    ys: list[float]
    """From top to bottom: the largest first."""
    numbers: texts.Numbers
    """The texts of all values."""
    words: float
    """Width of the widest name or value in the panels' titles."""
    rows: list[list[pd.DataFrame]]
    """The panels, row by row."""
    beside: pd.DataFrame
    """The baselines: cells of the methods that lack x or y."""
    side: float
    """Side of a cell."""

    @property
    def panel(self) -> tuple[float, float]:
        """Width and height of a panel."""
        return len(self.xs) * self.side, len(self.ys) * self.side

    @property
    def box(self) -> float:
        """From the left of a panel to the box beside it; beside a flat panel the box clears its title too."""
        return BOX_GAP + (max(self.panel[0], 1.6, self.words) if self.flat else self.panel[0])

    @property
    def flat(self) -> bool:
        """Whether the box beside a panel reaches up to the panel's title."""
        return len(self.ys) == 1 and len(self.beside) > 0

    @property
    def slot(self) -> float:
        """From the left of one panel to the left of the next: cells, the box beside them, a gap."""
        across = self.box + max(self.side, 0.4) if len(self.beside) else self.panel[0]
        return GAP + max(across, 1.7, self.words)

    @property
    def left(self) -> float:
        """From the left of the figure to the first panel: the name and the labels of y."""
        return max(LEFT, 0.33 + texts.widest(self.numbers[self.y].values(), style.TICK))

    @property
    def upright(self) -> bool:
        """Whether the labels of x are rotated: side by side they would overlap."""
        pitch = self.side if len(self.xs) > 1 else 1.0
        return texts.widest(self.numbers[self.x].values(), style.TICK) > pitch - 0.02

    @property
    def bottom(self) -> float:
        """Below the last row of panels: the labels and the name of x."""
        labels = texts.widest(self.numbers[self.x].values(), style.TICK) if self.upright else 0.0
        return BOTTOM + max(labels - style.TICK / 72, 0.0)

    @property
    def several(self) -> bool:
        """Whether more than one method has panels, so that their titles have to name it."""
        return len({panel["method"].iloc[0] for row in self.rows for panel in row}) > 1

    def title(self, first: pd.Series) -> str:
        """The title of the panel that `first` is a cell of."""
        room = self.box - BOX_GAP / 2 if self.flat else self.slot - GAP / 2
        lines = [texts.method(first["method"])] * self.several
        if values := texts.values(first, self.shared, self.numbers):
            lines.append(texts.flow(values, room, style.LABEL, most=2))
        if len(self.protocols) > 1:
            protocol = self.protocols[first["preset"], first["changes"]]
            lines.append(texts.wrapped(protocol, room, style.LABEL))
        return "\n".join(lines)

    @property
    def head(self) -> float:
        """Height of the panels' titles."""
        return TITLE_LINE * max(
            self.title(panel.iloc[0]).count("\n") + 1 for row in self.rows for panel in row
        )


def draw(trials: pd.DataFrame, grid: dict[str, Any], about: Mapping[str, Any] | None = None) -> Figure:
    """The figure of kind heatmap; `trials` as in records.schema, `grid` as its model dumps to JSON, `about`
    as in render.render."""
    summed, what = cells_over_seeds(trials), learned(trials, about)
    budget, target = int(trials["max_iterations"].iloc[0]), float(trials["target_loss"].iloc[0])
    look = cells.look(summed, budget)
    placed = _arrange(trials, summed, grid["figure"], cells.room(summed, look))
    across, high = max(map(len, placed.rows)) * placed.slot + placed.left, placed.panel[1]

    # The key is to the right of the last row if there is room, else below it.
    used = placed.left + len(placed.rows[-1]) * placed.slot
    right = used + cells.key_width(look, budget, wide=False) <= max(WIDEST, across)
    key_left = used if right else placed.left
    width = max(across, NARROWEST * (not right), key_left + cells.key_width(look, budget, wide=not right))
    heading = Heading.of(trials, what, grid["title"], _what(what, target, budget, look, placed), width)
    top, step = heading.height + 0.08, placed.head + high + GAP
    bottom = top + len(placed.rows) * step - GAP
    uneven = len(placed.rows) > 1 and len(placed.rows[-1]) < len(placed.rows[-2])
    names = placed.bottom - BOTTOM + 0.35
    key_top = bottom - high - 0.2 + names * uneven  # below the axis labels of the panel above
    key_at = (used + 0.1, key_top) if right else (placed.left, bottom + placed.bottom)
    lowest = max(bottom + placed.bottom, key_at[1] + cells.key_height(look, not right) + 0.05)

    fig = Figure(figsize=(width, lowest))
    heading.draw(fig)
    for r, row in enumerate(placed.rows):
        for c, panel in enumerate(row):
            left, upper = placed.left + c * placed.slot, top + r * step + placed.head
            ax = style.axes_at(fig, left, upper, *placed.panel, label="panel")
            _fill(ax, panel, placed, look)
            ax.set_title(placed.title(panel.iloc[0]), loc="left", pad=4, linespacing=1.15)
            covered = r + 1 < len(placed.rows) and c < len(placed.rows[r + 1])
            _name_axes(ax, placed, bottom=not covered, left=c == 0)
            _boxes(fig, (left + placed.box, upper), panel.iloc[0], placed, look)
    cells.key(fig, key_at, not right, look, budget, target)
    return fig


def _arrange(trials: pd.DataFrame, summed: pd.DataFrame, figure: dict[str, Any], room: float) -> Arrangement:
    """Where everything goes; `summed` as from cells_over_seeds, `room`: inches that a square needs."""
    x, y = figure["x"], figure["y"]
    inside = summed[summed[x].notna() & summed[y].notna()]
    keys = ["method", *(key for key in setting_columns(trials) if key not in (x, y))]
    panels = [panel for _, panel in inside.groupby(keys, sort=False, dropna=False)]
    xs, ys = sorted(inside[x].unique()), sorted(inside[y].unique(), reverse=True)
    first = figure["panels"][0]
    blocks = _blocks(panels, ["preset", "changes"] if first == "protocol" else [first])
    shared = [key for key in hyper_columns(trials) if key not in (x, y)]
    numbers = texts.numbers_of(trials, [x, y, *shared])
    words = [texts.method(name) for name in inside["method"].unique()]
    words += [text for panel in panels for text in texts.values(panel.iloc[0], shared, numbers)]
    natural = max(float(np.clip(1.7 / max(len(xs), len(ys)), *SIDES)), room)  # larger in a small panel
    loose = Arrangement(
        x=x,
        y=y,
        shared=shared,
        protocols=in_words(trials),
        numbers=numbers,
        words=texts.widest(words, style.LABEL),
        xs=xs,
        ys=ys,
        rows=[],
        beside=summed.drop(inside.index),
        side=natural,
    )
    both = [replace(loose, side=side) for side in (natural, min(natural, max(SQUEEZED, room)))]
    both = [replace(one, rows=_rows(blocks, int((WIDEST - one.left) / one.slot))) for one in both]
    return min(both, key=lambda one: len(one.rows))  # smaller cells only if that saves rows


def _blocks(panels: list[pd.DataFrame], lead: list[str]) -> list[list[pd.DataFrame]]:
    """Panels that share rows: those of one value of `lead`, the first column that the grid names for panels;
    if each of these had a single panel, those of one method; else all of them."""
    for keys in (["method", *lead], ["method"]):
        blocks: dict[tuple, list[pd.DataFrame]] = {}
        for panel in panels:
            blocks.setdefault(tuple(panel[key].iloc[0] for key in keys), []).append(panel)
        if any(len(block) > 1 for block in blocks.values()):
            return list(blocks.values())
    return [panels]


def _rows(blocks: list[list[pd.DataFrame]], fit: int) -> list[list[pd.DataFrame]]:
    """Each block in even rows of at most `fit` panels, at least one."""
    rows, fit = [], max(fit, 1)
    for block in blocks:
        columns = math.ceil(len(block) / math.ceil(len(block) / fit))
        rows += [block[k : k + columns] for k in range(0, len(block), columns)]
    return rows


def _what(what: Learned, target: float, budget: int, look: cells.Look, placed: Arrangement) -> str:
    goal = what.with_unit(target)
    count = "median " * look.several_seeds + f"first iteration with training loss ≤ {goal}"
    asked = f"{'no target' if np.isnan(target) else count}, budget {texts.iterations(budget)}"
    if placed.several:
        return asked
    method = texts.method(placed.rows[0][0]["method"].iloc[0])
    if placed.beside.empty:
        return f"{method}: {asked}"
    boxes = " and ".join(texts.method(name) for name in placed.beside["method"].unique())
    return f"{method} in the panels, {boxes} beside them: {asked}"


def _fill(ax: Axes, panel: pd.DataFrame, placed: Arrangement, look: cells.Look) -> None:
    """Every cell of the panel; a point that the grid does not have stays empty."""
    counts = panel.pivot(index=placed.y, columns=placed.x, values="iterations_to_target")
    cells.mesh(ax, counts.reindex(index=placed.ys, columns=placed.xs), look.norm)
    for _, cell in panel.iterrows():
        cells.write(ax, placed.xs.index(cell[placed.x]), placed.ys.index(cell[placed.y]), cell, look)


def _name_axes(ax: Axes, placed: Arrangement, bottom: bool, left: bool) -> None:
    """Ticks and labels at the outer panels only; all panels of a figure have the same axes."""
    ax.tick_params(length=0, pad=2)
    if bottom:
        labels = [placed.numbers[placed.x][value] for value in placed.xs]
        ax.set_xticks(np.arange(len(labels)) + 0.5, labels, rotation=90 if placed.upright else 0)
        ax.set_xlabel(texts.name(placed.x), labelpad=2)
    if left:
        labels = [placed.numbers[placed.y][value] for value in placed.ys]
        ax.set_yticks(np.arange(len(labels)) + 0.5, labels)
        ax.set_ylabel(texts.name(placed.y), labelpad=2)


def _boxes(
    fig: Figure, at: tuple[float, float], first: pd.Series, placed: Arrangement, look: cells.Look
) -> None:
    """The baselines of a panel (those that share every setting they have with it), halfway up beside it."""
    keys = [*placed.shared, "preset", "changes"]
    same = [placed.beside[key].isna() | equal(placed.beside[key], first[key]) for key in keys]
    beside = placed.beside[np.logical_and.reduce(same)]
    step = placed.side + 0.25
    top = at[1] + (placed.panel[1] - len(beside) * step) / 2 + 0.125
    for k, (_, cell) in enumerate(beside.iterrows()):
        ax = style.axes_at(fig, at[0], top + k * step, placed.side, placed.side, label="baseline")
        cells.mesh(ax, pd.DataFrame([[cell["iterations_to_target"]]]), look.norm)
        cells.write(ax, 0, 0, cell, look)
        ax.set_title(texts.method(cell["method"]), size=style.SMALL, pad=2.5)
