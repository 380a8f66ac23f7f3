"""Figure 1 of differences, read off its axes."""

import pandas as pd
import pytest

from tests.plots import synthetic
from tests.plots.test_trajectories import LENGTH, ROWS, drawn, legends, named, row, said
from tests.readings import reading


@pytest.fixture(scope="module")
def tables():
    return synthetic.figure1(iterations=LENGTH)


def shaken(trials, curves, by=(0.0, 1e-7, -1e-3)):
    """The first two cells and copies of them under other readings, their losses and alphas moved by these."""
    parts, rows = [], []
    for draw, moved in enumerate(by):
        label = "paper-adam" + f", perturbation={draw}" * bool(draw)
        two = trials[:2]
        parts.append(two.assign(**reading(label), cell_id=f"{draw}" + two["cell_id"]))
        own = curves[curves["cell_id"].isin(two["cell_id"])]
        moving = {name: own[name] + moved for name in ("train_loss", "alpha", "val_loss")}
        rows.append(own.assign(cell_id=f"{draw}" + own["cell_id"], **moving))
    return pd.concat(parts, ignore_index=True), pd.concat(rows, ignore_index=True)


APART = {
    "columns": [{"title": "Draws", "where": {"method": ["alpha-maml"]}}, {"title": "All", "where": {}}],
    "reference": None,
    "minus": {"protocol": ["paper-adam"]},
}


def test_differences_from_the_unperturbed_run(tables):
    fig = drawn(*shaken(*tables), APART, measured=True)
    draws, every = legends(fig)
    assert draws == ["perturbation=1", "perturbation=2"]  # the partner's own difference is 0
    assert len(every) == 4
    for name in ("alpha", "train_loss", "val_loss"):
        lines = named(row(fig, name)[0])
        assert lines["perturbation=1"].get_ydata() == pytest.approx(1e-7, rel=1e-6)
        assert lines["perturbation=2"].get_ydata() == pytest.approx(1e-3, rel=1e-6)
        assert row(fig, name)[0].get_yscale() == "log"
        assert not row(fig, name)[1].texts  # neither chance nor target
    assert lines["perturbation=1"].get_xdata().tolist() == [1, 25, 50, 60]
    labels = [row(fig, name)[0].get_ylabel() for name in ROWS]
    assert labels == [r"|Δ$\alpha_i$|", r"|Δ$\beta_i$|", "|Δ training loss|", "|Δ validation loss|"]
    beta = named(row(fig, "beta")[0])["perturbation=1"]
    assert not beta.get_ydata().any()  # it did not move
    assert row(fig, "beta")[0].get_yscale() == "symlog"
    low, high = row(fig, "beta")[0].get_ylim()
    assert low < 0 < high
    words = "differences (losses: nats) from the run with protocol paper-adam that is otherwise the same"
    assert words in said(fig)
    assert "mean" not in said(fig)


def test_a_column_of_differences_ends_where_its_runs_do(tables):
    trials, curves = shaken(*tables)
    first = trials["method"] == "maml"
    short = curves["cell_id"].isin(trials.loc[first, "cell_id"]) | (curves["iteration"] <= 20)
    columns = [{"title": name, "where": {"method": [name]}} for name in ("maml", "alpha-maml")]
    fig = drawn(trials, curves[short], APART | {"columns": columns})
    assert [ax.get_xlim() for ax in row(fig, "alpha")] == [(1, LENGTH), (1, 20)]


def test_a_run_whose_partner_is_missing_counts_as_not_run(tables):
    trials, curves = shaken(*tables)
    plain = trials["preset"].eq("paper-adam") & trials["changes"].eq("{}") & (trials["method"] == "maml")
    assert plain.sum() == 1
    trials.loc[plain, "outcome"] = None
    curves = curves[curves["cell_id"] != trials.loc[plain, "cell_id"].item()]
    _, every = legends(drawn(trials, curves, APART))
    assert [words.endswith("(not run)") for words in every] == [True, True, False, False]


def test_a_figure_of_older_tables_has_no_minus_and_a_new_one_may_have_no_reference(tables):
    for figure in (synthetic.FIG1, synthetic.FIG1 | {"reference": None, "minus": None}):
        assert drawn(*tables, figure).axes
