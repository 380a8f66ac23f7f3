from __future__ import annotations

import base64
import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness.report.arrays import MANTISSA, Block, rounded
from tests.report.made import array


def carried(block: Block) -> bytes:
    return gzip.decompress(base64.b64decode(block.written()))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 255], "u1"),
        ([0, 256], "u2"),
        ([65536], "u4"),
        ([-1], "f8"),
        ([0.5, np.nan, np.inf], "f4"),
        ([0.1], "f8"),
        ([np.float64(np.float32(0.1))], "f4"),
        ([1e300], "f8"),
    ],
)
def test_an_array_has_the_smallest_type_that_loses_nothing(values: list[float], kind: str) -> None:
    block = Block()
    block.exact(np.array([7]))  # so that it does not begin at 0
    reference = block.exact(np.array(values))
    assert reference["type"] == kind
    np.testing.assert_array_equal(array(carried(block), reference), values)


def test_arrays_stand_one_after_another_and_may_be_empty() -> None:
    block = Block()
    wide, none, narrow = (block.exact(np.array(one)) for one in ([1e-9, 2e-9], [], [1, 2, 3]))
    whole = carried(block)
    assert array(whole, wide).tolist() == [1e-9, 2e-9]
    assert array(whole, none).tolist() == []
    assert array(whole, narrow).tolist() == [1, 2, 3]


def test_texts_are_written_once_each_and_none_is_none_of_them() -> None:
    block = Block()
    made = block.texts(["a", None, "b", "a"])
    assert made["texts"] == ["a", "b"]
    assert array(carried(block), made["codes"]).tolist() == [1, 0, 2, 1]


def test_the_same_arrays_give_the_same_text() -> None:
    both = [Block(), Block()]
    for one in both:
        one.exact(np.arange(1000))
    assert both[0].written() == both[1].written()


@given(arrays.arrays(np.float64, 20, elements=st.floats(-1e300, 1e300)))
def test_a_rounded_number_is_near_and_keeps_its_sign(values: np.ndarray) -> None:
    near = rounded(values)
    normal = np.abs(values) > 1e-300  # below, floats have fewer digits
    assert (np.abs(near - values)[normal] <= np.abs(values)[normal] * 2.0 ** -(MANTISSA + 1)).all()
    assert (np.sign(near[normal]) == np.sign(values[normal])).all()


def test_what_is_rounded_fits_a_float32() -> None:
    values = rounded(np.random.default_rng(1).lognormal(0, 9, 100))
    assert Block().exact(values)["type"] == "f4"


def test_what_is_not_finite_stays_so_and_what_is_huge_stays_finite() -> None:
    assert np.isnan(rounded(np.array([np.nan]))[0])
    assert rounded(np.array([np.inf, -np.inf])).tolist() == [np.inf, -np.inf]
    assert rounded(np.array([1e200]))[0] == pytest.approx(1e200, rel=1 / 4096)
