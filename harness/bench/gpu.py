"""Throughput on a device, in cells x iterations per second: ours with a whole grid as one pack, the peers
with one cell after another, which is all they can do. Written for CUDA; runs on a CPU too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from typing import Any

import torch

from harness import grids
from harness.bench import machine, timing
from harness.bench.cpu import OURS, Say, compared, contenders, differences
from harness.bench.workload import PAPER, make
from harness.cell import Cell, Protocol, Question
from harness.training import loop

ROUNDS = 10
ITERATIONS = 40
"""Of whole training, in the run that is timed."""
ENGINE = "harness engine"
"""The name of whole training in bench-gpu.json."""


def fig2(protocol: Protocol = PAPER) -> list[Cell]:
    """The 185 cells of fig2, with the bench's protocol in place of theirs: the peers' network."""
    cells = grids.load("fig2", dataset=protocol.dataset).cells()
    return [cell.model_copy(update={"protocol": protocol}) for cell in cells]


def measure(
    cells: Sequence[Cell],
    device: str = "cuda",
    rounds: int = ROUNDS,
    iterations: int = ITERATIONS,
    only: Sequence[str] = (),
    say: Say = lambda line: None,
) -> dict[str, Any]:
    """What bench-gpu.json holds. A row for each program and precision: milliseconds of a call, the cells in
    it, and their throughput. `cells`: of one protocol, trained as a pack for each method.
    """
    protocol = cells[0].protocol
    programs, left_out = contenders(only)
    differing = differences(programs, protocol, device)
    say(f"{len(programs)} programs agree in float64 to {max(differing.values()):.1e}")
    rows: list[dict[str, Any]] = []
    ratios = {}
    for precision in ("float32", "tf32") if device.startswith("cuda") else ("float32",):
        with _multiplying_in(precision):
            ours, *others = _calls(protocol, precision, len(cells), device, rounds, programs)
            engine_rate = _engine(cells, precision, device, iterations)
        trained = {"name": ENGINE, "precision": precision, "cells": len(cells)}
        rows += [ours, {**trained, "cell_iterations_per_second": engine_rate}, *others]
        rates = {row["name"]: row["cell_iterations_per_second"] for row in (ours, *others)}
        fastest = compared(programs, {name: 1 / rate for name, rate in rates.items()})["fastest_peer"]
        ratios[precision] = {
            "fastest_peer": fastest,
            "ours_over_fastest_peer": round(rates[OURS] / rates[fastest], 3) if fastest else None,
            "engine_over_fastest_peer": round(engine_rate / rates[fastest], 3) if fastest else None,
        }
        say(
            f"{precision}: {rates[OURS]:.1f} cells x iterations per second; whole training: {engine_rate:.1f}"
        )
    return {
        "machine": machine.facts(device),
        "versions": machine.versions(),
        "problem": protocol.label,
        "rounds": rounds,
        "engine_iterations": iterations,
        "programs": rows,
        "throughput_ratios": ratios,
        "max_float64_difference": max(differing.values()),
        "not_installed": left_out,
    }


def _calls(
    protocol: Protocol, precision: str, cells: int, device: str, rounds: int, programs: dict[str, Any]
) -> list[dict[str, Any]]:
    """A row for each program, ours first: one meta-gradient of all cells, or of one for the peers."""
    protocol = protocol.model_copy(update={"precision": precision})
    sizes = {name: cells if name == OURS else 1 for name in programs}
    works = {size: make(protocol, device=device, cells=size) for size in set(sizes.values())}
    steps = {name: one.prepare(works[sizes[name]]).step for name, one in programs.items()}
    seconds = timing.interleaved(steps, rounds, synchronize=lambda: _synchronize(device))
    rows = []
    for name, measured in seconds.items():
        times = timing.summary(measured)
        rate = round(sizes[name] / (times.median_ms / 1e3), 3)
        row = {"name": name, "precision": precision, "cells": sizes[name], **asdict(times)}
        rows.append({**row, "cell_iterations_per_second": rate})
    return rows


def _engine(cells: Sequence[Cell], precision: str, device: str, iterations: int) -> float:
    """Cells x iterations per second of whole training: updates, validations and records included.

    It is the difference between a run of twice `iterations` and one of `iterations`, so that what happens
    once per run (loading, compiling, the first validation) is left out. Cells that diverge leave their pack,
    so iterations are counted from the records.
    """
    same = cells[0].protocol.model_copy(update={"precision": precision})
    cells = [cell.model_copy(update={"protocol": same}) for cell in cells]
    packs = [list(pack) for _, pack in groupby(cells, key=lambda cell: cell.method)]

    def run(budget: int) -> tuple[int, float]:
        question = Question(target_loss=None, max_iterations=budget)
        started = time.perf_counter()
        done = sum(
            record.header.iterations for pack in packs for record in loop.train(pack, question, device)
        )
        _synchronize(device)
        return done, time.perf_counter() - started

    run(2)  # to warm up
    (few, short), (many, long) = run(iterations), run(2 * iterations)
    return round((many - few) / (long - short), 3)


def _synchronize(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


@contextmanager
def _multiplying_in(precision: str) -> Iterator[None]:
    """Matrix products and convolutions in float32 or TF32, for all programs alike."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]
