"""The race: what each contender has found after so many meta-iterations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from harness.plots import style, texts
from harness.plots.heading import Heading
from harness.plots.measures import page
from harness.plots.measures.key import Key
from harness.plots.measures.page import Look

# Inches.
LEFT, HIGH, BELOW = 0.5, 2.5, 0.44
STROKE, HEAD = 0.38, 0.26
PANELS = {"hit": "Probability that the target has been reached", "best": "Expected best validation loss"}
FAR = 8.0
"""With losses that differ by more than this factor, their axis is logarithmic."""
DENSE = 1.0
"""Decades in an inch of it from which on only powers of ten have a label."""

DASHED, DOTTED = (0, (4, 1.2)), (0, (1, 1))
BLACK, ORANGE, VERMILION, PURPLE, GREEN, SKY, BLUE = (
    *("black", "#E69F00", "#D55E00", "#CC79A7", "#009E73", "#56B4E9", "#0072B2"),
)
LOOKS = (
    *(Look(colour=BLACK, dash=dash, marker="o") for dash in (DOTTED, "-", DASHED)),
    *(Look(colour=colour, dash="-", marker="o") for colour in (SKY, GREEN, ORANGE, VERMILION)),
    Look(colour=VERMILION, dash=DASHED, marker="o"),
    *(Look(colour=colour, dash="-", marker="o") for colour in (PURPLE, BLUE)),
)
"""Of the racers, in the order in which they are named: three in black, for the paper's rates and for random
search, then tuners, then Alpha-MAML."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What stands beside the curves."""

    title: str
    about: tuple[str, ...]
    """Lines below it."""
    names: Mapping[str, str]
    """All racers in order -> as the key writes them; those without curves are left out."""
    unit: str
    """Of the loss."""
    budget: int
    """Iterations of a whole run."""


def render(curves: pd.DataFrame, drawn: Drawn, folder: Path) -> list[Path]:
    """Draw <folder>/race.png, .svg and .pdf. `curves`: columns curve (hit, best), racer, x, value, low, high.
    Returns the paths. NotWritten."""
    return style.write(lambda: draw(curves, drawn), folder / "race")


def draw(curves: pd.DataFrame, drawn: Drawn) -> Figure:
    """Two panels side by side, and a key above them."""
    inches = page.WIDTH - 2 * style.MARGIN
    heading = Heading(
        title=texts.wrapped(drawn.title, inches, style.TITLE, bold=True),
        subtitle=texts.wrapped("\n".join(drawn.about), inches, style.TICK),
    )
    known = {*curves["racer"]}
    looks = {name: look for name, look in zip(drawn.names, LOOKS, strict=False) if name in known}
    key = Key.of({name: drawn.names[name] for name in looks}, STROKE, page.WIDTH)
    top = heading.height + key.height + HEAD
    fig = Figure(figsize=(page.WIDTH, top + HIGH + BELOW))
    heading.draw(fig)
    key.draw(fig, heading.height, lambda ax, at, row, name: _stroke(ax, at, row, looks[name]))
    wide = (page.WIDTH - style.MARGIN) / len(PANELS) - LEFT
    for place, (curve, head) in enumerate(PANELS.items()):
        left = LEFT + place * (wide + LEFT)
        ax = style.axes_at(fig, left, top, wide, HIGH, label=curve)
        own = curves[curves["curve"] == curve]
        for name, look in looks.items():
            _line(ax, own[own["racer"] == name].sort_values("x"), look)
        unit = f" ({drawn.unit})" * bool(drawn.unit and curve == "best")
        ax.set_title(head + unit, loc="left", size=style.TICK, pad=4)
        _scales(ax, curves, own, curve, drawn, wide)
    return fig


def _line(ax: Axes, rows: pd.DataFrame, look: Look) -> None:
    """A racer's line and band; a dot where it ends."""
    if rows.empty:
        return
    x, y, low, high = (rows[name].to_numpy(float) for name in ("x", "value", "low", "high"))
    if np.isfinite(low).any():
        ax.fill_between(x, low, high, color=look.colour, alpha=0.13, lw=0, zorder=2)
    name = str(rows["racer"].iloc[0])
    ax.plot(x, y, color=look.colour, ls=look.dash, lw=1.2, zorder=3, label=name)
    ax.plot(x[-1:], y[-1:], look.marker, ms=2.8, color=look.colour, zorder=3, clip_on=False, label="end")


def _scales(ax: Axes, curves: pd.DataFrame, own: pd.DataFrame, curve: str, drawn: Drawn, wide: float) -> None:
    first = own["x"].min() / 1.05 if len(own) else curves["x"].min()
    page.log_scale(ax, float(first), float(curves["x"].max()) * 1.05, wide)
    ax.axvline(drawn.budget, color="0.8", lw=0.7, zorder=1, label="a whole run")
    if curve == "hit":
        ax.set(ylim=(-0.02, 1.03), yticks=[0, 0.25, 0.5, 0.75, 1])
        ax.set_yticklabels(["0", "", "0.5", "", "1"])
    else:
        values = own["value"].to_numpy(float)
        log = bool(values.size and values.min() > 0 and values.max() > FAR * values.min())
        low, high = page.limits(values, log)
        if log:
            per_inch = np.log10(high / low) / HIGH
            ax.set_yscale("log")
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if per_inch < DENSE else (1,)))
            ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
            ax.yaxis.set_minor_formatter(NullFormatter())
        if values.size:
            ax.set_ylim(low, high)
    ax.grid(axis="y", color="0.92", lw=0.5, zorder=0)
    ax.set_axisbelow(True)
    ax.set_xlabel("meta-iterations spent, abandoned runs included", labelpad=1, size=style.TICK)
    ax.tick_params(pad=2, length=2.5)
    ax.tick_params(which="minor", length=1.5)


def plain(value: float) -> str:
    """0.05, 1, 1000, 20,000: without an exponent, unless it is tiny or huge."""
    if not 1e-4 <= value < 1e7:
        return f"{value:g}"
    return f"{value:{',' if value >= 1e4 else ''}.12f}".rstrip("0").rstrip(".")


def _stroke(ax: Axes, at: float, row: float, look: Look) -> None:
    ax.add_line(Line2D([at, at + STROKE], [row + 0.5] * 2, color=look.colour, ls=look.dash, lw=1.4))
