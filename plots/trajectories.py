"""Figure 1: how the rates and the losses move, iteration by iteration.

A row for each rate that the shown methods record (alpha, beta), one for the training loss and one for the
validation loss; the columns are the grid's. A line is one setting of the hyper-parameters, over its seeds.
What a method records of the rates that one row stands for (alpha_lowest) is drawn thin in that row. The
colours run dark to light along the values that vary in a column; the method with the fewest hyper-parameters
(MAML) is black; the grid's reference is in every column.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator, SymmetricalLogLocator

from harness.analysis.learned import Learned, learned
from harness.analysis.summary import ENOUGH_FOR_QUARTILES, bands, equal, numbers, rate_columns
from harness.plots import style, texts
from harness.plots.heading import Heading
from harness.plots.lines import Line, Wording, coloured, lines_of, matches, worded
from harness.records.passages import WINDOW

LOSSES = {"train_loss": "training loss", "val_loss": "validation loss"}
CUT = 1.3
SMALLEST, LARGEST = 1e-306, 5e307  # of what an axis can show

# Inches.
WIDTH, HEIGHT, LEFT, RIGHT, GAP, LINE = 2.15, 1.3, 0.72, 0.62, 0.16, 0.165
NAME, NEXT = 0.38, 0.115  # from the left of a legend to its words; from one line of words to the next


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of axes."""

    name: str
    """The column of the trajectories."""
    label: str
    parts: tuple[str, ...] = ()
    """Columns that are drawn thin beside it."""

    @property
    def is_loss(self) -> bool:
        """Whether it shows a loss; else a rate."""
        return self.name in LOSSES


def rows_of(trajectories: pd.DataFrame, what: Learned) -> list[Row]:
    """The rows of a figure of these trajectories: rates that have any value (none yet: all), then the
    losses."""
    known = rate_columns(trajectories)
    rates = [name for name in known if trajectories[name].notna().any()] or known
    leads = [name for name in rates if not any(name.startswith(f"{other}_") for other in rates)]
    rows = [
        Row(
            name=lead,
            label=texts.at_iteration(lead),
            parts=tuple(name for name in rates if name.startswith(f"{lead}_")),
        )
        for lead in leads
    ]
    return [*rows, *(Row(name=name, label=what.named(words)) for name, words in LOSSES.items())]


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
    shown, wording = worded(trials)
    members = [shown[matches(shown, column["where"])] for column in columns]
    common = shown[matches(shown, reference)] if reference else shown.iloc[:0]
    lines = [lines_of(cells, common, wording) for cells in members]
    heads = [_head(column["title"], cells, wording) for column, cells in zip(columns, members, strict=True)]
    curves = bands(trajectories, shown, ["method", *wording.keys])
    drawn = pd.concat([line.cells for column in lines for line in column])["cell_id"]
    rows = rows_of(trajectories[trajectories["cell_id"].isin(drawn)], what)
    several = trials["seed"].nunique() > 1

    named = texts.widest(_target(trials), style.SMALL) + 0.12  # beside the last column
    width = LEFT + len(columns) * (WIDTH + GAP) - GAP + max(RIGHT, named)
    heading = Heading.of(trials, what, grid["title"], _what(trials, what), width)
    top = heading.height + 0.1 + LINE * (1 + max(head.count("\n") for head in heads))
    legend = top + len(rows) * (HEIGHT + GAP) + 0.35
    note = texts.wrapped(_note(shown, wording, rows), width - LEFT - style.MARGIN, style.SMALL)
    end = legend + max(sum(map(_height, column)) for column in lines) + 0.12
    fig = Figure(figsize=(width, end + 0.13 * (note.count("\n") + 1) + style.MARGIN))
    heading.draw(fig)
    w, h = fig.get_size_inches()
    fig.text(LEFT / w, 1 - end / h, note, size=style.SMALL, color="0.25", va="top", linespacing=1.3)

    axes = {}
    for c, column in enumerate(lines):
        left = LEFT + c * (WIDTH + GAP)
        for r, row in enumerate(rows):
            ax = style.axes_at(fig, left, top + r * (HEIGHT + GAP), WIDTH, HEIGHT, label=row.name)
            axes[r, c] = ax
            for line in column:
                _curve(ax, row, line, _of(line, curves, wording), several)
        axes[0, c].set_title(heads[c], loc="left", linespacing=1.2)
        key = style.axes_at(fig, left, legend, WIDTH, sum(map(_height, column)), label="legend")
        _legend(key, column)
    for r, row in enumerate(rows):
        _finish([axes[r, c] for c in range(len(columns))], row, lines, trajectories, what)
    return fig


