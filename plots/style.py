"""The one place for colours, fonts and sizes, and for writing a figure with repeatable bytes."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from harness.common.files import figures, whole_files, write_whole
from harness.plots import fonts
from harness.plots.sparing import sparing

DPI = 200


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a figure is drawn for. Inches."""

    widest: float
    """Panels that would be beyond go on in a row below."""
    narrowest: float
    """Of a figure with its key below the panels."""
    column: bool
    """Whether it is a paper's column: all stands below each other."""


WHOLE = Page(widest=8.4, narrowest=5.6, column=False)
"""A printed page or a slide, which figures up to `widest` fit without being made smaller."""
COLUMN = Page(widest=3.3, narrowest=3.3, column=True)

_page: ContextVar[Page] = ContextVar("page", default=WHOLE)
_in_style: ContextVar[bool] = ContextVar("in_style", default=False)
"""Whether `applied` is in force: to apply it anew takes longer than to measure a text."""


def page() -> Page:
    """What is drawn for, as `applied` was told."""
    return _page.get()


MARGIN = 0.12  # inches, at the edges of a figure

# Okabe and Ito's colours, told apart with any colour vision; black is kept for the baseline.
BASELINE = "black"
REFERENCE = "0.5"
GUIDE = "0.35"
COUNTS = "viridis"  # lightness rises with the count, so it reads in grey too
_RAMP = ("#002775", "#5f249d", "#992b95", "#c53c7c", "#eb5062", "#dd6c3f", "#c98200")
RAMP = LinearSegmentedColormap.from_list("lines", _RAMP)
"""For lines that have an order: from dark to light, at least 3 to 1 in contrast to white."""
TOLD_APART = len(_RAMP)  # colours of the ramp, with any colour vision; more need dashes too

DATED = {"svg": ("Date",), "png": ("Software",), "pdf": ("CreationDate", "Producer", "Creator")}
"""What matplotlib would write into a file of its own accord, and is left out: dates and versions."""

TITLE, LABEL, TICK, SMALL, SMALLEST = 10.0, 8.5, 7.5, 6.8, 6.0  # points

RC: dict[str, Any] = {
    "font.family": fonts.FAMILY,
    "mathtext.fontset": "dejavusans",
    "font.size": TICK,
    "axes.titlesize": LABEL,
    "axes.labelsize": LABEL,
    "xtick.labelsize": TICK,
    "ytick.labelsize": TICK,
    "legend.fontsize": TICK,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "hatch.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "svg.hashsalt": "harness",  # else ids are random, and the same figure has different bytes
    "svg.fonttype": "none",  # text that can be searched and edited
    "pdf.fonttype": 42,  # the same: TrueType, as journals ask for
    "savefig.dpi": DPI,
}


@contextmanager
def applied(page: Page | None = None) -> Iterator[None]:
    """Draw and write in here: matplotlib's defaults and RC, whatever the user's own settings are. `page`:
    None is the one that is drawn for already, or WHOLE.

    A character that no installed font has is drawn as a box; `fonts.lacking` tells which they are, and
    matplotlib keeps quiet about them.
    """
    said = logging.getLogger("matplotlib")
    level = said.level
    before = _page.set(page or _page.get())
    try:
        if _in_style.get():
            yield
            return
        inside = _in_style.set(True)
        try:
            with matplotlib.style.context(["default", RC]), warnings.catch_warnings(), sparing():
                warnings.filterwarnings("ignore", "Glyph .* missing from font")
                said.setLevel(logging.ERROR)
                yield
        finally:
            _in_style.reset(inside)
            said.setLevel(level)
    finally:
        _page.reset(before)


def warm() -> None:
    """Do once what the first figure of a process would have to: read the fonts, set a formula."""
    with applied():
        fig = Figure(figsize=(1, 1))
        for weight in ("normal", "bold"):
            fig.text(0, 0, "a $10^{-1}$", weight=weight)
        for kind in DATED:
            fig.savefig(io.BytesIO(), format=kind)


def sequence(count: int) -> list[Any]:
    """`count` colours from dark to light, for lines that have an order."""
    return [RAMP(x) for x in (np.linspace(0, 1, count) if count > 1 else [0.35] * count)]


def axes_at(fig: Figure, left: float, top: float, width: float, height: float, **kwargs: Any) -> Axes:
    """Axes placed in inches, measured from the left and the top of the figure."""
    w, h = fig.get_size_inches()
    return fig.add_axes((left / w, 1 - (top + height) / h, width / w, height / h), **kwargs)


def save(fig: Figure, path: Path) -> None:
    """Write a .png, .svg or .pdf, whole or not at all, the same bytes from run to run. Raises NotWritten."""
    fonts.cover(fig)
    write_whole(path, lambda file: _save(fig, file, path.suffix[1:]))


def _save(fig: Figure, file: Path, kind: str, part: Bbox | None = None) -> None:
    """part: of the figure, in inches from its lower left; None: all."""
    with _only(fig, part):
        fig.savefig(file, format=kind, dpi=DPI, metadata=dict.fromkeys(DATED[kind]), bbox_inches=part)


@contextmanager
def _only(fig: Figure, part: Bbox | None) -> Iterator[None]:
    """What is not in this part is not drawn in here: cut off, it would still be text in the file."""
    if part is None:
        yield
        return
    inside = part.transformed(fig.dpi_scale_trans)
    boxes = [(artist, artist.get_tightbbox()) for artist in pieces(fig) if artist.get_visible()]
    hidden = [artist for artist, box in boxes if box is None or not inside.overlaps(box)]
    try:
        for artist in hidden:
            artist.set_visible(False)
        yield
    finally:
        for artist in hidden:
            artist.set_visible(True)


def pieces(fig: Figure) -> list[Artist]:
    """What a figure is made of: axes, and what is outside them."""
    return [*fig.axes, *fig.texts, *fig.artists]


def write(draw: Callable[[], Figure], base: Path) -> list[Path]:
    """Draw in this style and write <base>.png (200 dpi), .svg and .pdf. Returns the paths.

    Raises NotWritten; older ones are then removed, so that none passes for new."""
    with applied():
        return write_parts(draw(), {base: None})


def write_parts(fig: Figure, parts: Mapping[Path, Bbox | None]) -> list[Path]:
    """Write parts of a figure, each as <base>.png, .svg and .pdf: base -> see _save. In `applied`.

    Raises NotWritten, as `write` does."""
    fonts.cover(fig)
    paths = {path: part for base, part in parts.items() for path in figures(base)}
    with whole_files([*paths]) as files:
        for file, (path, part) in zip(files, paths.items(), strict=True):
            _save(fig, file, path.suffix[1:], part)
    return [*paths]
