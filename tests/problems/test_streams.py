"""Orders of keys, and their beginnings."""

from __future__ import annotations

import numpy as np
import pytest

from harness.problems.streams import FEW, Purpose, Stream, first, order, words

TIES = {
    "none": lambda keys: keys,
    "most": lambda keys: keys % np.uint64(7),
    "in all but the last bits": lambda keys: keys % np.uint64(7) * np.uint64(2**60) + (keys >> np.uint64(61)),
    "in one row": lambda keys: np.where(np.arange(len(keys))[:, None] == 1, keys % np.uint64(3), keys),
    "at the end": lambda keys: np.where(keys > np.uint64(2**60), np.uint64(2**64 - 1), keys),
}


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("many", [2, FEW, FEW + 1, 64, 65, 1200])
def test_the_first_are_those_of_the_order(many: int, ties: str) -> None:
    """Of equal keys the earlier one comes first."""
    for at in range(5):
        keys = TIES[ties](words(3, Purpose.EPISODES, at, 6, many))
        for count in {1, 2, many // 2, many - 1, many}:
            np.testing.assert_array_equal(first(keys, count), order(keys)[:, :count])


def test_keys_in_more_axes_and_between_others() -> None:
    """As drawings are: a part of the words of a task, class by class."""
    keys = words(0, Purpose.EPISODES, 1, 4, 7 + 3 * 50)[:, 7:].reshape(4, 3, 50)
    before = keys.copy()
    np.testing.assert_array_equal(first(keys, 5), order(keys)[..., :5])
    np.testing.assert_array_equal(keys, before)


def test_choices_are_the_beginning_of_an_order() -> None:
    ours = Stream(1, "train", 4).choice(6, 300, 5)
    np.testing.assert_array_equal(ours, order(Stream(1, "train", 4).words(6, 300))[:, :5])
