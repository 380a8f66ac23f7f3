"""What matplotlib does anew and we do not: it comes to the same."""

from __future__ import annotations

import io
from unittest.mock import patch

import pytest
from fontTools.ttLib import TTFont
from matplotlib.backends import _backend_pdf_ps as pdf
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.mathtext import MathTextParser

from harness.plots import fonts, sparing, style


def glyphs_of(path: str, text: str) -> list[int]:
    with TTFont(path) as font:
        known = font.getBestCmap()
        return [font.getGlyphID(known[ord(char)]) for char in text]


def embedded(glyphs: list[int]) -> tuple[bytes, dict[int, int], set[str]]:
    """A font with these glyphs as a PDF gets it: the file, where each glyph is, the file's tables."""
    (path,) = fontManager._find_fonts_by_props(FontProperties(family=fonts.FAMILY))[:1]
    with pdf.get_glyphs_subset(path, glyphs) as made:
        content = pdf.font_as_file(made.font).getvalue()
        places = {one: made.glyph_index_map[one] for one in glyphs}
    return content, places, {*TTFont(io.BytesIO(content)).keys()}


@pytest.mark.parametrize("text", ["Alpha-MAML 0123", "α₀ ≤ β", "\N{BLACK CHESS KNIGHT} and ½"], ids=str)
def test_a_font_made_of_a_smaller_one(text: str) -> None:
    """The knight is not in the smaller one."""
    (path,) = fontManager._find_fonts_by_props(FontProperties(family=fonts.FAMILY))[:1]
    glyphs = glyphs_of(path, text)
    _, _, whole = embedded(glyphs)
    with sparing.sparing():
        found = embedded(glyphs)
        with patch.object(pdf, "get_glyphs_subset", sparing._subset_of):
            assert found == embedded(glyphs)
    assert whole - found[2] >= {"GPOS", "GSUB"}
    assert {"glyf", "hmtx", "fpgm"} <= found[2]


def test_a_formula_is_set_once_for_all_renderers_of_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    sparing._known.cache_clear()
    text, how = r"$\alpha_0$ = $10^{-1}$", FontProperties(size=9)
    expected = MathTextParser("path").parse(text, 72, how)
    set_anew = []
    parse = sparing._parse

    def noting(*asked: object) -> object:
        set_anew.append(asked[1])
        return parse(*asked)

    monkeypatch.setattr(sparing, "_parse", noting)
    with sparing.sparing():
        found = [MathTextParser("path").parse(text, dpi, how) for dpi in (72, 72, 100)]
    assert set_anew == [text, text]  # at 72 and at 100 dots
    assert found[0][:3] == expected[:3]  # width, height, depth
    assert found[0].rects == expected.rects
    assert found[0] is found[1]
    assert found[2].width != found[0].width


def test_outside_nothing_is_changed() -> None:
    before = (MathTextParser._parse_cached, pdf.get_glyphs_subset)
    with style.applied():
        assert pdf.get_glyphs_subset is not before[1]
        with style.applied(style.COLUMN):  # inside another one
            assert style.page() is style.COLUMN
        assert pdf.get_glyphs_subset is not before[1]
        assert style.page() is style.WHOLE
    assert (MathTextParser._parse_cached, pdf.get_glyphs_subset) == before
    style.warm()
    assert (MathTextParser._parse_cached, pdf.get_glyphs_subset) == before
