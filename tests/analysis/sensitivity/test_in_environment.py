"""The measures of one environment: whose they are, and what there is without some of the results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.analysis.sensitivity import measure, runs
from tests.analysis.sensitivity.test_measure_any import ALL, COUNTING, any_table, of_any

COUNTS = {"reached", "robust_area", "seeds_without_hit", "tuning_cost", "share_of_count", "share_of_hit"}


def of(table: pd.DataFrame, **more: Any) -> pd.DataFrame:
    values = measure(runs(table, **ALL | more)).values
    return values[values["environment"].notna() & values["other"].isna()]


def why(values: pd.DataFrame, name: str) -> set[str]:
    return set(values["why"][values["measure"] == name])


def test_an_environment_is_measured_as_if_it_were_alone() -> None:
    """But for tunability, whose default is that of all."""
    table = any_table()
    found = of_any(table)
    for e in "ef":
        alone = of_any(table[table["e"] == e])
        for name, keys in (("values", "measure"), ("curves", "curve")):
            ours, theirs = (getattr(one, name) for one in (found, alone))
            ours, theirs = (
                one[one["environment"].eq(e) & one[keys].ne("tunability")] for one in (ours, theirs)
            )
            pd.testing.assert_frame_equal(ours.reset_index(drop=True), theirs.reset_index(drop=True))


def test_without_counts_there_is_nothing_of_a_target() -> None:
    found = measure(runs(any_table(), **ALL))
    assert not COUNTS & {*found.values["measure"]}
    assert {*found.curves["curve"]} == {"dimension", "budget"}


def test_without_a_score_the_counts_are_the_score() -> None:
    found = measure(runs(any_table(), **ALL | COUNTING | {"loss": None, "start": None}))
    values = found.values
    assert "share_of_score" not in {*values["measure"]}
    assert "budget" not in {*found.curves["curve"]}
    assert set(values["unit"][values["measure"].isin(["best", "mean"]) & values["other"].isna()]) == {
        "decades"
    }
    assert why(values, "rate_sensitivity") == {"no loss before training is given"}


def test_tunability_needs_a_default_of_all_environments() -> None:
    table = any_table()
    alone = "with one environment, the best setting there is the best everywhere"
    assert why(of(table[table["e"] == "e"]), "tunability") == {alone}
    apart = table.assign(seed=table["seed"] + 10 * (table["e"] == "f"))
    assert why(of(apart), "tunability") == {"no seed was run in every environment"}
    split = table[(table["x"] == 0) == (table["e"] == "e")]
    assert why(of(split), "tunability") == {"no setting was run in every environment"}


def test_the_default_is_found_among_the_settings_that_an_environment_has() -> None:
    """1 was not run in f. Of the others 3 has the lower mean, 3.75 beside 4; in e 1 gains 3 over it."""
    losses = {("e", 1): 1.0, ("e", 2): 3.0, ("e", 3): 4.0, ("f", 2): 5.0, ("f", 3): 3.5}
    table = pd.DataFrame(
        [("a", e, x, y) for (e, x), y in losses.items()], columns=["method", "e", "x", "loss"]
    )
    values = measure(runs(table, hyper=["x"], environment="e", loss="loss")).values
    gains = values[(values["measure"] == "tunability") & (values["of"] == "total")]
    assert gains.set_index("environment")["value"].to_dict() == {"e": 3, "f": 0}


@pytest.mark.parametrize(
    ("drop", "reason"),
    [
        (lambda t: (t["x"] == 0) & (t["y"] == 0), "its settings are no full factorial"),
        (lambda t: (t["x"] > 0) | (t["y"] > 0), "one setting: nothing was varied"),
    ],
)
def test_why_there_are_no_shares(drop: Any, reason: str) -> None:
    table = any_table()
    values = of(table[~drop(table)], **COUNTING)
    for name in ("share_of_score", "share_of_count", "share_of_hit"):
        assert why(values, name) == {reason}


def test_shares_of_results_that_are_all_equal() -> None:
    assert why(of(any_table().assign(loss=2.0)), "share_of_score") == {"all results are equal"}


def test_with_one_seed_it_is_no_factor() -> None:
    table = any_table()
    values = of(table[table["seed"] == 0])
    of_a = values[(values["measure"] == "share_of_score") & (values["method"] == "a")]
    assert {*of_a["of"]} == {"x", "y", "x:y"}
    assert of_a.groupby("environment")["value"].sum().tolist() == pytest.approx([1, 1], rel=1e-12)


def test_hyper_parameters_that_were_varied_together_are_one_factor() -> None:
    table = any_table()
    table = table[(table["x"] == table["y"])]
    values = of(table, paired=[("x", "y")])
    for name, effects in (("tunability", {"total", "x+y"}), ("share_of_score", {"x+y", "seed", "x+y:seed"})):
        assert {*values["of"][values["measure"] == name]} == effects


def test_units_are_those_of_the_environment() -> None:
    values = of(any_table(), unit={"e": "nats"})
    for name in ("best", "mean", "tunability", "rate_sensitivity"):
        rows = values[values["measure"] == name]
        assert rows.groupby("environment")["unit"].unique().map(list).to_dict() == {"e": ["nats"], "f": [""]}


def test_less_is_better_for_a_loss_and_shown_so() -> None:
    table = any_table()
    as_scores = table.assign(loss=-table["loss"], start=-table["start"])
    losses, scores = of(table), of(as_scores, loss=None, score="loss")
    for name in ("best", "mean"):
        ours, theirs = (one[one["measure"] == name].reset_index(drop=True) for one in (losses, scores))
        np.testing.assert_allclose(ours["value"], -theirs["value"], rtol=1e-14)
        np.testing.assert_allclose(ours["low"], -theirs["high"], rtol=1e-14)
    for name in ("tunability", "rate_sensitivity", "share_of_score"):
        ours, theirs = (one[one["measure"] == name].reset_index(drop=True) for one in (losses, scores))
        np.testing.assert_allclose(ours["value"], theirs["value"], rtol=1e-12, atol=1e-15)
