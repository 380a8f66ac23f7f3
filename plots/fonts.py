"""Fonts for texts of any script: DejaVu Sans, and where it lacks a character whatever is installed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache

from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

FAMILY = "DejaVu Sans"
"""Ships with matplotlib: the same on every machine."""
LAST_RESORT = "Last Resort"
"""Ships with matplotlib too, and has a box for every character there is: it covers nothing."""


def families(text: str) -> list[str]:
    """The font families that draw this text, the first that has a character first."""
    missing, chosen = _missing(text, [FAMILY]), [FAMILY]
    while missing:
        best = max(_installed(), key=lambda name: len(missing & _characters(name)), default=FAMILY)
        if not missing & _characters(best):
            break
        chosen.append(best)
        missing -= _characters(best)
    return chosen


def lacking(text: str) -> str:
    """The characters of a text that no installed font has, each once: they are drawn as boxes."""
    return "".join(map(chr, sorted(_missing(text, families(text)))))


def formulas(text: str) -> bool:
    """Whether a formula may stand in this text: matplotlib sets a line with one in DejaVu alone, from left to
    right."""
    rightwards = all(unicodedata.bidirectional(char) not in ("R", "AL") for char in text)
    return rightwards and not _missing(text, [FAMILY])


def cover(fig: Figure) -> None:
    """Give each text of a figure the families that it needs."""
    for text in _texts(fig):
        if len(needed := families(text.get_text())) > 1:
            text.set_fontfamily(needed)


def _texts(artist: Artist) -> Iterator[Text]:
    """All texts of a figure, except the labels of ticks that do not exist yet: they have no text before they
    are drawn, and to ask for them would make the ticks, even those of axes that are not shown."""
    if isinstance(artist, Text):
        yield artist
    children = artist.get_children() if not isinstance(artist, Axis) else _made(artist)
    for child in children:
        yield from _texts(child)


def _made(axis: Axis) -> list[Artist]:
    """What an axis has so far."""
    return [axis.label, axis.offsetText, *vars(axis).get("majorTicks", ()), *vars(axis).get("minorTicks", ())]


def _missing(text: str, names: list[str]) -> frozenset[int]:
    """The characters that these families lack; marks that are not drawn (a joiner) do not count."""
    drawn = {ord(char) for char in text if unicodedata.category(char) not in ("Cc", "Cf")}
    return frozenset(drawn).difference(*map(_characters, names))


@cache
def _installed() -> tuple[str, ...]:
    """In a fixed order. Bitmaps (coloured emoji) cannot be drawn."""
    names = sorted({font.name for font in fontManager.ttflist if not font.name.startswith(LAST_RESORT)})
    return tuple(name for name in names if _face(name).scalable)


@cache
def _characters(name: str) -> frozenset[int]:
    return frozenset(_face(name).get_charmap())


def _face(name: str) -> FT2Font:
    """The face of a family that matplotlib takes for plain text."""
    return get_font(findfont(FontProperties(family=name)))
