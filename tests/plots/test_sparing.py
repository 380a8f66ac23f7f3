"""What matplotlib does anew and we do not: it comes to the same."""

from __future__ import annotations

import io
from unittest.mock import patch

import pytest
from fontTools.ttLib import TTFont
from matplotlib.backends import _backend_pdf_ps as pdf
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text
from pyparsing import ParserElement

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


CHANGES: dict[str, dict[str, object]] = {
    "as it was": {},
    "text": {"text": "three\nlines of\n$x^2$"},
    "formula": {"parse_math": False},
    "size": {"fontsize": 13},
    "weight": {"fontweight": "bold"},
    "family": {"fontfamily": ["DejaVu Sans Mono", fonts.FAMILY]},
    "rotation": {"rotation": 30, "rotation_mode": "anchor"},
    "mode": {"rotation": 30},
    "alignment": {"horizontalalignment": "right"},
    "height": {"verticalalignment": "top"},
    "of the lines": {"multialignment": "right"},
    "spacing": {"linespacing": 2.0},
    "wrapped": {"wrap": True, "x": 0.7},
    "with its axes": {"rotation": 30, "transform_rotates_text": True},
}


@pytest.mark.parametrize("changed", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_text_is_laid_out_as_matplotlib_does(changed: dict[str, object], kind: str) -> None:
    """One of a text that was laid out before in another way."""
    texts = ("two\nlines $x^2$", "a longer one\nthan the other")
    fig = Figure(figsize=(2, 2))
    renderer = RendererAgg(144, 144, 72) if kind == "png" else RendererSVG(144, 144, io.StringIO())

    def layouts(dpi: float) -> list[object]:
        fig.set_dpi(dpi)
        extents = [str(one.get_window_extent(renderer)) for one in fig.texts]  # which shows them the renderer
        return [extents, *([str(part) for part in one._get_layout(renderer)] for one in fig.texts)]

    with sparing.sparing():
        for text in texts:
            fig.text(0.2, 0.5, text)
        layouts(72)
        for one in fig.texts:
            one.set(**changed)
        found = [layouts(72), layouts(100)]
    assert found == [layouts(72), layouts(100)]
    assert found[0] != found[1]


def test_a_text_is_laid_out_once_for_all_renderers_of_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparing, "_layouts", {})
    fig = Figure(figsize=(2, 2))
    fig.text(0.5, 0.5, "said twice")
    fig.text(0.1, 0.2, "said twice")
    laid_out = []
    lay_out = sparing._lay_out

    def noting(text: Text, renderer: object) -> object:
        laid_out.append(type(renderer).__name__)
        return lay_out(text, renderer)

    monkeypatch.setattr(sparing, "_lay_out", noting)
    with sparing.sparing():
        for kind in ("png", "svg", "png", "svg"):
            fig.savefig(io.BytesIO(), format=kind, dpi=72)
    assert laid_out == ["RendererAgg", "MixedModeRenderer"]


def patched() -> list[object]:
    text, parser = vars(Text)["_get_layout"], ParserElement._parse
    return [MathTextParser._parse_cached, pdf.get_glyphs_subset, text, parser]


def test_outside_nothing_is_changed() -> None:
    before = patched()
    with style.applied():
        assert pdf.get_glyphs_subset is not before[1]
        with style.applied(style.COLUMN):  # inside another one
            assert style.page() is style.COLUMN
        assert pdf.get_glyphs_subset is not before[1]
        assert style.page() is style.WHOLE
    assert patched() == before
    style.warm()
    assert patched() == before
