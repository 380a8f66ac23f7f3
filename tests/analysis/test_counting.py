"""Counts to any target, from curves that are short enough to count by hand."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from harness.analysis.counting import counted_to
from harness.common.errors import UserError
from harness.records import reference, tables
from harness.records.tables import Tables
from tests.analysis.tables import table, trial

NONE = float("nan")


def of(ending: str, losses: list[float], outcome: str = "budget") -> Tables:
    """A run with these losses between one that was not run and one that failed; no target."""
    rows = [
        trial("not run", None, target_loss=NONE),
        trial("a", outcome, target_loss=NONE, ending=ending, iterations_run=len(losses), max_iterations=20),
        trial("failed", "failed", target_loss=NONE, ending="failed", iterations_run=0),
    ]
    curves = [{"cell_id": "a", "iteration": i, "train_loss": loss} for i, loss in enumerate(losses, 1)]
    return Tables(trials=table(*rows), trajectories=pd.DataFrame(curves), about={})


def counted(made: Tables, target: float) -> tuple[object, object, object]:
    """The run's two counts (None: a miss) and its outcome; the other two rows are as they were."""
    trials = counted_to("mine", made, target)
    columns = ["iterations_to_target", "iterations_to_target_sustained", "outcome"]
    assert set(trials["target_loss"]) == {target}
    rest = [0, 2]
    assert trials[columns].iloc[rest].equals(made.trials[columns].iloc[rest])
    first, sustained, outcome = (trials[name].iloc[1] for name in columns)
    return *(None if pd.isna(one) else one for one in (first, sustained)), outcome


def test_by_hand() -> None:
    # The mean of losses 2 to 11 is 1, that of 1 to 10 is 1.1.
    losses = [2.0] + [1.0] * 8 + [0.5, 1.5] + [1.0] * 9
    assert counted(of("budget", losses), 1.0) == (2, 11, "reached")
    assert counted(of("budget", losses), 0.5) == (10, None, "reached")
    assert counted(of("budget", losses), 0.4) == (None, None, "budget")
    assert counted(of("diverged", [2.0, 1.0, NONE], "diverged"), 1.0) == (2, None, "reached")
    assert counted(of("diverged", [2.0, 1.0, NONE], "diverged"), 0.5) == (None, None, "diverged")


def test_a_run_that_stopped() -> None:
    made = of("stopped", [2.0] + [1.0] * 10, "reached")
    made = replace(made, trials=made.trials.assign(target_loss=1.0))
    assert counted(made, 1.5) == (2, 10, "reached")
    for target in (0.9, 0.5):
        with pytest.raises(UserError, match=f"^mine: runs stopped .* loss of {target}; ask for 1 or more"):
            counted_to("mine", made, target)


def test_the_tables_own_target_gives_the_tables_own_counts() -> None:
    made = tables.read(reference.find("fig2"))
    columns = ["cell_id", "target_loss", "iterations_to_target", "iterations_to_target_sustained", "outcome"]
    pd.testing.assert_frame_equal(counted_to("fig2", made, 2.5)[columns], made.trials[columns])
    other = tables.read(reference.find("fig3"), curves=False).trials
    pd.testing.assert_frame_equal(counted_to("fig2", made, 2.99)[columns], other[columns])
