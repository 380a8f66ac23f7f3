"""The one source of randomness: numpy's counter-based Philox, read as raw 64-bit words.

A stream is named by (seed, purpose) and a position in it by `at`, so any value can be drawn in any
order and for any device. Only raw words are taken from numpy, which promises that they never change;
how they become other numbers is defined here.
"""

from __future__ import annotations

from enum import IntEnum
from math import prod

import numpy as np
from numpy.typing import NDArray


class Purpose(IntEnum):
    """What a stream is for. A number is never used for another purpose."""

    SPLIT = 1
    EPISODES = 2
    VALIDATION = 3
    WEIGHTS = 4
    PERTURBATION = 5
    TEST = 6


def words(seed: int, purpose: Purpose, at: int, *shape: int) -> NDArray[np.uint64]:
    """Independent uniform 64-bit words of the given shape."""
    return _words(seed, purpose, at, 0, shape)


def _words(seed: int, purpose: Purpose, at: int, draw: int, shape: tuple[int, ...]) -> NDArray[np.uint64]:
    philox = np.random.Philox(
        key=np.array([seed, purpose], np.uint64), counter=np.array([0, 0, draw, at], np.uint64)
    )
    return philox.random_raw(prod(shape)).reshape(shape)


def uniform(seed: int, purpose: Purpose, at: int, *shape: int) -> NDArray[np.float64]:
    """Uniform in the open interval (0, 1): the middle of one of 2^52 equal parts."""
    return _unit(words(seed, purpose, at, *shape))


def _unit(of: NDArray[np.uint64]) -> NDArray[np.float64]:
    return ((of >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def order(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """A random order of the last axis: the positions of the keys, smallest first."""
    return np.argsort(keys, axis=-1, kind="stable")


FEW = 32
"""Keys that are as soon put in order as their first ones are found."""


def first(keys: NDArray[np.uint64], count: int) -> NDArray[np.int64]:
    """The first `count` of `order(keys)`, found without an order of the others."""
    many = keys.shape[-1]
    if many <= FEW or count >= many:
        return order(keys)[..., :count]
    # The position of a key takes the place of its last bits: numbers are sorted faster than their positions.
    bits = (many - 1).bit_length()
    last = np.uint64((1 << bits) - 1)
    placed = (keys & ~last) | np.arange(many, dtype=np.uint64)
    placed.partition(count, axis=-1)
    lowest = np.sort(placed[..., : count + 1], axis=-1)
    rest = lowest >> np.uint64(bits)
    if (rest[..., 1:] == rest[..., :-1]).any():  # their last bits would decide, or they are equal
        return order(keys)[..., :count]
    return (lowest[..., :count] & last).astype(np.int64)


_OF_SPLIT = {"train": Purpose.EPISODES, "validation": Purpose.VALIDATION, "test": Purpose.TEST}


class Stream:
    """Random numbers for the tasks of one (seed, split, iteration). Each draw is independent of those before
    it, and its first rows do not depend on how many rows there are."""

    def __init__(self, seed: int, split: str, iteration: int) -> None:
        self._at = seed, _OF_SPLIT[split], iteration
        self._draws = 0

    def words(self, *shape: int) -> NDArray[np.uint64]:
        """Uniform 64-bit words."""
        self._draws += 1
        return _words(*self._at, self._draws, shape)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> NDArray[np.float64]:
        """Uniform in (low, high)."""
        return low + (high - low) * _unit(self.words(*shape))

    def normal(self, *shape: int) -> NDArray[np.float64]:
        """Standard normal."""
        from scipy.special import ndtri  # late: it is slow to import

        return ndtri(_unit(self.words(*shape)))

    def choice(self, rows: int, of: int, size: int) -> NDArray[np.int64]:
        """[rows, size]: in each row, `size` different whole numbers of 0 ... of - 1, in random order."""
        return first(self.words(rows, of), size)
