"""Claims by readings: which sentence of the paper holds under which reading of its protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from harness.plots import style
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
NOTES = ("large: the sentence as it stands", "small, below: a weaker form of it", "blank: not asked there")

# Inches.
NAMES, SHORT, CELL, ROW, COLUMN_HEAD, KEY, LINE = 4.1, 0.5, 0.62, 0.32, 0.72, 0.44, 0.18


def render(verdicts: pd.DataFrame, notes: Sequence[str], path: Path) -> list[Path]:
    """Draw the verdicts (see `draw`) as <path>.png, .svg and .pdf; returns them."""
    return style.write(lambda: draw(verdicts, notes), path)


def draw(verdicts: pd.DataFrame, notes: Sequence[str] = ()) -> Figure:
    """The figure that `render` writes: a row for each claim, a column for each reading.

    `verdicts`: for each claim in order, a row for each reading in order. Columns: claim (its key), sentence
    (in a few words), reading (in words), strict and weak (keys of LOOKS; None: not asked there, or there is
    no weaker form). `notes` are written below, one per line.
    """
    readings = list(verdicts["reading"].unique())
    claims = verdicts[["claim", "sentence"]].drop_duplicates().to_numpy().tolist()
    width = max(NAMES + len(readings) * CELL + 0.3, 6.0)
    heading = Heading(title="The paper's sentences, judged by the records", subtitle=SUBTITLE)
    top = heading.height + COLUMN_HEAD
    notes = [";  ".join(NOTES), *notes]
    fig = Figure(figsize=(width, top + len(claims) * ROW + KEY + LINE * len(notes)))
    heading.draw(fig)
    ax = style.axes_at(fig, NAMES, top, len(readings) * CELL, len(claims) * ROW, label="matrix")
    ax.set(xlim=(0, len(readings)), ylim=(len(claims), 0))
    for place, (strict, weak) in enumerate(zip(verdicts["strict"], verdicts["weak"], strict=True)):
        row, column = divmod(place, len(readings))
        _cell(ax, column, row, strict, weak)
    ax.set_xticks([k + 0.5 for k in range(len(readings))], readings)
    ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False, left=False, pad=1)
    for head in ax.get_xticklabels():
        head.set(ha="left", rotation=35, rotation_mode="anchor")
    ax.set_yticks([])
    for row, names in enumerate(claims):
        for left, text in zip((style.MARGIN, SHORT), names, strict=True):
            ax.text((left - NAMES) / CELL, row + 0.5, text, size=style.TICK, va="center")
    ax.spines[:].set_visible(False)
    _key(fig, top + len(claims) * ROW + 0.14, notes)
    return fig


def _cell(ax: Axes, column: float, row: float, strict: str | None, weak: str | None) -> None:
    """The strict verdict by colour and sign, the weak one as a small square below it."""
    if strict is None:
        ax.add_patch(Rectangle((column, row), 1, 1, facecolor="none", edgecolor="0.88", linewidth=0.4))
        return
    look = LOOKS[strict]
    ax.add_patch(Rectangle((column, row), 1, 1, facecolor=look.fill, edgecolor="white", linewidth=0.8))
    at = 0.5 if weak is None else 0.36
    ax.text(column + at, row + 0.5, look.sign, color=look.ink, size=style.TITLE, ha="center", va="center")
    if weak is not None:
        _small(ax, column + 0.62, row + 0.48, LOOKS[weak])


def _small(ax: Axes, left: float, top: float, look: Look) -> None:
    ax.add_patch(Rectangle((left, top), 0.3, 0.42, facecolor=look.fill, edgecolor="white", linewidth=0.8))
    middle = (left + 0.15, top + 0.21)
    ax.text(*middle, look.sign, color=look.ink, size=style.SMALLEST, ha="center", va="center")


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
