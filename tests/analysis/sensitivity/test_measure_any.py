"""What leaves the measures of a table alone, and that every row says what it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.analysis.sensitivity import Measures, measure, runs
from harness.analysis.sensitivity.rows import CURVE_WORDS, CURVES, MEASURES, VALUES
from tests.analysis.sensitivity.test_measure import INF


def any_table(seeds: int = 3) -> pd.DataFrame:
    """Two methods of two hyper-parameters in two environments, with all results, without ties."""
    rng = np.random.default_rng(1)
    points = [
        (m, e, x, y, s) for m in "ab" for e in "ef" for x in range(3) for y in range(2) for s in range(seeds)
    ]
    table = pd.DataFrame(points, columns=["method", "e", "x", "y", "seed"])
    table["loss"] = rng.uniform(1, 3, len(table)) + table["x"] * (table["e"] == "f") + table["y"]
    table["start"] = rng.uniform(3, 4, len(table))
    count = rng.integers(1, 200, len(table)).astype(float)
    return table.assign(n=np.where(count > 150, np.nan, count), spent=np.minimum(count, 150), gradients=2)


ALL = {"hyper": ["x", "y"], "environment": "e", "seed": "seed", "loss": "loss", "start": "start"}


COUNTING = {"count": "n", "cost": "spent", "evaluations": "gradients", "budget": 150}


def of_any(table: pd.DataFrame, **more: Any) -> Measures:
    passages = np.repeat(table[["n"]].fillna(INF).to_numpy(), 2, axis=1)
    return measure(runs(table, **ALL | COUNTING | {"passages": passages} | more))


def same(ours: Measures, theirs: Measures, ignore: list[str] | None = None) -> None:
    """In any order of the rows."""
    for mine, other, keys in (
        (ours.values, theirs.values, ["measure", "method", "other", "environment", "of"]),
        (ours.curves, theirs.curves, ["curve", "method", "environment", "x"]),
    ):
        frames = [
            one.drop(columns=ignore or []).sort_values(keys, ignore_index=True) for one in (mine, other)
        ]
        pd.testing.assert_frame_equal(*frames, rtol=1e-9, atol=1e-12)


def test_the_order_of_rows_changes_nothing() -> None:
    table = any_table()
    first = table.groupby("method", sort=False).head(1)  # so that methods keep theirs
    rest = table.drop(first.index).sample(frac=1, random_state=0)
    same(of_any(pd.concat([first, rest])), of_any(table))


@pytest.mark.parametrize("seeds", [3, 7])
def test_the_names_of_seeds_change_nothing(seeds: int) -> None:
    table = any_table(seeds)
    same(of_any(table.assign(seed=table["seed"].map("abcdefg".__getitem__))), of_any(table))


def test_the_estimate_is_that_of_the_mean_over_seeds() -> None:
    """Where it is of the mean, that is: a hit, a held-out seed or a share is of each seed, and a run that
    ends above its start counts as one that stayed there."""
    table = any_table()
    means = table.groupby(["method", "e", "x", "y"], as_index=False)[["loss", "start"]].mean()
    averaged = measure(runs(means, **ALL | {"seed": None})).values
    one_by_one = measure(runs(table, **ALL)).values
    keys = ["measure", "method", "other", "environment", "of"]
    both = averaged.merge(one_by_one, on=keys, suffixes=("", "_by_seed"))
    names = [
        "sensitivity",
        "effective_dimension",
        "tuned",
        "default",
        "best",
        "mean",
        "tunability",
    ]
    both = both[both["measure"].isin(names)]
    assert set(both["measure"]) == {*names}
    np.testing.assert_allclose(both["value"], both["value_by_seed"], rtol=1e-12, atol=1e-15)


def test_another_method_moves_nothing_but_the_scale() -> None:
    """One that is far worse, with many settings: in Gamma it counts as much as one with few."""
    table = any_table()
    kept = [
        "best",
        "mean",
        "tunability",
        "rate_sensitivity",
        "reached",
        "robust_area",
        "tuning_cost",
        "settings",
    ]

    def with_worse(settings: int) -> pd.DataFrame:
        worse = [
            table[table["method"] == "a"].assign(method="worse", x=at, loss=1e3) for at in range(settings)
        ]
        return pd.concat([table, *(one.drop_duplicates(["e", "x", "y", "seed"]) for one in worse)])

    few, many, none = (of_any(with_worse(settings)).values for settings in (1, 50, 0))
    for found in (few, many):
        mine = found[(found["method"] != "worse") & found["measure"].isin(kept)]
        before = none[none["measure"].isin(kept)]
        pd.testing.assert_frame_equal(mine.reset_index(drop=True), before.reset_index(drop=True))
    of_all = [one[one["environment"].isna() & (one["method"] != "worse")] for one in (few, many)]
    pd.testing.assert_frame_equal(*(one.reset_index(drop=True) for one in of_all))


def test_every_row_says_what_it_is() -> None:
    found = of_any(any_table())
    values, curves = found.values, found.curves
    assert (list(values), list(curves)) == ([*VALUES], [*CURVES])
    assert set(values["measure"]) == set(MEASURES)
    assert set(curves["curve"]) == set(CURVE_WORDS)
    assert not values.duplicated(["measure", "method", "other", "environment", "of"]).any()
    assert not curves.duplicated(["curve", "method", "environment", "x"]).any()
    assert values[["measure", "method", "of", "unit", "seeds", "why"]].notna().all(axis=None)
    assert set(values["unit"][values["other"].notna()]) == {"difference", "ratio", "probability"}


@pytest.mark.parametrize("case", ["all", "one seed", "one environment", "equal", "alone", "misses"])
def test_there_is_a_reason_for_whatever_is_null(case: str) -> None:
    table = any_table()
    table = {
        "all": table,
        "one seed": table[table["seed"] == 0],
        "one environment": table[table["e"] == "e"],
        "equal": table.assign(loss=1.0, n=3.0, spent=3.0),
        "alone": table.groupby(["method", "e", "seed"]).head(1),
        "misses": table.assign(n=np.nan, spent=150.0),
    }[case]
    values = of_any(table).values
    null = values[["value", "low", "high"]].isna().any(axis=1) | np.isinf(values["value"])
    assert (values["why"][null] != "").all()
    assert not values["why"].str.contains("\n").any()
    assert (values["why"][~null] == "").all()
    assert (values["why"] != "").any()


def test_resamples_are_drawn_as_asked() -> None:
    table = runs(any_table(8), **ALL)
    first, again, other, few = (
        measure(table, draws, None if seed is None else np.random.default_rng(seed)).values
        for draws, seed in ((200, None), (200, None), (200, 5), (100, None))
    )
    pd.testing.assert_frame_equal(first, again)
    assert (first["value"].dropna() == other["value"].dropna()).all()
    assert not first["low"].equals(other["low"])
    assert not first["low"].equals(few["low"])
