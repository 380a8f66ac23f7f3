"""A meta-test: what each setting reaches after 0, 1, ... inner steps, with 95 % bands over the test tasks.

The accuracy in percent, if the problem has one, or else the loss, on a log axis. fit.py draws
the functions of a regression.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from harness.analysis.learned import learned
from harness.analysis.meta_test import RATE, SEEDS, STEPS, TASKS, mean, over_tasks, summary
from harness.analysis.summary import equal
from harness.common.files import in_columns
from harness.common.text import counted
from harness.plots import column, curves, fit, style, texts
from harness.plots.curves import Curve
from harness.plots.heading import Heading
from harness.plots.lines import POSITION, Line, lines_of, worded
from harness.plots.scales import LARGEST, Scale
from harness.records.meta_tests import FIGURES, MetaTests

# Inches.
LEFT, HIGH, BELOW = 0.72, 2.3, 0.42
ENTRY, NEXT, STROKE, NAME = 0.165, 0.115, 0.3, 0.38
MOST = 10
"""Lines; of more settings, those with the lowest loss are drawn."""
DOTS = 20
"""Steps up to which each has a dot."""
ABOVE = 3.0
"""A loss of more than so many times the largest before any step is beyond the axis."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The settings of a figure."""

    lines: list[Line]
    of: int
    """How many there are, drawn or not."""
    found: pd.DataFrame
    """As analysis.meta_test.summary gives it, with the column POSITION."""
    keys: list[str]
    """The columns that tell lines apart."""

    def rows(self, line: Line) -> pd.DataFrame:
        """Those of a line in `found`, by steps."""
        first, same = line.cells.iloc[0], pd.Series(True, self.found.index)
        for key in self.keys:
            same &= equal(self.found[key], first[key])
        return self.found[same].sort_values(STEPS)


def render(
    tests: MetaTests, trials: pd.DataFrame, about: Mapping[str, Any], folder: Path, in_column: bool = False
) -> list[Path]:
    """Draw <folder>/metatest.png, .svg and .pdf, and of functions metatest-fit.png and so on. Returns the
    paths; none if no cell of the meta-test is among the trials.

    trials: of the grid's tables, whose description is `about`; in_column: for a paper's column too; so it is
    if there is one. NotWritten.
    """
    shown = shown_of(tests, trials)
    if not shown.lines:
        return []
    draws = {FIGURES[0]: partial(draw, tests, trials, about)}
    if tests.fit is not None:
        draws[FIGURES[1]] = partial(fit.draw, tests, shown.lines, trials, about)
    paths = []
    for name, one in draws.items():
        paths += style.write(one, folder / name)
        if in_column or in_columns(folder / name):
            paths += column.write(one, folder / name)
    return paths


def shown_of(tests: MetaTests, trials: pd.DataFrame) -> Shown:
    """At most MOST lines, in the order of the legend: one for each setting and rate."""
    tested = trials[trials["cell_id"].isin(tests.rows["cell_id"].unique())]
    if tested.empty:
        return Shown(lines=[], of=0, found=tests.rows, keys=[])
    found = summary(tests.rows, tested)
    rates = found[RATE].drop_duplicates()
    by_rate = pd.concat([tested.assign(**{RATE: rate}) for rate in rates], ignore_index=True)
    by_rate = by_rate if rates.notna().any() else by_rate.drop(columns=RATE)
    cells, wording = worded(by_rate)
    places = cells.drop_duplicates(["preset", "changes"])[["preset", "changes", POSITION]]
    found = found.merge(places, on=["preset", "changes"])
    keys = ["method", *wording.hyper, POSITION]
    last = found[found[STEPS] == found[STEPS].max()].sort_values(mean("loss"), kind="stable")
    best = last[keys].head(MOST)
    kept = cells.merge(best, on=keys)  # a null is equal to a null
    return Shown(lines=lines_of(kept, kept.iloc[:0], wording), of=len(last), found=found, keys=keys)


