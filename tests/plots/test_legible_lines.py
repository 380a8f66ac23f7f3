"""Figures of trajectories of any grid that is accepted can be read, as in test_legible.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.plots import style, trajectories
from tests.plots import synthetic
from tests.plots.legible import assert_legible
from tests.plots.test_legible import LONG, NONE, SCRIPTS, SIGNS, panels
from tests.readings import reading

Curves = tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]


ONE = {"columns": synthetic.FIG1["columns"][1:2]}
"""Where only the values are odd; the other cases have all three columns."""


def curves(iterations: int = 60, seeds: int = 1, **changes: Callable[[pd.DataFrame], Any]) -> Curves:
    """A column of figure 1 with some columns of its trajectories changed."""
    trials, rows = synthetic.figure1(seeds, None, iterations)
    rows = rows.assign(**{name: change(rows).astype(float) for name, change in changes.items()})
    return trials.assign(max_iterations=iterations), rows, ONE


def stretched(times: int) -> Curves:
    trials, rows, _ = curves()
    budget, iteration = trials["max_iterations"] * times, rows["iteration"] * times
    return trials.assign(max_iterations=budget), rows.assign(iteration=iteration), ONE


def lines(cells: list[tuple], columns: int = 1) -> Curves:
    trials = synthetic.trials(cells, target=NONE, budget=30).assign(outcome="budget", ending="budget")
    return trials, synthetic.trajectories(trials, 30), {"columns": [{"title": "All", "where": {}}] * columns}


def differences(seeds: int) -> Curves:
    """Between readings; the runs of one are a little longer."""
    trials, rows, _ = curves(seeds=seeds)
    labels = ("paper-adam", "paper-adam, k_shot=5")
    parts = [trials.assign(**reading(label), cell_id=label + trials["cell_id"]) for label in labels]
    moved = [
        rows.assign(cell_id=label + rows["cell_id"], train_loss=rows["train_loss"] * (1 + 1e-9 * at))
        for at, label in enumerate(labels)
    ]
    columns = [{"title": title, "where": {"alpha0": 1e-4}} for title in ("One", "Two")]
    figure = {"columns": columns, "reference": None, "minus": {"protocol": ["paper-adam"]}}
    return (
        pd.concat(parts, ignore_index=True),
        pd.concat([moved[0], moved[1][:-7]], ignore_index=True),
        figure,
    )


def long_lines() -> Curves:
    trials, rows, _ = curves()
    two = trials.iloc[:2]
    labels = ("paper-adam", LONG, f"{LONG}, meta_batch=8")
    parts = [two.assign(**reading(label), cell_id=label + two["cell_id"]) for label in labels]
    rows = rows[rows["cell_id"].isin(two["cell_id"])]
    copies = [rows.assign(cell_id=label + rows["cell_id"]) for label in labels]
    columns = [{"title": "All", "where": {"method": "alpha-maml"}}] * 2
    figure = {"columns": columns, "reference": {"method": "maml", "protocol": "paper-adam"}}
    return pd.concat(parts, ignore_index=True), pd.concat(copies, ignore_index=True), figure


def titled(*titles: str) -> Curves:
    columns = [{"title": title, "where": {"alpha0": 0.1}} for title in titles]
    return *curves()[:2], {"title": SIGNS, "columns": columns}


RATES = (0.1 + 0.2, 0.3, 1e-3, 1.0000001e-3, 1.2345e-5)
TRAJECTORIES: dict[str, Callable[[], Curves]] = {
    "a target": lambda: (curves()[0].assign(target_loss=2.9957), curves()[1], {}),
    "a budget of 1": lambda: curves(1),
    "a budget of 5, several seeds": lambda: (*curves(5, seeds=5)[:2], {}),
    "a hundred thousand iterations": lambda: stretched(2_000),
    "ten million iterations": lambda: stretched(200_000),
    "losses of 1e30": lambda: curves(train_loss=lambda d: d["train_loss"] * 1e30),
    "losses and rates at the end of the numbers": lambda: curves(
        train_loss=lambda d: d["train_loss"] * 5e307, alpha=lambda d: d["alpha"] * 1e308
    ),
    "infinite losses": lambda: curves(train_loss=lambda d: d["train_loss"].where(d["iteration"] < 5, np.inf)),
    "rates of 1e-300 and 0": lambda: curves(
        alpha=lambda d: d["alpha"] * 1e-300, beta=lambda d: d["beta"] * 0
    ),
    "negative rates and the smallest number": lambda: curves(
        alpha=lambda d: d["alpha"] * np.where(d["iteration"] > 30, -1, 1),
        beta=lambda d: d["beta"] * 0 + 5e-324,
    ),
    "all leave the axes": lambda: curves(
        train_loss=lambda d: d["train_loss"] * np.where(d["iteration"] % 20 == 1, 1e9, 1),
        beta=lambda d: d["beta"] * np.where(d["iteration"] % 20 == 1, -1, 1),
    ),
    "differences": lambda: differences(1),
    "differences, several seeds": lambda: differences(3),
    "twenty lines": lambda: lines([("alpha-maml", 0.1, 1e-3, 0.01 * k, 1e-6) for k in range(1, 21)]),
    "nine baselines": lambda: lines(
        [
            ("alpha-maml", 0.1, 1e-3, 0.1, 1e-6),
            *(("maml", 0.1 + 0.01 * k, 1e-3, NONE, NONE) for k in range(9)),
        ]
    ),
    "values that look alike": lambda: lines([("alpha-maml", 1 / 3, 1.2345e-5, a, 1e-6) for a in RATES], 2),
    "lines of long readings": long_lines,
    "nothing run": lambda: (
        synthetic.not_run(panels(2)),
        curves()[1].iloc[:0],
        {"columns": [{"title": "All", "where": {}}]},
    ),
    "a column of seeds that were not run": lambda: (
        *curves()[:2],
        {"columns": [{"title": "Seed 7", "where": {"seed": 7}}, synthetic.FIG1["columns"][0]]},
    ),
    "ten columns": lambda: (*curves()[:2], {"columns": synthetic.FIG1["columns"][:1] * 10}),
    "signs and scripts in the titles": lambda: titled(SIGNS, SCRIPTS, "W" * 200),
}


@pytest.mark.parametrize("case", TRAJECTORIES)
def test_trajectories(case: str, caplog: pytest.LogCaptureFixture) -> None:
    trials, rows, figure = TRAJECTORIES[case]()
    with style.applied():
        fig = trajectories.draw(trials, rows, synthetic.grid("trajectories", **(synthetic.FIG1 | figure)))
    assert_legible(fig)
    assert not caplog.records
    rates = [ax for ax in fig.axes if ax.get_label() in ("alpha", "beta")]
    assert all(len(ax.get_yticks()) > 0 for ax in rates)
