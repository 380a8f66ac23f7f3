"""The sheet of episodes, read off its axes."""

import numpy as np
import pytest

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


def test_many_classes_go_on_in_a_row_below():
    """Twenty-one in three rows of seven; twenty in two of ten; all images of one size."""
    with style.applied():
        for n_way, rows in ((21, [7, 7, 7]), (20, [10, 10]), (11, [6, 5]), (10, [10])):
            fig = draw(*episodes(n_way, tasks=2), None, "glyphs")
            assert [ax.images[0].get_array().shape[1] // 28 for ax in fig.axes] == rows * 2
            widths = [ax.get_position().width / n for ax, n in zip(fig.axes, rows * 2, strict=True)]
            assert widths == pytest.approx([widths[0]] * len(widths))
        fig = draw(*episodes(11, tasks=2), None, "glyphs")
    assert [t.get_text() for t in fig.axes[3].get_xticklabels()] == ["7", "8", "9", "10", "11"]
    assert fig.axes[3].images[0].get_array()[14, 14] == 160  # task 2, class 7, shot 1
    tops = [ax.get_position().y1 for ax in fig.axes]
    assert tops == sorted(tops, reverse=True)


def test_of_many_shots_the_images_are_smaller():
    def side(shots):
        ax = draw(*episodes(n_way=5, k=shots, q=1), None, "glyphs").axes[0]
        return ax.get_position().height * ax.figure.get_figheight() / (shots + 1)

    with style.applied():
        assert side(1) == pytest.approx(0.62)
        assert side(5) == pytest.approx(0.5)
        assert side(19) == pytest.approx(0.36)


def test_images_in_their_own_colours_and_size():
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 2, 20, 40, 3), np.uint8)
    with style.applied():
        fig = draw(images[:, :, :1], images[:, :, 1:], None, "birds", ink=False)
        fig.draw_without_rendering()
    ax = fig.axes[1]
    shown = ax.images[0].get_array()
    for k, shot in np.ndindex(3, 2):
        assert np.array_equal(shown[20 * shot :, 40 * k :][:20, :40], images[1, k, shot])
    box = ax.get_window_extent()
    assert box.width / box.height == pytest.approx(3 * 40 / (2 * 20))
    assert ax.get_xticks().tolist() == [19.5, 59.5, 99.5]
    assert ax.get_yticks().tolist() == [9.5, 29.5]


def test_larger_images_are_drawn_larger():
    def width(pixels):
        images = np.zeros((1, 3, 1, pixels, pixels, 3), np.uint8)
        return draw(images, images, None, "birds").axes[0].get_position().width * 3

    with style.applied():
        assert width(14) < width(56) <= width(84) <= width(1000)


def test_without_ink_255_is_white():
    with style.applied():
        fig = draw(*episodes(), None, "birds", ink=False)
    assert to_white(fig.axes[0].images[0], 255) == (1, 1, 1)
    assert to_white(fig.axes[0].images[0], 0) == (0, 0, 0)


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
