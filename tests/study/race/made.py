"""Made-up runs of a method on a grid of rates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.study.race.searched import Searched

BUDGET, EVERY = 100, 25


def searched(
    levels: tuple[int, ...] = (3, 3),
    seeds: int = 2,
    rng: int = 0,
    method: str = "maml",
    diverged: float = 0.2,
) -> Searched:
    """A full grid of alpha0, beta0 and perhaps more; some runs diverge, those with low losses hit."""
    draw = np.random.default_rng(rng)
    places = np.indices(levels).reshape(len(levels), -1)
    names = ("alpha0", "beta0", "alpha_hyperlr", "beta_hyperlr")[: len(levels)]
    shape = places.shape[1], seeds
    ends = draw.random(shape) < diverged
    ran = np.where(ends, draw.integers(2, BUDGET, shape), BUDGET)
    steps = np.array([1, *range(EVERY, BUDGET + 1, EVERY)])
    start, final = 3 + draw.random(shape), draw.uniform(0.5, 3, shape)
    along = start[..., None] + (final - start)[..., None] * (steps - 1) / (BUDGET - 1)
    loss = np.where(ends, start, final)
    passage = np.where(~ends & (final < 1.5), draw.integers(10, BUDGET + 1, shape), np.inf)
    return Searched(
        method=method,
        table=pd.DataFrame({name: 10.0 ** (at - 2) for name, at in zip(names, places, strict=True)}),
        seeds=tuple(range(seeds)),
        budget=BUDGET,
        loss=loss,
        passage=passage,
        ran=ran.astype(float),
        steps=steps,
        validation=np.where(steps <= ran[..., None], along, np.nan),
    )
