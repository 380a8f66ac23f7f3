"""A grid's tables as arrays."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path

import numpy as np
import pytest

from harness import grids, records
from harness.common.errors import UserError
from harness.records import Row, tables
from harness.records.store import Store
from harness.records.tables import Tables
from harness.study.race.searched import searched, untrained
from tests.records.test_tables import ORIGIN

GRID = """
title: Two by two
figure:
  kind: trajectories
  reference: {method: maml, alpha0: 0.1, beta0: 1e-3}
  columns: [{title: All, where: {method: maml}}]
protocol: {problem: sinusoid, validation_every: 5}
target_loss: null
max_iterations: 12
seeds: [0, 1]
cells:
  - {method: maml, alpha0: [0.1, 1], beta0: [1e-3, 1e-2]}
"""
FALLING, FLAT, DIVERGING = [3.0, *[1.0] * 11], [2.0] * 12, [3.0, 2.0, 2.0, 2.0, 2.0, np.nan]


def made(folder: Path, *runs: list[float], budget: int = 12, no_number: Sequence[int] = ()) -> Tables:
    """The cells of both seeds, in order, with these losses; those for which there are none were not run. The
    first run's validation is no number at these iterations."""
    path = folder / "mine.yaml"
    path.write_text(GRID.replace("max_iterations: 12", f"max_iterations: {budget}"))
    grid, store = grids.load(str(path)), Store(folder / "results")
    for place, (cell, losses) in enumerate(zip(grid.cells(), runs, strict=False)):
        lost = {*no_number} if place == 0 else set()
        rows = [
            Row(
                iteration=i,
                alpha=0.5,
                beta=None if i == len(losses) else 0.1,
                train_loss=loss,
                val_loss=_validation(i, loss, lost) if i in (1, 5, 10, len(losses)) else None,
            )
            for i, loss in enumerate(losses, 1)
        ]
        ending = "diverged" if np.isnan(losses[-1]) else "budget"
        store.put(records.dump(records.make(cell, ending, rows, ORIGIN)))
    found, _ = tables.make(grid, store, store.scan(), (0, 1))
    return found


def _validation(iteration: int, loss: float, lost: Container[int]) -> float | None:
    if not np.isfinite(loss):
        return None
    return [np.nan, np.inf][iteration % 2] if iteration in lost else loss + 0.25


def test_by_hand(tmp_path: Path) -> None:
    runs = [FALLING, FLAT, DIVERGING, FALLING] * 2
    known = searched("mine", made(tmp_path, *runs), "maml", target=1.2)
    assert known.table.to_dict("list") == {"alpha0": [0.1, 0.1, 1.0, 1.0], "beta0": [1e-3, 1e-2] * 2}
    assert (known.seeds, known.budget, known.steps.tolist()) == ((0, 1), 12, [1, 5, 10, 12])
    assert known.loss[:, 0].tolist() == [1.25, 2.25, 3.25, 1.25]  # the one that diverged: iteration 1
    assert known.passage[:, 1].tolist() == [10, np.inf, np.inf, 10]  # the mean of 3 and nine ones is 1.2
    assert known.ran[:, 0].tolist() == [12, 12, 6, 12]
    assert known.cost[:, 0].tolist() == [10, 12, 6, 10]
    np.testing.assert_array_equal(known.validation[2, 0], [3.25, 2.25, np.nan, np.nan])


def test_parts_of_it(tmp_path: Path) -> None:
    runs = [FALLING, FLAT, DIVERGING, FALLING] * 2
    known = searched("mine", made(tmp_path, *runs), "maml", target=1.2)
    one = known.at(alpha0=0.1, beta0=1e-2)
    assert one is not None
    assert one.loss.tolist() == [[2.25, 2.25]]
    assert known.at(alpha0=0.2, beta0=1e-2) is None
    assert known.of_seeds([1]).loss.shape == (4, 1)
    assert known.only([3, 0]).table["alpha0"].tolist() == [1.0, 0.1]


def test_a_seed_that_is_not_whole_is_left_out(tmp_path: Path) -> None:
    known = searched("mine", made(tmp_path, *[FLAT] * 7), "maml", target=1.2)
    assert known.seeds == (0,)


