"""Anybody's table: what is read from it, and what is refused in one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.analysis.sensitivity import runs
from harness.analysis.sensitivity.runs import EVERYWHERE, Runs
from harness.common.errors import UserError

NAN, INF = np.nan, np.inf


def table(**columns: Any) -> pd.DataFrame:
    """Two settings of one method on two seeds, and more columns."""
    plain = {"method": ["a"] * 4, "rate": [0.1, 0.1, 0.2, 0.2], "seed": [0, 1, 0, 1], "loss": [1.0, 2, 3, 4]}
    return pd.DataFrame(plain | columns)


def read(frame: pd.DataFrame | None = None, **more: Any) -> Runs:
    frame = table() if frame is None else frame
    return runs(frame, **{"hyper": ["rate"], "seed": "seed", "loss": "loss"} | more)


def refused(frame: pd.DataFrame | None = None, **more: Any) -> str:
    with pytest.raises(UserError) as caught:
        read(frame, **more)
    text = str(caught.value)
    assert "\n" not in text
    return text


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


def test_as_many_runs_count_as_have_the_same_seeds() -> None:
    """Of seeds 0 to 3, settings 1 to 4 have all; 0, 1, 2; 0, 1, 2; and 0 alone: three times three runs."""
    seeds = {1: [0, 1, 2, 3], 2: [0, 1, 2], 3: [0, 1, 2], 4: [0]}
    frame = pd.DataFrame([("a", rate, seed, 1.0) for rate, some in seeds.items() for seed in some])
    frame.columns = ["method", "rate", "seed", "loss"]
    found = read(frame)
    assert found.has_seed.tolist() == [[True, True, True, False]]
    assert found.methods[0].table["rate"].tolist() == [1, 2, 3]
    assert found.notes == (
        "all: seed 3 and 1 setting left out (2 runs): seeds are paired, so only settings that have the same "
        "ones are measured",
    )
    other = pd.concat([frame, pd.DataFrame([("b", 1, 5, 1.0)], columns=frame.columns)])
    found = read(other)  # no seed in common
    assert [one.name for one in found.methods] == ["a"]
    assert found.notes[1:] == ("all: nothing is left of b",)


def test_a_few_gaps_cost_no_seed() -> None:
    """One setting of ten lacks one seed, another lacks another: eight times five runs stay, and not ten times
    three."""
    rows = [("a", rate, seed, 1.0) for rate in range(10) for seed in range(5) if (rate, seed) not in GAPS]
    found = read(pd.DataFrame(rows, columns=["method", "rate", "seed", "loss"]))
    assert found.has_seed.all()
    assert found.methods[0].table["rate"].tolist() == [0, 1, 2, 4, 5, 6, 8, 9]


GAPS = {(3, 0), (7, 4)}


def test_no_method_goes_for_the_sake_of_runs() -> None:
    """b's one setting lacks seed 4: without that seed both methods stay, 40 runs and 4, in place of 50."""
    rows = [("a", rate, seed, 1.0) for rate in range(10) for seed in range(5)]
    rows += [("b", 0, seed, 1.0) for seed in range(4)]
    found = read(pd.DataFrame(rows, columns=["method", "rate", "seed", "loss"]))
    assert [one.name for one in found.methods] == ["a", "b"]
    assert found.has_seed.tolist() == [[True, True, True, True, False]]


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


