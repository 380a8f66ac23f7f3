"""Figures 2 and 3, and the landscape: iterations to the target over two hyper-parameters.

There is a panel for each setting of the other hyper-parameters, each method and each protocol. A method that
lacks the two (MAML has no hyper-rates) is a box beside the panels whose setting it shares. A count is drawn
only where the median over seeds is finite; every other cell has a mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from harness.analysis.learned import Learned, chances, learned
from harness.analysis.summary import cells_over_seeds
from harness.plots import cells, style, texts
from harness.plots.heading import Heading
from harness.plots.panels import BOTTOM, GAP, TITLE_LINE, Arrangement, arrange, most_lines

TUNED = 1.8
"""Points: the frame of the panel of the tuned rates."""
BAND = "0.92"
"""The colour behind a row's header."""


def draw(trials: pd.DataFrame, grid: dict[str, Any], about: Mapping[str, Any] | None = None) -> Figure:
    """The figure of kind heatmap; `trials` as in records.schema, `grid` as its model dumps to JSON, `about`
    as in render.render."""
    summed = cells_over_seeds(trials)
    budget, target = int(trials["max_iterations"].iloc[0]), float(trials["target_loss"].iloc[0])
    look = cells.look(summed, budget)
    placed = arrange(trials, summed, grid["figure"], cells.room(summed))
    look = replace(look, tuned=len(placed.tuned) > 0)
    high = placed.panel[1]

    # The key is to the right of the last row if there is room, else below it.
    used = placed.left + len(placed.rows[-1]) * placed.slot
    right = used + cells.key_width(look, budget, wide=False) <= max(style.page().widest, placed.across)
    wide = not (right or style.page().column)
    key_left = used + 0.1 if right else placed.left
    edge = key_left + cells.key_width(look, budget, wide) + style.MARGIN
    width = max(placed.across, style.page().narrowest * (not right), edge)
    what = learned(trials, about)
    said = _what(what, target, budget, look, placed) + _from_chance(chances(trials, about), what, target)
    heading = Heading.of(trials, what, grid["title"], said, width)
    column = style.page().column
    gap = placed.bottom if column else GAP  # there each panel has its axes named
    top, step = heading.height + 0.08 + placed.above, placed.head + high + gap
    bottom = top + len(placed.rows) * step - gap
    uneven = len(placed.rows) > 1 and len(placed.rows[-1]) < len(placed.rows[-2])
    names = placed.bottom - BOTTOM + 0.35
    key_top = bottom - high - 0.2 + names * uneven  # below the axis labels of the panel above
    key_at = (key_left, key_top if right else bottom + placed.bottom)
    lowest = max(bottom + placed.bottom, key_at[1] + cells.key_height(look, wide) + 0.05)

    fig = Figure(figsize=(width, lowest))
    heading.draw(fig)
    if placed.headers:
        _write_headers(fig, placed, top, step)
    for r, row in enumerate(placed.rows):
        for c, panel in enumerate(row):
            left, upper = placed.left + c * placed.slot, top + r * step + placed.head
            ax = style.axes_at(fig, left, upper, *placed.panel, label="panel")
            _fill(ax, panel, placed, look)
            ax.set_title(placed.title(panel.iloc[0]), loc="left", pad=4, linespacing=1.15)
            covered = not column and r + 1 < len(placed.rows) and c < len(placed.rows[r + 1])
            _name_axes(ax, placed, bottom=not covered, left=c == 0)
            beside = placed.baselines(panel.iloc[0])
            _boxes(fig, (left + placed.box, upper), beside, placed, look)
            if beside.index.isin(placed.tuned).any():
                ax.spines[:].set(linewidth=TUNED)
    cells.key(fig, key_at, wide, look, budget, target)
    return fig


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


def _from_chance(chances: Mapping[str, float], what: Learned, target: float) -> str:
    """How far the target lies from the losses at chance, the least and the greatest; empty: there is none."""
    if np.isnan(target) or not chances:
        return ""
    levels = [*chances.items()]
    away = dict.fromkeys(_away(*level, what, target) for level in (levels[0], levels[-1]))
    return f"\nThe target lies {' to '.join(away)}"


def _away(name: str, chance: float, what: Learned, target: float) -> str:
    far = what.with_unit(float(f"{abs(target - chance):.2g}"))
    side = "below" if target < chance else "above"
    return f"{far} {side} chance ({name} = {chance:.4g})"


def _write_headers(fig: Figure, placed: Arrangement, top: float, step: float) -> None:
    """Above each column and each row of a table of panels; `top`: of the first row, in inches."""
    w, h = fig.get_size_inches()
    for c, header in enumerate(placed.column_headers):
        at = ((placed.left + c * placed.slot) / w, 1 - (top - 0.06) / h)
        fig.text(*at, header, size=style.LABEL, va="bottom", linespacing=1.15)
    deep = TITLE_LINE * most_lines(placed.row_headers)
    for r, header in enumerate(placed.row_headers):
        upper, across = top + r * step, placed.across - style.MARGIN
        band = Rectangle((style.MARGIN / 2 / w, 1 - (upper + deep) / h), across / w, deep / h, color=BAND)
        fig.add_artist(band).set(transform=fig.transFigure, zorder=-1)
        at = (style.MARGIN / w, 1 - (upper + 0.03) / h)
        fig.text(*at, header, size=style.LABEL, va="top", linespacing=1.15)


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
    fig: Figure, at: tuple[float, float], beside: pd.DataFrame, placed: Arrangement, look: cells.Look
) -> None:
    """The baselines of a panel, halfway up beside it."""
    step = placed.side + 0.25
    top = at[1] + (placed.panel[1] - len(beside) * step) / 2 + 0.125
    for k, (label, cell) in enumerate(beside.iterrows()):
        ax = style.axes_at(fig, at[0], top + k * step, placed.side, placed.side, label="baseline")
        cells.mesh(ax, pd.DataFrame([[cell["iterations_to_target"]]]), look.norm)
        cells.write(ax, 0, 0, cell, look)
        ax.set_title(texts.literal(texts.method(cell["method"])), size=style.SMALL, pad=2.5)
        if label in placed.tuned:
            ax.set_xlabel(cells.TUNED, size=style.SMALL, labelpad=2)
