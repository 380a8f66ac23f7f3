"""Our own tables: the committed ones, and those with whatever may be wrong in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.analysis.sensitivity import Measures, measure
from harness.analysis.sensitivity.tables import TARGETS, Passage, of_tables
from harness.common import places
from harness.records import reference, tables
from harness.records.passages import first_passage, sustained_passage
from tests import swept
from tests.analysis.sensitivity.committed import committed, edited, of_column, read, refused, results

REGRESSION = """
title: Regression
figure: {kind: trajectories, reference: {method: maml}, columns: [{title: All, where: {method: reptile}}]}
protocol: {problem: sinusoid}
max_iterations: 30
cells:
  - {method: maml, alpha0: 0.1, beta0: 1e-3}
  - {method: reptile, alpha0: 0.1, eps0: [0.1, 1]}
"""


@pytest.mark.parametrize("name", ["fig2", "fig3", "fig2-sgd"])
def test_counts_and_costs_are_those_of_the_table(name: str) -> None:
    trials = committed(name).trials
    counts = {False: "iterations_to_target", True: "iterations_to_target_sustained"}
    for sustained, column in counts.items():
        found = read(name, sustained=sustained)
        for method in ("maml", "alpha-maml"):
            own = of_column(trials, column, method)
            assert np.array_equal(results(found, "count")[method], own)
            hit = trials[column].notna()
            cost = trials.assign(cost=trials[column].where(hit, trials["iterations_run"]))
            assert np.array_equal(results(found, "cost")[method], of_column(cost, "cost", method))
            assert set(results(found, "cap")[method]) == {500}
    misses = trials["iterations_to_target"].isna()
    assert (misses == (trials["outcome"] != "reached")).all()


def test_the_settings_of_fig2() -> None:
    found = read("fig2")
    assert [(one.name, one.hyper, len(one.table)) for one in found.methods] == [
        ("maml", ("alpha0", "beta0"), 5),
        ("alpha-maml", ("alpha0", "beta0", "alpha_hyperlr", "beta_hyperlr"), 180),
    ]
    assert [list(one.factors) for one in found.methods] == [
        ["alpha0+beta0"],
        ["alpha0+beta0", "alpha_hyperlr", "beta_hyperlr"],
    ]
    assert (found.environments, found.seeds, found.notes) == (
        ("paper-adam, target 2.5",),
        (0, 1, 2, 3, 4),
        (),
    )
    assert (found.of_counts, found.unit) == (True, "decades")
    # Two gradients and a Hessian product for each of 16 tasks.
    for one in found.methods:
        assert np.array_equal(one.results["evaluations"], 48 * one.results["cost"])


def test_another_target_equals_the_table_that_has_it() -> None:
    """Values, curves, environments: fig3 is fig2's records with the target 2.99."""
    ours, theirs = (measure(of) for of in (read("fig2", target=2.99), read("fig3")))
    pd.testing.assert_frame_equal(ours.values, theirs.values)
    pd.testing.assert_frame_equal(ours.curves, theirs.curves)


def test_a_target_that_runs_stopped_before() -> None:
    assert refused({"fig2": committed("fig2")}, Passage(target=2)) == (
        "fig2: runs stopped at their target, before they reached a training loss of 2; ask for 2.5 or more, "
        "or sweep the grid with a lower target_loss"
    )
    # fig1 has no target, so its runs went on to their budget: any will do.
    found = read("fig1", target=1.0)
    assert found.environments == ("paper-adam, target 1",)
    assert not found.of_counts
    # The runs of fig3 did not stop at its own target but at that of fig2.
    assert np.array_equal(*(results(read(name, target=2.5), "count")["maml"] for name in ("fig2", "fig3")))


def test_grids_that_share_cells_have_each_once() -> None:
    found = read("fig2", "readings")
    assert len(found.environments) == len(set(found.environments)) == 7
    assert found.environments[0] == "paper-adam, target 2.5"
    assert np.array_equal(results(found, "count")["maml"], results(read("fig2"), "count")["maml"])
    assert found.has_seed.sum(1).tolist() == [5, 1, 1, 1, 1, 1, 1]


