"""What a run of our own tables is worth: its validation loss at the budget, whatever may be wrong with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.analysis.sensitivity import measure
from harness.analysis.sensitivity.tables import TARGETS, Passage, of_tables
from tests.analysis.sensitivity.committed import committed, edited, of_column, read, refused, results


def test_a_table_without_a_target_is_scored_by_its_losses() -> None:
    trials, curves = committed("fig1").trials, committed("fig1").trajectories
    found = read("fig1")
    assert (found.score, found.unit, found.less_is_better) == ("validation loss at the budget", "nats", True)
    pairs = [["alpha0+beta0"], ["alpha0", "beta0", "alpha_hyperlr", "beta_hyperlr"]]  # crossed elsewhere
    assert [list(one.factors) for one in found.methods] == pairs
    first = curves[curves["iteration"] == 1].set_index("cell_id")["val_loss"]
    worst = np.quantile(first, 0.25)
    for method in ("maml", "alpha-maml"):
        ends = of_column(trials, "final_val_loss", method)
        assert np.array_equal(-results(found, "score")[method][::-1], np.minimum(ends, worst))
    assert found.notes == (
        f"paper-adam: 5 of 80 runs end above {worst:.3g}, which untrained weights have, and count as that",
    )
    of_maml = first[trials["cell_id"][trials["method"] == "maml"]]
    assert np.array_equal(-results(found, "start")["maml"][::-1], np.sort(of_maml))
    assert "count" not in found.methods[0].results


def test_a_run_that_diverged_is_worth_what_it_was_worth_before_training() -> None:
    of = committed("fig1")
    first = of.trajectories[of.trajectories["iteration"] == 1].set_index("cell_id")["val_loss"]
    row = of.trials.loc[7]
    own = of.trajectories["cell_id"] == row["cell_id"]
    wild = of.trajectories.copy()
    wild.loc[own & (wild["iteration"] == 500), "val_loss"] = np.inf
    for wrong in (edited(of, 7, ending="diverged"), replace(of, trajectories=wild)):
        found = of_tables({"fig1": wrong})
        (one,) = (one for one in found.methods if one.name == row["method"])
        losses = -one.results["score"][0, :, int(row["seed"])]
        assert (losses == min(first[row["cell_id"]], np.quantile(first, 0.25))).sum() == 1


def test_a_last_validation_that_is_no_number_is_missing_for_its_run_alone() -> None:
    of = committed("fig1")
    curves = of.trajectories.copy()
    own = curves["cell_id"] == of.trials["cell_id"][7]
    curves.loc[own & (curves["iteration"] == 500), "val_loss"] = np.nan
    found = of_tables({"fig1": replace(edited(of, 7, final_val_loss=np.nan), trajectories=curves)})
    assert not [line for line in found.notes if "losses are of iteration" in line]
    first = curves.loc[curves["iteration"] == 1].set_index("cell_id")["val_loss"]
    worst = first.quantile(0.25)
    ends = of.trials["final_val_loss"].to_numpy(float, copy=True)
    ends[7] = first[of.trials["cell_id"][7]]
    alpha = (of.trials["method"] == "alpha-maml").to_numpy()
    assert of.trials["method"][7] == "alpha-maml"
    assert np.array_equal(results(found, "score")["alpha-maml"], np.sort(-np.minimum(ends[alpha], worst)))


def test_a_run_that_is_no_number_from_the_first_is_worth_untrained_weights() -> None:
    """An inner loop with too large a rate."""
    of = committed("fig1")
    curves = of.trajectories.copy()
    curves.loc[(curves["iteration"] == 1) & (curves["cell_id"] == of.trials["cell_id"][7]), "val_loss"] = (
        np.nan
    )
    first = curves.loc[curves["iteration"] == 1, "val_loss"]
    found = of_tables({"fig1": replace(edited(of, 7, ending="diverged"), trajectories=curves)})
    assert found.score == "validation loss at the budget"
    (one,) = (one for one in found.methods if one.name == of.trials["method"][7])
    worst = first.quantile(0.25)
    assert (-one.results["score"][0, :, int(of.trials["seed"][7])] == worst).sum() == 1
    assert (-one.results["start"][0, :, int(of.trials["seed"][7])] == worst).sum() == 1


def test_a_run_without_a_loss_at_iteration_1_sets_no_target() -> None:
    of = committed("fig1")
    curves = of.trajectories.copy()
    row = (curves["cell_id"] == of.trials["cell_id"][7]) & (curves["iteration"] == 1)
    kept = curves.loc[(curves["iteration"] == 1) & ~row, "train_loss"]
    curves.loc[row, "train_loss"] = np.nan
    (targets,) = of_tables({"fig1": replace(of, trajectories=curves)}, Passage(target=2.5)).targets.values()
    assert targets[0] == kept.median()
    assert (targets[-1], len(targets)) == (2.5, TARGETS)


def test_no_run_is_worth_less_than_untrained_weights() -> None:
    """One that ends at 1e8 would set the scale of all others."""
    of = committed("fig1")
    cell = of.trials["cell_id"][7]
    wild = of.trajectories.copy()
    wild.loc[(wild["cell_id"] == cell) & (wild["iteration"] == 500), "val_loss"] = 1e8
    tame, found = read("fig1"), of_tables({"fig1": replace(of, trajectories=wild)})
    first = of.trajectories.loc[of.trajectories["iteration"] == 1, "val_loss"]
    assert results(found, "score")["alpha-maml"][0] == -np.quantile(first, 0.25)
    assert results(tame, "score")["alpha-maml"][0] > -2.8
    assert found.notes[0].startswith("paper-adam: 6 of 80 runs end above 3.01, which untrained weights have")


def test_losses_are_of_one_iteration() -> None:
    """MAML's records of limit are those of fig2, and have no validation at the budget of 30, as Alpha-MAML's
    have: so those of iteration 25 are compared, where the two methods are equal bit for bit."""
    found = read("limit")
    assert found.notes[0] == (
        "paper-adam: losses are of iteration 25, the last at which all runs were validated; some records are "
        "longer than the budget"
    )
    maml, alpha_maml = (results(found, "score")[method] for method in ("maml", "alpha-maml"))
    assert np.array_equal(maml, alpha_maml)
    of = committed("limit").trajectories
    worst = np.quantile(of.loc[of["iteration"] == 1, "val_loss"], 0.25)
    assert set(-maml) == set(np.minimum(of.loc[of["iteration"] == 25, "val_loss"], worst))


def test_without_a_validation_at_iteration_1_there_is_no_start() -> None:
    of = committed("fig1")
    curves = of.trajectories.copy()
    curves.loc[curves["iteration"] == 1, "val_loss"] = None
    later = replace(of, trajectories=curves)
    found = measure(of_tables({"fig1": later})).values
    rows = found[found["measure"] == "rate_sensitivity"]
    assert set(rows["why"]) == {"no loss before training is given"}
    # A run that diverged then has no loss either.
    diverged = edited(later, 0, ending="diverged")
    text = "fig1: no target, and not all runs have a validation loss at their end"
    assert refused({"fig1": diverged}) == text
    assert of_tables({"fig1": diverged}, Passage(target=2.5)).of_counts
