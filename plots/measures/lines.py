"""Curves of `harness sensitivity`, a panel for each environment, a line and a band for each method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, MaxNLocator

from harness.analysis.sensitivity import Measures
from harness.plots import style, texts
from harness.plots.measures import page
from harness.plots.measures.key import Key

# Inches.
ACROSS, LEFT, HIGH, BELOW, APART = 4, 0.45, 1.45, 0.44, 0.12
LINE, STROKE = 0.16, 0.38
ROWS = 6
"""Of panels, at most."""
MARKED = 6
"""Curves with at most as many points have a dot at each."""
REACHED = "Share of (setting, target) pairs reached"
PROFILE = "Performance profile: settings within a factor"
LONG = 20
"""With more settings, the axis of their number is logarithmic."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A curve and how its panels are drawn."""

    curve: str
    x: str
    head: str
    """What y is."""
    log: bool
    share: bool = True
    """Whether y is a share, from 0 to 1."""
    step: bool = False


Panel = tuple[Kind, str]
"""And its environment."""


def budget(measures: Measures, title: str = "") -> Figure:
    """What random search gets from a number of settings: the chance of a hit, the expected best score."""
    long = measures.curves["x"][measures.curves["curve"].isin(["hit", "budget"])].max() > LONG
    best, less = page.score(measures, "Expected best"), ", less is better" * measures.runs.less_is_better
    tried = "settings tried"
    kinds = (
        Kind(curve="hit", x=tried, head="Chance of a hit", log=bool(long)),
        Kind(curve="budget", x=tried, head=best + less, log=bool(long), share=False),
    )
    what = ["Random search without replacement; a line ends where all settings of a method have been tried"]
    notes = [] if has(measures, "hit") else ["No chance of a hit: the table has no target."]
    if not has(measures, "budget"):
        notes.append("No expected best score: the table has counts alone, of runs that may stop at a target.")
    return _draw(measures, kinds, page.titled(title, "what random search gets"), what, notes)


def ecdf(measures: Measures, title: str = "") -> Figure:
    """Targets reached by an iteration, and the performance profile."""
    kinds = (
        Kind(curve="ecdf", x="iterations", head=REACHED, log=True, step=True),
        Kind(curve="profile", x="factor of the best count", head=PROFILE, log=True, step=True),
    )
    what = [_targets(measures)] * has(measures, "ecdf")
    if has(measures, "profile"):
        what.append("Profile: the best count is that of all methods in an environment, seed by seed")
    known = (("ecdf", "Targets reached", "iterations to several targets"), ("profile", "Profile", "target"))
    notes = [
        f"{name} not drawn: the table has no {lacks}."
        for curve, name, lacks in known
        if not has(measures, curve)
    ]
    return _draw(measures, kinds, page.titled(title, "how soon targets are reached"), what, notes)


def _targets(measures: Measures) -> str:
    """How many there are, and which."""
    targets = [*measures.runs.targets.values()]
    counts = sorted({len(some) for some in targets})
    many = f"{counts[0]} targets" if len(counts) == 1 else "Several targets"
    if len(targets) == 1:
        return f"{many} from {targets[0].max():.3g} down to {targets[0].min():.3g}"
    return f"{many} in each environment"


def has(measures: Measures, *curves: str) -> bool:
    """Whether there is one of these curves."""
    return bool(measures.curves["curve"].isin(curves).any())


def _draw(
    measures: Measures, kinds: Sequence[Kind], title: str, what: Sequence[str], notes: Sequence[str]
) -> Figure:
    """Rows of panels, and a key above them."""
    rows = measures.curves[measures.curves["curve"].isin([kind.curve for kind in kinds])]
    notes = [*notes, *page.not_run(measures)]
    if rows.empty:
        return page.Page.of(measures, title, ["Nothing to draw."], notes).figure(0)
    laid = _laid(rows, kinds, measures)
    notes += page.left_out(page.environments(rows, measures), {place for row in laid for _, place in row})
    wide = (page.WIDTH - style.MARGIN) / max(len(row) for row in laid) - LEFT - APART
    blocks = [_block(row, before, measures) for row, before in zip(laid, [None, *laid], strict=False)]
    above = [LINE * _lines(block) + 0.06 * bool(block) for block in blocks]
    heads = [[_head(panel, wide, measures) for panel in row] for row in laid]
    rooms = [LINE * max(map(_lines, some)) + 0.06 for some in heads]
    key = Key.of(page.named(page.methods(rows, measures)), STROKE, page.WIDTH)
    sheet = page.Page.of(measures, title, what, notes, page.intervals(rows, "bands"))
    fig = sheet.figure(key.height + sum(above) + sum(rooms) + len(laid) * (HIGH + BELOW))
    key.draw(fig, sheet.top, lambda ax, at, row, name: _stroke(ax, at, row, page.looks(measures)[name]))
    top = sheet.top + key.height
    for r, row in enumerate(laid):
        page.write(fig, style.MARGIN, top + above[r], blocks[r], weight="bold")
        top += above[r] + rooms[r]
        for c, (kind, place) in enumerate(row):
            ax = style.axes_at(fig, LEFT + c * (LEFT + wide + APART), top, wide, HIGH, label=kind.curve)
            own = rows[(rows["curve"] == kind.curve) & (rows["environment"] == place)]
            _panel(ax, own, kind, measures, wide)
            ax.set_title(heads[r][c], loc="left", size=style.TICK, pad=3, linespacing=1.15)
        top += HIGH + BELOW
    return fig


