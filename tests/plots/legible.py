"""Whether every text of a figure can be read: none leaves the figure, none lies over another."""

from __future__ import annotations

import io
import itertools

from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from harness.plots import fonts, style

SLACK, APART = 1.5, 3
"""Pixels: by how much boxes may overlap, as they are a little larger than the letters; the least gap between
two texts in one line."""
INK = 0.72
"""Of the height of a line of text, the part that capitals and digits fill."""


def assert_legible(fig: Figure) -> None:
    """All texts that are drawn, in every axes and between them."""
    found = _boxes(fig)
    page = fig.bbox
    for text, box in found:
        inside = (
            box.x0 >= page.x0 - SLACK
            and box.y0 >= page.y0 - SLACK
            and box.x1 <= page.x1 + SLACK
            and box.y1 <= page.y1 + SLACK
        )
        assert inside, f"{text!r} leaves the figure: {box} of {page}"
    for (one, a), (other, b) in itertools.combinations(found, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= -APART or down <= SLACK, f"{one!r} lies over {other!r} by {across:.1f} x {down:.1f}"


def _boxes(fig: Figure) -> list[tuple[str, Bbox]]:
    """Each visible text and where it is, as it is saved: ticks outside their axis are not drawn."""
    with style.applied():
        fonts.cover(fig)
        fig.set_dpi(style.DPI)
        drawn: list[tuple[str, Bbox]] = []
        draw = Text.draw

        def noted(text: Text, renderer: object) -> None:
            if text.get_visible() and text.get_text().strip():
                drawn.append((text.get_text(), _ink(text)))
            draw(text, renderer)  # type: ignore[arg-type]

        Text.draw = noted  # type: ignore[method-assign]
        try:
            fig.savefig(io.BytesIO(), format="png", dpi=style.DPI)
        finally:
            Text.draw = draw  # type: ignore[method-assign]
    return drawn


def _ink(text: Text) -> Bbox:
    """The box of a text without the room that its first and last line have above and below the letters."""
    box = text.get_window_extent()
    room = (1 - INK) / 2 * text.get_fontsize() / 72 * style.DPI
    if text.get_rotation() % 180:
        return Bbox.from_extents(box.x0 + room, box.y0, box.x1 - room, box.y1)
    return Bbox.from_extents(box.x0, box.y0 + room, box.x1, box.y1 - room)
