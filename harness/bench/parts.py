"""Where the time of a meta-iteration goes: milliseconds in each operator, on one thread or on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from harness.bench.threads import threads
from harness.bench.timing import synchronize
from harness.bench.workload import PAPER, make, ours
from harness.cell import Protocol
from harness.training.conv4 import derivatives
from harness.training.conv4.chosen import operators_for
from harness.training.conv4.table import Operators

ROUNDS = 15
OPERATORS = tuple(field.name for field in fields(Operators))
"""None of them calls another."""
REST = "everything else"


def measure(
    protocol: Protocol = PAPER,
    rounds: int = ROUNDS,
    device: str = "cpu",
    cells: int = 1,
    table: Operators | None = None,
) -> dict[str, float]:
    """Mean milliseconds per meta-iteration in each operator of conv4/table.py, and in the rest. table: None:
    that of the device. A GPU is waited for around each operator, so that they take a little longer in all."""
    spent: dict[str, float] = {}
    work = make(protocol, device, cells)
    timed = _timed(table or operators_for(protocol, work.weights), spent, device)
    with threads(1), using(timed):
        step = ours(work).step
        step()
        synchronize(device)
        spent.update(dict.fromkeys(OPERATORS, 0.0))
        started = time.perf_counter()
        for _ in range(rounds):
            step()
        synchronize(device)
        spent[REST] = time.perf_counter() - started - sum(spent.values())
    return {name: round(1e3 * seconds / rounds, 2) for name, seconds in spent.items()}


@contextmanager
def using(table: Operators) -> Iterator[None]:
    """Within this, Conv-4 is computed by these operators."""
    before, derivatives.operators_for = derivatives.operators_for, lambda *_: table
    try:
        yield
    finally:
        derivatives.operators_for = before


def _timed(operators: Operators, spent: dict[str, float], device: str) -> Operators:
    """The same, but the seconds that each operator takes are added to `spent`."""

    def timed(name: str, operator: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            synchronize(device)
            started = time.perf_counter()
            result = operator(*arguments)
            synchronize(device)
            spent[name] = spent.get(name, 0.0) + time.perf_counter() - started
            return result

        return call

    return Operators(**{name: timed(name, getattr(operators, name)) for name in OPERATORS})
