"""Measures as tables whose numbers are the measures' own."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from harness.analysis.sensitivity import Measures, measure, runs
from harness.analysis.sensitivity.summary import Table, footnotes, heading, tables

NAN = math.nan
SCORES = "scores: -log10 of the iterations to the target, a miss as the budget"


def made(counts: dict[tuple[str, str], list[list[float]]], budget: float = 100.0) -> Measures:
    """(method, environment) -> the counts of its settings a = 0, 1, ..., by seed; NaN: a miss."""
    rows = [
        {"method": method, "environment": environment, "a": a, "seed": seed, "count": count}
        for (method, environment), settings in counts.items()
        for a, seeds in enumerate(settings)
        for seed, count in enumerate(seeds)
    ]
    table = pd.DataFrame(rows)
    return measure(
        runs(table, hyper=["a"], environment="environment", seed="seed", count="count", budget=budget)
    )


def by_key(measured: Measures) -> dict[str, Table]:
    return {one.key: one for one in tables(measured)}


TWO = {
    ("maml", "x, target 2"): [[10.0], [NAN]],
    ("maml", "y, target 2"): [[NAN], [10.0]],
    ("other", "x, target 2"): [[5.0], [20.0]],
    ("other", "y, target 2"): [[5.0], [20.0]],
}
"""maml: B = 2, K = 1, so (2 - 1) / (1 + 1) * 100 + 10 = 60 iterations. other: no miss, so 12.5, the mean."""


def test_tuning_costs_by_hand() -> None:
    frame = by_key(made(TWO))["cost"].frame
    assert frame.to_dict("list") == {
        "environment": ["x", "x", "y", "y"],
        "method": ["maml", "other"] * 2,
        "iterations": ["60.0", "12.5"] * 2,
        "ratio to maml": ["", "0.208"] * 2,
    }


def test_settings_by_hand() -> None:
    """The counts' score is shown as iterations: 10 of one seed are 10."""
    frame = by_key(made(TWO))["settings"].frame
    assert list(frame["best (iterations)"]) == ["10", "5"] * 2
    assert list(frame["reach it"]) == ["0.500", "1.00"] * 2
    assert list(frame["near best"]) == ["0.500"] * 4
    assert list(frame["settings"]) == ["2"] * 4


def test_the_best_of_two_seeds_is_a_geometric_mean() -> None:
    frame = by_key(made({("maml", "x"): [[10.0, 40.0], [100.0, 100.0]]}))["settings"].frame
    assert frame["best (iterations)"][0] == "20.0 (10.0 to 40.0)"


def test_over_environments() -> None:
    """Scores are -1 and -2, and log10 1/5 and 1/20. With 1.301 from p5 to p95 Gamma of maml is 0.769 or 0, so
    0.384 for either setting in both. d: 0.95 * 0.769 lies 0.9 of the way from 0.384 to 0.769."""
    frame = by_key(made(TWO))["environments"].frame
    assert frame.to_dict("list") == {
        "method": ["maml", "other"],
        "tuned": ["0.769", "1.00"],
        "default": ["0.384", "1.00"],
        "Phi": ["0.384", "0"],
        "d": ["0.900 of 1", "0 of 1"],
    }


def test_one_environment_has_a_line_for_why_there_is_no_phi() -> None:
    table = by_key(made({("maml", "x"): [[10.0, 20.0]], ("other", "x"): [[5.0, 5.0]]}))["environments"]
    assert table.frame.empty
    assert table.notes == (
        "no Phi, no d: with one environment, the best setting there is the best everywhere",
    )


def test_factors_are_counted() -> None:
    """a and b were varied together: one factor of two hyper-parameters."""
    rows = [
        {"method": "maml", "environment": e, "a": a, "b": a, "c": c, "count": 1.0 + abs(a - (e == "y")) + c}
        for e in "xy"
        for a in (0, 1)
        for c in (0, 1)
    ]
    hyper = {"hyper": ["a", "b", "c"], "paired": [("a", "b")]}
    table = by_key(measure(runs(pd.DataFrame(rows), environment="environment", count="count", **hyper)))[
        "environments"
    ]
    assert table.frame["d"][0].endswith(" of 2")
    assert "how many of its factors" in table.notes[1]
    assert table.notes[1].endswith("; a+b is one factor")


