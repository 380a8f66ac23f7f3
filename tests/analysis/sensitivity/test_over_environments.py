"""What is said over environments, and why something is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.analysis.sensitivity import measure, over_environments, performance, runs
from harness.analysis.sensitivity.resamples import resamples
from harness.analysis.sensitivity.runs import Runs
from tests.analysis.sensitivity.test_measure_any import ALL, any_table

OVER_ALL = ("sensitivity", "effective_dimension", "default", "tuned", "default_held_out", "tuned_held_out")


def whys(found: Runs, method: str = "a") -> dict[str, str]:
    """Why each number over all environments is null; empty: it is not."""
    values = measure(found).values
    rows = values[values["environment"].isna() & values["other"].isna() & (values["method"] == method)]
    rows = rows[rows["measure"].isin(OVER_ALL)].set_index("measure")
    assert (rows["value"].isna() == (rows["why"] != "")).all()
    return rows["why"].to_dict()


def of(table: pd.DataFrame, **more: Any) -> Runs:
    return runs(table, **ALL | more)


def all_for(reason: str) -> dict[str, str]:
    return dict.fromkeys(OVER_ALL, reason)


def test_with_one_environment_there_is_nothing_to_be_sensitive_to() -> None:
    table = any_table()
    one = over_environments.ONE_ENVIRONMENT
    assert whys(of(table[table["e"] == "e"])) == all_for(one) | {"tuned": "", "tuned_held_out": ""}


def test_a_method_that_was_not_run_everywhere() -> None:
    table = any_table()
    found = of(table[(table["method"] != "a") | (table["e"] == "e")])
    assert whys(found) == all_for("not run in f")
    assert whys(found, "b") == all_for("")


def test_settings_that_were_run_in_one_environment_each() -> None:
    table = any_table()
    found = of(table[(table["x"] == 0) == (table["e"] == "e")])
    tuned = {"tuned": "", "tuned_held_out": ""}
    assert whys(found) == all_for("no setting was run in every environment") | tuned


def test_environments_without_a_seed_in_common() -> None:
    table = any_table()
    found = of(table.assign(seed=table["seed"] + 10 * (table["e"] == "f")))
    values = measure(found).values
    assert whys(found) == all_for("no seed was run in every environment")
    assert set(values["seeds"][values["environment"].isna()]) == {0}
    assert set(values["seeds"][values["environment"].notna()]) == {3}


def test_one_seed() -> None:
    table = any_table()
    alone = "one seed: none is left to judge a choice on"
    values = measure(of(table[table["seed"] == 0])).values
    held_out = values[values["measure"].isin(["tuned_held_out", "default_held_out", "interquartile_mean"])]
    assert set(held_out["why"]) == {alone}
    assert not {"tuned", "default"} & set(values["of"][values["measure"] == "improvement"])


def test_scores_whose_percentiles_are_equal() -> None:
    table = any_table()
    found = of(table.assign(loss=table["loss"].where(table["e"] == "e", 1.0)))
    assert whys(found) == all_for("the 5th and 95th percentile of the scores are equal in f")


def test_more_hyper_parameters_than_all_subsets_can_be_tried_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performance, "MAX_KNOBS", 1)
    assert whys(of(any_table())) == all_for("") | {"effective_dimension": "more than 1 factors vary"}


def test_a_tuned_score_below_that_of_the_worst() -> None:
    """Gamma that a table brings may be anything."""
    table = any_table().drop(columns="start")
    found = runs(
        table.assign(loss=-table["loss"]), hyper=["x", "y"], environment="e", seed="seed", gamma="loss"
    )
    assert whys(found) == all_for("") | {"effective_dimension": "the tuned score is not above 0"}


def test_a_number_that_some_resamples_lack_has_no_interval() -> None:
    """With seed 0 all scores are equal, so a resample of it alone has no scale."""
    rows = [("a", e, x, s, float(s * x)) for e in "ef" for x in range(3) for s in range(2)]
    table = pd.DataFrame(rows, columns=["method", "e", "x", "seed", "score"])
    values = measure(runs(table, hyper=["x"], environment="e", seed="seed", score="score")).values
    (row,) = values[values["measure"] == "tuned"].to_dict("records")
    assert (row["value"], row["why"]) == (
        1,
        "no interval: in some resamples of the seeds there is no such number",
    )
    assert np.isnan([row["low"], row["high"]]).all()


def test_a_default_that_is_chosen_on_the_other_seeds() -> None:
    """Gamma as given. By seed 1 the means over environments are 0.5, 0.7, so 2 is chosen, with 0.1 and 0.3
    for seed 0; by seed 0 they are 0.9, 0.2, so 1 is, with 0.4 and 0.6 for seed 1."""
    gamma = {("e", 1): (0.8, 0.4), ("e", 2): (0.1, 0.6), ("f", 1): (1.0, 0.6), ("f", 2): (0.3, 0.8)}
    rows = [("a", e, x, s, value) for (e, x), some in gamma.items() for s, value in enumerate(some)]
    table = pd.DataFrame(rows, columns=["method", "e", "x", "seed", "gamma"])
    values = measure(runs(table, hyper=["x"], environment="e", seed="seed", gamma="gamma")).values
    found = values.set_index(["measure", "of"])
    held_out = found.loc[("default_held_out", ""), ["value", "low", "high"]].tolist()
    np.testing.assert_allclose(held_out, [(0.1 + 0.3 + 0.4 + 0.6) / 4, 0.2, 0.5], rtol=1e-14)
    # Of 0.1, 0.3, 0.4, 0.6 the middle half: 0.3, 0.4; seed 0 twice: of 0.1, 0.1, 0.3, 0.3; seed 1 likewise.
    middle = found.loc[("interquartile_mean", "default"), ["value", "low", "high"]].tolist()
    np.testing.assert_allclose(middle, [0.35, 0.2, 0.5], rtol=1e-14)
    # Chosen there: in e 2 by seed 1 and 1 by seed 0, in f likewise: the same.
    assert found.loc[("tuned_held_out", ""), "value"] == pytest.approx(0.35, rel=1e-14)


def test_resamples_in_parts_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measure(of(any_table()))
    for size in (1, 100):
        monkeypatch.setattr(over_environments, "AT_ONCE", size)
        parts = measure(of(any_table()))
        pd.testing.assert_frame_equal(parts.values, whole.values, rtol=1e-12)
        pd.testing.assert_frame_equal(parts.curves, whole.curves, rtol=1e-12)


def test_gamma_is_scaled_in_each_environment_with_each_method_of_the_same_weight() -> None:
    """Of `a` 100 settings, 0 to 99; of `b` two, 1000 and 2000, a quarter of the weight each."""
    rows = [("a", x, float(x)) for x in range(100)] + [("b", x, 1000.0 * x) for x in (1, 2)]
    found = runs(pd.DataFrame(rows, columns=["method", "x", "score"]), hyper=["x"], score="score")
    weights = resamples([True]).weights
    ((low, high),) = over_environments.scale(found, weights)
    assert (low.tolist(), high.tolist()) == ([9], [2000])  # 10 of 100 with half of the weight are 5 %
    gamma = over_environments.normalised(found.methods[1], [(low, high)], weights)
    np.testing.assert_allclose(gamma[0, :, 0], [991 / 1991, 1], rtol=1e-14)