def draw(tests: MetaTests, trials: pd.DataFrame, about: Mapping[str, Any]) -> Figure:
    """The lines over the steps, and their key below. At least one cell of the test is among the trials."""
    shown = shown_of(tests, trials)
    what = learned(trials, about)
    metric = "accuracy" if "accuracy" in tests.metrics else "loss"
    width = style.page().narrowest
    wide = width - LEFT - 2 * style.MARGIN
    lines = [_curve(line, shown.rows(line), metric) for line in shown.lines]
    scale = _share(lines) if metric != "loss" else _loss(lines)
    heading = Heading.of(
        trials[trials["cell_id"].isin(tests.rows["cell_id"].unique())],
        what,
        f"{about['grid']['title']}: meta-test",
        _what(tests, shown, scale, lines),
        width,
    )
    top = heading.height + 0.1
    words = [texts.flow(line.label.split(", "), wide - NAME, style.SMALL) for line in shown.lines]
    heights = [ENTRY + NEXT * text.count("\n") for text in words]
    fig = Figure(figsize=(width, top + HIGH + BELOW + sum(heights) + style.MARGIN))
    heading.draw(fig)
    ax = style.axes_at(fig, LEFT, top, wide, HIGH, label=metric)
    last = int(shown.found[STEPS].max())
    ax.set_xlim((0, last) if last else (-0.5, 0.5))
    most = min(int(wide / (texts.size(f"{last}", style.TICK)[0] + 0.1)), 10)
    ax.xaxis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))
    ax.autoscale(False)
    scale.apply(ax, HIGH)
    ax.grid(axis="y", color="0.92", lw=0.5)
    under = curves.covered(lines, scale, HIGH)
    for curve, beneath in zip(lines, under, strict=True):
        band = (np.clip(edge, scale.low, scale.high) for edge in (curve.low, curve.high))
        ax.fill_between(curve.x, *band, color=curve.line.colour, alpha=0.1, lw=0, zorder=1)
        curves.draw(
            ax,
            curve,
            dots=last <= DOTS,
            banded=False,
            faint=False,
            beneath=beneath,
            most=max(map(len, under)),
        )
    curves.mark(ax, lines, scale, wide, HIGH)
    ax.tick_params(length=2.5)
    ax.set_xlabel("inner steps", labelpad=2)
    ax.set_ylabel("accuracy (%)" if metric == "accuracy" else what.named("loss"))
    key = style.axes_at(fig, LEFT, top + HIGH + BELOW, wide, sum(heights), label="legend")
    _legend(key, shown.lines, words, heights, wide)
    return fig


def _curve(line: Line, rows: pd.DataFrame, metric: str) -> Curve:
    """A metric of a line, with its interval over tasks; an accuracy in percent."""
    scale = 100 if metric == "accuracy" else 1
    middle, half = (rows[name].to_numpy(float) * scale for name in (mean(metric), over_tasks(metric)))
    middle = np.where(np.isfinite(middle), middle, np.nan)
    half = np.where(np.isnan(half), 0, half)
    return Curve(
        line=line,
        x=rows[STEPS].to_numpy(int),
        y=middle,
        low=middle - half,
        high=middle + half,
        thin=(),
        whole=np.ones(len(rows), bool),
    )


def _known(parts: Sequence[np.ndarray]) -> np.ndarray:
    values = np.concatenate([*parts, []])
    return values[np.isfinite(values)]


def _share(lines: Sequence[Curve]) -> Scale:
    """All of what the lines show."""
    values = _known([part for curve in lines for part in (curve.low, curve.high)])
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return Scale(kind="linear", low=low - room, high=high + room)


def _loss(lines: Sequence[Curve]) -> Scale:
    """A log axis of what is below ABOVE times the loss before any step; linear if a loss is not positive."""
    values = _known([curve.y for curve in lines])
    if not values.size or values.min() <= 0:
        return _share(lines)
    first = _known([curve.y[:1] for curve in lines])
    most = ABOVE * float(first.max()) if first.size else LARGEST
    edges = _known([part for curve in lines for part in (curve.low, curve.high)])
    low = max(float(edges.min()), float(values.min()) / 2)
    high = max(min(float(edges.max()), most, LARGEST / 2), low)
    return Scale(kind="log", low=low / 1.15, high=high * 1.15)


def _what(tests: MetaTests, shown: Shown, scale: Scale, lines: Sequence[Curve]) -> str:
    """What the lines and bands are, and what the tasks are made of."""
    said = f"mean over {counted(int(shown.found[TASKS].iloc[0]), 'test task')}"
    said += " and seeds" * bool(shown.found[SEEDS].max() > 1)
    said += "; bands: 95 % over tasks" * bool(shown.found[TASKS].max() > 1)
    if RATE in shown.keys and shown.found[RATE].isna().any():
        said += "; where no rate is named, the cells' own"
    if shown.of > len(shown.lines):
        said += f"; the {len(shown.lines)} of {shown.of} settings with the lowest loss after the last step"
    if any(curve.leaves(scale, above, 1) for curve in lines for above in (False, True)):
        said += "; \N{BLACK UP-POINTING TRIANGLE}\N{BLACK DOWN-POINTING TRIANGLE}: leaves the axis"
    classes = dict.fromkeys(tests.about["classes"].values())
    return "\n".join([said, *(f"classes: {words}" for words in classes)])


def _legend(
    ax: Axes, lines: Sequence[Line], words: Sequence[str], heights: Sequence[float], wide: float
) -> None:
    ax.axis("off")
    ax.set(xlim=(0, wide), ylim=(sum(heights), 0))
    top = 0.0
    for line, text, height in zip(lines, words, heights, strict=True):
        middle = top + height / 2
        ax.add_line(Line2D([0, STROKE], [middle] * 2, color=line.colour, ls=line.dash, lw=1.5))
        ax.text(NAME, middle, text, size=style.SMALL, va="center_baseline")
        top += height
