"""Figure 1: how the rates and the losses move, iteration by iteration.

A row for each rate that the shown methods record (alpha, beta), one for the training loss and one for the
validation loss; the columns are the grid's. A line is one setting of the hyper-parameters, over its seeds.
What a method records of the rates that one row stands for (alpha_lowest) is drawn thin in that row. The
colours run dark to light along the values that vary in a column; the method with the fewest hyper-parameters
(MAML) is black; the grid's reference is in every column. With the grid's `minus`, all of these are how far a
run is from its partner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from harness.analysis.differences import differences
from harness.analysis.learned import Learned, learned
from harness.analysis.summary import ENOUGH_FOR_QUARTILES
from harness.common.text import written
from harness.grids.matching import listed
from harness.plots import curves, style, texts
from harness.plots.heading import Heading
from harness.plots.lines import POSITION, Line, Wording, coloured, compared, lines_of, matches, worded
from harness.plots.rows import HEIGHT, Panel, Row, panels_of, rows_of
from harness.records.passages import WINDOW

# Inches.
WIDTH, LEFT, RIGHT, GAP, LINE = 2.15, 0.72, 0.62, 0.16, 0.165
NAMED, LABELS = 0.5, 0.36  # left of the axes: to the middle of a row's name; the room for labels up to there
CLOSE, LOW = (0.66, 0.49), 1.1
"""LEFT, RIGHT and HEIGHT in a paper's column, where the columns stand below each other."""
NAME, NEXT = 0.38, 0.115  # from the left of a legend to its words; from one line of words to the next


def draw(
    trials: pd.DataFrame,
    trajectories: pd.DataFrame,
    grid: dict[str, Any],
    about: Mapping[str, Any] | None = None,
) -> Figure:
    """The figure of kind trajectories; frames as in records.schema, `grid` as its model dumps to JSON,
    `about` as in render.render."""
    what = learned(trials, about)
    columns, reference = grid["figure"]["columns"], grid["figure"].get("reference")
    minus = grid["figure"].get("minus")  # older tables have none
    shown, wording = worded(trials)
    if minus:
        pairs = compared(trials, minus)
        shown, trajectories = _paired(shown, pairs), differences(trajectories, pairs)
    members = [shown[matches(shown, column["where"])] for column in columns]
    common = shown[matches(shown, reference)] if reference else shown.iloc[:0]
    lines = [lines_of(cells, common, wording) for cells in members]
    heads = [_head(column["title"], cells, wording) for column, cells in zip(columns, members, strict=True)]
    drawn = pd.concat([line.cells for column in lines for line in column])
    trajectories = trajectories[trajectories["cell_id"].isin(drawn["cell_id"])]
    rows = rows_of(trajectories, what, differ=bool(minus))
    panels = panels_of(rows, lines, trajectories, wording, what, differ=bool(minus))
    guides = [{} if minus else _guides(row, drawn, what) for row in rows]

    named = texts.widest((name for guide in guides for name in guide), style.SMALL) + 0.12
    labels = (label for row in panels for label in row[0].scale.labels(_high()))
    stacked = style.page().column
    margin, right = CLOSE if stacked else (LEFT, RIGHT)
    left = margin + max(texts.widest(labels, style.TICK) - LABELS, 0)
    across = WIDTH if stacked else len(columns) * (WIDTH + GAP) - GAP
    width = left + across + max(right, named)  # names beside the last column
    heading = Heading.of(trials, what, grid["title"], _what(trials, what, minus), width)
    high = len(rows) * (_high() + GAP) + 0.35  # of a column, down to its legend
    spots, end = _spots(heads, lines, high, heading.height + 0.1, left, stacked)
    said = _note(drawn, wording, rows, panels, bool(minus))
    note = texts.wrapped(said, width - left - style.MARGIN, style.SMALL)
    fig = Figure(figsize=(width, end + 0.13 * (note.count("\n") + 1) + style.MARGIN))
    heading.draw(fig)
    w, h = fig.get_size_inches()
    fig.text(left / w, 1 - end / h, note, size=style.SMALL, color="0.25", va="top", linespacing=1.3)

    for c, column in enumerate(lines):
        at, top = spots[c]
        last = _last(column, trajectories) if minus else int(drawn["max_iterations"].max())
        for r, row in enumerate(rows):
            ax = style.axes_at(fig, at, top + r * (_high() + GAP), WIDTH, _high(), label=row.name)
            _across(ax, last)
            _fill(ax, row, panels[r][c])
            _cross(ax, row, column, trajectories)
            _guide(ax, guides[r], name=stacked or c == len(columns) - 1)
            ax.tick_params(labelleft=stacked or c == 0, labelbottom=r == len(rows) - 1, length=2.5)
            if r == 0:
                ax.set_title(heads[c], loc="left", linespacing=1.2)
            if r == len(rows) - 1:
                ax.set_xlabel("iteration $i$", labelpad=2)
            if stacked or c == 0:
                ax.set_ylabel(row.label)
                ax.yaxis.set_label_coords((LEFT - NAMED - left) / WIDTH, 0.5)
            if all(line.cells["outcome"].isna().all() for line in column):
                ax.text(0.5, 0.5, "not run yet", transform=ax.transAxes, ha="center", color=style.GUIDE)
        key = style.axes_at(fig, at, top + high, WIDTH, sum(map(_height, column)), label="legend")
        _legend(key, column)
    return fig


