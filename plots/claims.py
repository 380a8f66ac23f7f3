"""Claims by readings: which sentence of the paper holds under which reading of its protocol."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from harness.plots import style, texts
from harness.plots.heading import Heading


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a verdict looks: one of Okabe and Ito's colours, and a sign for those who cannot see it."""

    fill: str
    ink: str
    sign: str


LOOKS = {
    "holds": Look(fill="#009E73", ink="white", sign="✓"),
    "fails": Look(fill="#D55E00", ink="white", sign="✗"),
    "cannot be told": Look(fill="0.92", ink="0.3", sign="?"),
}
"""Verdict -> look."""
SUBTITLE = (
    "Under several readings of its protocol. Decades off: how far both initial rates lie below the tuned pair"
)
NOTES = (
    "left: the sentence as it stands",
    "right, where there are two: a weaker form of it",
    "blank: not asked there",
)

# Inches.
SHORT, CELL, WIDEST_CELL, ROW, KEY, LINE = 0.5, 0.66, 1.2, 0.32, 0.44, 0.18
BESIDE = 0.04  # on either side of a cell, and of a column's name
# Where the two forms of a sentence are in a cell, from left to right: parts of it.
ALONE, STRICT, WEAK = (0.0, 1.0), (0.0, 0.56), (0.59, 1.0)


def render(verdicts: pd.DataFrame, notes: Sequence[str], path: Path) -> list[Path]:
    """Draw the verdicts (see `draw`) as <path>.png, .svg and .pdf; returns them."""
    return style.write(lambda: draw(verdicts, notes), path)


def draw(verdicts: pd.DataFrame, notes: Sequence[str] = ()) -> Figure:
    """The figure that `render` writes: a row for each claim, a column for each reading, both in this order.

    `verdicts`: for each claim in order, a row for each reading in order. Columns: claim (its key), sentence
    (in a few words), reading (in words), strict and weak (keys of LOOKS; None: not asked there, or there is
    no weaker form). `notes` are written below, one per line.
    """
    readings = list(verdicts["reading"].unique())
    claims = verdicts[["claim", "sentence"]].drop_duplicates().to_numpy().tolist()
    left = SHORT + texts.widest((sentence for _, sentence in claims), style.TICK) + 0.2
    side, heads = _heads(readings)
    width = max(left + len(readings) * side + style.MARGIN, 6.0)
    heading = Heading(title="The paper's sentences, judged by the records", subtitle=SUBTITLE)
    lines = max(head.count("\n") + 1 for head in heads)
    top = heading.height + 0.2 + lines * style.TICK * 1.3 / 72
    notes = [";  ".join(NOTES), *notes]
    fig = Figure(figsize=(width, top + len(claims) * ROW + KEY + LINE * len(notes)))
    heading.draw(fig)
    ax = style.axes_at(fig, left, top, len(readings) * side, len(claims) * ROW, label="matrix")
    ax.set(xlim=(0, len(readings) * side), ylim=(len(claims), 0))
    for place, (strict, weak) in enumerate(zip(verdicts["strict"], verdicts["weak"], strict=True)):
        row, column = divmod(place, len(readings))
        _cell(ax, column * side, row, side, strict, weak)
    ax.set_xticks([(k + 0.5) * side for k in range(len(readings))], heads)
    ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False, left=False, pad=5)
    for head in ax.get_xticklabels():
        head.set(linespacing=1.15, va="baseline")
    ax.set_yticks([])
    for row, names in enumerate(claims):
        for at, text in zip((style.MARGIN, SHORT), names, strict=True):
            ax.text(at - left, row + 0.5, text, size=style.TICK, va="center")
    ax.spines[:].set_visible(False)
    _key(fig, top + len(claims) * ROW + 0.14, notes)
    return fig


def _heads(readings: Sequence[str]) -> tuple[float, list[str]]:
    """The width of a column in inches, and each reading in lines that fit there: broken after `=` and between
    words if that will do."""
    parts = [re.findall(r"[^=\s]+(?:=|\s|$)|=", reading) for reading in readings]
    widest = texts.widest([part.strip() for some in parts for part in some], style.TICK) + 2 * BESIDE
    side = float(min(max(widest, CELL), WIDEST_CELL))
    return side, [_lines(some, side - 2 * BESIDE) for some in parts]


def _lines(parts: Sequence[str], inches: float) -> str:
    lines = [""]
    for part in parts:
        if texts.size((lines[-1] + part).strip(), style.TICK)[0] > inches:
            lines.append("")
        lines[-1] += part
    return "\n".join(texts.wrapped(line.strip(), inches, style.TICK) for line in lines if line)


def _cell(ax: Axes, left: float, row: int, side: float, strict: str | None, weak: str | None) -> None:
    """Verdicts by colour and sign; `left`, `side`: of the cell, in inches."""
    if strict is None:
        ax.add_patch(Rectangle((left, row), side, 1, facecolor="none", edgecolor="0.88", linewidth=0.4))
        return
    _form(ax, left, row, side, LOOKS[strict], ALONE if weak is None else STRICT, style.TITLE)
    if weak is not None:
        _form(ax, left, row, side, LOOKS[weak], WEAK, style.LABEL)


def _form(
    ax: Axes, left: float, row: int, side: float, look: Look, part: tuple[float, float], size: float
) -> None:
    room = side - BESIDE
    at, wide = left + BESIDE / 2 + part[0] * room, (part[1] - part[0]) * room
    ax.add_patch(Rectangle((at, row + 0.04), wide, 0.92, facecolor=look.fill, linewidth=0))
    ax.text(at + wide / 2, row + 0.5, look.sign, color=look.ink, size=size, ha="center", va="center")


def _key(fig: Figure, top: float, notes: list[str]) -> None:
    """What colours, signs and sizes mean."""
    width = float(fig.get_size_inches()[0]) - 2 * style.MARGIN
    height = 0.24 + LINE * len(notes)
    ax = style.axes_at(fig, style.MARGIN, top, width, height, label="key")
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.axis("off")
    for k, (meaning, look) in enumerate(LOOKS.items()):
        left = k * 1.25
        ax.add_patch(Rectangle((left, 0), 0.2, 0.17, facecolor=look.fill, linewidth=0))
        ax.text(left + 0.1, 0.085, look.sign, color=look.ink, size=style.TICK, ha="center", va="center")
        ax.text(left + 0.27, 0.085, meaning, size=style.SMALL, va="center")
    for k, line in enumerate(notes):
        ax.text(0, 0.33 + k * LINE, line, size=style.SMALL, va="center", color="0.25")
