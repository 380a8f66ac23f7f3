"""Run the bench and write its results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import grids, problems
from harness.bench import counts, cpu, curves, general, gpu, parts, peers
from harness.bench.cpu import Disagreement, Say
from harness.bench.workload import PAPER, SMALL
from harness.common.errors import UserError
from harness.common.files import figures, whole_files

__all__ = ["FOLDER", "Disagreement", "on_cpu", "on_gpu"]

FOLDER = "bench"
"""Within the results folder."""


def on_cpu(
    folder: Path, rounds: int | None, only: Sequence[str], quick: bool, with_curves: bool, say: Say
) -> Path:
    """Write bench.json, or quick.json for the small workload, into `folder`; returns its path.

    rounds: None: the usual number. Raises cpu.Disagreement; UserError for a peer that does not exist.
    """
    _check(only)
    protocol = SMALL if quick else PAPER
    result = cpu.measure(protocol, rounds or (3 if quick else cpu.ROUNDS), only, say)
    result["operators_ms"] = parts.measure(protocol)
    few = rounds or (1 if quick else None)
    result["general"] = [general.measure(part, few, only, quick, say) for part in general.PARTS]
    if with_curves:
        fastest = result["fastest_peer"]
        programs, _ = cpu.contenders(only)
        peer = (fastest, programs[fastest].prepare) if fastest else None
        count = 1 if quick else curves.ROUNDS
        result["curves"] = curves.measure(protocol, peer, result["peak_gflops"], count, say)
        result["curve_rounds"] = count
    return _write(folder / ("quick.json" if quick else "bench.json"), result)


def on_gpu(
    folder: Path, device: str, rounds: int | None, only: Sequence[str], quick: bool, full: bool, say: Say
) -> Path:
    """Write bench-gpu.json, or quick-gpu.json for some cells of the small workload; see on_cpu. It is written
    after each part, so that whatever ends the bench leaves what was measured.

    full: also where the time goes, a long run, and what each precision does to counts. UserError: their data
    set or the reference is missing.
    """
    _check(only)
    grid = grids.load(counts.GRID)
    if full:
        problems.check(grid.protocol)
        counts.reference(grid)
    cells = gpu.fig2(SMALL)[3:7] if quick else gpu.fig2()
    iterations = 2 if quick else gpu.ITERATIONS
    path = folder / ("quick-gpu.json" if quick else "bench-gpu.json")
    times = rounds or (3 if quick else gpu.ROUNDS)
    result = gpu.measure(cells, device, times, iterations, only, say, lambda part: _write(path, part))
    if full:
        result["operators_ms"] = gpu.operators_ms(cells, device)
        _write(path, result)
        result["long_run"] = counts.long_run(device, say)
        _write(path, result)
        counts.measure(grid, device, say, lambda rows: _write(path, result | {"counts": rows}))
        return path
    return _write(path, result)


def _check(only: Sequence[str]) -> None:
    for package in only:
        if package not in peers.LIBRARIES:
            raise UserError(f"--only {package}: unknown peer; the peers are {', '.join(peers.LIBRARIES)}")


def _write(path: Path, result: dict[str, Any]) -> Path:
    with whole_files([path], made_from=figures(path.with_suffix(""))) as (unfinished,):
        unfinished.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return path
