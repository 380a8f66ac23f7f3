"""What figures say of what the cells of a table learn."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from harness.analysis.learned import chances, learned

REGRESSION = {"name": "own", "title": "Own regression", "unit": "", "metrics": []}


@pytest.mark.parametrize(
    ("row", "about", "title", "unit", "chance"),
    [
        ({"dataset": "omniglot", "n_way": 20}, {}, "Omniglot, 20-way", "nats", (math.log(20), "ln 20")),
        ({"dataset": "birds", "n_way": 5}, {}, "birds, 5-way", "nats", (math.log(5), "ln 5")),
        ({}, {"problem": REGRESSION, "chance_loss": None}, "Own regression", "", (None, "chance")),
        ({}, {"problem": REGRESSION, "chance_loss": 0.7}, "Own regression", "", (0.7, "chance")),
        (
            {"dataset": "birds", "n_way": 5},
            {"problem": REGRESSION | {"unit": "nats"}, "chance_loss": 2.0},
            "Own regression, birds",
            "nats",
            (2.0, "chance"),
        ),
    ],
)
def test_learned(row: dict, about: dict, title: str, unit: str, chance: tuple) -> None:
    found = learned(pd.DataFrame([{"seed": 0} | row]), about)
    assert (found.title, found.unit, (found.chance, found.chance_name)) == (title, unit, chance)


def test_losses_with_and_without_a_unit() -> None:
    nats = learned(pd.DataFrame([{"dataset": "omniglot", "n_way": 20}]))
    none = learned(pd.DataFrame([{"seed": 0}]), {"problem": REGRESSION})
    assert (nats.with_unit(2.5), nats.named("training loss")) == ("2.5 nats", "training loss (nats)")
    assert (none.with_unit(2.5), none.named("training loss")) == ("2.5", "training loss")


@pytest.mark.parametrize(
    ("ways", "about", "expected"),
    [
        ([20, 20], {}, {"ln 20": math.log(20)}),
        ([20, 5], {}, {"ln 5": math.log(5), "ln 20": math.log(20)}),
        ([None, None], {"problem": REGRESSION, "chance_loss": None}, {}),
        ([None], {"problem": REGRESSION, "chance_loss": 0.7}, {"chance": 0.7}),
        ([None, None], {"problem": REGRESSION, "chance_loss": 0.7}, {}),  # that of the other is not known
    ],
)
def test_the_losses_at_chance_of_all_protocols(ways: list, about: dict, expected: dict) -> None:
    rows = [{"preset": "one", "changes": f"{k}", "n_way": n_way} for k, n_way in enumerate(ways)]
    found = chances(pd.DataFrame(rows * 2), about)
    assert list(found) == list(expected)
    assert found == pytest.approx(expected)
