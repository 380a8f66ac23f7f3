"""Intervals by hand, and as scipy.stats has them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import binomtest, t

from harness.analysis.intervals import standard_error, student, wilson


def test_the_standard_error_of_a_mean() -> None:
    """(1, 2, 3): deviation 1, over the root of 3."""
    found = standard_error(np.array([[1.0, 2.0, 3.0], [1.0, 2.0, np.inf]]))
    assert found[0] == pytest.approx(1 / np.sqrt(3), abs=1e-15)
    assert np.isnan(found[1])
    assert np.isnan(standard_error(np.array([[1.0]])))


def test_student_s_t() -> None:
    """Of two values, one degree of freedom, a Cauchy distribution: tan(0.475 pi)."""
    assert student(2) == pytest.approx(np.tan(0.475 * np.pi), rel=1e-12)
    assert [student(n) for n in range(2, 40)] == [t.ppf(0.975, n - 1) for n in range(2, 40)]
    assert np.isnan(student(1))


@pytest.mark.parametrize("total", [1, 2, 7, 30])
def test_wilson_s_interval(total: int) -> None:
    for count in range(total + 1):
        other = binomtest(count, total).proportion_ci(0.95, method="wilson")
        assert wilson(count, total) == (other.low, other.high)  # in each bit, as records have them
    assert wilson(0, total)[0] == 0.0
    assert wilson(total, total)[1] == 1.0


def test_wilson_s_interval_by_hand() -> None:
    """Half of n: 0.5 -+ z / (2 sqrt(n + z^2)), here with n = 4."""
    z = 1.959963984540054
    assert wilson(2, 4) == pytest.approx(
        (0.5 - z / (2 * np.sqrt(4 + z**2)), 0.5 + z / (2 * np.sqrt(4 + z**2)))
    )


def test_claims_are_judged_without_scipy_stats() -> None:
    """It takes more than half a second to load."""
    loads = "import sys, harness.paper.evidence, harness.paper.matrix; print('scipy.stats' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
