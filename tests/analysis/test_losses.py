"""Losses at the end, on tables whose answers are obvious."""

import math

import pandas as pd
import pytest

from harness.analysis.losses import panels
from tests.readings import TRIALS, reading

NONE = math.nan
INF = math.inf


def tables(*cells):
    """Trials and trajectories of cells: (hyper-parameters and more, results of seeds 0, 1, ...).

    A result: the validation loss at the end; (loss at iteration 1, "diverged"); "failed"; None: not run.
    The loss at iteration 1 is 2 unless it is given.
    """
    rows, curves = [], []
    for k, (more, results) in enumerate(cells):
        for seed, result in enumerate(results):
            first, outcome = (2.0, result) if not isinstance(result, tuple) else result
            ended = isinstance(outcome, float)
            row = dict.fromkeys(TRIALS) | {"cell_id": f"{k}-{seed}", "method": "maml", "seed": seed}
            row |= reading("paper-adam") | {"outcome": "budget" if ended else outcome}
            row |= {"ending": row["outcome"], "final_val_loss": outcome if ended else first - 1} | more
            rows.append(row)
            if row["outcome"] in ("budget", "diverged"):
                curves += [(row["cell_id"], i, first - i + 1, first / 2) for i in (1, 2)]
    columns = ["cell_id", "iteration", "val_loss", "train_loss"]
    return pd.DataFrame(rows).convert_dtypes(), pd.DataFrame(curves, columns=columns)


def squares(panel):
    """{(y, x): (loss, run, diverged, state)}, of the axes that it has."""
    keys = [key for key in (panel.axes.y, panel.axes.x) if key]
    return {
        tuple(row[key] for key in keys): (row["loss"], row["run"], row["diverged"], row["state"])
        for row in panel.squares.to_dict("records")
    }


def test_the_median_over_seeds_where_a_diverged_run_counts_as_its_first_loss():
    (panel,) = panels(
        *tables(
            ({"alpha0": 0.1, "beta0": 0.01}, [0.5, 0.7, 0.9]),
            ({"alpha0": 0.1, "beta0": 0.02}, [0.5, 0.7, (1.8, "diverged")]),
            ({"alpha0": 0.2, "beta0": 0.01}, [0.5, (1.8, "diverged"), (9.0, "diverged")]),
            ({"alpha0": 0.2, "beta0": 0.02}, [0.5, 0.6, (NONE, "diverged"), (INF, "diverged")]),
            ({"alpha0": 0.3, "beta0": 0.01}, [0.5, 0.7, None]),
            ({"alpha0": 0.3, "beta0": 0.02}, [None, None, "failed"]),
            ({"alpha0": 0.4, "beta0": 0.02}, [None, None, None]),
        )
    ).panels
    assert (panel.axes.y, panel.axes.x, panel.axes.rest, panel.apart) == ("alpha0", "beta0", (), {})
    assert squares(panel) == {
        (0.1, 0.01): (0.7, 3, 0, "loss"),
        (0.1, 0.02): (0.7, 3, 1, "loss"),
        (0.2, 0.01): (1.8, 3, 2, "diverged"),
        (0.2, 0.02): (INF, 4, 2, "diverged"),
        (0.3, 0.01): (pytest.approx(0.6), 2, 0, "loss"),
        (0.3, 0.02): (pytest.approx(NONE, nan_ok=True), 0, 0, "failed"),
        (0.4, 0.02): (pytest.approx(NONE, nan_ok=True), 0, 0, "not run"),
    }


REST = [
    ({"alpha0": a, "beta0": b, "eta": eta}, [a * b * eta, 3 * a * b * eta])
    for a in (1.0, 10.0)
    for b in (1.0, 10.0)
    for eta in (1.0, 2.0, 9.0)
]


@pytest.mark.parametrize(("rest", "times", "run"), [("median", 2, 6), ("best", 1, 2)])
def test_over_further_hyper_parameters_the_median_or_the_best(rest, times, run):
    """Of each setting the median over seeds is 2 a b eta."""
    (panel,) = panels(*tables(*REST), rest).panels
    assert panel.axes.rest == ("eta",)
    assert squares(panel) == {
        (a, b): (2 * a * b * times, run, 0, "loss") for a in (1.0, 10.0) for b in (1.0, 10.0)
    }


def test_the_best_is_not_one_that_has_no_result():
    cells = [({"alpha0": 1.0, "beta0": 1.0, "eta": eta}, [end]) for eta, end in ((1.0, None), (2.0, 0.5))]
    more = ({"alpha0": 2.0, "beta0": 2.0, "eta": 1.0}, [0.1])
    (panel,) = panels(*tables(*cells, more), "best").panels
    assert squares(panel)[1.0, 1.0] == (0.5, 1, 0, "loss")


def test_each_method_has_its_own_axes_flags_are_panels_and_so_are_protocols():
    lslr = [
        ({"method": "lslr", "alpha0": a, "beta0": b, "msl": flag}, [a + b])
        for flag in (False, True)
        for a in (1.0, 2.0)
        for b in (3.0, 4.0)
    ]
    reptile = [({"method": "reptile", "alpha0": 1.0, "steps": steps}, [1.0]) for steps in (1, 5)]
    one = [({"method": "fomaml", "alpha0": 1.0, "beta0": 2.0}, [1.5])]
    other = [({**reading("paper-adam, k_shot=5"), **more}, [9.0]) for more, _ in one]
    found = panels(*tables(*lslr, *reptile, *one, *other)).panels
    assert [(p.method, p.axes.y, p.axes.x, p.apart) for p in found] == [
        ("lslr", "alpha0", "beta0", {"msl": False}),
        ("lslr", "alpha0", "beta0", {"msl": True}),
        ("reptile", None, "steps", {}),
        ("fomaml", None, None, {}),
        ("fomaml", None, None, {}),
    ]
    assert [len(p.squares) for p in found] == [4, 4, 2, 1, 1]
    assert squares(found[1])[2.0, 3.0][0] == 5.0
    assert [p.changes for p in found[3:]] == ["{}", '{"k_shot": 5}']
    assert [squares(p)[()][0] for p in found[3:]] == [1.5, 9.0]


def test_what_untrained_weights_have_is_the_lower_quartile_at_iteration_1():
    firsts = enumerate((5.0, 1.0, 1e9, 3.0, 4.0, NONE))
    cells = [({"alpha0": float(a)}, [(first, "diverged")]) for a, first in firsts]
    assert panels(*tables(*cells)).untrained == 3.0  # of 1, 3, 4, 5 and 1e9
    assert math.isnan(panels(*tables(({"alpha0": 1.0}, [None]))).untrained)


def test_without_validation_the_training_losses_are_taken():
    trials, curves = tables(({"alpha0": 1.0}, [0.5]), ({"alpha0": 2.0}, [(3.0, "diverged")]))
    trials["final_val_loss"] = curves["val_loss"] = NONE
    trials["final_train_loss"] = [0.25, NONE]
    found = panels(trials, curves)
    assert found.name == "training loss"
    assert found.untrained == 1.125  # of 1 and 1.5
    assert [loss for loss, *_ in squares(found.panels[0]).values()] == [0.25, 1.5]
    assert panels(*tables(({"alpha0": 1.0}, [None]))).name == "validation loss"
