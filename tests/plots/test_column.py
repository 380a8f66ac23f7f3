"""Figures for a paper's column: how wide, how high, how large their texts, and where they are cut."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from harness.common.places import ROOT
from harness.plots import column, style
from harness.plots.render import draw, render
from harness.records import tables
from tests.plots import synthetic, test_render
from tests.plots.test_render import HEATMAP, LOSSES

CURVES = synthetic.grid("trajectories", reference=None, columns=synthetic.FIG1["columns"][:1] * 2)


def made_up(*heights: float, gap: float = 0.5) -> Figure:
    """Boxes of these heights below each other."""
    whole = sum(heights) + gap * len(heights)
    fig, top = Figure(figsize=(3, whole)), gap / 2
    for height in heights:
        style.axes_at(fig, 0, top, 3, height).set(xticks=[], yticks=[])
        top += height + gap
    return fig


def heights(fig: Figure) -> list[float]:
    return [round(part.height, 2) for part in column.parts(fig)]


def test_a_part_ends_where_nothing_is_drawn() -> None:
    assert heights(made_up(2, 2, 2)) == [7.5]
    assert heights(made_up(4, 4, 4)) == [9.0, 4.5]
    assert heights(made_up(7, 7)) == [7.5, 7.5]
    assert heights(made_up(3, 7, 1)) == [3.5, 9.0]  # rather than one that is too high
    assert heights(made_up(12, 1)) == [12.5, 1.5]  # what is higher in one piece stays whole
    parts = column.parts(made_up(4, 4, 4))
    assert [(round(part.y0, 6), round(part.y1, 6)) for part in parts] == [(4.5, 13.5), (0, 4.5)]


def test_it_ends_at_the_widest_gap() -> None:
    """After 7.2 inches the gap is wider than after 8.6."""
    fig = Figure(figsize=(3, 12))
    for top, end in ((0.1, 7.0), (7.4, 8.5), (8.7, 11.9)):
        style.axes_at(fig, 0, top, 3, end - top).set(xticks=[], yticks=[])
    assert heights(fig) == [7.2, 4.8]


@pytest.mark.parametrize("kind", ["heatmap", "losses", "trajectories", "fig2"])
def test_it_is_as_wide_as_a_column_and_legible(kind: str) -> None:
    """In the figures of all three kinds every text has six points or more at 3.3 inches, and none is cut."""
    if kind == "fig2":
        known = tables.read(ROOT / "results" / "reference" / kind)
        given = known.trials, known.trajectories, known.about["grid"]
    else:
        given = *test_render.tables(), {"heatmap": HEATMAP, "losses": LOSSES, "trajectories": CURVES}[kind]
    with style.applied(style.COLUMN):
        fig = draw(*given)
        fig.draw_without_rendering()
        assert fig.get_figwidth() <= 3.5
        smaller = min(1, 3.3 / fig.get_figwidth())
        shown = [text for text in fig.findobj(Text) if text.get_visible() and text.get_text().strip()]
        assert min(text.get_fontsize() for text in shown) * smaller >= 6 - 1e-9
        inside = fig.bbox.padded(1)
        for text in (*fig.texts, *(ax.yaxis.label for ax in fig.axes)):
            box = text.get_window_extent()
            assert inside.x0 <= box.x0 <= box.x1 <= inside.x1, text.get_text()
        parts = column.parts(fig)
    assert max(part.height for part in parts) <= column.HIGHEST
    plt.close("all")


def test_outside_nothing_has_changed() -> None:
    with style.applied(style.COLUMN):
        assert style.page() is style.COLUMN
        with style.applied():
            assert style.page() is style.COLUMN  # as texts are measured
    assert style.page() is style.WHOLE


def test_files_parts_and_what_is_older(tmp_path: Path) -> None:
    """Once there, it is drawn again with the others; parts that are no more go."""
    base = tmp_path / "a"

    def draw() -> Figure:
        fig = made_up(7, 7)
        for ax, word in zip(fig.axes, ("upper", "lower"), strict=True):
            ax.text(0.5, 0.5, word)
        return fig

    written = column.write(draw, base)
    names = [f"a-column{n}.{kind}" for n in ("", "-2") for kind in ("png", "svg", "pdf")]
    assert [path.name for path in written] == names
    pages = [re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", path.read_bytes()) for path in written[2::3]]
    assert [tuple(map(float, page.groups())) for page in pages if page] == [(216, 540)] * 2
    assert [(b"upper" in path.read_bytes(), b"lower" in path.read_bytes()) for path in written[1::3]] == [
        (True, False),
        (False, True),
    ]
    column.write(lambda: made_up(2), base)
    assert {path.name for path in tmp_path.iterdir()} == set(names[:3])


def test_once_drawn_it_is_drawn_again(tmp_path: Path) -> None:
    trials, curves = test_render.tables()
    given = trials, curves, LOSSES | {"name": "a"}, tmp_path
    assert len(render(*given)) == 3
    assert len(render(*given, in_column=True)) == 6
    (tmp_path / "a-column.png").write_bytes(b"older")
    render(*given)
    assert (tmp_path / "a-column.png").read_bytes()[:4] == b"\x89PNG"
