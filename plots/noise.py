"""First passages by noise alone: how many networks that never learn have passed the target by iteration i."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from harness.paper import chance
from harness.paper.claims.definitions import PAPER_COUNT
from harness.plots import style

HEADS = {
    "linear": "head as in torch.nn.Linear",
    "xavier": "head Xavier uniform",
    "normal": r"head $N(0, 1)$",
    "small": r"head $N(0, 0.01^2)$",
}
"""Panels in this order; the words over them."""

TARGET = "#D55E00"
BINS = 60

# Inches.
WIDTH, LEFT, RIGHT, PANEL, GAP, APART, LOSSES = 7.4, 0.62, 0.12, 1.55, 0.58, 0.2, 0.95
BELOW, KEY = 0.5, 0.3


def render(losses: pd.DataFrame, path: Path) -> list[Path]:
    """Write <path>.png and .svg; `losses` as harness.paper.chance.read gives them."""
    return style.write(lambda: draw(losses), path)


def draw(losses: pd.DataFrame) -> Figure:
    """A column for each initialiser of the head: how its training losses lie, and under it who has passed."""
    found: dict[str, dict[int, NDArray[np.float64]]] = {}
    for head, tasks, table in chance.settings(losses):
        found.setdefault(head, {})[tasks] = table
    order = [head for head in HEADS if head in found]
    heading = style.Heading("Passing by chance: networks that keep their initial weights", _what(losses))
    top = heading.height + 0.3
    lower = top + LOSSES + GAP
    fig = Figure(figsize=(WIDTH, lower + PANEL + BELOW + KEY))
    heading.draw(fig)
    width = (WIDTH - LEFT - RIGHT - (len(HEADS) - 1) * APART) / len(HEADS)
    for at, head in enumerate(order):
        left = LEFT + at * (width + APART)
        colours = dict(zip(found[head], style.sequence(len(found[head])), strict=True))
        above = style.axes_at(fig, left, top, width, LOSSES, label=f"losses {head}")
        _distribution(above, found[head], colours)
        above.set_title(HEADS[head], loc="left", pad=4)
        below = style.axes_at(fig, left, lower, width, PANEL, label=head)
        _shares(below, found[head], colours)
        if at:
            below.set_yticklabels([])
        else:
            below.set_ylabel("share that has passed")
            above.set_ylabel("density")
    _key(style.axes_at(fig, LEFT, lower + PANEL + BELOW, WIDTH - LEFT - RIGHT, KEY, label="key"), colours)
    return fig


def _what(losses: pd.DataFrame) -> str:
    inits, iterations = losses["seed"].nunique(), losses["iteration"].max()
    return style.wrapped(
        f"{inits} initial weights, iterations 1 to {iterations}; above: all their training losses; below: "
        f"share of them with a loss at or below {chance.TARGET:g} by then",
        WIDTH - 2 * style.MARGIN,
        style.TICK,
    )


def _distribution(ax: Axes, tables: dict[int, NDArray[np.float64]], colours: dict[int, Any]) -> None:
    """Where the training losses of all networks lie, with the target and chance among them."""
    low = min(chance.TARGET, *(float(table.min()) for table in tables.values()))
    high = max(chance.CHANCE, *(float(table.max()) for table in tables.values()))
    edges = np.linspace(low, high, BINS + 1)
    for tasks, table in tables.items():
        density, _ = np.histogram(table, edges, density=True)
        ax.stairs(density, edges, color=colours[tasks], lw=0.9)
    ax.axvline(chance.TARGET, color=TARGET, lw=0.8)
    ax.axvline(chance.CHANCE, color=style.REFERENCE, lw=0.8, ls="--")
    ax.set_ylim(bottom=0)
    ax.set_yticks([])
    ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.set_xlabel("training loss, nats", labelpad=2)


def _shares(ax: Axes, tables: dict[int, NDArray[np.float64]], colours: dict[int, Any]) -> None:
    """Share of the networks with a first passage up to iteration i."""
    iterations = max(table.shape[1] for table in tables.values())
    for tasks, table in tables.items():
        passed = np.searchsorted(np.sort(chance.passages(table).first), np.arange(iterations + 1), "right")
        steps = {"color": colours[tasks], "drawstyle": "steps-post", "lw": 1}
        ax.plot(np.arange(iterations + 1), passed / len(table), **steps)
    ax.axvline(PAPER_COUNT, color=style.GUIDE, lw=0.8, ls=":")
    ax.set_xlim(0, iterations)
    ax.set_ylim(-0.03, 1.03)
    ax.set_xlabel("iteration")


def _key(ax: Axes, colours: dict[int, Any]) -> None:
    lines = [Line2D([], [], color=colour, label=f"{tasks} tasks") for tasks, colour in colours.items()]
    lines += [
        Line2D([], [], color=TARGET, lw=0.8, label=f"target {chance.TARGET:g}"),
        Line2D([], [], color=style.REFERENCE, lw=0.8, ls="--", label="chance, ln 20"),
        Line2D([], [], color=style.GUIDE, lw=0.8, ls=":", label=f"the paper's {PAPER_COUNT}"),
    ]
    ax.legend(handles=lines, loc="center left", ncols=len(lines), borderaxespad=0, columnspacing=1.2)
    ax.axis("off")
