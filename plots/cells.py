"""One cell of a heatmap: its colour and count, or its mark; and the key that explains them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from harness.common.text import halves
from harness.plots import style, texts


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How a cell without a count looks, and what the key says about it."""

    hatch: str = ""
    sign: str = ""
    fill: str = "white"
    meaning: str


MARKS = {
    "budget": Mark(hatch="//////", meaning="not reached in {budget}"),
    "diverged": Mark(hatch="xxxxxx", sign="×", meaning="diverged: loss or rate not finite"),
    "failed": Mark(sign="!", meaning="failed: an error, not a result"),
    "not run": Mark(sign="·", fill="0.9", meaning="not run yet"),
}

TUNED = "tuned"
"""Written below MAML's count beside the panel of the tuned rates."""
NEVER = "\N{EN DASH}"
"""Drawn instead of a count where there is no sustained passage."""
PLACES = {2: (-0.14, 0.26), 3: (-0.26, 0.07, 0.32)}
"""By the number of text lines in a cell with a count: how far below its middle each is, in cells."""
BELOW = 0.33
"""How far below the middle of a cell with a sign its share is, in cells."""

# Inches.
KEY_WIDTH, BAR_WIDTH, BAR, BAR_ROOM, LINE, ICON = 2.45, 2.05, 0.11, 0.62, 0.22, 0.17
MEANING = 1.5 * LINE  # from the left of a mark to what it means


@dataclass(frozen=True, kw_only=True)
class Look:
    """What all cells of a figure share."""

    norm: LogNorm
    several_seeds: bool
    states: list[str]
    """The MARKS that the key has to explain."""
    counts: bool
    """Whether any cell has one."""
    shares: bool
    """Whether the seeds of any cell disagree; see `_share`."""
    tuned: bool = False
    """Whether a panel of tuned rates is marked."""


def look(cells: pd.DataFrame, budget: int) -> Look:
    """The look for these `cells` (see cells_over_seeds)."""
    states = set(cells["state"])
    return Look(
        norm=norm(budget),
        several_seeds=bool(cells["seeds"].max() > 1),
        states=[state for state in MARKS if state in states],
        counts="reached" in states,
        shares=any(_share(cell) for _, cell in cells.iterrows()),
    )


def norm(budget: int) -> LogNorm:
    """The scale of all figures with this budget, whatever their counts, so that colours can be compared."""
    return LogNorm(1 if budget > 1 else 0.5, budget)


def _steps(budget: int) -> list[float]:
    """1, 2, 5, 10, ... below the budget."""
    decades = range(math.ceil(math.log10(budget)) + 1)
    return [step * 10.0**k for k in decades for step in (1, 2, 5) if step * 10**k < budget]


def mesh(ax: Axes, values: pd.DataFrame, norm: Normalize) -> None:
    """Colours of values [rows, columns]; none where one is not finite (inf would get the last colour)."""
    import seaborn as sns  # late: it takes a second to load, and other figures do without

    sns.heatmap(
        values.astype(float).where(np.isfinite(values.astype(float))),
        ax=ax,
        norm=norm,
        vmin=norm.vmin,  # else taken from the data, with a warning if there are none
        vmax=norm.vmax,
        cmap=style.COUNTS,
        cbar=False,
        xticklabels=False,
        yticklabels=False,
        linewidths=0.4,
        linecolor="0.75",
    )
    ax.set(xlabel="", ylabel="")
    ax.spines[:].set_visible(True)


def write(ax: Axes, column: int, row: int, cell: pd.Series, look: Look) -> None:
    """The count or mark of a cell. Below a count: that of the sustained passage. Below either, if the seeds
    disagree: how many of the finished runs reached the target."""
    lines = _said(cell)
    if cell["state"] == "reached":
        colour = ink(mpl.colormaps[style.COUNTS](look.norm(cell["iterations_to_target"])))
        for place, (line, size) in zip(PLACES[len(lines)], lines, strict=True):
            text(ax, column, row + place, line, size, colour)
    else:
        sign = MARKS[cell["state"]]
        mark(ax, column, row, sign)
        for line, size in lines:
            text(ax, column, row + BELOW * bool(sign.sign), line, size, "black", behind="white")


def _said(cell: pd.Series) -> list[tuple[str, float]]:
    """The lines of text in a cell and their sizes, without its mark."""
    lines = []
    if cell["state"] == "reached":
        sustained = cell["iterations_to_target_sustained"]
        later = halves(sustained) if np.isfinite(sustained) else NEVER
        lines = [(halves(cell["iterations_to_target"]), style.TICK), (later, style.SMALLEST)]
    if share := _share(cell):
        lines.append((share, style.SMALLEST))
    return lines


def _share(cell: pd.Series) -> str:
    """How many of the finished runs reached the target; empty where all seeds did, where none did, and where
    no run is finished."""
    agree = cell["run"] == cell["seeds"] and cell["reached"] in (0, cell["seeds"])
    return "" if agree or not cell["run"] else f"{cell['reached']}/{cell['run']}"


def room(cells: pd.DataFrame) -> float:
    """The side in inches that a square needs for the widest text in these cells (see cells_over_seeds)."""
    lines = [line for _, cell in cells.iterrows() for line in _said(cell)]
    patterns = {(re.sub(r"\d", "0", text), size) for text, size in lines}  # all digits have one width
    return max((texts.size(*pattern)[0] for pattern in patterns), default=0.0) + 0.05