COUNTED = {"loss": None, "count": "n"}
MISTAKES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"hyper": ["rates"]}, "the table has no column rates; did you mean rate?"),
    ({}, {"loss": "x"}, "the table has no column x; known: method, rate, seed, loss"),
    ({}, {"hyper": "rate"}, "hyper: a list of columns is needed, such as ['rate']"),
    ({}, {"hyper": ["rate", "rate"]}, "column rate is given twice: a column has one meaning"),
    ({}, {"hyper": ["rate", "seed"]}, "column seed is given twice: a column has one meaning"),
    ({}, {"seed": "loss"}, "column loss is given twice: a column has one meaning"),
    ({}, {"hyper": ["rate", "loss"]}, "column loss is given as a hyper-parameter and as a result"),
    (
        {"total": 1},
        {"hyper": ["rate", "total"]},
        "hyper-parameter total: rename its column; in the results seed and total mean something else, and : "
        "stands between the factors of an interaction",
    ),
    ({"rate": [1, [2], 3, 4]}, {}, "column rate, row 1, counting from 0: [2] is no single value"),
    ({"method": ["a", None, "a", "a"]}, {}, "column method, row 1, counting from 0: null, which is no name"),
    ({"seed": [0, 1, NAN, 1]}, {}, "column seed, row 2, counting from 0: null, which is no name"),
    (
        {"seed": [0, "b", 0, "b"]},
        {},
        "column seed: seeds of different types, such as 0 and 'b'; write all alike",
    ),
    (
        {"rate": 0.1, "seed": [0, 1, 2, 1]},
        {},
        "rows 1 and 3, counting from 0, are of one run: method=a, seed=1, rate=0.1; name the columns that "
        "tell them apart (hyper, seed, environment), or average first",
    ),
    (
        {"seed": [0, 1, 2, 3]},
        {},
        "all: seeds are paired, but no two settings were run with the same ones; give the runs that are to "
        "be compared the same seeds, or average over seeds first",
    ),
    ({}, {"loss": None}, "no result is given: name a column as score, loss, gamma or count"),
    ({"x": 1}, {"score": "x"}, "score and loss: only one of them is the result"),
    ({"loss": [1, "x", 3, 4]}, {}, "column loss, row 1, counting from 0: 'x' is no number"),
    ({"loss": pd.to_datetime(["2020-01-01"] * 4)}, {}, "column loss: numbers are needed, not datetime64[us]"),
    (
        {"loss": [1, 2, INF, 4]},
        {},
        "column loss, row 2, counting from 0: inf is not finite; give a failed run what its failure is "
        "worth, or leave out the rows of runs that were not made",
    ),
    (
        {"loss": [NAN, 2, 3, 4]},
        {},
        "column loss, row 0, counting from 0: null is not finite; give a failed run what its failure is "
        "worth, or leave out the rows of runs that were not made",
    ),
    ({"x": 1}, {"cost": "x"}, "cost is given without count: name the column of iterations to the target"),
    ({}, {"budget": 9}, "budget is given without count: name the column of iterations to the target"),
    (
        {"n": 1},
        COUNTED | {"start": "loss"},
        "start is given without score or loss: name the column of the result at the end",
    ),
    (
        {"n": [1, 0, 3, 4]},
        COUNTED,
        "column n, row 1, counting from 0: 0 is no count; iterations are counted from 1",
    ),
    (
        {"n": [1, NAN, 3, 4]},
        COUNTED,
        "some runs miss the target: give their budget, or name the column of their cost",
    ),
    (
        {"n": [1, 2, 3, 11]},
        COUNTED | {"budget": 10},
        "column n, row 3, counting from 0: 11 is beyond the budget; count it as a miss, or give a larger "
        "budget",
    ),
    ({"n": 1}, COUNTED | {"budget": 0}, "budget: 0 is no number of iterations, which are counted from 1"),
    (
        {"n": 1},
        COUNTED | {"budget": "most"},
        "the table has no column most; known: method, rate, seed, loss, n",
    ),
    (
        {"n": 1, "most": [9, 9, None, 9]},
        COUNTED | {"budget": "most"},
        "column most, row 2, counting from 0: null is no budget; iterations are counted from 1",
    ),
    (
        {"n": [5, 6, 7, 8], "c": [5, 5, 7, 8]},
        COUNTED | {"cost": "c"},
        "column c, row 1, counting from 0: 5 is less than the iterations to the target, column n",
    ),
    (
        {"n": [1, NAN, 1, 1], "c": [1, -3, 1, 1]},
        COUNTED | {"cost": "c"},
        "column c, row 1, counting from 0: -3 is no cost; iterations are counted from 1",
    ),
    (
        {"n": [1, NAN, 1, 1], "c": [20, 20, 1, 1]},
        COUNTED | {"cost": "c", "budget": 10},
        "column c, row 1, counting from 0: 20 is beyond the budget of a run that missed the target",
    ),
    (
        {"n": 1, "g": [1, 1, 0, 1]},
        COUNTED | {"evaluations": "g"},
        "column g, row 2, counting from 0: 0 is no number of gradients above 0",
    ),
    ({}, {"paired": [("rate", "rat")]}, "paired: there is no hyper-parameter rat; did you mean rate?"),
    (
        {},
        {"paired": ["rate"]},
        "paired: a list of groups of hyper-parameters is needed, such as [('alpha0', 'beta0')]",
    ),
    ({}, {"paired": {"b": [("rate",)]}}, "paired: there is no method b; known: a"),
    (
        {},
        {"paired": [("rate",), ("rate",)]},
        "paired: rate is there twice; it was varied together with one group",
    ),
    (
        {},
        {"passages": np.ones((3, 2))},
        "passages: name the column of the iterations to the target too, as count",
    ),
    (
        {"n": [1, 2, 3, 4]},
        {"count": "n", "passages": [[1, 2]] * 3},
        "passages: 4 rows of numbers are needed, as the table has; write inf for a miss",
    ),
]


@pytest.mark.parametrize(("columns", "arguments", "text"), MISTAKES)
def test_a_mistake_is_one_line(columns: dict[str, Any], arguments: dict[str, Any], text: str) -> None:
    assert refused(table(**columns), **arguments) == text


def test_mistakes_of_the_table_as_a_whole() -> None:
    assert refused(table().iloc[:0]) == "the table has no rows"
    twice = pd.concat([table(), table()[["loss"]]], axis=1)
    assert refused(twice) == "the table has 2 columns named loss; rename all but one"


def test_rows_are_counted_from_0_whatever_the_index() -> None:
    frame = table(loss=[1, 2, INF, 4]).set_index(pd.Index([7, 7, 9, 2]))
    assert refused(frame).startswith("column loss, row 2, counting from 0: inf is not finite")
