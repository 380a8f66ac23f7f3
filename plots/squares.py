"""One square of a figure of losses: its colour and loss, or its mark; and the key that explains them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harness.plots import cells, style, texts

MARKS = {
    "diverged": replace(cells.MARKS["diverged"], meaning="half of the runs diverged, or more"),
    "failed": cells.MARKS["failed"],
    "not run": cells.MARKS["not run"],
}
SOME_DIVERGED, SOME_MISSING = "×", "k/n"
BELOW = 0.32
"""How far below a square's middle its signs are, in squares."""
WIDE = 10
"""The scale is logarithmic if its upper end is more than as many times the lower."""
SIZES = (style.TICK, style.SMALL, style.SMALLEST)
ROOM = 0.05  # inches, beside a text in its square

# Inches.
BAR_WIDTH, BAR_ROOM, ARROW = 2.05, 0.66, 0.1


@dataclass(frozen=True, kw_only=True)
class Look:
    """What all squares of a figure share."""

    norm: Normalize
    above: bool
    """Whether a loss is above the scale."""
    side: float
    """Of a square, in inches."""
    size: float
    """Of the losses' texts, in points."""
    lines: tuple[tuple[str, str], ...]
    """What the key explains: a state of MARKS or a sign, and what it means."""
    name: str
    """What the colours are: `validation loss (nats)`."""


def look(squares: pd.DataFrame, untrained: float, name: str, side: float) -> Look:
    """The look for all squares of a figure, see analysis.losses.panels; `untrained`: the loss of untrained
    weights, NaN: not known."""
    losses = squares["loss"].to_numpy(dtype=float)
    norm = scale(losses[(squares["state"] == "loss").to_numpy()], untrained)
    written = [said(loss) for loss in squares["loss"][squares["state"] == "loss"]]
    return Look(
        norm=norm,
        above=bool((losses > norm.vmax).any()),
        side=side,
        size=next((one for one in SIZES if texts.widest(set(written), one) <= side - ROOM), SIZES[-1]),
        lines=tuple(_lines(squares)),
        name=name,
    )


def scale(losses: np.ndarray, untrained: float) -> Normalize:
    """Colours from the least of these losses up to that of untrained weights, so that a few huge losses take
    no colour from the others."""
    known = losses[np.isfinite(losses)]
    low = float(known.min()) if known.size else untrained
    high = untrained if untrained > low else float(np.median(known)) if known.size else math.nan
    if not math.isfinite(low):
        low = high = 0.0
    if not high > low:  # nothing was learned, or all is equal
        low, high = low - 0.5 * max(abs(low), 1e-12), low + 0.5 * max(abs(low), 1e-12)
    return LogNorm(low, high) if low > 0 and high > WIDE * low else Normalize(low, high)


def said(loss: float) -> str:
    """A loss in at most some five characters: 0.42, 1.61, 23, 3e5."""
    if not math.isfinite(loss):
        return "∞"
    if loss == 0:
        return "0"
    for most, digits in ((10, 2), (1000, 0)):
        if abs(loss) >= 0.095 and round(abs(loss), digits) < most:
            return f"{loss:.{digits}f}"
    factor, exponent = f"{loss:.0e}".split("e")
    return f"{factor}e{int(exponent)}"


def draw(ax: Axes, losses: pd.DataFrame, look: Look) -> None:
    """Colours of losses [rows, columns]; none where there is none."""
    colours = losses.astype(float).clip(look.norm.vmin, look.norm.vmax)
    cells.mesh(ax, colours, look.norm)


def write(ax: Axes, column: int, row: int, square: pd.Series, look: Look) -> None:
    """The loss of a square where it fits, and its signs below; or its mark."""
    if square["state"] in MARKS:
        cells.mark(ax, column, row, MARKS[square["state"]])
        return
    shown = min(max(square["loss"], look.norm.vmin), look.norm.vmax)
    colour = cells.ink(mpl.colormaps[style.COUNTS](look.norm(shown)))
    text = said(square["loss"])
    if texts.size(text, look.size)[0] <= look.side - ROOM:
        cells.text(ax, column, row, text, look.size, colour)
    cells.text(ax, column, row + BELOW, _signs(square), style.SMALLEST, colour)


def _signs(square: pd.Series) -> str:
    some = f"{square['run']}/{square['seeds']}" if square["run"] < square["seeds"] else ""
    return SOME_DIVERGED * bool(square["diverged"]) + some


def _lines(squares: pd.DataFrame) -> list[tuple[str, str]]:
    states, shown = set(squares["state"]), squares[squares["state"] == "loss"]
    marks = [(state, mark.meaning) for state, mark in MARKS.items() if state in states]
    if squares["seeds"].max() == 1:
        marks = [(state, "diverged" if state == "diverged" else meaning) for state, meaning in marks]
    signs = {
        SOME_DIVERGED: (shown["diverged"] > 0, "some runs diverged: each counts as its loss at iteration 1"),
        SOME_MISSING: (shown["run"] < shown["seeds"], "k of n runs are finished"),
    }
    return [*marks, *((sign, meaning) for sign, (some, meaning) in signs.items() if some.any())]


def key(fig: Figure, at: tuple[float, float], wide: bool, look: Look) -> None:
    """The colour bar, and what each mark means: beside the bar if `wide`, else below it."""
    long = BAR_WIDTH + ARROW * look.above
    bar = style.axes_at(fig, at[0], at[1] + 0.22, long, cells.BAR, label="colour bar")
    extend = "max" if look.above else "neither"
    fig.colorbar(
        ScalarMappable(look.norm, style.COUNTS),
        cax=bar,
        orientation="horizontal",
        extend=extend,
        extendfrac=ARROW / BAR_WIDTH,
    )
    bar.minorticks_off()
    ticks = _ticks(look.norm)
    bar.set_xticks(list(ticks), list(ticks.values()))
    bar.set_title(look.name, size=style.TICK, loc="left", pad=4)
    left, top = (at[0] + cells.KEY_WIDTH + 0.2, at[1]) if wide else (at[0], at[1] + BAR_ROOM)
    cells.explain(fig, (left, top), [(MARKS.get(sign, sign), meaning) for sign, meaning in look.lines])


def _ticks(norm: Normalize) -> dict[float, str]:
    """Round numbers on the scale, none of whose labels runs into another."""
    low, high = float(norm.vmin or 0), float(norm.vmax or 0)
    if isinstance(norm, LogNorm):
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        ticks = [step * 10.0**k for k in decades for step in (1, 2, 5)]
        if len(ticks) > 18:
            ticks = ticks[::3]
    else:
        ticks = [float(tick) for tick in MaxNLocator(5).tick_values(low, high)]
    labels = {tick: texts.number(tick) for tick in ticks if low <= tick <= high}
    labels = {tick: f"{tick:g}" if 1e-3 <= abs(tick) < 1e4 else text for tick, text in labels.items()}
    places = {BAR_WIDTH * float(norm(tick)): tick for tick in labels}
    kept = texts.spaced({at: labels[tick] for at, tick in places.items()}, style.TICK)
    return {places[at]: labels[places[at]] for at in kept}


def key_width(look: Look, wide: bool) -> float:
    """Width of the key in inches."""
    explained = cells.explained_width([meaning for _, meaning in look.lines])
    if wide:
        return cells.KEY_WIDTH + 0.2 + explained
    return max(explained, texts.size(look.name, style.TICK)[0], BAR_WIDTH + 0.3)


def key_height(look: Look, wide: bool) -> float:
    """Height of the key in inches."""
    lines = cells.LINE * len(look.lines)
    return max(BAR_ROOM, lines) if wide else BAR_ROOM + lines