def _head(title: str, members: pd.DataFrame, wording: Wording) -> str:
    """The column's title and, two per line, the settings that all its coloured lines share."""
    cells = members[coloured(members, wording)]
    same = [key for key in wording.keys if cells[key].nunique() == 1]
    values = pd.Series({key: cells[key].dropna().iloc[0] for key in same}, dtype=object)
    words = [texts.wrapped(title, WIDTH, style.LABEL)]
    if shared := wording.texts(values, same):
        words.append(texts.flow(shared, WIDTH + GAP / 2, style.LABEL, most=2))
    return "\n".join(words)


def _what(trials: pd.DataFrame, what: Learned) -> str:
    target, budget = float(trials["target_loss"].iloc[0]), trials["max_iterations"].iloc[0]
    goal = "" if np.isnan(target) else f", target {what.with_unit(target)}"
    return f"budget {texts.iterations(budget)}{goal}"


def _target(trials: pd.DataFrame) -> dict[str, float]:
    """The guide at the target, if there is one: its name -> its place."""
    target = float(trials["target_loss"].iloc[0])
    return {} if np.isnan(target) else {f"target {target:g}": target}


def _note(trials: pd.DataFrame, wording: Wording, rows: Sequence[Row]) -> str:
    several, short = trials["seed"].nunique() > 1, trials["max_iterations"].max() < WINDOW
    notes = []
    if several:
        most = trials.groupby(["method", *wording.keys], dropna=False).size().max()
        band = "quartiles" if most >= ENOUGH_FOR_QUARTILES else "range"
        notes.append(
            f"Lines: median over seeds; bands: {band}. Faint and dotted where some seeds have ended."
        )
    if short:
        notes.append("Training loss: each iteration.")
    elif several:
        notes.append("Training loss: mean of each seed's last 10 iterations, which lags by construction.")
    else:
        thick = "thick lines, mean of the last 10, which lags by construction"
        notes.append(f"Training loss: thin lines, each iteration; {thick}.")
    if (trials["outcome"] == "diverged").any():
        notes.append("×: diverged (a loss or rate not finite).")
    if parts := [part for row in rows for part in row.parts]:
        notes.append(f"Rates, thin: {', '.join(parts)}.")
    return " ".join(notes)


def _of(line: Line, curves: pd.DataFrame, wording: Wording) -> pd.DataFrame:
    """The rows of `curves` that belong to this line."""
    first = line.cells.iloc[0]
    same = curves["method"] == first["method"]
    for key in wording.keys:
        same &= equal(curves[key], first[key])
    return curves[same]


def _curve(ax: Axes, row: Row, line: Line, curve: pd.DataFrame, several: bool) -> None:
    style_of: dict[str, Any] = {"color": line.colour, "zorder": 3 if line.on_top else 2}
    # Else too short for a mean.
    smooth = row.name == "train_loss" and curve["train_loss_mean_median"].notna().any()
    name = f"{row.name}_mean" if smooth else row.name
    values = curve[["iteration", "seeds", "all_seeds"]].assign(
        **{what: curve[f"{name}_{what}"] for what in ("median", "low", "high")}
    )
    values = values[np.isfinite(values["median"])]
    for part in row.parts:
        ax.plot(curve["iteration"], curve[f"{part}_median"], lw=0.5, **style_of)
    if smooth and not several:
        ax.plot(curve["iteration"], curve["train_loss_median"], lw=0.4, alpha=0.4, **style_of)
    whole = values["seeds"] == values["all_seeds"]
    alone = len(values) == 1  # as a line it could not be seen
    dots = "." if alone or (row.name == "val_loss" and len(values) < 40) else ""
    style_of["clip_on"] = not alone
    x, y = values["iteration"], values["median"]
    ax.plot(x[whole], y[whole], ls=line.dash, lw=1.3, ms=3, label=line.label, marker=dots, **style_of)
    if not whole.all():
        ax.plot(x[~whole], y[~whole], ls=":", lw=0.9, alpha=0.6, **style_of)
    if several:
        ax.fill_between(x, values["low"], values["high"], alpha=0.18, lw=0, **style_of)


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


