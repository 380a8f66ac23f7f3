"""Programs timed in turn, so that whatever else the machine does affects all of them alike."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

WARM_UP = 2
"""Rounds before the first that counts."""
FEWEST = 3
"""Rounds of a program that takes longer than its share of the time."""


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
    seconds_each: float = math.inf,
) -> dict[str, list[float]]:
    """Seconds of each program in each round. A round runs every program once.

    The order moves on by one from round to round, and every other round runs backwards, so that no program
    always follows the same one. `synchronize` waits for a device; garbage collection is not timed.

    seconds_each: for all rounds of a program, by its last one to warm up. One that is slower runs in fewer of
    them, spread evenly, but in FEWEST at least.
    """
    names = list(steps)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    planned = dict.fromkeys(names, rounds)
    for number in range(warm_up + rounds):
        for name in order(names, number):
            counts = number >= warm_up
            if counts and not takes_part(number - warm_up, planned[name], rounds):
                continue
            gc.collect()
            synchronize()
            started = clock()
            steps[name]()
            synchronize()
            took = clock() - started
            if counts:
                seconds[name].append(took)
            else:
                planned[name] = in_time(seconds_each, took, rounds)
    return seconds


def synchronize(device: str) -> None:
    """Wait until the device has done what it was given."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)


def in_time(seconds: float, each: float, rounds: int) -> int:
    """How many of these rounds, of `each` seconds, can be done in time; FEWEST at least, if there are."""
    return rounds if each * rounds <= seconds else min(rounds, max(FEWEST, int(seconds / each)))


def takes_part(number: int, planned: int, rounds: int) -> bool:
    """Whether a program of so many `planned` rounds runs in this one: 0, 1, ..., rounds - 1."""
    return (number + 1) * planned // rounds > number * planned // rounds


def order(names: list[str], number: int) -> list[str]:
    """The order of one round, see `interleaved`."""
    first = number % len(names)
    turned = names[first:] + names[:first]
    return turned if number % 2 == 0 else turned[::-1]
