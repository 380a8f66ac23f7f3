"""The style, applied and taken off."""

import itertools
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from harness.plots import lines, style


def test_the_style_is_only_applied_inside():
    before = dict(mpl.rcParams)
    with style.applied():
        assert mpl.rcParams["svg.hashsalt"] == "harness"
    assert dict(mpl.rcParams) == before


def linear(colour):
    """The linear red, green and blue of a colour, by sRGB."""
    channels = np.array(to_rgb(colour))
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(colour):
    """To white, by WCAG 2."""
    return 1.05 / (linear(colour) @ (0.2126, 0.7152, 0.0722) + 0.05)


def lab(colour, seen):
    """CIE L*a*b* of a colour as it is seen."""
    to_xyz = np.array([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]])
    x, y, z = np.cbrt(to_xyz @ np.clip(seen @ linear(colour), 0.001, 1) / (0.9505, 1, 1.0888))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.28, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
"""How colours are seen: Machado, Oliveira and Fernandes 2009, severity 1."""


def test_the_measure_of_contrast():
    assert contrast("white") == pytest.approx(1)
    assert contrast("black") == pytest.approx(21)
    assert contrast("#767676") == pytest.approx(4.54, abs=0.01)  # the well-known grey


@pytest.mark.parametrize("count", [1, 2, 7, 20])
def test_lines_stand_out_from_white(count):
    colours = [*style.sequence(count), style.BASELINE, style.REFERENCE, str(lines.LIGHTEST)]
    assert len(colours) == count + 3
    assert min(map(contrast, colours)) >= 3


@pytest.mark.parametrize("vision", VISION)
def test_seven_lines_are_told_apart_with_any_colour_vision(vision):
    seen = np.array(VISION[vision])
    places = [lab(colour, seen) for colour in style.sequence(style.TOLD_APART)]
    assert np.all(np.diff([lightness for lightness, *_ in places]) > 0)  # from dark to light
    apart = [np.linalg.norm(a - b) for a, b in itertools.combinations(places, 2)]
    assert min(apart) > 12  # 2.3 can just be seen


def test_texts_are_texts_and_bytes_repeat(tmp_path: Path) -> None:
    """An SVG's can be searched, a PDF's are in a TrueType font; neither says when it was made, or by what."""

    def draw() -> Figure:
        fig = Figure(figsize=(2, 1))
        fig.text(0.1, 0.5, "A searched-for word, α and 学習率")
        return fig

    png, svg, pdf = style.write(draw, tmp_path / "a")
    again = style.write(draw, tmp_path / "b")
    assert [path.suffix for path in (png, svg, pdf)] == [".png", ".svg", ".pdf"]
    assert [path.read_bytes() for path in (png, svg, pdf)] == [path.read_bytes() for path in again]
    assert ">A searched-for word, α and 学習率</text>" in svg.read_text("utf-8")
    content = pdf.read_bytes()
    assert b"/TrueType" in content or b"/CIDFontType2" in content
    assert b"/Type3" not in content
    assert b"CreationDate" not in content
    assert b"Matplotlib" not in content
