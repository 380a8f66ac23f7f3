"""The sheet of episodes, read off its axes."""

import numpy as np

from harness.plots import style
from harness.plots.sheet import draw, sheet


def episodes(n_way=3, k=2, q=1, tasks=2):
    """Images of a single grey each, whose digits are task, class and shot."""
    t, c, s = np.ogrid[:tasks, :n_way, : k + q]
    values = (100 * t + 10 * c + s).astype("uint8")
    images = np.broadcast_to(values[..., None, None], (*values.shape, 28, 28))
    return images[:, :, :k], images[:, :, k:]


def test_a_class_a_column_support_over_query():
    with style.applied():
        fig = draw(*episodes(), None, "glyphs")
        fig.draw_without_rendering()
    assert len(fig.axes) == 2
    shown = fig.axes[1].images[0]
    assert shown.get_array()[14::28, 14::28].tolist() == [[100, 110, 120], [101, 111, 121], [102, 112, 122]]
    assert to_white(shown, 0) == (1, 1, 1)
    assert to_white(shown, 255) == (0, 0, 0)
    assert [t.get_text() for t in fig.axes[0].get_xticklabels()] == ["1", "2", "3"]
    assert [t.get_text() for t in fig.axes[0].get_yticklabels()] == ["support", "query"]


def to_white(image, value):
    return tuple(float(round(channel)) for channel in image.to_rgba(np.array([value]))[0][:3])


def test_it_is_written_with_names_and_nothing_is_cut_off(tmp_path):
    names = [["Korean/character01", "Greek/character02", "Latin/character03"]] * 2
    path = sheet(*episodes(), names, "glyphs: 2 training tasks of seed 0", tmp_path / "sheet.png")
    assert path.read_bytes()[:4] == b"\x89PNG"
    with style.applied():
        fig = draw(*episodes(), names, "glyphs: 2 training tasks of seed 0, with a title that is long")
        fig.draw_without_rendering()
    first = [label.get_window_extent() for label in fig.axes[0].get_xticklabels()]
    assert first[0].count_overlaps([fig.texts[0].get_window_extent(), *first[1:]]) == 0
    assert all(box.x1 <= fig.bbox.x1 for box in [*first, fig.texts[0].get_window_extent()])