def test_best_settings_are_in_the_order_of_the_other_tables() -> None:
    frame = by_key(made(TWO))["chosen"].frame
    assert list(frame["environment"]) == ["x", "x", "y", "y", "all", "all"]
    assert list(frame["method"]) == ["maml", "other"] * 3


def test_a_note_is_on_a_column_that_is_there() -> None:
    assert not [note for note in by_key(made(TWO))["cost"].notes if note.startswith("gradients")]
    rows = pd.DataFrame({"method": "maml", "a": [0, 1], "count": [1.0, 2.0], "evaluations": 4.0})
    found = by_key(measure(runs(rows, hyper=["a"], count="count", evaluations="evaluations")))["cost"]
    assert list(found.frame["gradients"]) == ["6.00"]  # (1 + 2) / 2 iterations of 4 gradients
    assert found.notes[-1].startswith("gradients: ")


def test_fewer_settings_than_are_drawn_leave_a_blank_that_is_explained() -> None:
    rows = [{"method": f"m{n}", "a": a, "loss": a + 1.0} for n in (3, 4) for a in range(n)]
    table = by_key(measure(runs(pd.DataFrame(rows), hyper=["a"], loss="loss")))["search"]
    assert list(table.frame["expected best of 4"]) == ["", "1.00"]
    assert "; blank: a method has fewer" in table.notes[0]
    rows = [row for row in rows if row["method"] == "m4"]
    table = by_key(measure(runs(pd.DataFrame(rows), hyper=["a"], loss="loss")))["search"]
    assert "blank" not in table.notes[0]


def test_a_single_factor_and_one_seed_have_all_of_the_variance() -> None:
    frame = by_key(made({("maml", "x"): [[1.0], [10.0]], ("other", "x"): [[2.0], [3.0]]}))[
        "sharescount"
    ].frame
    assert frame[["method", "a"]].to_dict("list") == {"method": ["maml", "other"], "a": ["1.000"] * 2}


def test_the_standard_deviation_stands_before_the_shares() -> None:
    measured = made({("maml", "x"): [[1.0], [10.0]], ("other", "x"): [[2.0], [3.0]]})
    own = measured.values["measure"] != "deviation"
    row = dict.fromkeys(measured.values, None) | {"measure": "deviation", "environment": "x", "seeds": 1}
    row |= {"method": "maml", "of": "count", "unit": "decades", "value": 0.5, "low": NAN, "high": NAN}
    frame = pd.DataFrame([*measured.values[own].to_dict("records"), row], columns=measured.values.columns)
    table = by_key(dataclasses.replace(measured, values=frame))["sharescount"]
    assert list(table.frame) == ["method", "sd", "a"]
    assert list(table.frame["sd"]) == ["0.50", ""]
    assert "sd: standard deviation over settings and seeds, in decades" in table.notes


def test_why_there_is_nothing_is_said_once() -> None:
    measured = made({("maml", "x"): [[10.0]], ("other", "y"): [[10.0]]})
    table = by_key(measured)["environments"]
    assert table.frame.empty
    assert table.notes == ("not run in y: maml", "not run in x: other")
    alike = made({(method, e): [[10.0]] for method in ("maml", "other") for e in "xy"})
    why = "the 5th and 95th percentile of the scores are equal in x and y"
    assert by_key(alike)["environments"].notes == (why,)


