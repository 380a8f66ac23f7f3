"""Anybody's table: what is read from it, and what is refused in one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.analysis.sensitivity import runs
from harness.analysis.sensitivity.runs import EVERYWHERE, Runs

NAN, INF = np.nan, np.inf


def table(**columns: Any) -> pd.DataFrame:
    """Two settings of one method on two seeds, and more columns."""
    plain = {"method": ["a"] * 4, "rate": [0.1, 0.1, 0.2, 0.2], "seed": [0, 1, 0, 1], "loss": [1.0, 2, 3, 4]}
    return pd.DataFrame(plain | columns)


def read(frame: pd.DataFrame | None = None, **more: Any) -> Runs:
    frame = table() if frame is None else frame
    return runs(frame, **{"hyper": ["rate"], "seed": "seed", "loss": "loss"} | more)


def test_a_table_is_laid_out() -> None:
    found = read()
    (one,) = found.methods
    assert (one.name, one.hyper, found.environments, found.seeds) == ("a", ("rate",), (EVERYWHERE,), (0, 1))
    assert one.results["score"].tolist() == [[[-1, -2], [-3, -4]]]
    assert (one.knobs.tolist(), one.ran.tolist()) == ([[0], [1]], [[True, True]])
    assert (found.score, found.unit, found.less_is_better, found.normalised) == ("loss", "", True, False)
    assert (found.of_counts, found.notes) == (False, ())


def test_the_index_and_the_columns_of_the_table_are_anybodys() -> None:
    """Names that we use ourselves, names that are no text, columns that are not asked for."""
    frame = table(setting=["x"] * 4, environment=[1, 1, 2, 2], score=["?"] * 4).set_index("score")
    frame = frame.rename(columns={"method": 0, "rate": 1, "seed": "method", "loss": "cost"})
    found = runs(frame, hyper=[1], method=0, seed="method", loss="cost")
    assert found.methods[0].hyper == ("1",)
    assert found.methods[0].results["score"].tolist() == [[[-1, -2], [-3, -4]]]


@pytest.mark.parametrize(
    ("rate", "levels"),
    [
        (["x", "x", "y", "y"], [0, 1]),
        (pd.Categorical(["x", "x", "y", "y"], ["y", "x", "unused"]), [0, 1]),
        ([True, True, False, False], [0, 1]),
        ([NAN, NAN, 0.1, 0.1], [0, 1]),
        ([None, NAN, 1, 1.0], [0, 1]),
        (["1", "1", 1, 1], [0, 1]),
        (pd.array([1, 1, None, None], "Int64"), [0, 1]),
        (pd.array([1.5, 1.5, None, None], "Float64"), [0, 1]),
        (pd.array([True, True, None, None], "boolean"), [0, 1]),
        (pd.array(["x", "x", None, None], "string[pyarrow]"), [0, 1]),
    ],
)
def test_hyper_parameters_of_any_type(rate: Any, levels: list[int]) -> None:
    (one,) = read(table(rate=rate)).methods
    assert one.knobs[:, 0].tolist() == levels
    assert one.results["score"].tolist() == [[[-1, -2], [-3, -4]]]


def test_results_of_any_type() -> None:
    want = [[[-1, -2], [-3, -4]]]
    for kind in ("int64", "Float64", "Int32", "category", object, "string[pyarrow]", "float32"):
        frame = table(loss=pd.Series([1, 2, 3, 4]).astype(kind))
        assert read(frame).methods[0].results["score"].tolist() == want, kind
    assert read(table(loss=pd.array([True, False] * 2, "boolean"))).methods[0].results["score"].min() == -1


def test_a_method_has_the_hyper_parameters_that_vary_among_its_settings() -> None:
    frame = pd.DataFrame(
        {"method": ["a", "a", "b", "b"], "x": [1, 2, 3, 3], "y": [NAN, NAN, 1, 2], "loss": [1.0, 2, 3, 4]}
    )
    assert [one.hyper for one in runs(frame, hyper=["x", "y"], loss="loss").methods] == [("x",), ("y",)]


@pytest.mark.parametrize(
    ("seed", "seeds"),
    [
        ([10.5, 2.5, 10.5, 2.5], (2.5, 10.5)),
        (["b", "a", "b", "a"], ("a", "b")),
        (pd.array([7, 3, 7, 3], "Int64"), (3, 7)),
        (pd.Categorical(["b", "a", "b", "a"]), ("a", "b")),
        ([True, False, True, False], (False, True)),
    ],
)
def test_seeds_of_any_type_are_in_order(seed: Any, seeds: tuple[Any, ...]) -> None:
    found = read(table(seed=seed))
    assert found.seeds == seeds
    assert found.methods[0].results["score"].tolist() == [[[-2, -1], [-4, -3]]]


def test_without_hyper_parameters_seed_or_environment() -> None:
    frame = pd.DataFrame({"method": ["a", "b"], "score": [1, 2]})
    found = runs(frame, hyper=[], score="score")
    assert [one.results["score"].tolist() for one in found.methods] == [[[[1]]], [[[2]]]]
    assert [one.knobs.shape for one in found.methods] == [(1, 0), (1, 0)]
    assert (found.seeds, found.environments, found.methods[0].factors) == ((0,), ("all",), {})


def test_methods_with_different_environments() -> None:
    frame = pd.DataFrame({"method": ["a", "b"], "rate": 0.1, "problem": ["x", "y"], "loss": [1.0, 2]})
    found = runs(frame, hyper=["rate"], environment="problem", loss="loss", unit={"x": "nats"})
    assert [one.ran.tolist() for one in found.methods] == [[[True], [False]], [[False], [True]]]
    assert np.isnan(found.methods[0].results["score"][1]).all()
    assert found.units == {"x": "nats", "y": ""}
    assert found.unit == ""


def test_counts_costs_and_budgets() -> None:
    """A hit is charged up to there even where the run went on; a miss for all that it ran."""
    frame = table(n=[3, NAN, 5, INF], ran=[10, 8, 5, 10], each=[2, 2, 3, 3]).drop(columns="loss")
    found = read(frame, loss=None, count="n", cost="ran", evaluations="each")
    results = found.methods[0].results
    assert results["count"].tolist() == [[[3, INF], [5, INF]]]
    assert results["cost"].tolist() == [[[3, 8], [5, 10]]]
    assert results["evaluations"].tolist() == [[[6, 16], [15, 30]]]
    assert np.unique(results["cap"]).tolist() == [10]
    assert np.allclose(10 ** -results["score"], [[[3, 10], [5, 10]]], rtol=1e-15)
    assert (found.unit, found.of_counts) == ("decades", True)
    of_a_number = read(frame, loss=None, count="n", budget=20).methods[0].results
    assert of_a_number["cost"].tolist() == [[[3, 20], [5, 20]]]
    frame["most"] = [20, 20, 30, 30]
    of_a_column = read(frame, loss=None, count="n", budget="most").methods[0].results
    assert of_a_column["cost"].tolist() == [[[3, 20], [5, 30]]]


def test_the_budget_is_that_of_the_environment() -> None:
    frame = pd.DataFrame(
        {"method": "a", "e": ["x", "x", "y"], "r": [1, 2, 1], "n": [4, NAN, NAN], "c": [4, 9, 50]}
    )
    found = runs(frame, hyper=["r"], environment="e", count="n", cost="c").methods[0]
    assert found.results["cap"][0].tolist() == [[9], [9]]
    assert found.results["cap"][1, 0] == 50


def test_a_score_and_counts() -> None:
    found = read(table(n=[1, 2, 3, 4]), count="n")
    assert (found.of_counts, found.score) == (False, "loss")
    assert found.methods[0].results["score"][0, 0].tolist() == [-1, -2]


def test_each_environment_has_its_own_seeds() -> None:
    rows = [
        ("a", e, rate, seed, 1.0)
        for e, some in (("x", (0, 1)), ("y", (1, 2)))
        for rate in (1, 2)
        for seed in some
    ]
    found = read(pd.DataFrame(rows, columns=["method", "e", "rate", "seed", "loss"]), environment="e")
    assert found.has_seed.tolist() == [[True, True, False], [False, True, True]]
    assert found.common_seeds.tolist() == [False, True, False]
    assert found.notes == ()


def test_varied_together() -> None:
    frame = pd.DataFrame({"method": "a", "a0": [1, 1, 2, 2], "b0": [3, 3, 4, 4], "c": [5, 6, 5, 6], "d": 7})
    frame["loss"] = [1.0, 2, 3, 4]

    def factors(paired: Any) -> dict[str, tuple[int, ...]]:
        return runs(frame, hyper=["a0", "b0", "c", "d"], loss="loss", paired=paired).methods[0].factors

    assert factors([("a0", "b0")]) == {"a0+b0": (0, 1), "c": (2,)}
    assert factors({"a": [("a0", "b0")]}) == {"a0+b0": (0, 1), "c": (2,)}
    assert factors([("b0", "c", "d")]) == {"a0": (0,), "b0+c": (1, 2)}  # d does not vary
    assert factors([("c", "d")]) == factors(()) == {"a0": (0,), "b0": (1,), "c": (2,)}
