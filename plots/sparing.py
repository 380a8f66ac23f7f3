"""What matplotlib would do again for each text, figure and file, done once.

Figures stay the same to the pixel. This replaces functions of matplotlib, and of what it brings, that are not
public, of the versions that are installed with harness.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from unittest.mock import patch

from fontTools import subset  # matplotlib brings it
from fontTools.ttLib import TTFont
from matplotlib.backends import _backend_pdf_ps as pdf
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text
from pyparsing import ParserElement  # so is this

LAYOUT = ("GDEF", "GPOS", "GSUB", "MATH", "kern")
"""Tables of a font that say how its glyphs are set. A PDF says itself where each glyph is, and to make these
tables fit the few glyphs of a figure took half of the time of a PDF."""
USUAL = (*range(0x20, 0x500), *range(0x2000, 0x2300))
"""The characters that figures have: Latin, Greek, Cyrillic, punctuation, mathematical signs."""
KEPT = 4096
"""Formulas that are remembered."""
LAYOUTS = 4 * KEPT
"""Texts whose layout is remembered."""


@contextmanager
def sparing() -> Iterator[None]:
    """In here."""
    with (
        patch.object(MathTextParser, "_parse_cached", _parse_cached),
        # What a parser remembers of a formula costs more than it saves where formulas are short.
        patch.object(ParserElement, "_parse", ParserElement._parseNoCache),
        patch.object(Text, "_get_layout", _get_layout),
        patch.object(pdf, "get_glyphs_subset", _glyphs_subset),
        patch.object(subset.Options, "_drop_tables_default", [*_DROPPED, *LAYOUT]),
    ):
        yield


_parse: Any = vars(MathTextParser)["_parse_cached"].__wrapped__
_subset_of: Any = pdf.get_glyphs_subset
_DROPPED = subset.Options._drop_tables_default
_parsers: dict[str, Any] = {}


def _parse_cached(self: Any, *asked: Any) -> Any:
    """A formula as it was set before by any renderer of the same kind. matplotlib remembers 50, each renderer
    its own."""
    _parsers[self._output_type] = self
    return _known(self._output_type, *asked)


@lru_cache(maxsize=KEPT)
def _known(kind: str, *asked: Any) -> Any:
    return _parse(_parsers[kind], *asked)


_lay_out: Any = vars(Text)["_get_layout"]
_layouts: dict[tuple[Any, ...], Any] = {}


def _get_layout(self: Any, renderer: Any) -> Any:
    """The lines of a text around its place, as they were laid out for any text like it, by any renderer of
    its kind. matplotlib does it for each text of an axis up to four times for each file."""
    if self.get_wrap() or self.get_transform_rotates_text():  # then it depends on the place
        return _lay_out(self, renderer)
    drawn_by = renderer._renderer if isinstance(renderer, MixedModeRenderer) else renderer
    asked = (
        *(type(drawn_by), self.get_figure(root=True).dpi, self._text),
        *vars(self._fontproperties).values(),
        *(self._horizontalalignment, self._verticalalignment, self._multialignment),
        *(self._rotation, self._rotation_mode, self._linespacing, self._parse_math, self._usetex),
    )
    found = _layouts.get(asked)
    if found is None:
        if len(_layouts) >= LAYOUTS:
            _layouts.clear()
        found = _layouts[asked] = _lay_out(self, renderer)
    return found


def _glyphs_subset(path: Any, glyphs: Collection[int]) -> Any:
    """A font with these glyphs alone, made of a smaller one with the usual glyphs: to read a whole font takes
    longer than all the rest."""
    small, places = _usual(path)
    if not places.keys() >= {*glyphs}:
        return _subset_of(path, glyphs)
    options = subset.Options(glyph_names=True, recommended_glyphs=True)  # as matplotlib's
    subsetter = subset.Subsetter(options=options)
    subsetter.populate(gids=[places[glyph] for glyph in glyphs])
    font = subset.load_font(io.BytesIO(small), options)  # as it is: nothing is dated or measured anew
    subsetter.subset(font)
    numbers = {glyph: subsetter.glyph_index_map[places[glyph]] for glyph in glyphs}
    return pdf.SubsetResults(font, numbers)._as_cm()


@lru_cache(maxsize=16)
def _usual(path: Any) -> tuple[bytes, dict[int, int]]:
    """The font with its usual glyphs alone, and the place there of each glyph."""
    with TTFont(path, fontNumber=path.face_index) as font:
        known = font.getBestCmap()
        glyphs = [font.getGlyphID(known[char]) for char in USUAL if char in known]
    with _subset_of(path, glyphs) as made:
        return pdf.font_as_file(made.font).getvalue(), dict(made.glyph_index_map)
