"""The user's counts against the reference's, cell by cell, with the band within which rounding moves them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from harness.analysis.comparison import AGREEMENTS, EQUAL, OUTCOME, OUTSIDE, WITHIN, Compared
from harness.analysis.learned import learned
from harness.analysis.rounding import PASSAGES, Interval, Rounding
from harness.plots import style, texts
from harness.plots.heading import Heading

COLOURS = {EQUAL: "#0072B2", WITHIN: "#0072B2", OUTSIDE: "#D55E00", OUTCOME: "#D55E00"}
SIGNS = {EQUAL: "o", WITHIN: "^", OUTSIDE: "D", OUTCOME: "x"}
SIZES = {EQUAL: 5, WITHIN: 5, OUTSIDE: 4.5, OUTCOME: 5}  # which look equal
TITLES = {"first": "First passage", "sustained": "Sustained passage"}

# Inches.
PANEL, LEFT, APART, KEY = 2.9, 0.72, 0.62, 1.05
MISS = 1.7
"""Where a miss is drawn, in budgets: beyond all counts; farther off where its label needs the room."""


def render(
    compared: Compared,
    rounding: Rounding | None,
    reference: pd.DataFrame,
    title: str,
    path: Path,
    about: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Draw as <path>.png, .svg and .pdf; the paths written.

    `compared` from harness.analysis.comparison, with this `rounding` (None: no yardstick was measured); the
    heading takes data set, protocol and budget from the `reference` trials, and what is learned from `about`,
    the description of their table (None: few-shot classification). `title`: one line.
    """
    return style.write(lambda: draw(compared, rounding, reference, title, about), path)


def draw(
    compared: Compared,
    rounding: Rounding | None,
    reference: pd.DataFrame,
    title: str,
    about: Mapping[str, Any] | None = None,
) -> Figure:
    """A panel for each kind of passage: the reference's counts along x, the user's along y."""
    cells = compared.cells[compared.cells["first_agreement"].notna()]
    asked = reference[reference["cell_id"].isin(cells["cell_id"])]
    budget = int(reference["max_iterations"].iloc[0])
    named = texts.size(f"{budget}", style.TICK)[0] + 0.33  # counts, and what is counted, left of a panel
    left, apart = max(LEFT, named), max(APART, named)
    width = left + 2 * PANEL + apart + style.MARGIN
    heading = Heading.of(asked, learned(asked, about), title, _what(compared, rounding, asked), width)
    top = heading.height + 0.35
    fig = Figure(figsize=(width, top + PANEL + 0.5 + KEY))
    heading.draw(fig)
    counts = [f"{name}_{side}" for name in PASSAGES for side in ("reference", "mine")]
    low = np.nanmin([*cells[counts].to_numpy(float).ravel(), budget / 10]) / 1.3
    for at, name in enumerate(PASSAGES):
        ax = style.axes_at(fig, left + at * (PANEL + apart), top, PANEL, PANEL, label=name)
        _panel(ax, cells, name, None if rounding is None else getattr(rounding, name), (low, budget))
        seeds = compared.seeds[compared.seeds["passage"] == name]
        ax.set_title(f"{TITLES[name]}: {_agree(seeds)}", loc="left", pad=5)
    _key(style.axes_at(fig, left, top + PANEL + 0.5, width - left, KEY - style.MARGIN, label="key"), rounding)
    return fig


def _what(compared: Compared, rounding: Rounding | None, trials: pd.DataFrame) -> str:
    """How many cells are drawn, to which target they count, and what else the reader needs to know."""
    first = compared.seeds[compared.seeds["passage"] == "first"]
    goals = " and ".join(f"{goal:g}" for goal in trials["target_loss"].dropna().unique())
    words = [f"iterations to a training loss of {goals}: {first['in_both'].sum()} cells run on both sides"]
    for side, where in (("only_mine", "yours"), ("only_reference", "the reference")):
        if total := first[side].sum():
            words.append(f"{total} only in {where}")
    if rounding is None or rounding.first is None:
        words.append("rounding was not measured")
    return "\n".join([", ".join(words), *compared.notes])


