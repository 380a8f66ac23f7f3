"""The figure of a race: a line for each racer, in colours that differ, with bands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.plots import race, style
from harness.study.race.contenders import TITLES

DRAWN = race.Drawn(title="The race", about=("Target: 0.9",), names=TITLES, unit="nats", budget=300)


def curves(*racers: str, largest: float = 3.0) -> pd.DataFrame:
    """Made-up curves, with bands."""
    x = np.geomspace(15, 50_000, 40)
    rows = []
    for at, name in enumerate(racers):
        share = np.linspace(0, 1, 40) ** (1 + at)
        for curve, y in (("hit", share), ("best", largest - (largest - 0.8) * share)):
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


def test_the_same_bytes(tmp_path: Path) -> None:
    frame = curves("maml-random", "alpha-maml-default")
    first, second = (race.render(frame, DRAWN, tmp_path / name) for name in "ab")
    assert [path.name for path in first] == ["race.png", "race.svg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
