"""The curves of a race as a frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.study.race import racers
from harness.study.race.contenders import LITERATURE, RANDOM
from harness.study.race.curves import BEST, HIT, curves
from harness.study.race.racers import PARTS, Axis
from tests.study.race.made import searched
from tests.study.race.test_headline import race


def test_by_hand() -> None:
    """Of losses 4, 3, 2, 1 the expected best of n is 2.5, 10/6, 1.25, 1; the default ends after two runs."""
    one = race()
    frame = curves(one)
    best = frame[(frame["curve"] == BEST) & (frame["racer"] == RANDOM)].set_index("x")["value"]
    assert best.loc[100] == pytest.approx(2.5)
    assert best.loc[400] == pytest.approx(1)
    assert frame.groupby("racer")["x"].max().to_dict() == {RANDOM: 400, one.racers[1].name: 200}
    hit = frame[(frame["curve"] == HIT) & (frame["racer"] == RANDOM)].set_index("x")["value"]
    assert hit.loc[50] == pytest.approx(1 / 4)  # the one that hits comes first, and has done so after 50


def test_a_single_pair_goes_on_as_it_is() -> None:
    one = race()
    pair = racers.by_random_search(LITERATURE, [one.racers[0].single.only([2])], one.axis)  # type: ignore[union-attr]
    frame = curves(replace(one, racers=(*one.racers, pair)))
    own = frame[(frame["racer"] == LITERATURE) & (frame["curve"] == BEST)]
    assert own["x"].max() == 400
    assert set(own["value"]) == {2.0}


def test_a_budget_of_fewer_iterations_than_a_curve_has_points() -> None:
    known = replace(searched(levels=(2, 2), diverged=0), budget=PARTS // 2, ran=np.full((4, 2), PARTS / 2))
    known.passage[:] = np.inf
    axis = Axis(budget=known.budget, runs=4)
    found = (racers.by_random_search(RANDOM, [known], axis),)
    frame = curves(replace(race(), seeds=known.seeds, axis=axis, racers=found))
    assert frame["x"].min() > 0