@pytest.mark.parametrize(
    ("seeds", "cost"),
    [([[NAN, NAN]], "never"), ([[NAN, 10.0]], "never in 1 of 2 seeds"), ([[NAN]], "never")],
)
def test_never(seeds: list[list[float]], cost: str) -> None:
    found = by_key(made({("maml", "x"): seeds, ("other", "x"): [[5.0] * len(seeds[0])]}))
    frame = found["cost"].frame
    assert frame["iterations"][0] == cost
    assert "ratio to maml" not in frame  # beside what is infinite
    best = found["settings"].frame["best (iterations)"][0]
    assert best == ("never" if cost == "never" else "31.6 (10.0 to 100)")  # a miss as the budget


def test_shares_add_up() -> None:
    """A full factorial of two hyper-parameters and two seeds: every row of the table adds up to 1."""
    rng = np.random.default_rng(3)
    rows = [
        {"method": "maml", "a": a, "b": b, "seed": seed, "count": rng.integers(1, 90)}
        for a in range(3)
        for b in range(2)
        for seed in range(2)
    ]
    measured = measure(runs(pd.DataFrame(rows), hyper=["a", "b"], seed="seed", count="count", budget=100))
    table = by_key(measured)["sharescount"]
    assert list(table.frame.columns) == ["method", "sd", "a", "b", "interactions", "seed"]
    assert sum(float(one) for one in table.frame.iloc[0, 2:]) == pytest.approx(1, abs=2e-3)
    assert table.notes[-1].startswith("largest interaction of maml: a with b, ")


def test_the_shares_of_an_incomplete_grid_are_missing_for_a_reason() -> None:
    rows = [{"method": "maml", "a": a, "b": b, "count": a + b + 1} for a, b in ((0, 0), (0, 1), (1, 0))]
    table = by_key(measure(runs(pd.DataFrame(rows), hyper=["a", "b"], count="count")))["sharescount"]
    assert table.frame.empty
    assert table.notes == ("its settings are no full factorial",)


def test_losses() -> None:
    """Five settings with losses 1 ... 5 from 3: the best of four drawn is 1 in four of five draws, else 2."""
    rows = [
        {"method": "maml", "a": a, "seed": seed, "loss": a + 1.0, "start": 3.0}
        for a in range(5)
        for seed in range(2)
    ]
    table = pd.DataFrame(rows)
    measured = measure(runs(table, hyper=["a"], seed="seed", loss="loss", start="start", unit="nats"))
    found = by_key(measured)
    assert found["settings"].frame["best (nats)"][0] == "1.00 (1.00 to 1.00)"
    assert found["settings"].frame["mean (nats)"][0] == "3.00"
    assert found["search"].frame["expected best of 4 (nats)"][0] == "1.20 (1.20 to 1.20)"
    # (0 + 1 + 2 + 2 + 2) / 5: a run that gets worse is as bad as none
    assert found["search"].frame["rate sensitivity (nats)"][0] == "1.40 (1.40 to 1.40)"
    assert "cost" not in found


def test_footnotes() -> None:
    assert footnotes(made({("maml", "x"): [[1.0, 2.0]]})) == [
        "(a to b): the middle 95 % of all 3 resamples of 2 seeds (too narrow, with so few seeds)",
        SCORES,
    ]
    assert footnotes(made({("maml", "x"): [[1.0]]})) == ["one seed: no intervals", SCORES]
    mixed = made({("maml", "x"): [[1.0] * 7], ("maml", "y"): [[1.0]], ("maml", "z"): [[1.0]]})
    assert footnotes(mixed) == [
        "(a to b) in x: the middle 95 % of resamples of 7 seeds",
        "one seed elsewhere: no intervals",
        SCORES,
        "best settings: in chosen.csv",
    ]
    assert footnotes(mixed, in_files=False)[-1] == SCORES


def test_heading() -> None:
    assert heading(made({("maml", "x, target 2"): [[1.0]]})) == "environment: x, target 2"
    assert heading(made(TWO)) == "2 environments, all with target 2"


def test_every_cell_is_text() -> None:
    for table in tables(made(TWO)):
        assert table.frame.map(lambda cell: isinstance(cell, str)).all(axis=None)
        assert set(table.frame.columns) & set(table.words) or table.frame.empty
