"""What a sweep costs besides its training: time of the commands, time of the driver, memory of the driver.

`python -m harness.bench.overhead` writes results/bench/overhead.json. Every time is that of a whole command
in a fresh process, interpreter and imports included. The large stores hold made-up records (made_up.py), in a
temporary folder. `--quick` takes small numbers of everything, to see that it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness import grids
from harness.bench.commands import repeated, run
from harness.bench.made_up import fill
from harness.common import places
from harness.common.files import write_whole
from harness.common.machine import cores
from harness.records.store import Store

FIGURES = ("fig1", "fig2", "fig3")
PART = (
    *("fig2", "--where", "method=alpha-maml,alpha0=1e-4,alpha_hyperlr=10,beta_hyperlr=1e-5"),
    *("--seeds", "0-7"),
)
"""Eight cells of much the same length: if one cell took most of the time, only that cell would be
measured."""
LIMITS = {"status": 1.5, "resume": 10.0, "plots": 15.0, "claims": 5.0}
"""Seconds, for stores of the full size. plots: also those of all reference grids."""
SHARE, FIXED = 1.05, 15.0
"""A sweep may take SHARE x (its cells' own seconds / workers) + FIXED seconds."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of everything."""

    records: int
    """In the large store."""
    seeds: tuple[int, ...]
    """Numbers of seeds that the figures are drawn with."""
    sweeps: dict[str, list[str]]
    """Name -> words of the command after `sweep`."""
    memory: tuple[tuple[int, int], ...]
    """(records, rows of each) that the driver stores."""
    repeats: int
    pairs: int
    """Of runs with and without checkpoints."""


# A resumed sweep until it knows what to run, and until it would submit the first trial. Then it ends.
_PLANNED = """
import os
from harness import cli
from harness.cli import sweep
def reached(packs, *more):
    print(len(packs), flush=True)
    os._exit(0)
sweep._runner = lambda *asked: reached
cli.main()
"""
_SUBMITTED = """
import os
from harness import cli
from harness.cli import sweep
from harness.sweeping import supervisor
supervisor.PROGRAM = '''
import sys, time
from harness.sweeping import raytune
def reached(packs, *more):
    raytune._current.send("ended", len(packs))
    time.sleep(60)
raytune._fit = reached
raytune.serve(int(sys.argv[1]))
'''
def reached(*asked):
    print(supervisor.run(*asked), flush=True)
    os._exit(0)
sweep._runner = lambda *asked: reached
cli.main()
"""


def large_store(size: Size, dataset: str, folder: Path) -> dict[str, Any]:
    """`status`, and the start of a resumed sweep, with a store of size.records."""
    grid = grids.load("fig2", dataset=dataset)
    per_seed = len(grid.cells([0]))
    seeds = size.records // per_seed + 1  # the last one is missing, in part or whole
    cells = grid.cells(range(seeds))
    fill(folder, cells[: size.records], grid.max_iterations)
    command = ["sweep", "fig2", "--dataset", dataset, "--seeds", f"0-{seeds - 1}", "--results", str(folder)]
    return {
        "records": min(size.records, len(cells)),
        "status": repeated(["-m", "harness", "status", "--results", str(folder)], size.repeats),
        "resume_until_planned": repeated(["-c", _PLANNED, *command], size.repeats),
        "resume_until_first_trial": repeated(["-c", _SUBMITTED, *command], size.repeats),
        "limits_s": {"status": LIMITS["status"], "resume": LIMITS["resume"]},
    }


def plots(size: Size, dataset: str, folder: Path) -> list[dict[str, Any]]:
    """`make plots` for the three figures, for some numbers of seeds."""
    rows = []
    for seeds in size.seeds:
        results = folder / f"{seeds}"
        cells = [cell for name in FIGURES for cell in grids.load(name, dataset=dataset).cells(range(seeds))]
        unique = list({cell.cell_id: cell for cell in cells}.values())
        fill(results, unique, grids.load("fig2").max_iterations)
        words = ["-m", "harness", "plot", *FIGURES, "--dataset", dataset, "--results", str(results)]
        row = {"seeds": seeds, "records": len(unique), "limit_s": LIMITS["plots"]}
        rows.append(row | repeated(words, size.repeats))
    return rows


def overhead(wall_s: float, cells_s: float, workers: int) -> dict[str, float]:
    """A sweep's wall time beside its limit, s."""
    limit = SHARE * cells_s / workers + FIXED
    return {
        "wall_s": round(wall_s, 2),
        "cells_s": round(cells_s, 2),
        "workers": workers,
        "overhead_s": round(wall_s - cells_s / workers, 2),
        "limit_s": round(limit, 2),
    }


def sweeps(size: Size, folder: Path) -> dict[str, list[dict[str, float]]]:
    """Whole sweeps: the command's time beside the sum of its records' own."""
    measured: dict[str, list[dict[str, float]]] = {}
    jobs = cores()
    for name, words in size.sweeps.items():
        for k in range(size.repeats):
            results = folder / f"{name}-{k}"
            more = ["--jobs", str(jobs), "--results", str(results)]
            wall, _ = run(["-m", "harness", "sweep", *words, *more])
            headers = Store(results).scan().headers.values()
            training = sum(header.provenance["wall_seconds"] for header in headers)
            measured.setdefault(name, []).append(overhead(wall, training, jobs) | {"cells": len(headers)})
    return measured


def of_reference(size: Size, folder: Path) -> dict[str, Any]:
    """The figures of all reference grids, and the claims, without records of one's own."""
    measured: dict[str, Any] = {}
    for name, command in (("plots", "plot"), ("claims", "claims")):
        words = ["-m", "harness", command, "--results", str(folder / command)]
        measured[name] = repeated(words, size.repeats) | {"limit_s": LIMITS[name]}
    return measured


def memory(size: Size, folder: Path) -> list[dict[str, float]]:
    """The peak of a driver that is handed records and makes the tables, by their number and length."""
    peaks: list[dict[str, float]] = []
    for count, rows in size.memory:
        words = ["-c", _STORED, str(count), str(rows), str(folder / f"{count}x{rows}")]
        _, printed = run(words)
        peaks.append({"records": count, "rows": rows, "peak_mib": float(printed)})
    return peaks


_STORED = """
import sys
from pathlib import Path
from harness.bench.made_up import store_many
from harness.bench.overhead import peak_mib
store_many(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
print(peak_mib())
"""


def peak_mib() -> float:
    """The most resident memory that this process has had at a time. On Linux without that of its parent,
    which getrusage would report for a child too."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text("utf-8").splitlines() if line.startswith("VmHWM:"))
        return round(int(line.split()[1]) / 1024, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 1)  # bytes on macOS


FULL = Size(
    records=10_000,
    seeds=(1, 5),
    sweeps={"quick": ["quick"], "part of fig2": [*PART]},
    memory=((100, 500), (1000, 500), (100, 5000), (1000, 5000)),
    repeats=3,
    pairs=9,
)
QUICK = Size(
    records=200,
    seeds=(1,),
    sweeps={"two cells of quick": ["quick", "--where", "method=maml"]},
    memory=((10, 100), (10, 1000)),
    repeats=1,
    pairs=1,
)
PARTS = ("store", "plots", "reference", "fixed", "sweeps", "memory", "checkpoints")


def measure(size: Size, dataset: str, parts: Sequence[str], folder: Path) -> dict[str, Any]:
    """The parts asked for; the stores are made in `folder`."""
    from harness.bench import (  # late: it loads torch, which a measured child does not need
        empty,
        keeping,
        machine,
    )

    swept = replace(
        size,
        sweeps={
            name: [*words, "--dataset", dataset] if words[0] != "quick" else words
            for name, words in size.sweeps.items()
        },
    )
    result: dict[str, Any] = {"machine": machine.facts("cpu"), "versions": machine.versions()}
    result["dataset"] = dataset
    by_part = {
        "store": lambda: large_store(size, dataset, folder / "store"),
        "plots": lambda: plots(size, dataset, folder / "plots"),
        "reference": lambda: of_reference(size, folder / "reference"),
        "fixed": lambda: empty.fixed(folder / "fixed", size.repeats),
        "sweeps": lambda: sweeps(swept, folder / "sweeps"),
        "memory": lambda: memory(size, folder / "memory"),
        "checkpoints": lambda: keeping.checkpoints(size.pairs),
    }
    for part in parts:
        result[part] = by_part[part]()
        print(json.dumps({part: result[part]}, indent=1), flush=True)
    result["load_at_end"] = [round(load, 2) for load in os.getloadavg()]
    return result


def main() -> None:
    """Measure and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small numbers of everything")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--dataset", choices=grids.datasets(), help="omniglot if it is there, else glyphs")
    parser.add_argument("--out", type=Path, default=places.RESULTS / "bench" / "overhead.json")
    asked = parser.parse_args()
    dataset = asked.dataset or ("omniglot" if os.environ.get("OMNIGLOT_ROOT") else "glyphs")
    with tempfile.TemporaryDirectory(prefix="harness-overhead-") as folder:
        result = measure(QUICK if asked.quick else FULL, dataset, asked.only, Path(folder))
    write_whole(asked.out, lambda path: path.write_text(json.dumps(result, indent=1) + "\n", "utf-8"))
    print(f"wrote {asked.out}")


if __name__ == "__main__":
    main()
