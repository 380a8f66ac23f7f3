"""Throughput on a device, in cells x iterations per second: ours with a whole grid as one pack, the peers
with one cell after another, which is all they can do. Written for CUDA; runs on a CPU too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from itertools import groupby
from time import monotonic
from typing import Any

import torch

from harness import grids
from harness.bench import machine, parts, timing
from harness.bench.cpu import OURS, Contender, Say, compared, contenders, differences
from harness.bench.workload import PAPER, make
from harness.cell import Cell, Protocol, Question
from harness.common.errors import UserError
from harness.training import loop
from harness.training.conv4.gpu import SWITCH, operators, trouble
from harness.training.precision import check

ROUNDS = 10
SECONDS = 1.2
"""Of a program's rounds in one precision, garbage collection and what warms up apart: with ten peers, in two
precisions, 24."""
LIMIT = 150.0
"""Seconds of all: a part that may take longer is left out."""
ITERATIONS = 25
"""Of whole training, in the run that is timed: from one validation to the next."""
FEW = 5
"""Meta-gradients in which each operator is timed."""
ENGINE = "harness engine"
FUSED = "harness engine, fused"
"""The names of whole training in bench-gpu.json."""
PRECISIONS = ("float32", "tf32", "tf32x3")
"""Where the device has them. The peers have the first two."""

Keep = Callable[[dict[str, Any]], Any]
"""Takes the result as far as it is known: what is measured is kept whatever comes next."""


def fig2(protocol: Protocol = PAPER) -> list[Cell]:
    """The 185 cells of fig2, with the bench's protocol in place of theirs: the peers' network."""
    cells = grids.load("fig2", dataset=protocol.dataset).cells()
    return [cell.model_copy(update={"protocol": protocol}) for cell in cells]


def of_precision(cells: Sequence[Cell], precision: str) -> list[Cell]:
    """The same cells, multiplied so."""
    protocols = {cell.protocol: cell.protocol.model_copy(update={"precision": precision}) for cell in cells}
    return [cell.model_copy(update={"protocol": protocols[cell.protocol]}) for cell in cells]


def measure(
    cells: Sequence[Cell],
    device: str = "cuda",
    rounds: int = ROUNDS,
    iterations: int = ITERATIONS,
    only: Sequence[str] = (),
    say: Say = lambda line: None,
    keep: Keep = lambda result: None,
    limit: float = LIMIT,
) -> dict[str, Any]:
    """What bench-gpu.json holds. A row for each program and precision: milliseconds of a call, the cells in
    it, and their throughput. `cells`: of one protocol, trained as a pack for each method.
    """
    started, longest = monotonic(), 0.0
    protocol = cells[0].protocol
    programs, left_out = contenders(only)
    differing = max(differences(programs, protocol, device).values())
    say(f"{len(programs)} programs agree in float64 to {differing:.1e}")
    result: dict[str, Any] = {
        "machine": machine.facts(device),
        "versions": machine.versions(),
        "problem": protocol.label,
        "rounds": rounds,
        "engine_iterations": iterations,
        "programs": [],
        "throughput_ratios": {},
        "max_float64_difference": differing,
        "not_installed": left_out,
        "left_out": [],
    }

    def add(what: str, part: Callable[[], list[dict[str, Any]]]) -> None:
        """Unless there is no time for one more that takes as long as the longest so far."""
        nonlocal longest
        begun = monotonic()
        if begun - started + longest > limit:
            result["left_out"].append(what)
            say(f"{what}: left out, as {limit:.0f} seconds are not enough")
            return
        rows = part()
        longest = max(longest, monotonic() - begun)
        result["programs"] = sorted([*result["programs"], *rows], key=_place)
        result["throughput_ratios"] = _ratios(result["programs"], programs)
        keep(result)
        say(f"{what}: {rows[0]['cell_iterations_per_second']:.1f} cells x iterations per second")

    for precision, fuse in ways(protocol, device):
        some = {OURS: programs[OURS]} if precision == "tf32x3" else programs
        calls = partial(_calls, protocol, precision, len(cells), device, rounds, some)
        training = partial(_training, cells, precision, fuse, device, iterations)
        with _multiplying_in(precision), fusing(fuse):
            if not fuse:
                add(f"a call, {precision}", calls)
            add(f"whole training, {precision}{', fused' * fuse}", training)
    return result


def available(protocol: Protocol, device: str) -> list[str]:
    """The precisions in which it can be trained on the device."""
    found = []
    for precision in PRECISIONS:
        with suppress(UserError):
            check(protocol.model_copy(update={"precision": precision}), device)
            found.append(precision)
    return found


def operators_ms(cells: Sequence[Cell], device: str) -> dict[str, dict[str, float]]:
    """Where the time of a meta-gradient of all cells goes (see parts), in each precision, fused and not."""
    protocol, spent = cells[0].protocol, {}
    for precision, fuse in ways(protocol, device):
        same = protocol.model_copy(update={"precision": precision})
        table = operators(precision, fuse)
        spent[f"{precision}{', fused' * fuse}"] = parts.measure(same, FEW, device, len(cells), table)
    return spent


def ways(protocol: Protocol, device: str) -> list[tuple[str, bool]]:
    """The precisions that the device has, as they are; and fused, where it can be."""
    found = available(protocol, device)
    fused = [] if device == "cpu" or trouble() else [name for name in found if name != "tf32"]
    return [*((name, False) for name in found), *((name, True) for name in fused)]


@contextmanager
def fusing(fuse: bool) -> Iterator[None]:
    """Within this, operators on a GPU are fused or not."""
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "1" if fuse else "0"
    try:
        yield
    finally:
        del os.environ[SWITCH]
        if before is not None:
            os.environ[SWITCH] = before


def _place(row: dict[str, Any]) -> tuple[int, int]:
    """Precision by precision, ours first."""
    return PRECISIONS.index(row["precision"]), {OURS: 0, ENGINE: 1, FUSED: 2}.get(row["name"], 3)


def _training(
    cells: Sequence[Cell], precision: str, fuse: bool, device: str, iterations: int
) -> list[dict[str, Any]]:
    rate = engine_rate(of_precision(cells, precision), device, iterations)
    row = {"name": FUSED if fuse else ENGINE, "precision": precision, "cells": len(cells)}
    return [{**row, "cell_iterations_per_second": rate}]


def _ratios(rows: Sequence[dict[str, Any]], programs: dict[str, Contender]) -> dict[str, Any]:
    """For each precision the fastest peer, and our throughput over its, of a call and of whole training; None
    where one was not measured."""
    ratios = {}
    for precision in dict.fromkeys(row["precision"] for row in rows):
        rates = {
            row["name"]: row["cell_iterations_per_second"] for row in rows if row["precision"] == precision
        }
        engine, _ = rates.pop(ENGINE, None), rates.pop(FUSED, None)
        some = {name: programs[name] for name in rates}
        fastest = compared(some, {name: 1 / rate for name, rate in rates.items()})["fastest_peer"]
        ratios[precision] = {
            "fastest_peer": fastest,
            "ours_over_fastest_peer": round(rates[OURS] / rates[fastest], 3) if fastest else None,
            "engine_over_fastest_peer": round(engine / rates[fastest], 3) if fastest and engine else None,
        }
    return ratios


def _calls(
    protocol: Protocol, precision: str, cells: int, device: str, rounds: int, programs: dict[str, Any]
) -> list[dict[str, Any]]:
    """A row for each program, ours first: one meta-gradient of all cells, or of one for the peers."""
    protocol = protocol.model_copy(update={"precision": precision})
    sizes = {name: cells if name == OURS else 1 for name in programs}
    works = {size: make(protocol, device=device, cells=size) for size in set(sizes.values())}
    steps = {name: one.prepare(works[sizes[name]]).step for name, one in programs.items()}
    wait = partial(timing.synchronize, device)
    seconds = timing.interleaved(steps, rounds, synchronize=wait, seconds_each=SECONDS)
    rows = []
    for name, measured in seconds.items():
        times = timing.summary(measured)
        rate = round(sizes[name] / (times.median_ms / 1e3), 3)
        row = {"name": name, "precision": precision, "cells": sizes[name], "rounds": len(measured)}
        rows.append({**row, **asdict(times), "cell_iterations_per_second": rate})
    return rows


def engine_rate(cells: Sequence[Cell], device: str, iterations: int) -> float:
    """Cells x iterations per second of whole training: updates, validations and records included.

    It is the difference between a run of twice `iterations` and one of `iterations`, so that what happens
    once per run (loading, compiling, the first validation) is left out. Cells that diverge leave their pack,
    so iterations are counted from the records.
    """
    packs = [list(pack) for _, pack in groupby(cells, key=lambda cell: cell.method)]

    def run(budget: int) -> tuple[int, float]:
        question = Question(target_loss=None, max_iterations=budget)
        started = time.perf_counter()
        done = sum(
            record.header.iterations for pack in packs for record in loop.train(pack, question, device)
        )
        timing.synchronize(device)
        return done, time.perf_counter() - started

    run(2)  # to warm up
    (few, short), (many, long) = run(iterations), run(2 * iterations)
    return round((many - few) / (long - short), 3)


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
