"""Programs timed in turn, so that whatever else the machine does affects all of them alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

WARM_UP = 2
"""Rounds before the first that counts."""


@dataclass(frozen=True, kw_only=True)
class Times:
    """The median, the quartiles and the least of some rounds, in milliseconds."""

    median_ms: float
    q1_ms: float
    q3_ms: float
    min_ms: float


def summary(seconds: list[float]) -> Times:
    """The times of one program's rounds; quartiles by linear interpolation between neighbours."""
    least, q1, median, q3 = np.percentile(1e3 * np.asarray(seconds), [0, 25, 50, 75]).round(3).tolist()
    return Times(median_ms=median, q1_ms=q1, q3_ms=q3, min_ms=least)


def interleaved(
    steps: Mapping[str, Callable[[], Any]],
    rounds: int,
    warm_up: int = WARM_UP,
    synchronize: Callable[[], Any] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds of each program in each round. A round runs every program once.

    The order moves on by one from round to round, and every other round runs backwards, so that no program
    always follows the same one. `synchronize` waits for a device; garbage collection is not timed.
    """
    names = list(steps)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(warm_up + rounds):
        for name in order(names, number):
            gc.collect()
            synchronize()
            started = clock()
            steps[name]()
            synchronize()
            if number >= warm_up:
                seconds[name].append(clock() - started)
    return seconds


def order(names: list[str], number: int) -> list[str]:
    """The order of one round, see `interleaved`."""
    first = number % len(names)
    turned = names[first:] + names[:first]
    return turned if number % 2 == 0 else turned[::-1]