def _agree(seeds: pd.DataFrame) -> str:
    agree = seeds["equal"].sum() + seeds["within"].sum()
    return f"{agree} of {seeds['in_both'].sum()} agree"


def _mark(what: str) -> dict[str, Any]:
    face = "none" if what == EQUAL else COLOURS[what]
    size = {"ms": SIZES[what], "mew": 0.9 if what in (EQUAL, OUTCOME) else 0}
    return {"ls": "", "marker": SIGNS[what], "color": COLOURS[what], "markerfacecolor": face, **size}


def _panel(
    ax: Axes, cells: pd.DataFrame, name: str, interval: Interval | None, limits: tuple[float, float]
) -> None:
    """Counts on log axes; misses lie beyond the line at the budget."""
    low, budget = limits
    beyond = _beyond(low, budget)
    miss, end = budget * beyond, budget * beyond**2
    line = np.geomspace(low, budget, 50)
    if interval is not None:
        room = np.ceil(interval.share * line)
        ax.fill_between(line, np.maximum(line - room, low / 2), line + room, color="0.88", lw=0, zorder=0)
    ax.plot([low, budget], [low, budget], color=style.GUIDE, lw=0.6, zorder=1)
    for side in (ax.axvline, ax.axhline):
        side(budget, color=style.GUIDE, lw=0.6, ls=(0, (1, 1.5)), zorder=1)
    for what in AGREEMENTS:
        alike = cells[cells[f"{name}_agreement"] == what]
        x, y = (alike[f"{name}_{side}"].to_numpy(float) for side in ("reference", "mine"))
        x, y = (np.where(np.isnan(values), miss, values) for values in (x, y))
        ax.plot(x, y, zorder=3, clip_on=False, **_mark(what))
    missed = int((cells[f"{name}_mine"].isna() & cells[f"{name}_reference"].isna()).sum())
    if missed:
        ax.annotate(f"{missed}", (miss, miss), (5, 3), textcoords="offset points", size=style.SMALL, zorder=4)
    ax.set(xscale="log", yscale="log", xlim=(low, end), ylim=(low, end))
    steps = [m * 10.0**k for k in range(len(str(int(budget)))) for m in (1, 2, 5)]
    counts = [*(step for step in steps if low <= step <= budget / 1.3), budget]
    words = {tick: f"{tick:.0f}" for tick in counts} | {miss: "miss"}
    places = {PANEL * np.log(tick / low) / np.log(end / low): tick for tick in words}
    ticks = [places[at] for at in texts.spaced({at: words[tick] for at, tick in places.items()}, style.TICK)]
    labels = [words[tick] for tick in ticks]
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(ticks, labels)
        axis.set_ticks([], minor=True)
    ax.set_xlabel("the reference (iterations)", labelpad=2)
    ax.set_ylabel("yours (iterations)", labelpad=2)


def _beyond(low: float, budget: float) -> float:
    """How many budgets a miss is drawn at."""
    room = sum(texts.size(word, style.TICK)[0] / 2 for word in (f"{budget:.0f}", "miss")) + 0.04
    share = room / PANEL
    return max(MISS, float((budget / low) ** (share / (1 - 2 * share))))


def _key(ax: Axes, rounding: Rounding | None) -> None:
    words = {
        EQUAL: "same count, or both missed in the same way (their number beside the mark)",
        WITHIN: "different count, within rounding",
        OUTSIDE: "different count" + ", beyond rounding" * (rounding is not None),
        OUTCOME: "reached on one side only, or missed in different ways",
    }
    handles: list[Line2D | Patch] = [Line2D([], [], **_mark(what)) for what in AGREEMENTS]
    lines = [words[what] for what in AGREEMENTS]
    if rounding is not None and rounding.first is not None:
        measured = {name: getattr(rounding, name) for name in PASSAGES}
        shares = ", ".join(f"{name} {one.share:.1%}" for name, one in measured.items() if one)
        handles.append(Patch(color="0.88"))
        lines.append(
            f"the most that rounding moved a count ({shares}), "
            f"in {rounding.runs} runs with initial weights moved by 1e-7"
        )
    ax.axis("off")
    ax.legend(handles, lines, loc="upper left", borderaxespad=0, handlelength=1.4, labelspacing=0.35)
