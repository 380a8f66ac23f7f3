"""The one source of randomness: numpy's counter-based Philox, read as raw 64-bit words.

A stream is named by (seed, purpose) and a position in it by `at`, so any value can be drawn in any
order and for any device. Only raw words are taken from numpy, which promises that they never change;
how they become other numbers is defined here.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Purpose(IntEnum):
    """What a stream is for. A number is never used for another purpose."""

    SPLIT = 1
    EPISODES = 2
    VALIDATION = 3
    WEIGHTS = 4
    PERTURBATION = 5


def words(seed: int, purpose: Purpose, at: int, *shape: int) -> NDArray[np.uint64]:
    """Independent uniform 64-bit words of the given shape."""
    philox = np.random.Philox(
        key=np.array([seed, purpose], np.uint64), counter=np.array([0, 0, 0, at], np.uint64)
    )
    return philox.random_raw(int(np.prod(shape))).reshape(shape)


def uniform(seed: int, purpose: Purpose, at: int, *shape: int) -> NDArray[np.float64]:
    """Uniform in the open interval (0, 1): the middle of one of 2^52 equal parts."""
    return ((words(seed, purpose, at, *shape) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def order(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """A random order of the last axis: the positions of the keys, smallest first."""
    return np.argsort(keys, axis=-1, kind="stable")
