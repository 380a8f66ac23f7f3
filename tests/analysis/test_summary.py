"""Medians with misses as infinite, states and bands, on tables whose answers are obvious."""

import math

import numpy as np
import pandas as pd
import pytest

from harness.analysis.summary import bands, cells_over_seeds, equal, hyper_columns, rate_columns
from tests.readings import TRIALS, reading

NONE = math.nan


def trials(*outcomes, method="alpha-maml", **more):
    """One cell over seeds: a count if reached, else the outcome; None: not run."""
    rows = [
        dict.fromkeys(TRIALS)
        | {"cell_id": f"{method}-{seed}", "method": method, "alpha0": 0.1, "beta0": 1e-3, "seed": seed}
        | {"alpha_hyperlr": NONE, "beta_hyperlr": NONE}
        | {
            "outcome": "reached" if isinstance(o, int) else o,
            "iterations_to_target": o if isinstance(o, int) else None,
            "iterations_to_target_sustained": o + 9 if isinstance(o, int) else None,
        }
        | more
        for seed, o in enumerate(outcomes)
    ]
    counts = ["iterations_to_target", "iterations_to_target_sustained"]
    return pd.DataFrame(rows).astype(dict.fromkeys(counts, "Int64"))


@pytest.mark.parametrize(
    ("outcomes", "median", "state", "share"),
    [
        ([40], 40, "reached", 1),
        ([40, 60], 50, "reached", 1),
        ([40, "budget"], math.inf, "budget", 0.5),
        ([40, 60, "budget"], 60, "reached", 2 / 3),
        ([40, 60, "diverged", None], 60, "reached", 2 / 3),
        ([40, 50, 60, "budget"], 55, "reached", 0.75),
        ([40, 50, "budget", "budget"], math.inf, "budget", 0.5),
        (["budget", "diverged", "diverged"], math.inf, "diverged", 0),
        (["budget", "diverged"], math.inf, "diverged", 0),
        (["failed", "diverged", "budget"], math.inf, "diverged", 0),
        (["budget", "budget", "failed"], math.inf, "budget", 0),
        ([40, "failed"], 40, "reached", 1),  # an error is not a result
    ],
)
def test_a_miss_counts_as_infinite(outcomes, median, state, share):
    (row,) = cells_over_seeds(trials(*outcomes)).to_dict("records")
    assert row["iterations_to_target"] == median
    assert row["iterations_to_target_sustained"] == median + 9
    assert row["state"] == state
    assert row["reached_share"] == share
    assert row["seeds"] == len(outcomes)
    assert row["run"] == sum(o not in (None, "failed") for o in outcomes)


def test_not_run_is_not_a_miss():
    (row,) = cells_over_seeds(trials(None, None)).to_dict("records")
    assert (row["state"], row["run"]) == ("not run", 0)
    assert all(math.isnan(row[k]) for k in ("iterations_to_target", "reached_share"))


def test_protocols_are_kept_apart():
    one, other = trials(7, 9, **reading("paper-adam")), trials(30, **reading("paper-adam, k_shot=5"))
    both = cells_over_seeds(pd.concat([one, other]).assign(protocol="a label is not read"))
    assert both["preset"].tolist() == ["paper-adam", "paper-adam"]
    assert both["changes"].tolist() == ["{}", '{"k_shot": 5}']
    assert both["iterations_to_target"].tolist() == [8, 30]


@pytest.mark.parametrize("dtype", ["Int64", "float64", "int64[pyarrow]"])
def test_whatever_type_the_counts_were_read_as(dtype):
    table = trials(40, "budget", 60).astype({"iterations_to_target": dtype})
    assert cells_over_seeds(table)["iterations_to_target"].tolist() == [60]


def test_cells_keep_the_order_and_nulls_are_values():
    table = pd.concat(
        [
            trials(7, 9, alpha_hyperlr=0.1, beta_hyperlr=1e-6),
            trials("budget", method="maml"),
            trials(5, alpha_hyperlr=0.01, beta_hyperlr=1e-6),
        ]
    )
    cells = cells_over_seeds(table)
    assert cells["method"].tolist() == ["alpha-maml", "maml", "alpha-maml"]
    assert cells["iterations_to_target"].tolist() == [8, math.inf, 5]


def test_a_methods_own_hyper_parameter_distinguishes_cells():
    table = pd.concat([trials(7, knob=1.0), trials(9, knob=2.0)])
    assert hyper_columns(table) == ["alpha0", "beta0", "alpha_hyperlr", "beta_hyperlr", "knob"]
    assert cells_over_seeds(table)["iterations_to_target"].tolist() == [7, 9]


