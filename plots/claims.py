"""Claims x readings: which sentence of the paper holds under which reading of its protocol."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from harness.analysis.labels import apart
from harness.paper.claims.definitions import ON_FEW_CELLS
from harness.paper.claims.judge import ONCE, Matrix, labels
from harness.paper.claims.judged import Judged, Verdict
from harness.paper.claims.sentences import CLAIMS
from harness.plots import style


class Look(NamedTuple):
    """Of a verdict: Okabe and Ito's colours, and a sign that tells it without them."""

    fill: str
    ink: str
    sign: str
    meaning: str


LOOKS = {
    Verdict.HOLDS: Look("#009E73", "white", "✓", "holds"),
    Verdict.FAILS: Look("#D55E00", "white", "✗", "fails"),
    Verdict.OPEN: Look("0.92", "0.3", "?", "cannot be told"),
}
SUBTITLE = "Under each reading of its protocol. Decades off: of both initial rates below the tuned pair"
NOTES = ("large: the sentence as it stands", "small, below: its weaker form", "blank: not asked there")
FEW = "on few cells: paper-adam once more, on those that the readings of both methods to its right share"

# Inches.
NAMES, SHORT, CELL, ROW, COLUMN_HEAD, KEY, LINE = 3.7, 0.5, 0.62, 0.32, 0.72, 0.44, 0.18


def render(matrix: Matrix, path: Path) -> list[Path]:
    """Draw the matrix (as from harness.paper.claims.judge) as <path>.png and .svg; returns both."""
    return style.write(lambda: draw(matrix), path)


def draw(matrix: Matrix) -> Figure:
    """The figure that `render` writes: rows the claims, columns the readings."""
    columns = labels(matrix)
    width = max(NAMES + len(columns) * CELL + 0.3, 6.0)
    heading = style.Heading("The paper's sentences, put to the records", SUBTITLE)
    top = heading.height + COLUMN_HEAD
    notes = [";  ".join(NOTES), *[FEW] * (ON_FEW_CELLS in columns)]
    fig = Figure(figsize=(width, top + len(CLAIMS) * ROW + KEY + LINE * len(notes)))
    heading.draw(fig)
    ax = style.axes_at(fig, NAMES, top, len(columns) * CELL, len(CLAIMS) * ROW, label="matrix")
    ax.set(xlim=(0, len(columns)), ylim=(len(CLAIMS), 0))
    for row, claim in enumerate(CLAIMS):
        for column, label in enumerate(columns):
            _cell(ax, column, row, matrix[claim.key, label])
    names = apart(label for label in columns if label != ONCE) | {ONCE: ONCE}
    ax.set_xticks([k + 0.5 for k in range(len(columns))], [names[label] for label in columns])
    ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False, left=False, pad=1)
    for head in ax.get_xticklabels():
        head.set(ha="left", rotation=35, rotation_mode="anchor")
    ax.set_yticks([])
    for row, claim in enumerate(CLAIMS):
        for left, text in ((style.MARGIN, claim.key), (SHORT, claim.short)):
            ax.text((left - NAMES) / CELL, row + 0.5, text, size=style.TICK, va="center")
    ax.spines[:].set_visible(False)
    _key(fig, top + len(CLAIMS) * ROW + 0.14, notes)
    return fig


def _cell(ax: Axes, column: float, row: float, judged: Judged | None) -> None:
    """The strict verdict by colour and sign, the weak one as a small square below it."""
    if judged is None:
        ax.add_patch(Rectangle((column, row), 1, 1, facecolor="none", edgecolor="0.88", linewidth=0.4))
        return
    look = LOOKS[judged.strict.verdict]
    ax.add_patch(Rectangle((column, row), 1, 1, facecolor=look.fill, edgecolor="white", linewidth=0.8))
    at = 0.5 if judged.weak is None else 0.36
    ax.text(column + at, row + 0.5, look.sign, color=look.ink, size=style.TITLE, ha="center", va="center")
    if judged.weak is not None:
        _small(ax, column + 0.62, row + 0.48, LOOKS[judged.weak.verdict])


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
    for k, look in enumerate(LOOKS.values()):
        left = k * 1.25
        ax.add_patch(Rectangle((left, 0), 0.2, 0.17, facecolor=look.fill, linewidth=0))
        ax.text(left + 0.1, 0.085, look.sign, color=look.ink, size=style.TICK, ha="center", va="center")
        ax.text(left + 0.27, 0.085, look.meaning, size=style.SMALL, va="center")
    for k, line in enumerate(notes):
        ax.text(0, 0.33 + k * LINE, line, size=style.SMALL, va="center", color="0.25")