def _high() -> float:
    """Of a row's axes, inches."""
    return LOW if style.page().column else HEIGHT


def _spots(
    heads: Sequence[str], lines: Sequence[list[Line]], high: float, top: float, left: float, stacked: bool
) -> tuple[list[tuple[float, float]], float]:
    """The left and the top of each column's axes, side by side or stacked; and where the last legend ends.
    `high`: of the axes of a column, `left` and `top`: where all begins. Inches."""
    above = [LINE * (1 + head.count("\n")) for head in heads]
    below = [high + sum(map(_height, column)) + 0.12 for column in lines]
    if not stacked:
        top += max(above)
        return [(left + c * (WIDTH + GAP), top) for c in range(len(heads))], top + max(below)
    spots = []
    for head, rest in zip(above, below, strict=True):
        spots.append((left, top + head))
        top += head + rest + 2 * GAP
    return spots, top - 2 * GAP


def _paired(trials: pd.DataFrame, pairs: Mapping[str, str]) -> pd.DataFrame:
    """The cells that have a partner. A pair has come to nothing, or diverged, if either of the two has."""
    outcomes = dict(zip(trials["cell_id"], trials["outcome"], strict=True))
    trials = trials[trials["cell_id"].isin([*pairs])]
    theirs = trials["cell_id"].map(pairs).map(outcomes)
    worse = theirs.isna() | theirs.isin(["failed", "diverged"])
    fine = trials["outcome"].notna() & (trials["outcome"] != "failed")
    return trials.assign(outcome=trials["outcome"].mask(worse & fine, theirs))


def _head(title: str, members: pd.DataFrame, wording: Wording) -> str:
    """The column's title and, two per line, what all its coloured lines share: the method, the settings. One
    line alone says all this in the legend."""
    cells = members[coloured(members, wording)]
    alone = len(cells[["method", *wording.keys]].drop_duplicates()) == 1
    same = [key for key in wording.keys if cells[key].nunique() == 1 and (key == POSITION or not alone)]
    values = pd.Series({key: cells[key].dropna().iloc[0] for key in same}, dtype=object)
    words = [texts.wrapped(title, WIDTH, style.LABEL)]
    methods = [] if alone else [texts.method(name) for name in cells["method"].unique()]
    if len(methods) == 1 and f" {methods[0]} " not in f" {title} ":
        words += methods
    if shared := [text for text in wording.texts(values, same) if text != title]:
        words.append(texts.flow(shared, WIDTH + GAP / 2, style.LABEL, most=2))
    return "\n".join(words)


def _what(trials: pd.DataFrame, what: Learned, minus: Mapping[str, Any] | None) -> str:
    target, budget = float(trials["target_loss"].iloc[0]), trials["max_iterations"].iloc[0]
    goal = "" if np.isnan(target) else f", target {what.with_unit(target)}"
    said = f"budget {texts.iterations(budget)}{goal}"
    if minus:
        unit = f" (losses: {what.unit})" if what.unit else ""
        said += f"; differences{unit} from the run with {_wanted(minus)} that is otherwise the same"
    return said


def _wanted(where: Mapping[str, Any]) -> str:
    """`method MAML, alpha_hyperlr = 0`."""
    words = []
    for key, options in where.items():
        values = " or ".join(
            texts.method(one) if key == "method" else written(one) for one in listed(options)
        )
        words.append(f"{key} {values}" if key in ("method", "protocol") else f"{key} = {values}")
    return ", ".join(words)


def _guides(row: Row, trials: pd.DataFrame, what: Learned) -> dict[str, float]:
    """Lines across a row of losses, chance and the target: name -> place."""
    target = float(trials["target_loss"].iloc[0])
    guides = {what.chance_name: what.chance} if row.is_loss and what.chance is not None else {}
    if row.name == "train_loss" and not np.isnan(target):
        guides[f"target {target:g}"] = target
    return guides