def _finish(
    axes: list[Axes], row: Row, lines: list[list[Line]], trajectories: pd.DataFrame, what: Learned
) -> None:
    """What the axes of a row share: scale, limits and guides; and a cross where a cell diverged."""
    drawn = pd.concat([line.cells for column in lines for line in column])
    rows = trajectories[trajectories["cell_id"].isin(drawn["cell_id"])]
    rows = rows[np.isfinite(rows[row.name].to_numpy(float))]
    steady = rows[rows["cell_id"].isin(drawn.loc[drawn["outcome"] != "diverged", "cell_id"])]
    steady = rows if steady.empty else steady  # a diverging run must not flatten the rest
    values = steady[[row.name, *row.parts]].to_numpy(float).ravel()
    values, budget = values[np.isfinite(values)], int(drawn["max_iterations"].max())
    guides = {what.chance_name: what.chance} if row.is_loss and what.chance is not None else {}
    scale, low, high = _losses(values, _untrained(steady, row, what)) if row.is_loss else _rates(values)
    if row.name == "train_loss":
        guides |= _target(drawn)
    most = min(int(WIDTH / (texts.size(f"{budget}", style.TICK)[0] + 0.06)), 6)  # labels that fit along x
    for c, (ax, column) in enumerate(zip(axes, lines, strict=True)):
        ax.autoscale(False)
        ax.set_yscale(scale, **({"linthresh": _threshold(values)} if scale == "symlog" else {}))
        if scale == "symlog":
            locator = SymmetricalLogLocator(base=10, linthresh=_threshold(values))
            locator.numticks = 5  # else ten, whose labels overlap
            ax.yaxis.set_major_locator(locator)
        elif scale == "log" and (ticks := _short_of_decades(low, high)):
            ax.set_yticks(ticks, [texts.number(tick) for tick in ticks])
        ax.yaxis.set_minor_locator(NullLocator())
        ax.set(xlim=(1, budget) if budget > 1 else (0.5, 1.5), ylim=(low, high))
        ax.xaxis.set_major_locator(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10], integer=True, min_n_ticks=1))
        ax.grid(axis="y", color="0.92", lw=0.5)
        ax.tick_params(labelleft=c == 0, labelbottom=row.name == "val_loss", length=2.5)
        for line in column:
            for cell in line.cells.loc[line.cells["outcome"] == "diverged", "cell_id"]:
                last = rows[rows["cell_id"] == cell].tail(1)
                y = last[row.name].clip(low, high)
                ax.plot(last["iteration"], y, "x", color=line.colour, ms=6, mew=1.6, clip_on=False, zorder=4)
        _guide(ax, guides, name=c == len(axes) - 1)
        if row.name == "val_loss":
            ax.set_xlabel("iteration $i$", labelpad=2)
        if all(line.cells["outcome"].isna().all() for line in column):
            ax.text(0.5, 0.5, "not run yet", transform=ax.transAxes, ha="center", color=style.GUIDE)
    axes[0].set_ylabel(row.label)
    axes[0].yaxis.set_label_coords(-0.5 / WIDTH, 0.5)


def _rates(values: np.ndarray) -> tuple[str, float, float]:
    """A log axis; symlog if a rate is not positive (or as good as 0): a log axis cannot show it."""
    if not values.size:
        return "log", 1e-5, 1.0
    low, high = float(values.min()), float(values.max())
    if low > SMALLEST:
        return "log", low / 2, min(high * 2, LARGEST)
    room = 2 * _threshold(values)
    return "symlog", min(low * 2, -room), max(high * 2, room)


def _short_of_decades(low: float, high: float) -> list[float]:
    """Ticks for a log axis with fewer than two powers of ten: at 1, 2 and 5 times these. Else none."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [float(f"{m}e{k}") for k in decades for m in (1, 2, 5)]
    ticks = [tick for tick in ticks if low <= tick <= high]
    return [] if sum(f"{tick:e}"[0] == "1" for tick in ticks) > 1 else ticks


def _threshold(values: np.ndarray) -> float:
    """Where symlog turns linear: the decade of the smallest rate except 0, at most 6 below the largest."""
    sizes = np.abs(values[np.abs(values) > SMALLEST])
    return float(10.0 ** np.floor(np.log10(max(sizes.min(), sizes.max() / 1e6)))) if sizes.size else 1.0


def _untrained(rows: pd.DataFrame, row: Row, what: Learned) -> float:
    """The loss before anything is learned: at chance, or else the median of the first that are measured."""
    if what.chance is not None:
        return what.chance
    first = numbers(rows.groupby("cell_id")[row.name].first())
    return float(np.median(first)) if first.size else 1.0


def _losses(values: np.ndarray, chance: float) -> tuple[str, float, float]:
    """A linear axis with `chance` in it; a loss above CUT times the larger of chance and the median
    is cut off: a rate that overshoots for a step must not flatten the rest."""
    values = np.minimum(values, LARGEST)
    low = min(float(values.min()), chance) if values.size else 0.0
    most = CUT * max(chance, float(np.median(values))) if values.size else chance
    high = max(min(float(values.max()), most) if values.size else chance, chance)
    room = 0.06 * max(high - low, 0.1 * chance)
    return "linear", low - room, high + room


def _guide(ax: Axes, guides: dict[str, float], name: bool) -> None:
    """Thin lines across; their names at the right, the upper one above its line and the lower one below."""
    highest = max(guides.values(), default=0.0)
    for text, y in guides.items():
        ax.axhline(y, color=style.GUIDE, lw=0.6, ls=(0, (1, 1.5)), zorder=1)
        if name and ax.get_ylim()[0] <= y <= ax.get_ylim()[1]:
            side = "center" if len(guides) == 1 else "bottom" if y == highest else "top"
            where = ax.get_yaxis_transform()
            ax.text(1.03, y, text, transform=where, size=style.SMALL, va=side, color=style.GUIDE)