def _block(row: Sequence[Panel], before: Sequence[Panel] | None, measures: Measures) -> str:
    """What is written above the first row of a kind; the panels of one environment say it themselves."""
    kind = row[0][0]
    if len(measures.runs.environments) == 1 or (before and before[0][0] == kind):
        return ""
    return texts.wrapped(kind.head, page.WIDTH - 2 * style.MARGIN, style.TICK, bold=True)


def _head(panel: Panel, inches: float, measures: Measures) -> str:
    """The title of a panel: its environment, or what is drawn where there is only one."""
    kind, place = panel
    return texts.wrapped(page.shown(measures)[place] or kind.head, inches, style.TICK)


def _lines(text: str) -> int:
    return (text.count("\n") + 1) * bool(text)


def _laid(rows: pd.DataFrame, kinds: Sequence[Kind], measures: Measures) -> list[list[Panel]]:
    """The panels row by row: of each kind even rows, for as many environments as there is room for; of one
    environment, all kinds side by side."""
    known = {kind: page.environments(rows[rows["curve"] == kind.curve], measures) for kind in kinds}
    known = {kind: places for kind, places in known.items() if places}
    room = ACROSS * (ROWS // len(known))
    of_kinds = [[(kind, place) for place in places[:room]] for kind, places in known.items()]
    if len(measures.runs.environments) == 1:
        return [[panel for panels in of_kinds for panel in panels]]
    laid = []
    for panels in of_kinds:
        across = ceil(len(panels) / ceil(len(panels) / ACROSS))
        laid += [panels[at : at + across] for at in range(0, len(panels), across)]
    return laid


def _panel(ax: Axes, rows: pd.DataFrame, kind: Kind, measures: Measures, wide: float) -> None:
    """A line for each method, the first one on top."""
    looks = page.looks(measures)
    for at, name in enumerate(page.methods(rows, measures)):
        _line(ax, rows[rows["method"] == name].sort_values("x"), kind, looks[name], 4 - at / len(looks))
    _scales(ax, rows, kind, wide)


def _line(ax: Axes, rows: pd.DataFrame, kind: Kind, look: page.Look, z: float) -> None:
    """With its band, where there is one."""
    x, y, low, high = (rows[name].to_numpy(float) for name in ("x", "value", "low", "high"))
    if np.isfinite(low).any():
        band: dict[str, Any] = {"step": "post"} if kind.step else {}
        ax.fill_between(x, low, high, color=look.colour, alpha=0.2, lw=0, zorder=2, **band)
    line: dict[str, Any] = {"drawstyle": "steps-post"} if kind.step else {}
    ax.plot(x, y, color=look.colour, ls=look.dash, lw=1.2, zorder=z, label=rows["method"].iloc[0], **line)
    if not kind.step:
        dots = slice(None) if len(x) <= MARKED else slice(-1, None)
        ax.plot(x[dots], y[dots], "o", ms=2.5, color=look.colour, zorder=z, clip_on=False, label="dots")


def _scales(ax: Axes, rows: pd.DataFrame, kind: Kind, wide: float) -> None:
    last = float(rows["x"].max())
    if kind.log:
        page.log_scale(ax, float(rows["x"].min()), max(last * 1.03, 2.0), wide)
    else:
        ax.set_xlim(0.5, last + 0.5)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7, min_n_ticks=1))
    if kind.share:
        ax.set(ylim=(-0.02, 1.03), yticks=[0, 0.25, 0.5, 0.75, 1])
        ax.set_yticklabels(["0", "", "0.5", "", "1"])
    else:
        ax.locator_params(axis="y", nbins=5)
        if max(map(abs, ax.get_ylim())) >= 1e4:
            ax.yaxis.set_major_formatter(EngFormatter(sep=""))  # 180k: there is no room for more
    ax.grid(axis="y", color="0.92", lw=0.5, zorder=0)
    ax.set_axisbelow(True)
    ax.set_xlabel(kind.x, labelpad=1, size=style.TICK)
    ax.tick_params(pad=2, length=2.5)
    ax.tick_params(which="minor", length=1.5)


def _stroke(ax: Axes, at: float, row: float, look: page.Look) -> None:
    ax.add_line(Line2D([at, at + STROKE], [row + 0.5] * 2, color=look.colour, ls=look.dash, lw=1.4))
