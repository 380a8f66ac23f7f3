"""The best setting of each environment and the default for all: by hand, with the ends of the ranges."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from harness.analysis.sensitivity import measure, runs

GAMMA = {"e": (1.0, 0.6, 0.5, 0.0), "f": (0.0, 0.7, 0.5, 1.0)}
"""Of x = 0, 1, 2, 3."""


def table() -> pd.DataFrame:
    rows = [
        ("a", e, x, "fast" if x < 2 else "slow", value)
        for e, some in GAMMA.items()
        for x, value in enumerate(some)
    ]
    return pd.DataFrame(rows, columns=["method", "e", "x", "rule", "gamma"])


def chosen(table: pd.DataFrame, **more: str) -> list[list[object]]:
    found = measure(runs(table, hyper=["x", "rule"], environment="e", **more or {"gamma": "gamma"})).chosen
    return found.assign(setting=found["setting"].map(json.loads)).to_numpy(object).tolist()


def test_the_best_of_each_and_the_default() -> None:
    """Means over e and f: 0.5, 0.65, 0.5, 0.5. A choice has no ends."""
    first, second, default = chosen(table())
    assert first == ["a", "e", {"x": 0, "rule": "fast"}, 1.0, "Gamma", "x"]
    assert second == ["a", "f", {"x": 3, "rule": "slow"}, 1.0, "Gamma", "x"]
    assert default[:1] + default[2:] == [
        "a",
        {"x": 1, "rule": "fast"},
        pytest.approx(0.65, rel=1e-12),
        "Gamma",
        "",
    ]
    assert pd.isna(default[1])


def test_a_setting_that_one_environment_lacks_is_no_default() -> None:
    """Without x = 1 in f, what is left is (0.5, -, 0.5, 0.5): the first, which is then at an end."""
    *_, default = chosen(table().drop(index=5))
    assert default[2:4] == [{"x": 0, "rule": "fast"}, 0.5]
    assert default[5] == "x"


def test_a_loss_is_shown_as_a_loss() -> None:
    first, second, _ = chosen(table(), loss="gamma")
    assert [first[3], second[3]] == [0.0, 0.0]
    assert first[2] == {"x": 3, "rule": "slow"}


def test_one_environment_has_no_default() -> None:
    one = table()[table()["e"] == "e"]
    assert len(chosen(one)) == 1


def test_of_two_values_neither_is_an_end() -> None:
    two = table()[table()["x"] < 2]
    assert [row[5] for row in chosen(two)] == ["", "", ""]
