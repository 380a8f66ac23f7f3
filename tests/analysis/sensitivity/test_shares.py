"""Variance shares: beside the decomposition written out term by term, and what must add up."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.sensitivity.shares import JOINT, factorial, jackknife, variance_shares

NAMES = ("a", "b", "c", "d")


def effects_of(count):
    return [*chain.from_iterable(combinations(range(count), n) for n in range(1, count + 1))]


def written_out(values, names):
    """f_S = sum over subsets T of S of (-1)^(|S|-|T|) E[y given x_T]; its mean square over Var y."""
    found = {}
    for axes in effects_of(values.ndim):
        part = 0
        for n in range(len(axes) + 1):
            for given_ in combinations(axes, n):
                others = tuple(axis for axis in range(values.ndim) if axis not in given_)
                part = part + (-1) ** (len(axes) - n) * values.mean(others, keepdims=True)
        found[JOINT.join(names[axis] for axis in axes)] = np.mean(part**2) / values.var()
    return found


@st.composite
def tables(draw, least=1, most=4):
    shape = draw(st.lists(st.integers(1, 4), min_size=least, max_size=most))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = generator.integers(-3, 4, shape) + generator.normal(size=shape)
    return values if values.size > 1 else np.array([1.0, 2.0]).reshape(2, *[1] * (len(shape) - 1))


def test_four_cells_by_hand():
    """1 2 / 3 6: mean 3, Var (4 + 1 + 0 + 9) / 4 = 3.5. Rows 1.5 and 4.5: 2.25; columns 2 and 4: 1; the rest
    .25."""
    found = variance_shares([[1, 2], [3, 6]], ["a", "b"])
    assert found == pytest.approx({"a": 9 / 14, "b": 4 / 14, "a:b": 1 / 14}, abs=1e-15)
    assert [*found] == ["a", "b", "a:b"]


def test_eight_cells_by_hand():
    """y = x_a x_b x_c, each 1 or -1, is all interaction; with 2 x_a more, Var y = 4 + 1."""
    signs = np.array([1.0, -1.0])
    product = signs[:, None, None] * signs[:, None] * signs
    assert variance_shares(product, "abc")["a:b:c"] == 1
    found = variance_shares(product + 2 * signs[:, None, None], "abc")
    assert (found["a"], found["a:b:c"]) == pytest.approx((4 / 5, 1 / 5), abs=1e-15)
    assert [*found] == ["a", "b", "c", "a:b", "a:c", "b:c", "a:b:c"]


@given(values=tables())
@settings(max_examples=100, deadline=None)
def test_the_decomposition_written_out(values):
    found = variance_shares(values, NAMES)
    assert found == pytest.approx(written_out(values, NAMES), abs=1e-12)
    assert sum(found.values()) == pytest.approx(1, abs=1e-12)
    assert min(found.values()) >= 0


@given(values=tables(least=2, most=3), data=st.data())
@settings(max_examples=50, deadline=None)
def test_what_shares_do_not_hang_on(values, data):
    found = variance_shares(values, NAMES)
    assert variance_shares(-8 * values + 3, NAMES) == pytest.approx(found, abs=1e-12)
    order = data.draw(st.permutations(range(values.shape[0])))
    assert variance_shares(values[order], NAMES) == pytest.approx(found, abs=1e-12)
    turned = variance_shares(values.T, NAMES[: values.ndim][::-1])
    named = {JOINT.join(sorted(name.split(JOINT))): share for name, share in turned.items()}
    assert named == pytest.approx(found, abs=1e-12)


def test_a_useless_factor_and_a_sum_of_factors():
    line = np.array([0.0, 1, 5])
    repeated = variance_shares(np.repeat(line[:, None], 4, 1), ["a", "b"])
    assert repeated == pytest.approx({"a": 1, "b": 0, "a:b": 0}, abs=1e-15)
    added = variance_shares(line[:, None] + np.array([0, 2.0]), ["a", "b"])
    assert added["a:b"] == pytest.approx(0, abs=1e-15)
    assert added["b"] == pytest.approx(1 / (line.var() + 1), abs=1e-12)  # Var of 0 and 2 is 1


def test_shares_add_up_however_far_the_values_are_from_zero():
    values = np.random.default_rng(0).integers(0, 64, (5, 6, 7)) / 64
    near = variance_shares(values, "abc")
    far = variance_shares(values + 2.0**30, "abc")  # still exact in binary
    assert sum(far.values()) == pytest.approx(1, abs=1e-12)
    assert far == pytest.approx(near, abs=1e-12)


def test_where_all_values_are_equal_there_are_no_shares():
    assert np.isnan([*variance_shares(np.full((2, 3), 0.1), ["a", "b"]).values()]).all()
    assert np.isnan([*variance_shares(np.ones((1, 1)), ["a", "b"]).values()]).all()
    assert np.isnan(jackknife(np.full((3, 2), 0.1), ["a"])["a"]).all()


def test_the_jackknife_by_hand():
    """Levels 0, 0, 0 and 1, 2, 3 of three seeds: V_a = 1 of Var y = 4/3. Without the first seed 25/16 of
    27/16, without the second 1 of 3/2, without the third 9/16 of 11/16."""
    values = np.array([[0.0, 0, 0], [1, 2, 3]])
    share = variance_shares(values, ["a", "seed"])["a"]
    assert share == pytest.approx(3 / 4, rel=1e-12)
    left = np.array([25 / 27, 2 / 3, 9 / 11])
    error = np.sqrt(2 / 3 * ((left - left.mean()) ** 2).sum())
    half = 4.302652729911275 * error  # Student's t, two degrees of freedom
    low, high = jackknife(values, ["a"])["a"]
    assert low == pytest.approx(max(0, share - half), rel=1e-9)
    assert high == min(1, share + half) or high == pytest.approx(share + half, rel=1e-9)


@given(values=tables(least=2))
@settings(max_examples=50, deadline=None)
def test_an_interval_has_its_share_within(values):
    whole = variance_shares(values, NAMES)
    for effect, (low, high) in jackknife(values, NAMES[: values.ndim - 1]).items():
        assert "seed" not in effect.split(JOINT)
        assert np.isnan(low) or low <= whole[effect] <= high
        assert np.isnan(low) or (low >= 0 and high <= 1)


def test_an_interval_covers_the_share_that_is_true():
    """Of 300 tables with noise of variance 1, 95 % cover 1.25 / (1.25 + 1/6 + 1), whatever the seeds."""
    rng = np.random.default_rng(0)
    effects = np.arange(4.0)[:, None, None] + np.array([0, 0.5, 1])[:, None]
    true = 1.25 / (1.25 + 1 / 6 + 1)
    for seeds in (2, 5, 12):
        tables = effects + rng.normal(size=(300, 4, 3, seeds))
        covered = [low <= true <= high for low, high in (jackknife(one, ["a", "b"])["a"] for one in tables)]
        assert 0.91 < np.mean(covered) < 0.99  # 3 standard errors are 0.038


def test_one_seed_has_no_interval_nor_seeds_of_which_one_is_flat():
    assert np.isnan(jackknife(np.array([[1.0], [2.0]]), ["a"])["a"]).all()
    values = np.array([[0.1, 0.2], [0.1, 0.5], [0.1, 0.9]])  # without the second seed all are equal
    assert np.isnan(jackknife(values, ["a"])["a"]).all()


def test_places_in_a_full_factorial_design():
    places, shape = factorial([[0, 1], [1, 0], [0, 0], [1, 1], [0, 2], [1, 2]], [[0], [1]])
    assert (places.tolist(), shape) == ([1, 3, 0, 4, 2, 5], (2, 3))


def test_columns_that_were_varied_together_are_one_factor():
    """(0, 0), (1, 1) and (1, 2) are three levels of one factor, with two of another."""
    settings_ = [[0, 0, 1], [0, 0, 0], [1, 1, 0], [1, 1, 1], [1, 2, 0], [1, 2, 1]]
    places, shape = factorial(settings_, [[0, 1], [2]])
    assert (places.tolist(), shape) == ([1, 0, 2, 3, 4, 5], (3, 2))
    assert factorial(settings_, [[0], [1], [2]]) is None


def test_what_is_no_full_factorial():
    assert factorial([[0, 0], [0, 1], [1, 0]], [[0], [1]]) is None
    # As many as a full one, but (0, 0) twice and (0, 1) not at all.
    assert factorial([[0, 0], [0, 0], [1, 0], [1, 1]], [[0], [1]]) is None


def test_one_setting_is_a_design_without_factors():
    places, shape = factorial(np.zeros((1, 0), int), [])
    assert (places.tolist(), shape) == ([0], ())
