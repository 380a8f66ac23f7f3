"""The figure of `harness compare`, read off its axes."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis.comparison import compare
from harness.analysis.rounding import Interval, Rounding
from harness.plots import compare as figure
from harness.plots import style
from tests.analysis.tables import table, trial

FIRST = Interval(low=-5, high=5, low_share=-0.1, high_share=0.1)
YARDSTICK = Rounding(first=FIRST, sustained=None, runs=4, one_missed=0, points=pd.DataFrame())
REFERENCE = table(
    *(trial(name, count, 110, n_way=20) for name, count in (("a", 100), ("b", 50), ("c", 50))),
    *(trial(name, "budget", n_way=20) for name in "de"),
    trial("f", 30, 40, n_way=20),
)
MINE = table(
    *(trial(name, count, 110, n_way=20) for name, count in (("a", 100), ("b", 55), ("c", 40))),
    *(trial(name, "budget", n_way=20) for name in "def"),
)


def drawn(rounding):
    compared = compare(MINE.assign(device="cuda"), REFERENCE, rounding)
    with style.applied():
        fig = figure.draw(compared, rounding, REFERENCE, "Here and there")
        fig.draw_without_rendering()
    return fig, {ax.get_label(): ax for ax in fig.axes}


@pytest.fixture(scope="module")
def by_yardstick():
    return drawn(YARDSTICK)


def marks(ax):
    """The points of each sign: {sign: [(reference, mine)]}."""
    lines = {line.get_marker(): line for line in ax.lines if line.get_marker() != "None"}
    return {sign: list(map(tuple, line.get_xydata())) for sign, line in lines.items()}


def test_each_cell_is_drawn_at_its_two_counts_and_a_miss_beyond_the_budget(by_yardstick):
    ax, miss = by_yardstick[1]["first"], 500 * figure.MISS
    assert marks(ax) == {
        "o": [(100, 100), (miss, miss), (miss, miss)],
        "^": [(50, 55)],
        "D": [(50, 40)],
        "x": [(30, miss)],
    }
    assert "2" in [text.get_text() for text in ax.texts]  # of two cells in one place
    assert ax.get_title(loc="left") == "First passage: 4 of 6 agree"


def test_the_band_is_the_yardsticks(by_yardstick):
    _, axes = by_yardstick
    (band,) = axes["first"].collections
    edge = band.get_paths()[0].vertices
    at = edge[np.isclose(edge[:, 0], 500), 1]
    assert {round(y) for y in at} == {450, 550}
    assert not axes["sustained"].collections  # none was measured
    key = " ".join(text.get_text() for text in axes["key"].get_legend().get_texts())
    assert "first 10.0%" in key
    assert "4 runs" in key


def test_without_a_yardstick_the_figure_says_so():
    fig, axes = drawn(None)
    assert not axes["first"].collections
    assert "rounding was not measured" in " ".join(text.get_text() for text in fig.texts)
    assert len(axes["key"].get_legend().get_texts()) == 4


def test_the_heading_says_what_is_compared_and_on_what(by_yardstick):
    said = " ".join(text.get_text() for text in by_yardstick[0].texts)
    for words in (
        "Here and there",
        "Omniglot",
        "paper-adam",
        "iterations to a training loss of 2.5: 6 cells run on both sides",
        "device: yours cuda",
    ):
        assert words in said


def test_nothing_is_outside_the_figure(by_yardstick):
    fig, axes = by_yardstick
    texts = [*fig.texts, *(text for ax in axes.values() for text in [*ax.texts, ax._left_title])]
    texts += axes["key"].get_legend().get_texts()
    for text in texts:
        box = text.get_window_extent()
        assert fig.bbox.x0 <= box.x0 <= box.x1 <= fig.bbox.x1, text
        assert fig.bbox.y0 <= box.y0 <= box.y1 <= fig.bbox.y1, text


def test_two_files_and_the_same_bytes_again(tmp_path):
    compared = compare(MINE, REFERENCE, YARDSTICK)
    paths = figure.render(compared, YARDSTICK, REFERENCE, "Here", tmp_path / "one" / "compare")
    assert [path.name for path in paths] == ["compare.png", "compare.svg", "compare.pdf"]
    first = [path.read_bytes() for path in paths]
    figure.render(compared, YARDSTICK, REFERENCE, "Here", tmp_path / "one" / "compare")
    assert [path.read_bytes() for path in paths] == first
