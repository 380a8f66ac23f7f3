"""How far runs are from others, on tables whose answers are obvious."""

import math

import numpy as np
import pandas as pd
import pytest

from harness.analysis.differences import differences
from tests.readings import TRAJECTORIES

NAN = math.nan


def rows(cell_id, losses, alpha=0.5, first=1):
    return [
        dict.fromkeys(TRAJECTORIES, NAN)
        | {"cell_id": cell_id, "iteration": first + at, "train_loss": loss, "alpha": alpha, "val_loss": NAN}
        for at, loss in enumerate(losses)
    ]


def table(*parts):
    return pd.DataFrame([row for part in parts for row in part])


def test_without_the_sign_and_up_to_the_last_that_both_have():
    both = table(rows("a", [3.0, 2.0, 4.0], alpha=0.75), rows("b", [1.0, 5.0]), rows("c", [0.0] * 3))
    found = differences(both, {"a": "b"})
    assert found["cell_id"].tolist() == ["a", "a"]
    assert found["iteration"].tolist() == [1, 2]
    assert found["train_loss"].tolist() == [2.0, 3.0]
    assert found["alpha"].tolist() == [0.25, 0.25]
    assert found["val_loss"].isna().all()
    assert differences(both, {"b": "a"})["train_loss"].tolist() == [2.0, 3.0]


def test_two_with_the_same_partner():
    both = table(rows("z", [1.0, 1.0]), rows("a", [1.0, 2.0]), rows("b", [1.0, 1.5]))
    found = differences(both, {"b": "z", "a": "z"})
    assert list(zip(found["cell_id"], found["train_loss"], strict=True)) == [
        ("a", 0.0),
        ("a", 1.0),
        ("b", 0.0),
        ("b", 0.5),
    ]


def test_iterations_are_matched_not_rows():
    both = table(rows("a", [1.0, 2.0, 3.0]), rows("b", [2.5, 3.5], first=2))
    assert differences(both, {"a": "b"})["train_loss"].tolist() == [0.5, 0.5]


@pytest.mark.filterwarnings("ignore:invalid value")
def test_infinite_losses():
    both = table(rows("a", [np.inf, np.inf, 1.0]), rows("b", [1.0, np.inf, -np.inf]))
    found = differences(both, {"a": "b"})["train_loss"]
    assert found.tolist()[::2] == [np.inf, np.inf]
    assert np.isnan(found[1])


def test_no_pairs():
    assert differences(table(rows("a", [1.0])), {}).empty
    assert differences(table(rows("a", [1.0])), {"a": "not run"}).empty
