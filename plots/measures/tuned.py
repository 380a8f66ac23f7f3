"""What the best setting gains over the mean of all: what is known without any sensitivity."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.analysis.sensitivity import Measures
from harness.analysis.sensitivity.texts import number
from harness.plots import style, texts
from harness.plots.measures import page
from harness.plots.measures.rows import Rows, beside, grouped

COUNTS = "iterations to the target (geometric mean; a miss: budget)"
WHAT = "Open: mean over all settings. Filled: the best setting, chosen on the same seeds. {} is better"


def known(measures: Measures) -> pd.DataFrame:
    """The best and the mean scores; of counts, in iterations."""
    rows = page.numbers(measures, "best", "mean")
    rows = rows[rows["value"].notna()]
    if not measures.runs.of_counts:
        return rows
    # The score is minus their log10.
    return rows.assign(value=10 ** -rows["value"], low=10 ** -rows["high"], high=10 ** -rows["low"])


def tuned(measures: Measures, title: str = "") -> Figure:
    """A row for each method in each environment: its mean over all settings, and its best setting."""
    rows, counts = known(measures), measures.runs.of_counts
    title = page.titled(title, "what the best setting gains")
    reasons = page.numbers(measures, "sensitivity")["why"]
    notes = [f"No sensitivity: {why}." for why in reasons[reasons != ""].unique()] + page.not_run(measures)
    if rows.empty:
        return page.Page.of(measures, title, ["Nothing to draw."], notes).figure(0)
    said = {key: _said(some) for key, some in rows.groupby(["environment", "method"], sort=False)}
    groups = grouped(rows, measures)
    laid = Rows(
        groups=groups,
        columns=[""],
        beside=[texts.widest(said.values(), style.SMALL) + 0.15],
        titles=page.shown(measures),
        under=0.4,
        own_scales=len(groups) > 1 and not counts and not measures.runs.normalised,
    ).fitting()
    notes += page.left_out(groups, laid.groups)
    what = WHAT.format("Less" if counts or measures.runs.less_is_better else "More")
    sheet = page.Page.of(measures, title, [what], notes, page.intervals(rows, "bars"))
    fig = sheet.figure(laid.height)
    for (place, _), ax in laid.axes(fig, sheet.top).items():
        here = rows[rows["environment"] == place]
        _scale(ax, here if laid.own_scales else rows, counts, laid.wide)
        for name, some in here.groupby("method", sort=False):
            level = groups[place].index(str(name))
            _pair(ax, level, some, page.looks(measures)[str(name)])
            beside(ax, level, said[place, name])
        if laid.own_scales or place == [*laid.groups][-1]:
            ax.set_xlabel(
                COUNTS if counts else texts.literal(page.score(measures)), labelpad=1, size=style.TICK
            )
    return fig


def _said(rows: pd.DataFrame) -> str:
    """`best 8, mean 113`."""
    values = rows.set_index("measure")["value"]
    return ", ".join(f"{name} {_number(values[name])}" for name in ("best", "mean") if name in values)


def _number(value: float) -> str:
    """With the minus sign that the axes have."""
    return number(value).replace("-", "−")


def _scale(ax: Axes, rows: pd.DataFrame, log: bool, wide: float) -> None:
    ends = page.limits(rows[["value", "low", "high"]].to_numpy().ravel(), log=log)
    if log:
        page.log_scale(ax, *ends, wide)
    else:
        ax.set_xlim(*ends)
    ax.grid(axis="x", color="0.92", lw=0.5)
    ax.set_axisbelow(True)


def _pair(ax: Axes, level: int, rows: pd.DataFrame, look: page.Look) -> None:
    """The two marks of a row, joined; each with its interval."""
    ax.plot(rows["value"], [level] * len(rows), color=look.colour, lw=0.8, alpha=0.5, zorder=2)
    for _, row in rows.iterrows():
        ends = [row["low"], row["high"]]
        ax.plot(ends, [level, level], color=look.colour, lw=2.4, zorder=3, solid_capstyle="butt")
        face = look.colour if row["measure"] == "best" else "white"
        mark = {"ms": 4.5, "color": look.colour, "mfc": face, "label": row["measure"]}
        ax.plot([row["value"]], [level], look.marker, zorder=4, **mark)
