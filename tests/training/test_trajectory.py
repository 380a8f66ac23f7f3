"""A trajectory: by which rule a cell ends, in which row, and what that row holds."""

from __future__ import annotations

import math

import pytest

from harness.cell import Cell, Question
from harness.records import Row
from harness.records.passages import WINDOW
from harness.training.trajectory import Trajectory
from tests.conftest import SMALL

CELL = Cell(protocol=SMALL, method="maml", hyper={"alpha0": 0.1, "beta0": 0.01}, seed=0)


def rows(*losses: float, first: int = 1, beta: float = 0.01, validation: float | None = None) -> list[Row]:
    return [
        Row(
            iteration=i,
            alpha=0.1,
            beta=beta,
            train_loss=loss,
            train_accuracy=0.5,
            val_loss=validation,
            val_accuracy=validation,
        )
        for i, loss in enumerate(losses, first)
    ]


def trajectory(target: float | None = None, budget: int = 100) -> Trajectory:
    return Trajectory(CELL, Question(target_loss=target, max_iterations=budget))


def test_it_goes_on_until_its_budget() -> None:
    one = trajectory(budget=5)
    assert one.extend(rows(3.0, 2.0)) is None
    assert not one.lacks_validation
    assert one.extend(rows(2.0, 2.0, 2.0, first=3)) == one.end == "budget"
    assert [row["iteration"] for row in one.rows] == [1, 2, 3, 4, 5]
    assert [row["beta"] for row in one.rows] == [0.01] * 4 + [None]  # no update follows the last loss


@pytest.mark.parametrize("span", [1, 3, 50])
def test_it_stops_at_the_sustained_passage_wherever_the_spans_end(span: int) -> None:
    losses = [3.0] * 4 + [2.0] * 46
    one = trajectory(target=2.1)  # nine of ten at 2 and one at 3
    for at in range(0, 50, span):
        if one.extend(rows(*losses[at : at + span], first=1 + at)):
            break
    assert one.end == "stopped"
    assert len(one.rows) == 4 + WINDOW - 1  # what came after it is left out


def test_ten_losses_are_needed_to_stop() -> None:
    one = trajectory(target=2.1)
    assert one.extend(rows(*[1.0] * (WINDOW - 1))) is None
    assert one.extend(rows(1.0, first=WINDOW)) == "stopped"


@pytest.mark.parametrize("loss", [math.inf, math.nan])
def test_a_row_whose_loss_is_not_finite_has_no_update_and_no_validation(loss: float) -> None:
    one = trajectory(budget=2)
    assert one.extend(rows(2.0, loss, validation=0.5)) == "diverged"  # even at its budget
    assert one.rows[0]["val_loss"] == 0.5
    last = one.rows[-1]
    assert (last["beta"], last["val_loss"], last["val_accuracy"]) == (None, None, None)
    assert not one.lacks_validation


def test_a_rate_that_is_not_finite_is_kept_in_the_last_row() -> None:
    one = trajectory()
    assert one.extend(rows(2.0, 2.0, beta=math.inf)) == "diverged"
    assert [row["beta"] for row in one.rows] == [math.inf]
    assert not one.lacks_validation


def test_the_last_row_is_validated_once() -> None:
    one, other = trajectory(budget=1), trajectory(budget=1)
    one.extend(rows(2.0))
    assert one.lacks_validation
    one.validated([1.5, 0.25])
    assert (one.rows[-1]["val_loss"], one.rows[-1]["val_accuracy"]) == (1.5, 0.25)
    assert not one.lacks_validation
    other.extend(rows(2.0, validation=0.5))
    assert not other.lacks_validation


def test_its_record() -> None:
    one = trajectory(budget=2)
    one.extend(rows(2.0, 1.0))
    one.seconds = 3.0
    record = one.record({"device": "cpu"})
    assert (record.header.cell, record.header.ending, record.header.iterations) == (CELL, "budget", 2)
    assert record.header.provenance["wall_seconds"] == 3.0
    assert record.rows["train_loss"].to_pylist() == [2.0, 1.0]
