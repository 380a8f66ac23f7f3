"""The curves of a race as a frame, with bands over training seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.analysis.sensitivity.resamples import resamples
from harness.study.race.contenders import LITERATURE, Race

POINTS = 240
"""Of a curve, at most, evenly spaced in the logarithm of the iterations."""
HIT, BEST = "hit", "best"
COLUMNS = ("curve", "racer", "x", "value", "low", "high", "seeds")


def curves(race: Race) -> pd.DataFrame:
    """One row for each point: the probability that the target has been reached by then, and the expected
    best validation loss of the runs that have ended. A curve ends when a racer has nothing more to try; that
    of a single pair goes on as it is."""
    sample, x = resamples(np.ones(len(race.seeds), bool)), race.axis.x
    places = np.unique(np.searchsorted(x, np.geomspace(x[x > 0][0], x[-1], POINTS)))
    rows = []
    for racer in race.racers:
        last = x[-1] if racer.name == LITERATURE else racer.until
        for curve, values in ((HIT, racer.chance), (BEST, racer.best)):
            for at in places[x[places] <= last]:
                stats = sample.mean(values[at])
                if np.isfinite(stats[0]):
                    point = (curve, racer.name, float(x[at]), stats[0], *sample.interval(stats), sample.seeds)
                    rows.append(dict(zip(COLUMNS, point, strict=True)))
    return pd.DataFrame(rows, columns=[*COLUMNS])
