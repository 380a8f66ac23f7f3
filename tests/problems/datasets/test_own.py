"""A function's images as a data set, and what is refused of them, in one line with the class."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from harness.common.errors import UserError
from harness.problems.datasets import own


def images(count: int, *shape: int, dtype: str = "uint8") -> np.ndarray:
    return np.arange(count * np.prod(shape)).reshape(count, *shape).astype(dtype)


def made(returned: object, split: tuple[int, int] | None = None):
    return own.made("birds", lambda: returned, split)


def test_classes_of_different_sizes_keep_their_images() -> None:
    wren, owl = images(5, 7, 9, 3), images(2, 7, 9, 3)
    data = made({"wren": wren, "owl": owl})
    assert data.characters == ("owl", "wren")
    assert data.sizes.tolist() == [2, 5]
    assert data.shape == (3, 7, 9)
    assert data.images.dtype == np.uint8
    assert np.array_equal(data.images[0, :2], owl)
    assert np.array_equal(data.images[1, :5], wren)
    with pytest.raises(ValueError, match="read-only"):
        data.images[0] = 0


def test_in_whatever_form_it_is_the_same() -> None:
    as_dict = made({"a": images(2, 4, 4), "b": images(3, 4, 4)})

    def yielded() -> Iterator[tuple[str, object]]:
        yield "b", torch.from_numpy(images(3, 4, 4, 1))
        yield "a", images(2, 4, 4)[..., None]

    for other in (made([("a", images(2, 4, 4)), ("b", images(3, 4, 4))]), made(yielded())):
        assert other.sha256 == as_dict.sha256
        assert np.array_equal(other.images, as_dict.images)


def test_classes_are_sorted_unless_a_split_counts_them() -> None:
    three = {name: images(2, 4, 4) for name in "cab"}
    assert made(three).characters == ("a", "b", "c")
    assert made(three, (1, 2)).characters == ("c", "a", "b")
    assert made(three, (1, 2)).split == (1, 2)


@pytest.mark.parametrize(
    "other",
    [
        {"a": images(2, 4, 4) + 1, "b": images(3, 4, 4)},
        {"a": images(2, 4, 4), "c": images(3, 4, 4)},
        {"a": images(2, 2, 8), "b": images(3, 2, 8)},
        {"a": images(2, 4, 4, dtype="float32"), "b": images(3, 4, 4, dtype="float32")},
    ],
    ids=["pixels", "names", "shape", "type"],
)
def test_the_digest_is_of_images_names_and_shapes(other: dict[str, np.ndarray]) -> None:
    assert made(other).sha256 != made({"a": images(2, 4, 4), "b": images(3, 4, 4)}).sha256


def test_float64_becomes_float32() -> None:
    data = made({"a": images(2, 4, 4, dtype="float64") / 3})
    assert data.images.dtype == np.float32
    assert np.array_equal(data.images[0, ..., 0], (images(2, 4, 4) / 3).astype(np.float32))


NOT_FINITE = images(2, 4, 4, dtype="float32")
NOT_FINITE[1, 2, 3] = np.nan
GOOD = images(2, 4, 4)
BAD = {
    "size": ({"a": GOOD, "b": images(2, 4, 5)}, "class b has images of 4 x 5 x 1 uint8, class a images of 4"),
    "channels": ({"a": GOOD, "b": images(2, 4, 4, 3)}, "class b has images of 4 x 4 x 3 uint8, class a "),
    "type": ({"a": GOOD, "b": GOOD / 2}, "class b has images of 4 x 4 x 1 float32, class a images of 4 x 4"),
    "whole": ({"a": GOOD.astype("int64")}, "class a: its numbers are int64; use uint8 or float32"),
    "words": ({"a": np.array(["x"])}, "class a: its numbers are <U1; use uint8 or float32"),
    "uneven": ({"a": [np.zeros((4, 4)), np.zeros((5, 5))]}, "class a: no array: setting an array element"),
    "not finite": ({"a": NOT_FINITE}, "class a: a number in its images is not finite"),
    "too large": ({"a": GOOD * 1e300}, "class a: a number in its images is not finite"),
    "axes": ({"a": GOOD[0]}, r"class a: an array of shape \(4, 4\) is not \[images, height, width\] or"),
    "empty class": ({"a": GOOD, "b": images(0, 4, 4)}, "class b: no images"),
    "no pixels": ({"a": images(2, 0, 4)}, "class a: no pixels"),
    "channels first": ({"a": images(2, 3, 8, 8)}, "3 x 8 pixels with 8 channels; channels come last"),
    "no classes": ({}, "it has no classes; return {class name: array}"),
    "nothing": (None, "its function returns NoneType; return {class name: array}"),
    "an array": (np.zeros((2, 3, 4, 4)), "its function gives ndarray; return {class name: array}"),
    "one name twice": ([("a", GOOD), ("a", GOOD)], "two classes are called a"),
    "one name as written": ({1: GOOD, "1": GOOD}, "two classes are called 1"),
}


@pytest.mark.parametrize(("returned", "said"), BAD.values(), ids=BAD)
def test_refused_in_one_line(returned: object, said: str) -> None:
    with pytest.raises(UserError, match=f"^data set 'birds': .*{said}") as caught:
        made(returned)
    assert "\n" not in str(caught.value)


def test_a_function_that_raises_is_named_with_its_line() -> None:
    def load() -> None:
        np.load("/nowhere/birds.npy")

    line = load.__code__.co_firstlineno + 1
    with pytest.raises(UserError, match=f"data set 'birds': line {line}: FileNotFoundError: .*nowhere"):
        own.made("birds", load, None)


def test_what_the_machine_cannot_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own.os, "sysconf", lambda name: {"SC_PHYS_PAGES": 4, "SC_PAGE_SIZE": 10}[name])
    made({"a": images(1, 4, 5)})
    with pytest.raises(UserError, match=r"take 0\.0 GB; at most half of this machine's 0.0 GB"):
        made({"a": images(1, 4, 6)})
