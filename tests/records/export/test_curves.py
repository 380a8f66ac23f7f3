"""The runs of a method as an array: which iterations, which values, what is left out."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from harness.common.errors import UserError
from harness.records.export.curves import Curves, curves, domain
from harness.records.tables import Tables
from tests.records.export.made_up import cell, made, square


def of(tables: Tables) -> Curves:
    (one,), _ = curves("made-up", tables)
    return one


def values(one: Curves, objective: str) -> np.ndarray:
    """[task, setting, seed, iteration]"""
    return one.values[..., one.objectives.index(objective)]


def test_every_value_is_in_its_place() -> None:
    one = of(made(*square()))
    assert one.settings.to_dict("list") == {"alpha0": [1.0, 10.0]}
    assert (one.tasks, one.seeds, one.iterations) == (("sinusoid",), (0, 1), (5, 10))
    assert one.objectives == ("val_loss", "train_loss", "diverged", "elapsed_iterations")
    expected = [[[[101.05, 101.1], [101.15, 101.2]], [[110.05, 110.1], [110.15, 110.2]]]]
    assert np.allclose(values(one, "val_loss"), expected, rtol=0, atol=1e-12)
    assert np.allclose(values(one, "train_loss"), np.array(expected) - 100, rtol=0, atol=1e-12)
    assert (values(one, "elapsed_iterations") == [5, 10]).all()
    assert not values(one, "diverged").any()
    assert one.cells[0, 1, 0] == "maml alpha0=10 {} 0"
    assert one.whole


def test_the_iterations_are_those_at_which_all_were_validated() -> None:
    """The last row of a run that stopped is validated too, but is no iteration of the others."""
    trials = square()
    trials[0] = cell(0, alpha0=1.0, ending="stopped", passage=7, ran=7, target=2)
    one = of(made(*trials))
    assert one.iterations == (5, 10)
    assert np.isnan(values(one, "val_loss")[0, 0, 0]).tolist() == [False, True]
    assert not one.whole


def test_without_validation_all_iterations_are_there() -> None:
    one = of(made(*square(), validated=False))
    assert one.iterations == tuple(range(1, 11))
    assert one.objectives[0] == "train_loss"
    assert math.isclose(values(one, "train_loss")[0, 1, 1, 2], 10.13)


def test_a_run_that_diverged_has_the_losses_of_iteration_1() -> None:
    trials = square()
    trials[2] = cell(1, alpha0=1.0, ending="diverged", ran=6)
    trials[3] = cell(1, alpha0=10.0, ending="diverged", ran=10)
    (one,), notes = curves("made-up", made(*trials))
    assert np.allclose(values(one, "val_loss")[0, :, 1], [[101.15, 101.11], [110.15, 110.11]], rtol=0)
    assert np.allclose(values(one, "train_loss")[0, :, 1], [[1.15, 1.11], [10.15, 10.11]], rtol=0)
    assert values(one, "diverged")[0, :, 1].tolist() == [[0, 1], [0, 1]]
    assert values(one, "elapsed_iterations")[0, :, 1].tolist() == [[5, 6], [5, 10]]
    assert notes == ["2 runs diverged: from there on the losses are those of iteration 1"]


def test_a_target_is_an_objective_that_is_known_after_a_stop() -> None:
    trials = [
        cell(alpha0=1.0, ending="stopped", passage=6, ran=7, target=2),
        cell(alpha0=2.0, passage=5, target=2),
        cell(alpha0=3.0, target=2),
    ]
    one = of(made(*trials))
    assert values(one, "reached")[0, :, 0].tolist() == [[0, 1], [1, 1], [0, 0]]
    assert one.counts[0, :, 0].tolist() == [6, 5, math.inf]


def test_protocols_are_tasks_and_hyper_parameters_a_methods_own() -> None:
    both = ("{}", '{"width": 3}')
    trials = [cell(changes=changes, alpha0=1.0) for changes in both]
    trials += [
        cell(method="reptile", changes=changes, alpha0=2.0, steps=n) for changes in both for n in (1, 5)
    ]
    maml, reptile = curves("made-up", made(*trials))[0]
    assert maml.tasks == reptile.tasks == ("sinusoid", "sinusoid, width=3")
    assert list(maml.settings) == ["alpha0"]
    assert reptile.settings.to_dict("list") == {"alpha0": [2.0, 2.0], "steps": [1, 5]}
    assert reptile.cells[1, 0, 0] == 'reptile alpha0=2 steps=1 {"width": 3} 0'


def test_a_setting_counts_where_every_seed_has_a_result() -> None:
    trials = square()
    trials[3] = cell(1, alpha0=10.0, ending=None)
    (one,), notes = curves("made-up", made(*trials))
    assert one.settings.to_dict("list") == {"alpha0": [1.0]}
    assert notes == [
        "1 of 4 cells not run, or failed",
        "maml: left out 1 of 2 settings: no result for one of 2 seeds",
    ]


def test_a_protocol_that_has_barely_begun_is_left_out() -> None:
    begun = [cell(changes='{"width": 3}', alpha0=a, ending="budget" if a == 1 else None) for a in (1, 2, 3)]
    (one,), notes = curves("made-up", made(*(cell(alpha0=a) for a in (1, 2, 3)), *begun))
    assert one.tasks == ("sinusoid",)
    assert len(one.settings) == 3
    assert "maml: left out sinusoid, width=3: 1 of 3 settings have a result for every seed" in notes


def test_nothing_left_is_one_line() -> None:
    trials = [cell(seed, alpha0=1.0, ending="failed" if seed else "budget") for seed in (0, 1)]
    with pytest.raises(UserError, match=r"^made-up: no setting has a result for every seed; 1 of 2 cells"):
        curves("made-up", made(*trials))


@pytest.mark.parametrize(
    ("given", "values", "ordered", "log"),
    [
        ([10.0, 0.1, 10.0], (0.1, 10.0), True, True),
        ([1.0, 9.0], (1.0, 9.0), True, False),
        ([0.0, 100.0], (0.0, 100.0), True, False),
        ([True, False], (True, False), False, False),
        (["b", "a"], ("b", "a"), False, False),
    ],
)
def test_domains(given: list, values: tuple, ordered: bool, log: bool) -> None:
    found = domain(pd.Series(given))
    assert (found.values, found.ordered, found.log) == (values, ordered, log)
