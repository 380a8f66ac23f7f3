"""`meta_test:` in a grid: what it may say, and a test that a method has no rates for."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.common.errors import UserError
from harness.grids.meta_test import OWN, MetaTest
from tests.swept import grid_of

GRID = """\
title: Mine
figure: {kind: losses}
protocol: {problem: sinusoid, inner_steps: 2}
max_iterations: 20
cells:
  - {method: lslr, alpha0: 0.1, beta0: 1e-3}
"""


def test_own_rates_and_numbers() -> None:
    assert MetaTest().rates == (OWN,)
    assert MetaTest(rates=(OWN, 0.01, 0)).numbers == (None, 0.01, 0)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "{steps: 3}",
            r"mine.yaml:7: meta_test.steps: 3 steps; lslr has inner rates for inner_steps, 2: write",
        ),
        ("{tasks: 9}", r"mine.yaml:7: meta_test.steps: 10 steps; lslr has .* or rates without own"),
        ("{rates: [own, -1]}", r"mine.yaml:7: meta_test.rates\[1\]: .*-1 is neither own nor a rate >= 0"),
        ("{rates: [own, 0.1, 0.1], steps: 1}", "mine.yaml:7: meta_test.rates: a rate is listed twice"),
        ("{rates: [], steps: 1}", "mine.yaml:7: meta_test.rates: the list is empty"),
        ("{tasks: 0}", "mine.yaml:7: meta_test.tasks: 0 is not >= 1"),
        ("{step: 1}", "mine.yaml:7: meta_test.step: unknown key; did you mean steps?"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, written: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as error:
        grid_of(tmp_path, f"{GRID}meta_test: {written}\n")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("written", ["{steps: 2}", "{steps: 9, rates: [0.01]}", "{steps: 9, rates: 0.01}"])
def test_as_many_steps_as_there_are_rates_for(tmp_path: Path, written: str) -> None:
    grid = grid_of(tmp_path, f"{GRID}meta_test: {written}\n")
    assert grid.keeps_weights
