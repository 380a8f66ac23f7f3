"""Where the time of a meta-iteration goes: milliseconds in each operator, on one thread."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from harness.bench.problem import PAPER, make, ours
from harness.bench.threads import threads
from harness.cell import Protocol
from harness.training.conv4 import metagradient, operators

ROUNDS = 15
OPERATORS = (
    *("product", "correlation", "windows", "scatter"),
    *("norm_relu", "norm_relu_gradient", "norm_relu_tangent", "norm_relu_gradient_tangent"),
    *("first_block", "first_block_gradient", "first_block_tangent", "first_block_gradient_tangent"),
)
"""Of harness.operators; none of them calls another."""
REST = "everything else"


def measure(protocol: Protocol = PAPER, rounds: int = ROUNDS) -> dict[str, float]:
    """Mean milliseconds a meta-iteration in each operator, in cutting the images, and in the rest."""
    spent: defaultdict[str, float] = defaultdict(float)

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            started = time.perf_counter()
            result = function(*arguments, **named)
            spent[name] += time.perf_counter() - started
            return result

        return call

    with threads(1):
        step = ours(make(protocol)).step
        step()
        plain: dict[str, Any] = {name: getattr(operators, name) for name in OPERATORS}

        def cut(*arguments: Any, **named: Any) -> Any:
            """patches() itself calls `windows`: counted here alone."""
            with patch.multiple(operators, **plain):
                return operators.patches(*arguments, **named)

        clocks: dict[str, Any] = {name: timed(name, one) for name, one in plain.items()}
        with (
            patch.multiple(operators, **clocks),
            patch.object(metagradient, "patches", timed("patches", cut)),
        ):
            started = time.perf_counter()
            for _ in range(rounds):
                step()
            whole = time.perf_counter() - started
    spent[REST] = whole - sum(spent.values())
    return {name: round(1e3 * seconds / rounds, 2) for name, seconds in spent.items()}
