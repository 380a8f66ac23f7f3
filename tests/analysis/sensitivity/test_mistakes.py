"""Mistakes in anybody's table: one line each, before anything is measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.common.errors import UserError
from tests.analysis.sensitivity.test_runs import INF, NAN, read, table


def refused(frame: pd.DataFrame | None = None, **more: Any) -> str:
    with pytest.raises(UserError) as caught:
        read(frame, **more)
    text = str(caught.value)
    assert "\n" not in text
    return text


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
