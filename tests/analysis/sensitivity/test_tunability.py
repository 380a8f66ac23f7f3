"""What tuning gains over a default, and how flat a range of rates is: by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.sensitivity.tunability import along, best_everywhere, rate_sensitivity, tunability

KNOBS = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [0, 2]])
RISK = np.array([5.0, 3, 4, 1, 6])
losses = st.lists(st.integers(0, 40).map(lambda x: x / 10), min_size=1, max_size=12)


def test_the_default_by_hand():
    """Means 3, 2.5 and 2, but the last was not run in the second environment."""
    risk = np.array([[1.0, 3, 2], [5, 2, 2]])
    assert best_everywhere(risk, np.ones((2, 3), bool)) == 2
    ran = np.array([[True, True, True], [True, True, False]])
    assert best_everywhere(np.where(ran, risk, np.nan), ran) == 1


def test_ties_for_the_default_go_to_the_first():
    risk = np.array([[0.1, 0.3, 9], [0.2, 0.2, 9], [0.3, 0.1, 9]])
    assert risk[:, 0].sum() > risk[:, 1].sum()  # by rounding
    assert best_everywhere(risk, np.ones((3, 3), bool)) == 0


def test_without_a_setting_for_all_there_is_no_default():
    with pytest.raises(ValueError, match="no setting was run in every environment"):
        best_everywhere(np.zeros((2, 2)), np.eye(2, dtype=bool))


def test_tunability_by_hand():
    """From the default (0, 0) at 5: to 1 in all; to 4 by the first alone, to 3 by the second alone."""
    free = along(KNOBS, 0, [0]), along(KNOBS, 0, [1])
    assert [some.tolist() for some in free] == [
        [True, False, True, False, False],
        [True, True, False, False, True],
    ]
    assert tunability(RISK, 0, np.ones(5, bool)) == 4
    assert [float(tunability(RISK, 0, some)) for some in free] == [1, 2]
    assert along(KNOBS, 0, [0, 1]).all()  # varied together
    assert along(KNOBS, 0, []).tolist() == [True, False, False, False, False]
    assert tunability(np.stack([RISK, -RISK], 1), 0, free[1]).tolist() == [2, 1]


@given(seed=st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_one_factor_gains_at_most_what_all_gain(seed):
    generator = np.random.default_rng(seed)
    knobs = np.array([*np.ndindex(3, 2, 2)])
    risk, default = generator.normal(size=len(knobs)), int(generator.integers(len(knobs)))
    total = tunability(risk, default, np.ones(len(knobs), bool))
    for some in ([0], [1], [2], [0, 2]):
        free = along(knobs, default, some)
        others = [column for column in range(3) if column not in some]
        expected = min(r for r, k in zip(risk, knobs, strict=True) if (k == knobs[default])[others].all())
        assert 0 <= tunability(risk, default, free) <= total
        assert tunability(risk, default, free) == risk[default] - expected
    assert tunability(3 * risk + 1, default, free) == pytest.approx(3 * tunability(risk, default, free))


def test_the_learning_rate_sensitivity_by_hand():
    """Losses 1, 2, 3 at the end and 3 at the start: 0, 1 and 2 above the best, mean 1. The last ran off to
    50, which counts as the 3 of its start."""
    assert rate_sensitivity([1, 2, 3], [3, 3, 3]) == 1
    assert rate_sensitivity([1, 2, 50], [3, 3, 3]) == 1
    assert rate_sensitivity([[1, 4], [2, 4]], [[3, 3], [3, 3]]).tolist() == [0.5, 0]


@pytest.mark.parametrize("diverged", [50, np.inf, np.nan])
def test_where_all_runs_diverge_any_rate_is_as_good(diverged):
    assert rate_sensitivity([diverged] * 3, [0.1] * 3) == 0
    assert rate_sensitivity([diverged, 1], [3, 3]) == 1


@given(final=losses, start=st.integers(0, 40).map(lambda x: x / 10))
@settings(max_examples=100, deadline=None)
def test_the_learning_rate_sensitivity_of_wortsman_et_al(final, start):
    """E [min(final, start) - best], best the lowest final loss, where some run ends below its start."""
    found = rate_sensitivity(final, np.full(len(final), start))
    assert found >= 0
    if min(final) <= start:
        theirs = np.mean([min(loss, start) - min(final) for loss in final])
        assert found == pytest.approx(theirs, abs=1e-12)
    else:
        assert found == 0


def test_equal_losses_are_no_sensitivity():
    for size in range(1, 50):  # the mean of equal losses may differ from them by rounding
        assert rate_sensitivity(np.full(size, 0.1), np.full(size, 3.0)) == 0