def mark(ax: Axes, column: float, row: float, mark: Mark, side: float = 1) -> None:
    """The mark of a cell without a count, `side` wide and high, its upper left corner at (column, row)."""
    box = Rectangle((column, row), side, side, facecolor=mark.fill, hatch=mark.hatch, linewidth=0.4)
    box.set_edgecolor("0.6")
    ax.add_patch(box)
    shift = (side - 1) / 2
    plate = "white" if mark.hatch else None
    text(ax, column + shift, row + shift, mark.sign, style.TITLE, "black", plate)


def text(
    ax: Axes, column: float, row: float, said: str, size: float, colour: str, behind: str | None = None
) -> None:
    """In the middle of the square at (column, row); `behind`: the colour of a plate below it."""
    if said:
        plate = {"facecolor": behind, "edgecolor": "none", "pad": 0.4} if behind else None
        at = (column + 0.5, row + 0.5)
        ax.text(*at, said, size=size, color=colour, bbox=plate, ha="center", va="center_baseline")


def ink(colour: Any) -> str:
    """Of a text on this colour: black or white, whichever has more contrast by WCAG 2's luminance."""
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return "black" if np.dot(channels, (0.2126, 0.7152, 0.0722)) > 0.179 else "white"


def key(fig: Figure, at: tuple[float, float], wide: bool, look: Look, budget: int, target: float) -> None:
    """The colour bar, and what each mark means: beside the bar if `wide`, else below it."""
    bar = style.axes_at(fig, at[0], at[1] + 0.22, BAR_WIDTH, BAR, label="colour bar")
    fig.colorbar(ScalarMappable(look.norm, style.COUNTS), cax=bar, orientation="horizontal")
    bar.minorticks_off()
    ticks = _ticks(look.norm, budget)
    bar.set_xticks(ticks, [f"{tick:.0f}" for tick in ticks])
    goal = "the target" if np.isnan(target) else f"training loss ≤ {target:g}"
    bar.set_title(f"iterations to {goal}", size=style.TICK, loc="left", pad=4)

    left, top = (at[0] + KEY_WIDTH + 0.2, at[1]) if wide else (at[0], at[1] + BAR_ROOM)
    explain(fig, (left, top), [(MARKS.get(sign, sign), meaning) for sign, meaning in _lines(look, budget)])


def explain(fig: Figure, at: tuple[float, float], lines: Sequence[tuple[Mark | str, str]]) -> None:
    """Below each other, marks or words as they stand in cells, and what each means."""
    ax = style.axes_at(fig, *at, KEY_WIDTH, LINE * max(len(lines), 1), label="key")
    ax.set(xlim=(0, KEY_WIDTH / LINE), ylim=(max(len(lines), 1), 0))
    ax.axis("off")
    for row, (sign, meaning) in enumerate(lines):
        if isinstance(sign, Mark):
            mark(ax, 0, row + (1 - ICON / LINE) / 2, sign, ICON / LINE)
        else:
            ax.text(0, row + 0.5, sign, size=style.SMALL, va="center_baseline")
        ax.text(MEANING / LINE, row + 0.5, meaning, size=style.SMALL, va="center_baseline")


def _ticks(norm: LogNorm, budget: int) -> list[float]:
    """The budget, and the steps below it whose labels run into no other."""
    low, end = float(norm.vmin or 0), budget / 1.3
    steps = [step for step in _steps(budget) if low <= step < end]
    if len(steps) >= 9:
        steps = [step for step in steps if f"{step:e}"[0] == "1"]
    places = {BAR_WIDTH * float(norm(tick)): tick for tick in (*steps, float(budget))}
    kept = texts.spaced({at: f"{tick:.0f}" for at, tick in places.items()}, style.TICK)
    return [places[at] for at in kept]


def key_width(look: Look, budget: int, wide: bool) -> float:
    """Width of the key in inches."""
    explained = explained_width([meaning for _, meaning in _lines(look, budget)])
    return max(KEY_WIDTH, explained) + (KEY_WIDTH + 0.2) * wide


def explained_width(meanings: Sequence[str]) -> float:
    """What `explain` needs for these, in inches."""
    return MEANING + texts.widest(meanings, style.SMALL)


def key_height(look: Look, wide: bool) -> float:
    """Height of the key in inches."""
    lines = LINE * len(_lines(look, 0))
    return max(BAR_ROOM, lines) if wide else BAR_ROOM + lines


def _lines(look: Look, budget: int) -> list[tuple[str, str]]:
    whose = "median: " * look.several_seeds
    asked = texts.iterations(budget)
    marks = [(state, whose + MARKS[state].meaning.format(budget=asked)) for state in look.states]
    what = "median over seeds; a miss is infinite" if look.several_seeds else "first passage"
    counts = [("123", what), ("small", f"sustained: mean of 10, lags ({NEVER}: none)")]
    tuned = [(TUNED, f"{texts.method('maml')} is fastest from these rates")] if look.tuned else []
    return [*marks, *counts * look.counts, *_seeds(look), *tuned]


def _seeds(look: Look) -> list[tuple[str, str]]:
    """What a share means, and what it means that there is none."""
    none = {"budget", "diverged"} & {*look.states}
    if not look.several_seeds or not (look.counts or none):
        return []
    hatched = " (hatched: none)" * bool(none)
    if not look.shares:
        return [("", f"all seeds reached it{hatched}")]
    return [("k/n", "k of n finished runs reached the target"), ("", f"without: all seeds did{hatched}")]