def test_environments_are_protocols_with_their_targets_and_budgets() -> None:
    assert read("fig2", "fig3").environments == ("paper-adam, target 2.5", "paper-adam, target 2.99")
    found = read("fig2", "beyond")
    assert found.environments == ("paper-adam, target 2.5, budget 500", "paper-adam, target 2.5, budget 1500")
    assert [results(found, "cap", e)["maml"][0] for e in (0, 1)] == [500, 1500]
    glyphs = edited(committed("fig1"), slice(None), dataset="glyphs")
    both = of_tables({"fig1": committed("fig1"), "glyphs": glyphs})
    assert both.environments == ("paper-adam, omniglot", "paper-adam, glyphs")


def test_some_with_a_target_and_some_without() -> None:
    asked = {name: committed(name) for name in ("fig2", "fig1")}
    assert refused(asked) == "fig2: with a target; fig1: without; ask for one target that all have"
    found = of_tables(asked, Passage(target=2.5))
    assert found.environments == ("paper-adam, target 2.5",)


def test_cells_that_were_not_run_or_failed_are_noted_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    not_run = "landscape-sgd: 73 of 98 cells not run, so not measured; {} runs them"
    assert read("landscape-sgd").notes == (not_run.format("make sweep GRID=landscape-sgd"),)
    of = edited(committed("fig1"), [0, 1], outcome="failed", ending="failed")
    elsewhere = replace(of, about=of.about | {"file": "my/fig.yaml"})
    with monkeypatch.context() as patched:
        patched.setattr(places, "CHECKOUT", None)
        assert read("landscape-sgd").notes == (not_run.format("harness sweep landscape-sgd"),)
        first, *more = of_tables({"fig1": elsewhere}).notes
    assert first == "fig1: 2 of 80 cells failed, so not measured; harness sweep my/fig.yaml runs them again"
    assert len(more) == 2  # runs that count as untrained; their seeds or settings


def test_nothing_was_run() -> None:
    none = edited(committed("fig1"), slice(None), outcome=None, ending=None)
    assert refused({"fig1": none}) == "fig1: no cell was run; make sweep runs them"
    # Beside others it is noted alone.
    found = of_tables({"fig2": committed("fig2"), "fig1": none})
    assert found.notes == ("fig1: 80 of 80 cells not run, so not measured; make sweep GRID=fig1 runs them",)


def test_tables_whose_plug_in_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swept.bring_typed(monkeypatch)
    swept.swept(tmp_path, swept.TYPED)
    of = tables.read(tmp_path / "mine")
    known = measure(of_tables({"mine": of}, Passage(target=5)))
    swept.forget_typed(monkeypatch)
    found = of_tables({"mine": of}, Passage(target=5))
    (note,) = found.notes
    assert note.startswith("mine: gradient evaluations are not known: ")
    assert found.methods[0].hyper == ("alpha0", "rule", "msl", "steps")
    unknown = measure(found)
    rows = known.values[~known.values["of"].eq("gradient evaluations")].reset_index(drop=True)
    pd.testing.assert_frame_equal(unknown.values, rows)
    assert len(rows) < len(known.values)


def test_a_grid_that_cannot_be_read_any_more() -> None:
    of = committed("fig1")
    older = replace(of, about=of.about | {"grid": of.about["grid"] | {"protocol": {"ways": 5}}})
    found = of_tables({"fig1": older}, Passage(target=2.5))
    assert found.notes[0].startswith(
        "fig1: gradient evaluations are not known: the grid kept with the results"
    )
    assert "evaluations" not in found.methods[0].results


