"""The engine for any network beside the libraries: a user's convolutions, and a pack of small networks. Times
are the processor's, on one thread, so that whatever else the machine does counts for less."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from harness.bench import peers, timing, users
from harness.bench.cpu import OURS, Say, compared, contenders, differences, row
from harness.bench.threads import threads
from harness.bench.workload import make
from harness.cell import Protocol, protocol_of
from harness.training import tracing


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is measured beside the paper's problem."""

    name: str
    title: str
    protocol: Callable[[], Protocol]
    small: dict[str, int]
    """Fields of a small version, to see that it runs."""
    checked: dict[str, int]
    """Fields of what is computed in float64, which torch's convolutions take five times as long for."""
    images: bool
    rounds: int
    cells: int = 1
    """Ours trains them together; the libraries take one at a time."""


def _users() -> Protocol:
    users.bring()
    return protocol_of(network=users.NETWORK, dataset=users.IMAGES, meta_batch=4, validation_tasks=1)


PARTS = (
    Part(
        name="network",
        title="a user's network",
        protocol=_users,
        small={"meta_batch": 1, "k_shot": 1, "k_query": 1, "filters": 4},
        checked={"meta_batch": 2, "k_shot": 1, "k_query": 1},
        images=True,
        rounds=5,
    ),
    Part(
        name="pack",
        title="a pack of sinusoids",
        protocol=lambda: protocol_of(problem="sinusoid"),
        small={"meta_batch": 2},
        checked={},
        images=False,
        rounds=25,
        cells=64,
    ),
)


def measure(
    part: Part,
    rounds: int | None,
    only: Sequence[str] = (),
    quick: bool = False,
    say: Say = lambda line: None,
) -> dict[str, Any]:
    """What bench.json holds of a part; a row for each program, its times those of a call for `cells` cells.

    rounds: None: the part's own. Raises cpu.Disagreement before anything is timed.
    """
    protocol, cells, rounds = part.protocol(), part.cells, rounds or part.rounds
    if quick:
        protocol, cells = protocol.model_copy(update=part.small), min(part.cells, 2)
    programs, left_out = contenders(only, tuple(peers.LAYOUTS) if part.images else ())
    sizes = {name: cells if name == OURS else 1 for name in programs}
    with threads(1), _recorded_soon():
        differing = differences(programs, protocol.model_copy(update=part.checked), cells=cells)
        say(f"{part.title}: {len(programs)} programs agree in float64 to {max(differing.values()):.1e}")
        works = {size: make(protocol, cells=size) for size in set(sizes.values())}
        steps = {name: one.prepare(works[sizes[name]]).step for name, one in programs.items()}
        seconds = timing.interleaved(steps, rounds, clock=time.process_time)
    times = {name: timing.summary(measured) for name, measured in seconds.items()}
    result = {
        "name": part.name,
        "title": part.title,
        "problem": protocol.label,
        "cells": cells,
        "rounds": rounds,
        "programs": [
            row(name, programs[name])
            | {"cells": sizes[name]}
            | asdict(of_it)
            | {"cell_iterations_per_second": round(1e3 * sizes[name] / of_it.median_ms, 3)}
            for name, of_it in times.items()
        ],
        **compared(programs, {name: of_it.median_ms / sizes[name] for name, of_it in times.items()}),
        "max_float64_difference": max(differing.values()),
        "float64_differences": differing,
        "not_installed": left_out,
    }
    say(line(result))
    return result


def line(result: dict[str, Any]) -> str:
    """What came out, for people."""
    ours = result["programs"][0]
    ratio, fastest = result["ours_over_fastest_peer"], result["fastest_peer"]
    if ratio is None:
        return f"{result['title']}: {ours['median_ms']:.0f} ms; no library to compare with"
    if result["cells"] == 1:
        return f"{result['title']}: {ratio:.2f} times as long as the fastest library, {fastest}"
    return (
        f"{result['title']}: {result['cells']} cells together, {1 / ratio:.1f} times the cells x iterations "
        f"a second of the fastest library, {fastest}"
    )


@contextmanager
def _recorded_soon() -> Iterator[None]:
    """Inside, the engine records its operations in the second call with the same shapes, not in the 50th:
    what is checked and timed is what it does for most of a training. In the first it measures its memory."""
    before, tracing.FEW = tracing.FEW, 2
    try:
        yield
    finally:
        tracing.FEW = before
