"""What a run counts as, for every racer alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.study.race import racers
from harness.study.race.racers import Axis
from harness.study.race.replay import Tried
from tests.study.race.made import BUDGET, searched


def test_no_run_counts_as_worse_than_untrained_weights() -> None:
    """Of two runs, 9 counts as 4: one is expected to have 3, both 2. A tuner's told the same way."""
    known = searched(levels=(2, 1), seeds=1, diverged=0)
    known = replace(known, loss=np.array([[9.0], [2.0]]), passage=np.full((2, 1), np.inf), worst=4.0)
    axis = Axis(budget=BUDGET, runs=2)
    one = racers.by_random_search("x", [known], axis)
    assert one.best[axis.x == BUDGET, 0].tolist() == [3.0]
    assert one.best[axis.x == 2 * BUDGET, 0].tolist() == [2.0]
    path = racers.of_tried(Tried(settings=(0, 1), iterations=(BUDGET, BUDGET)), known, 0)
    assert path.told.tolist() == [4.0, 2.0]
    steps = [{"ran": 2, "loss": 9.0, "losses": [9.0, 9.0]}, {"ran": 1, "loss": 3.0, "losses": [3.0]}]
    assert racers.of_population(steps, target=0.5, worst=4.0).told.tolist() == [4.0, 3.0]
    at_once = [{"ran": 1, "loss": None, "losses": [None]}]  # as a file has what is not finite
    assert racers.of_population(at_once, target=0.5, worst=4.0).told.tolist() == [4.0]
