"""The functions of a regression before and after inner steps: Figure 2 of Finn et al. 2017.

A row for each setting, a column for each of the first test tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from harness.analysis.learned import learned
from harness.analysis.meta_test import RATE
from harness.analysis.summary import equal
from harness.common.text import counted
from harness.plots import style, texts
from harness.plots.heading import Heading
from harness.plots.lines import Line
from harness.plots.measures.key import Key
from harness.records.meta_tests import PREDICTED, SUPPORT, TRUE, MetaTests

# Inches.
LEFT, HIGH, GAP, BELOW = 0.42, 1.15, 0.14, 0.4
CLOSE = 0.85
"""HIGH in a paper's column."""
LINE, STROKE = 0.165, 0.3
MOST = 6
"""Settings."""
BEYOND = 1.6
"""The axis ends so many times the task's function away from 0."""

FAR = 100
"""Times the axis: what is predicted farther away is drawn there."""

TRUTH: dict[str, Any] = {"color": "0.7", "lw": 2.6, "ls": "-"}
POINTS: dict[str, Any] = {"color": "black", "marker": "^", "ms": 3.5, "ls": "", "mew": 0}
BEFORE, ONE, LAST = (
    {"color": "#56B4E9", "lw": 1.1, "ls": ":"},
    {"color": "#D55E00", "lw": 1.1, "ls": (0, (4, 1.2))},
    {"color": "#0072B2", "lw": 1.3, "ls": "-"},
)


def draw(tests: MetaTests, lines: Sequence[Line], trials: pd.DataFrame, about: Mapping[str, Any]) -> Figure:
    """What the cell of each line with the lowest seed predicts, of MOST lines at most. `tests` has
    functions."""
    assert tests.fit is not None
    shown = [(line, _own(tests.fit, line)) for line in lines]
    shown = [(line, own) for line, own in shown if len(own)][:MOST]
    tasks = sorted(tests.fit["task"].unique().tolist())
    looks = _looks(sorted(tests.fit["steps"].dropna().astype(int).unique().tolist()))
    page = style.page()
    width = page.narrowest
    wide = (width - LEFT - style.MARGIN - GAP * (len(tasks) - 1)) / len(tasks)
    high = CLOSE if page.column else HIGH
    first = pd.concat([line.cells for line, _ in shown])
    heading = Heading.of(
        trials[trials["cell_id"].isin(first["cell_id"]) & (trials["seed"] == first["seed"].min())],
        learned(trials, about),
        f"{about['grid']['title']}: fit",
        f"the first {counted(len(tasks), 'test task')}, a column each"
        + f"; {MOST} of {len(lines)} settings" * (len(lines) > len(shown)),
        width,
    )
    words = {"true": "the task's function", "points": "points adapted to"}
    words |= {str(steps): said for steps, (said, _) in looks.items()}
    key = Key.of(words, STROKE, width)
    room = width - LEFT - style.MARGIN
    heads = [texts.flow(line.label.split(", "), room, style.LABEL) for line, _ in shown]
    heights = [LINE * (1 + head.count("\n")) + high + GAP for head in heads]
    top = heading.height + key.height + 0.1
    fig = Figure(figsize=(width, top + sum(heights) + BELOW - GAP + style.MARGIN))
    heading.draw(fig)
    samples = {"true": TRUTH, "points": POINTS} | {str(steps): look for steps, (_, look) in looks.items()}
    key.draw(fig, heading.height, _sample(samples))
    for row, ((_, own), head, height) in enumerate(zip(shown, heads, heights, strict=True)):
        above = height - high - GAP
        reach = BEYOND * float(own.loc[own["kind"] == TRUE, "y"].abs().max())
        for place, task in enumerate(tasks):
            left = LEFT + place * (wide + GAP)
            ax = style.axes_at(fig, left, top + above, wide, high, label=f"{row}, task {task}")
            _panel(ax, own[own["task"] == task], looks, reach)
            ax.tick_params(length=2.5, labelleft=place == 0, labelbottom=row == len(shown) - 1)
            if place == 0:
                ax.set_title(head, loc="left", linespacing=1.15, pad=3)
            if row == len(shown) - 1:
                ax.set_xlabel("$x$", labelpad=1)
        top += height
    return fig


def _own(fit: pd.DataFrame, line: Line) -> pd.DataFrame:
    """The rows of a line's cell with the lowest seed, at the line's rate."""
    cells = line.cells[line.cells["cell_id"].isin(fit["cell_id"].unique())].sort_values("seed")
    if cells.empty:
        return fit.iloc[:0]
    rate = cells[RATE].iloc[0] if RATE in cells else np.nan
    return fit[(fit["cell_id"] == cells["cell_id"].iloc[0]) & equal(fit["rate"], rate)]


def _looks(steps: Sequence[int]) -> dict[int, tuple[str, dict[str, Any]]]:
    """By number of steps: what the key says, and how it is drawn."""
    found = {}
    for step in steps:
        words = f"after {counted(step, 'step')}" if step else "before any step"
        found[step] = words, BEFORE if step == 0 else LAST if step == steps[-1] else ONE
    return found


def _sample(samples: Mapping[str, dict[str, Any]]) -> Callable[[Axes, float, float, str], None]:
    def draw(ax: Axes, at: float, row: float, name: str) -> None:
        ends = [at + STROKE / 2] if name == "points" else [at, at + STROKE]
        ax.add_line(Line2D(ends, [row + 0.5] * len(ends), **samples[name]))

    return draw


def _panel(
    ax: Axes, own: pd.DataFrame, looks: Mapping[int, tuple[str, dict[str, Any]]], reach: float
) -> None:
    """One task of one cell."""
    true, points = (own[own["kind"] == kind] for kind in (TRUE, SUPPORT))
    ax.plot(true["x"], true["y"], label="true", zorder=2, **TRUTH)
    for step, (words, look) in looks.items():
        rows = own[(own["kind"] == PREDICTED) & (own["steps"] == step)]
        y = rows["y"].to_numpy(float)
        y = np.where(np.isfinite(y), y, np.nan).clip(-FAR * reach, FAR * reach)
        ax.plot(rows["x"], y, label=words, zorder=3, **look)
    ax.plot(points["x"], points["y"], label="points", zorder=4, **POINTS)
    ax.set_xlim(float(true["x"].min()), float(true["x"].max()))
    ax.set_ylim(-reach, reach)
    ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    across = 2 if style.page().column else 4
    ax.xaxis.set_major_locator(MaxNLocator(across, steps=[1, 2, 2.5, 5, 10], prune="both"))
    ax.axhline(0, color="0.92", lw=0.5, zorder=1)
