"""First and sustained passage and outcome, on losses whose answer is seen at a glance."""

import math

import numpy as np
import pytest

from harness.records.passages import first_passage, lowest_sustained, outcome, running_mean, sustained_passage

NAN, INF = math.nan, math.inf
FALLING = [3.0 - 0.01 * (i - 1) for i in range(1, 101)]  # 3.00, 2.99, ... : 2.5 at iteration 51


@pytest.mark.parametrize(
    ("losses", "target", "iteration"),
    [
        ([3.0, 2.6, 2.4, 2.6], 2.5, 3),
        ([2.4, 3.0], 2.5, 1),
        ([3.0, 2.5], 2.5, 2),
        ([3.0, np.nextafter(2.5, 3)], 2.5, None),
        ([3.0, NAN, 2.0], 2.5, 3),
        ([3.0, NAN, INF, -INF], 2.5, None),
        ([2.0, NAN, NAN], 2.5, 1),
        ([], 2.5, None),
        (FALLING, 2.505, 51),
        (np.array([3.0, 2.4], "float32"), 2.5, 2),
    ],
)
def test_first_passage(losses, target, iteration):
    assert first_passage(losses, target) == iteration


@pytest.mark.parametrize(
    ("losses", "target", "iteration"),
    [
        ([2.5] * 10, 2.5, 10),
        ([2.5] * 9, 2.5, None),
        ([2.3] * 12, 2.3, 10),  # a plain sum of ten 2.3 is more than 23
        ([2.0] * 5 + [3.0] * 5, 2.5, 10),
        ([3.0] * 10 + [2.0] * 10, 2.5, 15),
        ([3.0] * 10 + [2.0] * 4, 2.5, None),
        ([9.0] + [2.0] * 10, 2.5, 11),
        ([2.0] * 9 + [NAN] + [2.0] * 10, 2.5, 20),
        ([2.0] * 9 + [INF], 2.5, None),
        (FALLING, 2.5051, 55),  # the mean of i-9 ... i is the loss at i-4.5
    ],
)
def test_sustained_passage(losses, target, iteration):
    assert sustained_passage(losses, target) == iteration


def test_another_window():
    assert sustained_passage([3.0, 2.0, 2.0], 2.0, window=2) == 3


def test_lowest_sustained_is_the_lowest_target_that_is_passed():
    losses = 3 - np.random.default_rng(0).random(200)
    lowest = lowest_sustained(losses)
    assert sustained_passage(losses, lowest) is not None
    assert sustained_passage(losses, np.nextafter(lowest, 0)) is None
    assert lowest == pytest.approx(min(np.mean(losses[k : k + 10]) for k in range(191)), rel=1e-14)


def test_lowest_sustained_of_too_few_or_none():
    assert lowest_sustained([1.0] * 9) == INF
    assert lowest_sustained([NAN] * 12) == INF
    assert lowest_sustained([1.0] * 10 + [NAN]) == 1.0


def test_a_mean_is_the_same_wherever_its_window_stands():
    losses = np.random.default_rng(1).random(400).astype("float32") * 3
    means = running_mean(losses)
    assert len(means) == 391
    assert all(running_mean(losses[k : k + 10])[0] == means[k] for k in range(391))
    assert (running_mean(losses[7:300]) == means[7:291]).all()


def test_an_infinite_loss_makes_no_mean_pass():
    means = running_mean([2.0] * 10 + [INF] + [2.0] * 10)
    assert np.isfinite(means).sum() == 2
    assert not (means[1:11] <= 1e300).any()


@pytest.mark.parametrize(
    ("losses", "ending", "target", "budget", "answer"),
    [
        ([3.0, 2.4, NAN], "diverged", 2.5, 500, "reached"),
        ([3.0, 2.6, NAN], "diverged", 2.5, 500, "diverged"),
        ([3.0, 2.6, NAN], "diverged", 2.5, 3, "diverged"),
        ([3.0, 2.6, NAN], "diverged", 2.5, 2, "budget"),
        ([3.0, 2.6, 2.4], "stopped", 2.5, 3, "reached"),
        ([3.0, 2.6, 2.4], "stopped", 2.5, 2, "budget"),
        ([3.0, 2.6], "budget", 2.5, 2, "budget"),
        ([3.0, 2.6], "failed", 2.5, 500, "failed"),
        ([3.0, 2.4], "failed", 2.5, 500, "reached"),
        ([3.0, 2.6], "failed", 2.5, 2, "budget"),
        ([], "failed", 2.5, 500, "failed"),
        ([3.0, 2.4], "budget", None, 2, "budget"),
        ([3.0, NAN], "diverged", None, 500, "diverged"),
        ([3.0], "failed", None, 500, "failed"),
        ([], None, 2.5, 500, None),
    ],
)
def test_outcome(losses, ending, target, budget, answer):
    assert outcome(losses, ending, len(losses) if ending else None, target, budget) == answer
