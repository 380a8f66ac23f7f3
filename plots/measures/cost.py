"""What tuning costs: iterations and gradient evaluations that random search spends until its first hit."""

from __future__ import annotations

from math import isfinite

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.analysis.sensitivity import Measures
from harness.analysis.sensitivity.texts import number
from harness.plots import style, texts
from harness.plots.measures import page
from harness.plots.measures.rows import Rows, beside, grouped

MEASURE = "tuning_cost"
HIDDEN = "; a bar narrower than its mark is hidden"
WHAT = "Expected cost of random search without replacement until its first hit, abandoned runs included"


def has(measures: Measures) -> bool:
    """Whether the cost of any method is known."""
    return bool(page.numbers(measures, MEASURE)["value"].notna().any())


def cost(measures: Measures, title: str = "") -> Figure:
    """A row for each method, a column for each unit, on a logarithmic axis; an infinite cost is an arrow at
    the edge."""
    rows = page.numbers(measures, MEASURE)
    rows = rows[rows["value"].notna()]
    title = page.titled(title, "what tuning costs")
    if rows.empty:
        why = "No cost of tuning: the table has no target."
        return page.Page.of(measures, title, ["Nothing to draw."], [why]).figure(0)
    units = list(dict.fromkeys(rows["of"]))
    groups = grouped(rows, measures)
    words = {at: _words(row, measures) for at, row in rows.iterrows()}
    room = [texts.widest(words.values(), style.SMALL) + 0.15] * len(units)
    laid = Rows(groups=groups, columns=units, beside=room, titles=page.shown(measures)).fitting()
    notes = [
        *_notes(units),
        *page.left_out(groups, laid.groups),
        *page.not_run(measures),
    ]
    what = WHAT + HIDDEN * bool(rows["low"].notna().any())
    sheet = page.Page.of(measures, title, [what], notes, page.intervals(rows, "bars"))
    fig = sheet.figure(laid.height)
    axes = laid.axes(fig, sheet.top)
    for c, unit in enumerate(units):
        ends = page.limits(
            rows.loc[rows["of"] == unit, ["value", "low", "high"]].to_numpy().ravel(), log=True
        )
        for place, names in laid.groups.items():
            ax = axes[place, c]
            page.log_scale(ax, *ends, laid.wide)
            here = rows[(rows["of"] == unit) & (rows["environment"] == place)]
            for at, row in here.iterrows():
                level = names.index(row["method"])
                _mark(ax, level, row, page.looks(measures)[row["method"]])
                beside(ax, level, words[at])
            ax.grid(axis="x", color="0.92", lw=0.5)
            ax.set_axisbelow(True)
    return fig


def _notes(units: list[str]) -> list[str]:
    return ["Gradient evaluations not drawn: how many an iteration takes is not known."] * (len(units) == 1)


def _words(row: pd.Series, measures: Measures) -> str:
    """`258`; `no hit in 2 of 5 seeds`."""
    if isfinite(row["value"]):
        return number(row["value"])
    never = page.numbers(measures, "seeds_without_hit")
    never = never[(never["method"] == row["method"]) & (never["environment"] == row["environment"])]
    count = int(never["value"].iloc[0]) if len(never) else 0
    if row["seeds"] == 1:
        return "no hit"
    return f"no hit in {count} of {row['seeds']} seeds" if count else "infinite"


def _mark(ax: Axes, level: int, row: pd.Series, look: page.Look) -> None:
    """The estimate and its interval; what is infinite ends in an arrow at the right edge."""
    edge = ax.get_xlim()[1]
    low, high = (min(row[end], edge) for end in ("low", "high"))
    if np.isfinite(row["low"]) and low < high:
        ax.plot([low, high], [level, level], color=look.colour, lw=1.6, zorder=2)
    if isfinite(row["value"]):
        ax.plot(row["value"], level, look.marker, ms=4.5, color=look.colour, zorder=3, label="cost")
        return
    start = (-26, 0) if not np.isfinite(row["low"]) else (-12, 0)
    ax.annotate(
        "",
        xy=(edge, level),
        xytext=start,
        textcoords="offset points",
        arrowprops={"arrowstyle": "-|>", "color": look.colour, "lw": 1.2, "shrinkA": 0, "shrinkB": 0},
        annotation_clip=False,
        label="infinite",
    )
