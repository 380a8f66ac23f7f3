"""The time left of a sweep, with numbers made by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.cli.pace import FIRST_S, Left, Pace


def trained(
    pace: Pace, cell: str, seconds: Iterator[float], speed: float, until: int, begin: int = 0
) -> None:
    """Reports of a cell once a second, at `speed` iterations in each."""
    iteration = 0
    while iteration < until:
        pace.progress(next(seconds), {cell: iteration})
        iteration = round(iteration + speed)


def clock(begin: float = 0.0) -> Iterator[float]:
    while True:
        yield begin
        begin += 1.0


def test_nothing_is_known_at_first() -> None:
    pace = Pace(10, budget=100, jobs=1)
    assert pace.left() is None
    pace.progress(0.0, {"a": 5})
    pace.progress(FIRST_S / 2, {"a": 6})
    assert pace.left() is None


def test_a_pack_has_to_train_as_long_as_a_cell() -> None:
    """Its cells report together: seconds of the clock count, not those of each cell."""
    pace = Pace(80, budget=100, jobs=80)
    for at in (0.0, 0.9 * FIRST_S):
        pace.progress(at, {str(cell): round(10 * at) for cell in range(80)})
        assert pace.left() is None
    pace.progress(1.1 * FIRST_S, {str(cell): 33 for cell in range(80)})
    assert pace.left() is not None


def test_an_upper_bound_before_the_first_cell_ends() -> None:
    """10 iterations a second: 60 of this cell and 9 cells of 100 are left."""
    pace = Pace(10, budget=100, jobs=1)
    for second in range(5):
        pace.progress(second, {"a": 10 * second})
    left = pace.left()
    assert left == Left(seconds=pytest.approx(96.0), at_most=True)


def test_two_at_a_time() -> None:
    """Each makes 10 iterations a second: half the time, and the cell that is still running at the end."""
    pace = Pace(4, budget=100, jobs=2)
    for second in range(5):
        pace.progress(second, {"a": 10 * second})
        pace.progress(second, {"b": 10 * second})
    assert pace.left().seconds == pytest.approx((60 + 60 + 200) / 2 / 10)
    alone = Pace(1, budget=100, jobs=2)
    for second in range(5):
        alone.progress(second, {"a": 10 * second})
    assert alone.left().seconds == pytest.approx(6.0)


def test_the_end_comes_with_the_cell_that_has_most_left() -> None:
    pace = Pace(2, budget=100, jobs=2)
    for second in range(5):
        pace.progress(second, {"a": 10 * second, "b": 50 + 10 * second})
    assert pace.left().seconds == pytest.approx(6.0)


def test_what_was_done_before_the_first_report_is_no_pace() -> None:
    """A second worker that reports just after the first has not made its iterations since then."""
    pace = Pace(2, budget=100, jobs=2)
    pace.progress(0.0, {"a": 50})
    pace.progress(0.01, {"b": 50})
    for second in range(1, 5):
        pace.progress(second, {"a": 50 + second, "b": 50 + second})
    assert pace.left().seconds == pytest.approx(46.0, rel=0.01)


def test_lengths_of_ended_cells_count_more_and_more() -> None:
    """Each stops at 20 of 100 iterations, 10 a second: soon 2 s a cell, not 10 s."""
    pace, seconds = Pace(51, budget=100, jobs=1), clock()
    bounds = []
    for number in range(10):
        trained(pace, f"{number}", seconds, 10, 20)
        pace.ended(next(seconds), f"{number}", 20)
        bounds.append(pace.left())
    assert all(left is None or not left.at_most for left in bounds)
    assert bounds[-1].seconds == pytest.approx(41 * 20 * 30 / 20 / 10, rel=0.05)  # a report at 0 takes 1 s


def test_a_cell_that_outlives_the_others_may_run_to_the_budget() -> None:
    pace, seconds = Pace(2, budget=100, jobs=1), clock()
    trained(pace, "a", seconds, 10, 20)
    pace.ended(next(seconds), "a", 20)
    trained(pace, "b", seconds, 10, 51)
    assert pace.left().seconds == pytest.approx(50 / 10, rel=0.2)


def test_it_follows_a_change_of_pace_within_two_minutes() -> None:
    pace = Pace(1, budget=10_000, jobs=1)
    for second in range(300):
        pace.progress(second, {"a": 10 * second})
    before = pace.left().seconds
    assert before == pytest.approx((10_000 - 2990) / 10, rel=0.01)
    for second in range(300, 420):
        pace.progress(second, {"a": 2990 + second - 299})
    assert pace.left().seconds == pytest.approx((10_000 - 3110) / 2.2, rel=0.1)


def test_a_failed_cell_tells_nothing() -> None:
    pace = Pace(3, budget=100, jobs=1)
    for second in range(5):
        pace.progress(second, {"a": 10 * second})
    pace.ended(5.0, "b", 0)
    assert pace.left().at_most


def test_all_ended() -> None:
    pace, seconds = Pace(1, budget=100, jobs=2), clock()
    trained(pace, "a", seconds, 10, 90)
    pace.ended(next(seconds), "a", 100)
    pace.ended(next(seconds), "a", 100)  # again: its record was damaged
    assert pace.left().seconds == 0.0


def test_a_pack_on_a_gpu() -> None:
    """200 cells make 10 iterations each, in a second; how many train at a time is not known beforehand."""
    pace = Pace(200, budget=100, jobs=0)
    for second in range(6):
        pace.progress(second, {f"{cell}": 10 * second for cell in range(200)})
    assert pace.left().seconds == pytest.approx(5.0, rel=0.01)
