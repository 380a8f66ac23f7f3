"""What is measured, as rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.analysis.sensitivity.resamples import Array, resamples
from harness.analysis.sensitivity.rows import CURVES, VALUES, Rows, Subject

TWO = resamples([True, True])  # resamples of seed 0, of both, of seed 1, with 1/4, 1/2, 1/4


def rows() -> Rows:
    return Rows()


def stats(*values: float) -> Array:
    """The estimate, and three resamples."""
    return np.array(values)


def test_a_number_with_its_interval() -> None:
    found = rows()
    found.of("a", TWO, "e").add("best", stats(2, 1, 2, 3), of="x", unit="nats")
    (row,) = found.values
    expected = ("best", "a", None, "e", "x", "nats", 2, 1, 3, 2, "")
    assert row == dict(zip(VALUES, expected, strict=True))


def test_why_there_is_no_interval() -> None:
    found = rows()
    found.of("a", TWO).add("best", stats(2, 1, np.nan, 3))
    found.of("a", TWO).add("best", stats(np.nan, 1, np.nan, 3), why="no reason")
    found.of("a", resamples([True])).add("best", np.array([2.0]))
    found.of("a", TWO).plain("settings", 3.0, "counted")
    found.of("a", TWO).null("best", "none", of="total")
    assert [row["why"] for row in found.values] == [
        "no interval: in some resamples of the seeds there is no such number",
        "no reason",
        "one seed, so no interval",
        "counted",
        "none",
    ]
    assert np.isnan([row[end] for row in found.values for end in ("low", "high")]).all()


def compared(how: Any, first: Array, later: Array) -> dict[str, Any]:
    found = rows()
    for name, some in (("b", later), ("a", first)):
        found.of(name, TWO, "e").add("cost", some, of="x", unit="iterations", how=how)
    found.compare(["a", "b", "c"])
    (row,) = (row for row in found.values if row["other"] is not None)
    assert (row["method"], row["other"], row["environment"], row["of"], row["unit"]) == (
        "b",
        "a",
        "e",
        "x",
        how,
    )
    return row


def test_a_method_beside_the_ones_before_it() -> None:
    """Resample by resample: 1/4, 2/4, 9/3 are no quotients of ends."""
    row = compared("ratio", stats(4, 4, 4, 3), stats(2, 1, 2, 9))
    assert (row["value"], row["low"], row["high"], row["why"]) == (0.5, 0.25, 3, "")
    row = compared("difference", stats(4, 4, 4, 3), stats(2, 1, 2, 9))
    assert (row["value"], row["low"], row["high"], row["why"]) == (-2, -3, 6, "")


@pytest.mark.parametrize(
    ("first", "later", "value", "why"),
    [
        (np.inf, 4, np.nan, "a: no finite number"),
        (4, np.inf, np.inf, "b: no finite number"),
        (np.inf, np.inf, np.nan, "a and b: no finite number"),
    ],
)
def test_a_cost_that_is_infinite_cannot_be_compared(
    first: float, later: float, value: float, why: str
) -> None:
    row = compared("ratio", stats(first, 4, first, 4), stats(later, 4, later, 4))
    assert np.array_equal(row["value"], value, equal_nan=True)
    assert row["why"] == why


def test_a_curve() -> None:
    found = rows()
    subject: Subject = found.of("a", TWO)
    subject.curve("hit", [1, 2], np.array([stats(2, 1, 2, 3), stats(4, 4, 4, 4)]), unit="probability")
    _, curves = found.frames()
    assert list(curves) == [*CURVES]
    assert curves[["x", "value", "low", "high"]].to_numpy().tolist() == [[1, 2, 1, 3], [2, 4, 4, 4]]
    assert curves[["curve", "method", "unit", "seeds"]].drop_duplicates().to_numpy().tolist() == [
        ["hit", "a", "probability", 2]
    ]
    assert curves["environment"].isna().all()


def test_frames_without_rows_have_their_columns() -> None:
    values, curves = rows().frames()
    assert (list(values), list(curves), len(values), len(curves)) == ([*VALUES], [*CURVES], 0, 0)
