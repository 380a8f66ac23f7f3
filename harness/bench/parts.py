"""Where the time of a meta-iteration goes: milliseconds in each operator, on one thread."""

from __future__ import annotations

import time
from cProfile import Profile

from harness.bench.threads import threads
from harness.bench.workload import PAPER, make, ours
from harness.cell import Protocol
from harness.training.conv4 import operators

ROUNDS = 15
OPERATORS = (
    *("product", "correlation", "windows", "scatter"),
    *("norm_relu", "norm_relu_gradient", "norm_relu_tangent", "norm_relu_gradient_tangent"),
    *("first_block", "first_block_gradient", "first_block_tangent", "first_block_gradient_tangent"),
)
"""Functions of conv4/operators.py; none of them calls another."""
CUTTING = "patches"
"""The function that cuts the images. It calls `windows`, which is then counted here alone."""
REST = "everything else"


def measure(protocol: Protocol = PAPER, rounds: int = ROUNDS) -> dict[str, float]:
    """Mean milliseconds per meta-iteration in each operator, in cutting the images, and in the rest.

    Python's own profiler takes the times; what it costs itself is in them.
    """
    profile = Profile()
    with threads(1):
        step = ours(make(protocol)).step
        step()
        started = time.perf_counter()
        with profile:
            for _ in range(rounds):
                step()
        whole = time.perf_counter() - started
    spent = _seconds(profile)
    spent[REST] = whole - sum(spent.values())
    return {name: round(1e3 * seconds / rounds, 2) for name, seconds in spent.items()}


def _seconds(profile: Profile) -> dict[str, float]:
    """Seconds in each operator and everything that it calls."""
    names = {getattr(operators, name).__code__: name for name in (*OPERATORS, CUTTING)}
    spent: dict[str, float] = {}
    for caller in profile.getstats():
        for call in caller.calls or () if names.get(caller.code) != CUTTING else ():
            if call.code in names:
                name = names[call.code]
                spent[name] = spent.get(name, 0.0) + call.totaltime
    return spent
