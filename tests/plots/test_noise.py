"""The figure of the noise study, from made-up losses."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

from harness.plots import noise, style

MARKS = noise.Marks(target=2.99, chance=math.log(20), count=165)
Networks = dict[str, dict[int, np.ndarray]]


def made(sizes: tuple[int, ...] = (4, 8)) -> list[Networks]:
    """Losses and first passages of two inits, three iterations each: with 4 tasks one passes at 2."""
    losses = {4: np.array([[3.0, 2.9, 3.0], [3.1, 3.1, 3.2]]), 8: np.full((2, 3), 3.2)}
    first = {4: np.array([2, np.inf]), 8: np.full(2, np.inf)}
    return [
        {head: {tasks: some[tasks] for tasks in sizes} for head in ("small", "linear")}
        for some in (losses, first)
    ]


def axes(losses: Networks, first: Networks) -> dict[str, Axes]:
    with style.applied():
        return {ax.get_label(): ax for ax in noise.draw(losses, first, MARKS).axes}


def test_two_panels_for_each_head_in_a_fixed_order() -> None:
    assert list(axes(*made())) == ["losses linear", "linear", "losses small", "small", "key"]


def test_the_share_that_has_passed_by_each_iteration() -> None:
    four, eight, paper = axes(*made())["small"].lines
    assert list(four.get_xdata()) == [0, 1, 2, 3]
    assert list(four.get_ydata()) == [0, 0, 0.5, 0.5]
    assert list(eight.get_ydata()) == [0, 0, 0, 0]
    assert paper.get_xdata() == [165, 165]


def test_target_and_chance_are_marked() -> None:
    above = axes(*made())["losses linear"]
    assert [line.get_xdata()[0] for line in above.lines] == [0, pytest.approx(np.log(20) - 2.99)]
    assert above.get_xlabel() == "loss − 2.99 (nats)"


def test_all_panels_of_losses_have_one_range() -> None:
    """From the least loss of all heads to the largest."""
    losses, first = made()
    losses["linear"] = {4: np.full((2, 3), 9.99), 8: np.full((2, 3), 9.99)}
    drawn = axes(losses, first)
    for name in ("losses linear", "losses small"):
        assert drawn[name].get_xlim() == pytest.approx((2.9 - 2.99, 9.99 - 2.99))
        assert drawn[name].get_ylim() == pytest.approx((0, 1.05))


def test_the_share_of_the_losses_in_each_bin() -> None:
    """With 4 tasks 2.9, twice 3.0, twice 3.1, and 3.2; with 8 tasks all are 3.2."""
    losses, first = made()
    losses["small"][4] = np.array([[3.0, 2.9, 3.0], [3.1, 3.1, 3.2]])
    four, eight = axes(losses, first)["losses small"].patches
    shares = four.get_data().values
    assert shares[shares > 0].tolist() == pytest.approx([1 / 6, 1 / 3, 1 / 3, 1 / 6])
    assert eight.get_data().values[-1] == 1


def test_the_key_names_the_sizes_that_there_are() -> None:
    texts = [text.get_text() for text in axes(*made(sizes=(4,)))["key"].get_legend().get_texts()]
    assert texts == ["4 tasks", "target 2.99", "chance, ln 20", "the paper's 165"]


def test_it_says_how_many() -> None:
    with style.applied():
        texts = " ".join(text.get_text() for text in noise.draw(*made(), MARKS).texts)
    assert "2 initial weights, iterations 1 to 3;" in texts


def test_the_same_losses_the_same_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in noise.render(*made(), MARKS, tmp_path / "a")]
    again = [path.read_bytes() for path in noise.render(*made(), MARKS, tmp_path / "b")]
    assert first == again
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.pdf",
        "a.png",
        "a.svg",
        "b.pdf",
        "b.png",
        "b.svg",
    ]