def test_a_run_that_diverged_at_once_is_no_better_than_untrained_weights(tmp_path: Path) -> None:
    """It has no validation loss at all. Where nobody says what untrained weights have, it cannot race."""
    tables = made(tmp_path, *[FLAT] * 3, [np.nan], *[FLAT] * 4)
    known = searched("mine", tables, "maml", target=1.2, worst=3.0)
    assert (known.loss[3, 0], known.ran[3, 0]) == (3.0, 1)
    with pytest.raises(UserError, match="mine: runs of maml have no finite validation loss"):
        searched("mine", tables, "maml", target=1.2)


def test_what_cannot_race(tmp_path: Path) -> None:
    few = made(tmp_path, *[FLAT] * 3)
    with pytest.raises(UserError, match=r"mine: 1 of 4 cells of maml have no result, .*make sweep"):
        searched("mine", few, "maml", target=1.2)
    with pytest.raises(UserError, match="mine: it has no cells of alpha-maml"):
        searched("mine", few, "alpha-maml", target=1.2)
    whole = made(tmp_path, *[FLAT] * 8)  # those that are there already, and the others
    whole.trials["ending"] = "stopped"
    with pytest.raises(
        UserError, match="mine: runs of maml stopped at their target; a race needs a grid with"
    ):
        searched("mine", whole, "maml", target=1.2)


def test_no_run_is_worse_than_untrained_weights(tmp_path: Path) -> None:
    """These have 2.25: so has a quarter of the runs at iteration 1, or less."""
    tables = made(tmp_path, *[FLAT] * 4, *[DIVERGING] * 4)
    assert untrained(tables) == 2.25
    known = searched("mine", tables, "maml", target=1.2, worst=2.0)
    assert (known.scored == 2.0).all()
    assert known.loss.tolist() == [[2.25, 3.25]] * 4  # as a tuner sees them


def test_a_run_that_is_no_number_from_the_first(tmp_path: Path) -> None:
    tables = made(tmp_path, *[FLAT] * 7, [np.nan])
    known = searched("mine", tables, "maml", target=1.2, worst=untrained(tables))
    assert known.loss[3, 1] == 2.25


@pytest.mark.parametrize(
    ("lost", "loss", "seen"),
    [
        ((5,), 1.25, [3.25, np.nan, 1.25, 1.25]),
        ((10, 12), 3.25, [3.25, 1.25, np.nan, np.nan]),
        ((12,), 3.25, [3.25, 1.25, 1.25, np.nan]),
        ((1, 12), 9.0, [np.nan, 1.25, 1.25, np.nan]),
    ],
)
def test_a_validation_that_is_no_number_is_its_own_runs_alone(
    tmp_path: Path, lost: tuple[int, ...], loss: float, seen: list[float]
) -> None:
    """The steps are the same for all, and the others' losses those at the budget; the run itself counts as
    one that diverged if it has none there."""
    known = searched("mine", made(tmp_path, *[FALLING] * 8, no_number=lost), "maml", target=1.2, worst=9.0)
    assert known.steps.tolist() == [1, 5, 10, 12]
    np.testing.assert_array_equal(known.validation[0, 0], seen)
    assert known.loss[0, 0] == loss
    assert (known.loss.ravel()[1:] == 1.25).all()
    assert known.passage[0, 0] == 10
    assert known.ran[0, 0] == 12


def test_a_record_that_is_longer_than_the_budget_has_no_loss_there(tmp_path: Path) -> None:
    """It was validated at 10 and at 14, the others at 10 and at their end, 12: so 10 is the last step."""
    runs = [[*FALLING, 1.0, 1.0], *[FALLING] * 7]
    known = searched("mine", made(tmp_path, *runs, no_number=(5,)), "maml", target=1.2)
    assert known.steps.tolist() == [1, 5, 10]
    assert np.isnan(known.validation[0, 0, 1])
    assert (known.loss == 1.25).all()


def test_where_no_run_has_a_number_at_the_budget(tmp_path: Path) -> None:
    """It is still the budget at which there is none."""
    runs = [FALLING, *[DIVERGING] * 7]
    known = searched("mine", made(tmp_path, *runs, no_number=(12,)), "maml", target=1.2)
    assert known.steps.tolist() == [1, 5, 10, 12]
    assert (known.loss == 3.25).all()