def test_problems_with_units_of_their_own(tmp_path: Path) -> None:
    """Losses are not comparable between problems, but within each of them they are measured."""
    other = swept.swept(tmp_path, REGRESSION)
    found = of_tables({"fig1": committed("fig1"), "mine": other})
    assert list(found.units.values()) == ["nats", ""]
    values = measure(found).values
    best = values[(values["measure"] == "best") & values["other"].isna()]
    assert best.groupby("environment")["unit"].unique().map(list).tolist() == [["nats"], [""]]


@pytest.mark.parametrize("sustained", [False, True])
def test_passages_of_all_targets_are_those_of_each(sustained: bool) -> None:
    """Of some cells: the last target is the grid's own, the first the median loss of iteration 1."""
    of, found = committed("fig2-sgd"), read("fig2-sgd", sustained=sustained)
    (goals,) = found.targets.values()
    first = of.trajectories[of.trajectories["iteration"] == 1]["train_loss"].median()
    assert (len(goals), goals[0], goals[-1]) == (TARGETS, pytest.approx(first), 2.5)
    one = found.methods[1]
    passage = sustained_passage if sustained else first_passage
    trials = of.trials[of.trials["method"] == "alpha-maml"].reset_index(drop=True)
    for at in range(0, len(trials), 7):
        own = of.trajectories[of.trajectories["cell_id"] == trials["cell_id"][at]]["train_loss"]
        expected = [passage(own, goal) or np.inf for goal in goals]
        assert one.passages is not None
        assert one.passages[0, at, 0].tolist() == expected


def test_pairs_of_several_grids() -> None:
    """Groups that share a hyper-parameter are one, and one that a grid crosses is none; of methods that were
    not run nothing is said."""
    of = committed("fig2")
    blocks = [
        {"method": "alpha-maml", "paired": {"alpha0": [1], "beta0": [1]}},
        {"method": "maml", "alpha0": [1, 2], "beta0": [1]},
        {"method": "reptile", "paired": {"alpha0": [1], "eps0": [1]}},
    ]
    other = replace(of, about=of.about | {"grid": of.about["grid"] | {"cells": blocks}})
    found = of_tables({"fig2": of, "other": other})
    of_maml, of_alpha = (list(one.factors) for one in found.methods)
    assert of_maml == ["alpha0", "beta0"]
    assert of_alpha == ["alpha0+beta0", "alpha_hyperlr", "beta_hyperlr"]
    blocks[0]["paired"] = {"alpha0": [1], "alpha_hyperlr": [1]}
    (crossed,) = ([*one.factors] for one in of_tables({"fig2": of, "other": other}).methods[1:])
    assert crossed == ["alpha0", "beta0", "alpha_hyperlr", "beta_hyperlr"]


def test_grids_with_the_same_environment_are_one_search_space() -> None:
    found = of_tables({name: committed(name) for name in ("fig2-sgd", "landscape-sgd")})
    assert found.environments == ("paper-sgd, target 2.5",)
    assert found.notes[-1] == (
        "paper-sgd, target 2.5: the cells of fig2-sgd and landscape-sgd are measured as one search space"
    )
    assert [*found.methods[0].factors] == ["alpha0", "beta0"]


def test_what_a_grid_pairs_is_a_factor_in_its_own_environments() -> None:
    """landscape-sgd crosses in paper-sgd what readings pairs elsewhere."""
    found = of_tables({name: committed(name) for name in ("readings", "landscape-sgd")})
    maml = found.methods[0]
    assert [*maml.factors] == ["alpha0", "beta0"]
    assert [*maml.factors_in("paper-adam, k_shot=5, target 2.5")] == ["alpha0+beta0"]
    assert [*maml.factors_in("paper-sgd, target 2.5")] == ["alpha0", "beta0"]
    shares = measure(found).values
    shares = shares[shares["measure"] == "share_of_count"]
    assert set(shares.loc[shares["value"].isna(), "environment"]) == {"paper-sgd, target 2.5"}


def test_every_committed_table_is_measured() -> None:
    """Without a warning, whatever is in it."""
    for name in reference.grids():
        found: Measures = measure(read(name))
        assert len(found.values), name