def curves(*losses):
    """Trajectories of seeds 0, 1, ... with these training losses."""
    return pd.concat(
        pd.DataFrame(
            {
                "cell_id": f"alpha-maml-{seed}",
                "iteration": range(1, len(loss) + 1),
                "alpha": 0.1,
                "beta": 1e-3,
                "train_loss": loss,
                "val_loss": [NONE] * (len(loss) - 1) + [2.0],
            }
        )
        for seed, loss in enumerate(losses)
    )


def test_bands_are_median_and_range_while_seeds_last():
    table = bands(curves([3.0, 3.0, 3.0], [1.0, 1.0], [2.0, 2.0, 1.0]), trials(None, None, None), ["method"])
    assert table["iteration"].tolist() == [1, 2, 3]
    assert table["seeds"].tolist() == [3, 3, 2]
    assert table["all_seeds"].tolist() == [3, 3, 3]
    assert table["train_loss_median"].tolist() == [2, 2, 2]
    assert table["train_loss_low"].tolist() == [1, 1, 1]
    assert table["train_loss_high"].tolist() == [3, 3, 3]
    assert table["val_loss_median"].isna().tolist() == [True, False, False]


def test_bands_are_quartiles_from_four_seeds_on():
    table = bands(curves([1.0], [2.0], [3.0], [4.0], [5.0]), trials(*[None] * 5), ["method"])
    assert table[["train_loss_low", "train_loss_median", "train_loss_high"]].to_numpy().tolist() == [
        [2, 3, 4]
    ]


def test_an_infinite_loss_is_kept_and_nan_is_left_out():
    table = bands(curves([1.0, NONE], [math.inf, 4.0]), trials(None, None), ["method"])
    assert table["train_loss_median"].tolist() == [math.inf, 4]
    assert table["train_loss_low"].tolist() == [1, 4]


def test_the_running_mean_is_each_seeds_own():
    loss = [float(k) for k in range(1, 13)]
    table = bands(curves(loss, [2 * x for x in loss]), trials(None, None), ["method"])
    assert np.isnan(table["train_loss_mean_median"][:9]).all()
    assert table["train_loss_mean_low"][9:].tolist() == [5.5, 6.5, 7.5]
    assert table["train_loss_mean_high"][9:].tolist() == [11, 13, 15]


def test_bands_of_nothing():
    empty = bands(curves([1.0]).iloc[:0], trials(None), ["method", "alpha0"])
    assert empty.empty
    assert "val_loss_high" in empty


def test_whole_numbers_flags_and_choices_of_some_methods():
    """Nulls of other methods are values of their own, and the types stay."""
    trials = pd.DataFrame(
        {
            "cell_id": list("abcd"),
            "method": ["maml", "typed", "typed", "typed"],
            "steps": pd.array([None, 5, 5, 10], "Int64"),
            "msl": pd.array([None, True, False, True], "boolean"),
            "rule": [None, "raw", "raw", "raw"],
        }
    ).assign(**reading("paper-adam"), seed=0, outcome="budget", dataset="omniglot")
    for name in TRIALS:
        if name not in trials and not name.startswith(("alpha", "beta")):
            trials[name] = None
    cells = cells_over_seeds(trials)
    assert len(cells) == 4
    assert cells[["steps", "msl"]].dtypes.to_dict() == trials[["steps", "msl"]].dtypes.to_dict()
    assert equal(cells["steps"], 5).tolist() == [False, True, True, False]
    assert equal(cells["steps"], cells["steps"][0]).tolist() == [True, False, False, False]
    assert equal(cells["msl"], True).tolist() == [False, True, False, True]
    assert equal(cells["rule"], "raw").tolist() == [False, True, True, True]
    curves = pd.DataFrame(
        {"cell_id": list("abcd"), "iteration": 1, "train_loss": 1.0, "val_loss": 2.0}
        | {"eps": [None, 0.1, 0.2, 0.3], "val_error": 0.5}
    )
    assert rate_columns(curves) == ["eps"]
    summed = bands(curves, trials, ["method", "steps", "msl", "rule"])
    assert len(summed) == 4
    assert summed["steps"].dtype == "Int64"
    own = summed[equal(summed["steps"], 5) & equal(summed["msl"], False)]
    assert own["eps_median"].tolist() == [0.2]
