"""A meta-test summed up, against numbers by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.analysis.meta_test import RATE, SEEDS, STEPS, TASKS, printed, shown, summary

TRIALS = pd.DataFrame(
    {
        "cell_id": ["a", "b", "c", "d"],
        "method": ["maml", "maml", "maml", "anil"],
        "preset": "sinusoid",
        "changes": "{}",
        "alpha0": [0.1, 0.1, 0.2, 0.1],
        "seed": [0, 1, 0, 0],
    }
)


def rows(**of_cells: list[list[float]]) -> pd.DataFrame:
    """The losses of cells, [steps][tasks], with their own rates."""
    return pd.DataFrame(
        [
            {"cell_id": cell, "rate": math.nan, "steps": step, "task": task, "loss": loss}
            for cell, steps in of_cells.items()
            for step, tasks in enumerate(steps)
            for task, loss in enumerate(tasks)
        ]
    )


def the(found: pd.DataFrame, **where: Any) -> pd.Series:
    """The only row with these values."""
    for key, value in ((STEPS if name == "steps" else name, value) for name, value in where.items()):
        found = found[found[key].isna() if pd.isna(value) else found[key] == value]
    (_, row), *more = found.iterrows()
    assert not more
    return row


def test_mean_and_intervals_by_hand() -> None:
    """Two seeds, three tasks: over seeds the tasks have 2, 3, 7, the seeds 3 and 5."""
    found = summary(rows(a=[[9, 9, 9], [1, 2, 6]], b=[[9, 9, 9], [3, 4, 8]]), TRIALS)
    row = the(found, steps=1)
    assert (row["method"], row["alpha0"], row[SEEDS], row[TASKS]) == ("maml", 0.1, 2, 3)
    assert row["mean loss"] == 4
    assert row["loss +- tasks"] == pytest.approx(1.96 * math.sqrt((4 + 1 + 9) / 2) / math.sqrt(3))
    assert row["loss +- seeds"] == pytest.approx(12.7062 * math.sqrt(2) / math.sqrt(2), rel=1e-5)
    first = the(found, steps=0)
    assert (first["mean loss"], first["loss +- tasks"], first["loss +- seeds"]) == (9, 0, 0)


def test_one_seed_and_one_task_have_no_interval() -> None:
    row = the(summary(rows(a=[[1, 3]]), TRIALS))
    assert row["loss +- tasks"] == pytest.approx(1.96)
    assert math.isnan(row["loss +- seeds"])
    assert math.isnan(the(summary(rows(a=[[1]]), TRIALS))["loss +- tasks"])


def test_settings_rates_and_metrics_stay_apart() -> None:
    own = rows(d=[[1, 1]], c=[[2, 2]], a=[[3, 3]]).assign(accuracy=0.5)
    other = own.assign(rate=0.01, loss=own["loss"] + 10, accuracy=0.25)
    found = summary(pd.concat([other, own]).sample(frac=1, random_state=0), TRIALS)
    assert found["method"].tolist() == ["maml", "maml", "maml", "maml", "anil", "anil"]
    assert found[RATE].isna().tolist() == [True, False] * 3
    assert found["mean loss"].tolist() == [3, 13, 2, 12, 1, 11]
    assert found["mean accuracy"].tolist() == [0.5, 0.25] * 3
    assert found["accuracy +- tasks"].tolist() == [0] * 6


def test_a_loss_that_is_not_finite_is_not_left_out() -> None:
    for bad in (math.nan, math.inf):
        found = summary(rows(a=[[1, 3], [1, bad]], b=[[1, 3], [1, 3]]), TRIALS)
        assert the(found, steps=0)["mean loss"] == 2
        row = the(found, steps=1)
        assert row["mean loss"] == math.inf
        assert np.isnan(row["loss +- tasks"])
        assert np.isnan(row["loss +- seeds"])


def test_the_order_of_rows_and_cells_does_not_matter() -> None:
    whole = rows(a=[[1, 3], [5, 2]], b=[[4, 3], [8, 3]])
    mixed = whole.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(summary(mixed, TRIALS), summary(whole, TRIALS))


def test_nothing_is_no_error() -> None:
    found = summary(rows(a=[[1]]).assign(cell_id="elsewhere"), TRIALS)
    assert found.empty
    assert {"method", "mean loss", "loss +- tasks", "loss +- seeds"} <= {*found.columns}


def test_the_steps_of_a_table() -> None:
    assert shown(10) == [0, 1, 3, 5, 10]
    assert shown(7) == [0, 1, 3, 5, 7]
    assert shown(1) == [0, 1]
    assert shown(0) == [0]


def test_the_table_that_a_person_reads() -> None:
    """What varies alone; an accuracy in percent, before the loss; no interval is an empty text."""
    own = rows(a=[[2, 4], [1, 2], [0.5, 1], [0, 0.25]], b=[[2, 4]] * 4, d=[[3, math.nan]] * 4)
    table = printed(summary(own.assign(accuracy=0.25), TRIALS), TRIALS, "nats")
    assert list(table.columns) == [
        *("method", STEPS, "accuracy %", "accuracy +- tasks", "accuracy +- seeds"),
        *("loss (nats)", "loss +- tasks", "loss +- seeds"),
    ]
    assert table.iloc[0].tolist() == ["MAML", "0", "25.00", "0.00", "0.00", "3", "1.96", "0"]
    assert table.iloc[-1].tolist() == ["ANIL", "3", "25.00", "0.00", "", "inf", "", ""]
    assert table[STEPS].tolist() == ["0", "1", "3"] * 2
    both = pd.concat([own, own.assign(rate=0.01)])
    named = printed(summary(both, TRIALS.assign(alpha0=[0.1, 0.1, 0.1, 0.2])), TRIALS)
    assert list(named.columns) == [
        "method",
        "alpha0",
        RATE,
        STEPS,
        "mean loss",
        "loss +- tasks",
        "loss +- seeds",
    ]
    assert named[RATE].unique().tolist() == ["own", "0.01"]
    assert named["alpha0"].unique().tolist() == ["0.1", "0.2"]


def test_a_hyper_parameter_may_have_any_name() -> None:
    """As Reptile's steps; the table tells it from the steps of the test."""
    trials = TRIALS.assign(steps=[1, 1, 5, 5], rate=0.5, loss=[1, 1, 2, 2], tasks=7)
    found = summary(rows(a=[[3, 3], [2, 2]], c=[[1, 1], [0, 0]]), trials)
    assert found["steps"].tolist() == [1, 1, 5, 5]
    assert found[STEPS].tolist() == [0, 1, 0, 1]
    assert found["mean loss"].tolist() == [3, 2, 1, 0]
    table = printed(found, trials)
    assert table["steps"].tolist() == ["1", "1", "5", "5"]
    assert table[STEPS].tolist() == ["0", "1", "0", "1"]