def _note(
    trials: pd.DataFrame,
    wording: Wording,
    rows: Sequence[Row],
    panels: Sequence[Sequence[Panel]],
    differ: bool,
) -> str:
    several, short = trials["seed"].nunique() > 1, trials["max_iterations"].max() < WINDOW
    notes = []
    if several:
        most = trials.groupby(["method", *wording.keys], dropna=False)["seed"].nunique().max()
        band = "quartiles" if most >= ENOUGH_FOR_QUARTILES else "range"
        notes.append(f"Lines: median over seeds; bands: {band}. Thin and dotted where some seeds have ended.")
    if differ:
        notes.append("Each iteration, without the sign; up to the last that both runs have.")
    elif short:
        notes.append("Training loss: each iteration.")
    elif several:
        notes.append("Training loss: mean of each seed's last 10 iterations, which lags by construction.")
    else:
        thick = "thick lines, mean of the last 10, which lags by construction"
        notes.append(f"Training loss: thin lines, each iteration; {thick}.")
    if any(panel.left for row in panels for panel in row):
        triangles = "\N{BLACK UP-POINTING TRIANGLE}\N{BLACK DOWN-POINTING TRIANGLE}"
        notes.append(f"{triangles}: a line or its band leaves the axis (a log axis has no rate ≤ 0).")
    if any(any(panel.covered) for row in panels for panel in row):
        notes.append("Where lines coincide, those beneath are drawn wide and pale.")
    if (trials["outcome"] == "diverged").any():
        notes.append("×: diverged (a loss or rate not finite).")
    if parts := [part for row in rows for part in row.parts]:
        notes.append(f"Rates, thin: {', '.join(parts)}.")
    return " ".join(notes)


def _words(line: Line) -> str:
    """A line's label, broken so that it ends before the next column."""
    return texts.flow(line.label.split(", "), WIDTH + GAP / 2 - NAME, style.SMALL)


def _height(line: Line) -> float:
    """Of its entry in the legend, inches."""
    return LINE + NEXT * _words(line).count("\n")


def _legend(ax: Axes, lines: list[Line]) -> None:
    ax.axis("off")
    ax.set(xlim=(0, WIDTH), ylim=(sum(map(_height, lines)), 0))
    top = 0.0
    for line in lines:
        middle = top + _height(line) / 2
        ax.add_line(Line2D([0, 0.3], [middle] * 2, color=line.colour, ls=line.dash, lw=1.5))
        ax.text(NAME, middle, _words(line), size=style.SMALL, va="center_baseline")
        top += _height(line)


def _last(lines: list[Line], trajectories: pd.DataFrame) -> int:
    """The last iteration of a column."""
    cells = pd.concat([line.cells for line in lines])["cell_id"]
    rows = trajectories.loc[trajectories["cell_id"].isin(cells), "iteration"]
    return 1 if rows.empty else int(rows.max())


def _across(ax: Axes, last: int) -> None:
    """The iterations: from 1 to this, with as many labels as fit."""
    most = min(int(WIDTH / (texts.size(f"{last}", style.TICK)[0] + 0.06)), 6)
    ax.set_xlim((1, last) if last > 1 else (0.5, 1.5))
    ax.xaxis.set_major_locator(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10], integer=True, min_n_ticks=1))


def _fill(ax: Axes, row: Row, panel: Panel) -> None:
    """The curves, and what marks those that leave the axes or cover each other."""
    ax.autoscale(False)
    panel.scale.apply(ax, _high())
    ax.grid(axis="y", color="0.92", lw=0.5)
    under = panel.covered
    for curve, beneath in zip(panel.curves, under, strict=True):
        curves.draw(
            ax,
            curve,
            dots=row.name == "val_loss" and np.isfinite(curve.y).sum() < 40,
            banded=curve.line.cells["seed"].nunique() > 1,
            faint=row.is_loss,
            beneath=beneath,
            most=max(map(len, under)),
        )
    curves.mark(ax, panel.curves, panel.scale, WIDTH, _high())


def _cross(ax: Axes, row: Row, lines: list[Line], trajectories: pd.DataFrame) -> None:
    """Where a cell diverged."""
    rows = trajectories[np.isfinite(trajectories[row.name].to_numpy(float))]
    for line in lines:
        for cell in line.cells.loc[line.cells["outcome"] == "diverged", "cell_id"]:
            last = rows[rows["cell_id"] == cell].tail(1)
            y = last[row.name].clip(*ax.get_ylim())
            ax.plot(last["iteration"], y, "x", color=line.colour, ms=6, mew=1.6, clip_on=False, zorder=4)


def _guide(ax: Axes, guides: dict[str, float], name: bool) -> None:
    """Thin lines across; their names at the right, the upper one above its line and the lower one below."""
    highest = max(guides.values(), default=0.0)
    for text, y in guides.items():
        ax.axhline(y, color=style.GUIDE, lw=0.6, ls=(0, (1, 1.5)), zorder=1)
        if name and ax.get_ylim()[0] <= y <= ax.get_ylim()[1]:
            side = "center" if len(guides) == 1 else "bottom" if y == highest else "top"
            where = ax.get_yaxis_transform()
            ax.text(1.03, y, text, transform=where, size=style.SMALL, va=side, color=style.GUIDE)
