"""How the cost of a meta-iteration grows with the work: one thing is varied at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from harness.bench import floor, timing
from harness.bench.cpu import OURS, Say
from harness.bench.threads import threads
from harness.bench.workload import PAPER, Prepare, make, ours
from harness.cell import Protocol
from harness.common.machine import cores

ROUNDS = 5
FIELDS: dict[str, tuple[int, ...]] = {
    "n_way": (5, 10, 20, 35, 50),
    "k_shot": (1, 2, 5, 10),
    "meta_batch": (4, 8, 16, 32),
    "inner_steps": (1, 2, 3, 5),
}
"""Fields of the protocol."""
PACKS = (1, 2, 4, 8)
"""Cells trained together: ours alone, because the libraries train one after the other."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One point of a curve."""

    varied: str
    """A field of the protocol, `threads` or `pack`."""
    value: int
    protocol: Protocol
    threads: int = 1
    cells: int = 1


def points(protocol: Protocol, cores: int) -> Iterator[Point]:
    """All points, curve by curve. Threads: 1, 2, 4, ... and all cores."""
    for field, values in FIELDS.items():
        for value in values:
            yield Point(varied=field, value=value, protocol=protocol.model_copy(update={field: value}))
    for count in sorted({2**k for k in range(cores.bit_length())} | {cores}):
        yield Point(varied="threads", value=count, protocol=protocol, threads=count)
    for cells in PACKS:
        yield Point(varied="pack", value=cells, protocol=protocol, cells=cells)


def measure(
    protocol: Protocol = PAPER,
    peer: tuple[str, Prepare] | None = None,
    peak_gflops: float | None = None,
    rounds: int = ROUNDS,
    say: Say = lambda line: None,
) -> list[dict[str, Any]]:
    """A row for each point and program: `varied`, `value`, `program`, the times of the whole call, and
    `floor_ms` on one thread (null: no peak given).

    peer: name and preparation of the program timed beside ours; None: ours alone.
    """
    rows = []
    for point in points(protocol, cores()):
        programs = {OURS: ours} | ({peer[0]: peer[1]} if peer and point.cells == 1 else {})
        with threads(point.threads):
            work = make(point.protocol, cells=point.cells)
            steps = {name: prepare(work).step for name, prepare in programs.items()}
            seconds = timing.interleaved(steps, rounds, warm_up=1)
        least = floor.floor_ms(point.protocol, peak_gflops) * point.cells if peak_gflops else None
        for name, measured in seconds.items():
            times = timing.summary(measured)
            row = {"varied": point.varied, "value": point.value, "program": name}
            rows.append({**row, **asdict(times), "floor_ms": least and round(least, 3)})
        say(f"{point.varied} {point.value}: {rows[-len(steps)]['median_ms']:.0f} ms")
    return rows
