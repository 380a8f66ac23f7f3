"""One choice of a method's own knobs: by hand, and over the league's records by a plain loop."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from harness.analysis import sensitivity
from harness.analysis.summary import numbers
from harness.records.passages import sustained_passage
from harness.study import league_tables
from harness.study.league import LEAGUE, TARGETS
from harness.study.transfer import Transfer, transfers

SEEDS = range(5)


def runs_of(hits: dict[tuple[str, float], dict[int, float]]) -> sensitivity.Runs:
    """Two pairs of rates, `maml`, and `own` with eta 1 or 2, budget 100. hits: (method, eta) -> seed -> the
    iterations that the first pair takes; the second never gets there."""
    rows = []
    for (method, eta), seed, rate in product(
        (("maml", np.nan), ("own", 1.0), ("own", 2.0)), SEEDS, (1e-3, 1.0)
    ):
        count = hits.get((method, eta if method == "own" else 0.0), {}).get(seed, np.inf)
        reached = count if rate == 1.0 else np.inf
        rows.append((method, rate, rate / 10, eta, seed, reached, 0.5))
    columns = ["method", "alpha0", "beta0", "eta", "seed", "count", "loss"]
    return sensitivity.runs(
        pd.DataFrame(rows, columns=columns),
        hyper=["alpha0", "beta0", "eta"],
        seed="seed",
        loss="loss",
        count="count",
        budget=100,
    )


def test_knobs_are_chosen_on_two_seeds_and_reported_on_the_others() -> None:
    """eta 1 is better on seeds 0 and 1, and has one hit in six later; eta 2 would have three."""
    here = runs_of({("own", 1.0): {0: 50, 1: 60, 4: 90}, ("own", 2.0): {0: 10, 2: 9, 3: 9, 4: 9}})
    there = runs_of({("own", 1.0): dict.fromkeys(SEEDS, 7), ("maml", 0.0): {3: 20}})
    assert transfers({"here": here, "there": there}, "here") == [
        Transfer(method="own", knobs={"eta": 1.0}, promised=2 / 4, kept=(1 / 6, 3 / 6)),
        Transfer(method="maml", knobs={}, promised=0, kept=(0, 1 / 6)),
    ]


def test_of_two_choices_with_as_many_hits_the_cheaper_one_is_taken() -> None:
    here = runs_of({("own", 1.0): {0: 50, 1: 60}, ("own", 2.0): {0: 50, 1: 59}})
    _, own = transfers({"here": here}, "here")
    assert own.knobs == {"eta": 2.0}
    assert own.kept == (0,)


@pytest.mark.parametrize("method", ["alpha-maml", "alpha-maml-log"])
def test_the_leagues_shares_by_a_loop(method: str) -> None:
    """The choice with the most hits on seeds 0 and 1 of the first grid, and its hits elsewhere."""
    own = {"alpha-maml": ["alpha_hyperlr", "beta_hyperlr"], "alpha-maml-log": ["eta"]}[method]
    hits: dict[str, pd.DataFrame] = {}
    for grid in LEAGUE:
        known = league_tables.read(grid)
        trials = known.trials[known.trials["method"] == method]
        losses = known.trajectories[known.trajectories["cell_id"].isin(trials["cell_id"])]
        passed = {
            cell: sustained_passage(numbers(rows["train_loss"]), TARGETS[grid]) is not None
            for cell, rows in losses.groupby("cell_id")
        }
        hits[grid] = trials.assign(hit=trials["cell_id"].map(passed))
    first = hits[LEAGUE[0]]
    most = first[first["seed"] < 2].groupby(own)["hit"].mean()
    assert (most == most.max()).sum() == 1
    (found,) = (
        one
        for one in transfers({name: league_tables.known(name).runs for name in LEAGUE}, LEAGUE[0])
        if one.method == method
    )
    assert [*found.knobs.values()] == [*np.atleast_1d(most.idxmax())]
    assert found.promised == pytest.approx(most.max())
    for grid, share in zip(LEAGUE, found.kept, strict=True):
        later = hits[grid][hits[grid]["seed"] >= 2]
        same = np.logical_and.reduce([later[name] == value for name, value in found.knobs.items()])
        assert share == pytest.approx(later[same]["hit"].mean())
        assert same.sum() == 25 * 3
