"""The style, applied and taken off."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from harness.plots import style


def test_the_style_is_only_applied_inside():
    before = dict(mpl.rcParams)
    with style.applied():
        assert mpl.rcParams["svg.hashsalt"] == "harness"
    assert dict(mpl.rcParams) == before


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
