"""The figure of a race: a line for each racer, in colours that differ, with bands."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.plots import race, style
from harness.study.race.contenders import TITLES

DRAWN = race.Drawn(title="The race", about=("Target: 0.9",), names=TITLES, unit="nats", budget=300)


def curves(*racers: str, largest: float = 3.0, lowest: float = 0.8) -> pd.DataFrame:
    """Made-up curves, with bands."""
    x = np.geomspace(15, 50_000, 40)
    rows = []
    for at, name in enumerate(racers):
        share = np.linspace(0, 1, 40) ** (1 + at)
        for curve, y in (("hit", share), ("best", largest - (largest - lowest) * share)):
            band = {"low": y * 0.95, "high": y * 1.05}
            rows.append(pd.DataFrame({"curve": curve, "racer": name, "x": x, "value": y, **band}))
    return pd.concat(rows, ignore_index=True)


def drawn(frame: pd.DataFrame) -> dict[str, object]:
    with style.applied():
        fig = race.draw(frame, DRAWN)
        fig.draw_without_rendering()
    return {str(ax.get_label()): ax for ax in fig.axes}


def test_a_line_for_each_racer_in_both_panels() -> None:
    frame = curves(*TITLES)
    for curve, ax in drawn(frame).items():
        if curve == "key":
            assert [text.get_text() for text in ax.texts] == [*TITLES.values()]  # type: ignore[attr-defined]
            continue
        lines = {line.get_label(): line for line in ax.lines}  # type: ignore[attr-defined]
        for name in TITLES:
            own = frame[(frame["racer"] == name) & (frame["curve"] == curve)]
            np.testing.assert_allclose(lines[name].get_xydata(), own[["x", "value"]])
        assert len(ax.collections) == len(TITLES)  # type: ignore[attr-defined]


def test_no_two_racers_look_alike() -> None:
    assert len(race.LOOKS) == len(TITLES)
    assert len({(look.colour, look.dash) for look in race.LOOKS}) == len(TITLES)


def test_a_racer_keeps_its_look_where_others_are_missing() -> None:
    name = "maml-pbt"
    colours = []
    for racers in (TITLES, (name,)):
        (line,) = (line for line in drawn(curves(*racers))["hit"].lines if line.get_label() == name)  # type: ignore[attr-defined]
        colours.append(line.get_color())
    assert colours[0] == colours[1]


@pytest.mark.parametrize(("largest", "scale"), [(3.0, "linear"), (3000.0, "log")])
def test_losses_far_apart_are_on_a_logarithmic_axis(largest: float, scale: str) -> None:
    assert drawn(curves("maml-random", largest=largest))["best"].get_yscale() == scale  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("lowest", "largest", "some"),
    [
        (0.4, 4.0, ["0.5", "1", "2", "5"]),
        (0.04, 30.0, ["0.1", "1", "10"]),
        (0.8, 1000.0, ["1", "10", "100", "1000"]),
        (80.0, 3e5, ["100", "1000", "10,000", "100,000"]),
        (0.002, 3e6, ["0.01", "1", "100"]),
    ],
)
def test_labels_of_a_logarithmic_axis(lowest: float, largest: float, some: list[str]) -> None:
    """Plain numbers, none on top of another."""
    ax: Any = drawn(curves("maml-random", largest=largest, lowest=lowest))["best"]
    low, high = ax.get_ylim()
    labels = [
        label
        for label in (*ax.get_yticklabels(), *ax.get_yticklabels(minor=True))
        if label.get_text() and low <= label.get_position()[1] <= high
    ]
    assert {*some} <= {label.get_text() for label in labels}
    assert not any("e" in label.get_text() for label in labels)
    boxes = sorted((box.y0, box.y1) for box in (label.get_window_extent() for label in labels))
    assert all(first[1] < later[0] for first, later in pairwise(boxes))


def test_the_same_bytes(tmp_path: Path) -> None:
    frame = curves("maml-random", "alpha-maml-default")
    first, second = (race.render(frame, DRAWN, tmp_path / name) for name in "ab")
    assert [path.name for path in first] == ["race.png", "race.svg", "race.pdf"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
