"""First passages by noise alone: how many networks that never learn have passed the target so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy.typing import NDArray

from harness.plots import style, texts
from harness.plots.heading import Heading

HEADS = {
    "linear": "head as in torch.nn.Linear",
    "xavier": "head Xavier uniform",
    "normal": r"head $N(0, 1)$",
    "small": r"head $N(0, 0.01^2)$",
}
"""Panels, in order: initialiser of the head -> title."""

TARGET = "#D55E00"
BINS = 90
LINEAR = 0.005
"""Nats: nearer to the target than this the axis of losses is linear, farther off logarithmic, so that all
heads fit on one. Standard deviations at chance are of this size."""
TICKS = (-0.02, 0.0, 0.01, 0.1, 1.0, 10.0)

# Inches.
WIDTH, LEFT, RIGHT, PANEL, GAP, APART, LOSSES = 7.4, 0.62, 0.12, 1.55, 0.58, 0.2, 0.95
BELOW, KEY = 0.5, 0.3


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What the losses and the counts are compared with."""

    target: float
    """Nats."""
    chance: float
    """Nats: the loss at chance."""
    count: int
    """The paper's iterations to the target."""


Numbers = NDArray[np.float64]
Networks = Mapping[str, Mapping[int, Numbers]]
"""Initialiser of the head (of HEADS) -> tasks of a meta-batch -> numbers of the networks."""


def render(losses: Networks, first: Networks, marks: Marks, path: Path) -> list[Path]:
    """Write <path>.png, .svg and .pdf; see `draw`."""
    return style.write(lambda: draw(losses, first, marks), path)


def draw(losses: Networks, first: Networks, marks: Marks) -> Figure:
    """A column for each initialiser of the head: its training losses, below them the share that passed.

    losses: [inits, iterations], nats, those of iterations 1, 2, ...; first: [inits], the first passage of the
    target, inf: none.
    """
    order = [head for head in HEADS if head in losses]
    heading = Heading(
        title="Passing by chance: networks that keep their initial weights", subtitle=_what(losses, marks)
    )
    top = heading.height + 0.3
    lower = top + LOSSES + GAP
    fig = Figure(figsize=(WIDTH, lower + PANEL + BELOW + KEY))
    heading.draw(fig)
    iterations = max(table.shape[1] for tables in losses.values() for table in tables.values())
    edges, most = _bins(losses, marks), 0.0
    width = (WIDTH - LEFT - RIGHT - (len(HEADS) - 1) * APART) / len(HEADS)
    for at, head in enumerate(order):
        left = LEFT + at * (width + APART)
        colours = dict(zip(losses[head], style.sequence(len(losses[head])), strict=True))
        above = style.axes_at(fig, left, top, width, LOSSES, label=f"losses {head}")
        most = max(most, _distribution(above, losses[head], edges, colours, marks))
        above.set_title(HEADS[head], loc="left", pad=4)
        below = style.axes_at(fig, left, lower, width, PANEL, label=head)
        _shares(below, first[head], iterations, colours, marks)
        if at:
            below.set_yticklabels([])
            above.set_yticklabels([])
        else:
            below.set_ylabel("share that has passed")
            above.set_ylabel("share of losses")
    for ax in fig.axes[::2]:
        ax.set_ylim(0, 1.05 * most)
    _key(
        style.axes_at(fig, LEFT, lower + PANEL + BELOW, WIDTH - LEFT - RIGHT, KEY, label="key"),
        colours,
        marks,
    )
    return fig


def _what(losses: Networks, marks: Marks) -> str:
    inits, iterations = next(iter(next(iter(losses.values())).values())).shape
    return texts.wrapped(
        f"{inits} initial weights, iterations 1 to {iterations}; above: all their training losses, by their "
        f"distance from {marks.target:g}, on an axis that is linear within {LINEAR:g} of it and logarithmic "
        f"beyond; below: share of networks with a loss at or below {marks.target:g} so far",
        WIDTH - 2 * style.MARGIN,
        style.TICK,
    )


def _bins(losses: Networks, marks: Marks) -> Numbers:
    """Edges over all losses and chance, less the target, equally far apart on the axis of all panels."""
    tables = [table for tables in losses.values() for table in tables.values()]
    low = min(0.0, *(float(table.min()) - marks.target for table in tables))
    high = max(marks.chance - marks.target, *(float(table.max()) - marks.target for table in tables))
    return LINEAR * np.sinh(np.linspace(np.arcsinh(low / LINEAR), np.arcsinh(high / LINEAR), BINS + 1))


def _distribution(
    ax: Axes, tables: Mapping[int, Numbers], edges: Numbers, colours: dict[int, Any], marks: Marks
) -> float:
    """The training losses of all networks, less the target: the share in each bin, and target and chance.
    Returns the largest share."""
    most = 0.0
    for tasks, table in tables.items():
        counts, _ = np.histogram(np.clip(table - marks.target, edges[0], edges[-1]), edges)
        ax.stairs(counts / table.size, edges, color=colours[tasks], lw=0.9)
        most = max(most, float(counts.max() / table.size))
    ax.axvline(0, color=TARGET, lw=0.8)
    ax.axvline(marks.chance - marks.target, color=style.REFERENCE, lw=0.8, ls="--")
    ax.set_xscale("asinh", linear_width=LINEAR)
    ax.set_xlim(edges[0], edges[-1])
    ticks = [tick for tick in TICKS if edges[0] <= tick <= edges[-1]]
    ax.set_xticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(MaxNLocator(3))
    ax.set_xlabel(f"loss − {marks.target:g} (nats)", labelpad=2)
    return most


def _shares(
    ax: Axes, first: Mapping[int, Numbers], iterations: int, colours: dict[int, Any], marks: Marks
) -> None:
    """Share of the networks with a first passage up to iteration i."""
    for tasks, passages in first.items():
        passed = np.searchsorted(np.sort(passages), np.arange(iterations + 1), "right")
        steps = {"color": colours[tasks], "drawstyle": "steps-post", "lw": 1}
        ax.plot(np.arange(iterations + 1), passed / len(passages), **steps)
    ax.axvline(marks.count, color=style.GUIDE, lw=0.8, ls=":")
    ax.set_xlim(0, iterations)
    ax.set_ylim(-0.03, 1.03)
    ax.set_xlabel("iteration")


def _key(ax: Axes, colours: dict[int, Any], marks: Marks) -> None:
    lines = [Line2D([], [], color=colour, label=f"{tasks} tasks") for tasks, colour in colours.items()]
    lines += [
        Line2D([], [], color=TARGET, lw=0.8, label=f"target {marks.target:g}"),
        Line2D([], [], color=style.REFERENCE, lw=0.8, ls="--", label="chance, ln 20"),
        Line2D([], [], color=style.GUIDE, lw=0.8, ls=":", label=f"the paper's {marks.count}"),
    ]
    ax.legend(handles=lines, loc="center left", ncols=len(lines), borderaxespad=0, columnspacing=1.2)
    ax.axis("off")
