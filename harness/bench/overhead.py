"""What a sweep costs beside its training: time of the commands, time of the driver, memory of the driver.

`python -m harness.bench.overhead` writes results/bench/overhead.json. Every time is that of a whole command
in a fresh process, interpreter and imports included. The large stores are made of records of the real kind
with made-up losses, in a temporary folder. `--quick` takes small numbers of everything, to see that it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import numpy as np

from harness import grids, records
from harness.cell import Cell, Question
from harness.common import places
from harness.records import Progress, Record, Row
from harness.records.store import Store
from harness.sweeping.runner import Driver, Machine, Pack
from harness.sweeping.sweep import Request, available_cores, sweep

FIGURES = ("fig1", "fig2", "fig3")
PART = (
    *("fig2", "--where", "method=alpha-maml,alpha0=1e-4,alpha_hyperlr=10,beta_hyperlr=1e-5"),
    *("--seeds", "0-7"),
)
"""Eight cells of much the same length: a part in which one cell takes most of the time measures that cell."""
LIMITS = {"status": 3.0, "resume": 10.0, "plots": 15.0}
"""Seconds, for the stores of the full size."""
SHARE, FIXED = 1.05, 15.0
"""A sweep may take SHARE x (its cells' own seconds / workers) + FIXED seconds."""
ORIGIN = {
    "wall_seconds": 300.0,
    "device": "cpu (made up)",
    "threads": 1,
    "pack_size": 1,
    "versions": {"harness": "0", "python": "3", "torch": "2", "commit": "0123456789ab"},
    "dataset_sha256": "0" * 64,
    "finished": "2026-01-01T00:00:00+00:00",
}


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of everything."""

    records: int
    """Of the large store."""
    seeds: tuple[int, ...]
    """How many seeds the figures are drawn with."""
    sweeps: dict[str, list[str]]
    """Name -> words of the command after `sweep`."""
    memory: tuple[tuple[int, int], ...]
    """(records, rows of each) that the driver stores."""
    repeats: int


# Until a resumed sweep knows what to run, and until it would submit the first trial. The process then ends.
_PLANNED = """
import os
from harness import cli
def reached(packs, *more):
    print(len(packs), flush=True)
    os._exit(0)
cli.sweep._runner = lambda name: reached
cli.main()
"""
_SUBMITTED = """
import os
from harness import cli
from harness.sweeping import raytune
def reached(packs, *more):
    print(len(packs), flush=True)
    os._exit(0)
raytune._fit = reached
cli.main()
"""


def record(cell: Cell, rows: int) -> Record:
    """A record of `cell` that went to a budget of `rows`, with made-up losses, validated as usual."""
    losses = np.random.default_rng(cell.seed).normal(2.8, 0.1, rows).tolist()
    made = [
        Row(
            iteration=i,
            alpha=0.1 + 1e-5 * i,
            beta=1e-3,
            train_loss=loss,
            train_accuracy=0.2,
            **({"val_loss": 2.9, "val_accuracy": 0.15} if i == 1 or i % 25 == 0 else {}),
        )
        for i, loss in enumerate(losses, 1)
    ]
    return records.make(cell, "budget", made, ORIGIN)


def fill(results: Path, cells: Sequence[Cell], rows: int) -> None:
    """Put a record of each cell into the store. Cells of one seed share their made-up rows."""
    store, made = Store(results), dict[int, Record]()
    for cell in cells:
        if cell.seed not in made:
            made[cell.seed] = record(cell, rows)
        store.put(records.dump(_of(cell, made[cell.seed])))


def _of(cell: Cell, made: Record) -> Record:
    return replace(made, header=replace(made.header, cell=cell))


def run(words: Sequence[str]) -> tuple[float, str]:
    """Seconds that a fresh Python takes for `words`, and what it prints. RuntimeError if it fails."""
    began = monotonic()
    done = subprocess.run([sys.executable, *words], cwd=places.ROOT, capture_output=True, text=True)
    took = monotonic() - began
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)[-200:]}: {done.stdout[-500:]}{done.stderr[-2000:]}")
    return took, done.stdout


def repeated(words: Sequence[str], repeats: int) -> dict[str, Any]:
    """Some runs' times and their median, s."""
    times = [round(run(words)[0], 3) for _ in range(repeats)]
    return {"median_s": median(times), "all_s": times}


def large_store(size: Size, dataset: str, folder: Path) -> dict[str, Any]:
    """`status`, and the start of a sweep that goes on, over a store of size.records."""
    grid = grids.load("fig2", dataset=dataset)
    one = len(grid.cells([0]))
    seeds = size.records // one + 1  # the last one is missing, in part or whole
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
    """`make plots` of the three figures, whole, for some numbers of seeds."""
    found = []
    for seeds in size.seeds:
        results = folder / f"{seeds}"
        cells = [cell for name in FIGURES for cell in grids.load(name, dataset=dataset).cells(range(seeds))]
        unique = list({cell.cell_id: cell for cell in cells}.values())
        fill(results, unique, grids.load("fig2").max_iterations)
        words = ["-m", "harness", "plot", *FIGURES, "--dataset", dataset, "--results", str(results)]
        found.append({"seeds": seeds, "records": len(unique), "limit_s": LIMITS["plots"]})
        found[-1] |= repeated(words, size.repeats)
    return found


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
    found: dict[str, list[dict[str, float]]] = {}
    jobs = available_cores()
    for name, words in size.sweeps.items():
        for k in range(size.repeats):
            results = folder / f"{name}-{k}"
            more = ["--jobs", str(jobs), "--results", str(results)]
            wall, _ = run(["-m", "harness", "sweep", *words, *more])
            headers = Store(results).scan().headers.values()
            own = sum(header.provenance["wall_seconds"] for header in headers)
            found.setdefault(name, []).append(overhead(wall, own, jobs) | {"cells": len(headers)})
    return found


def memory(size: Size, folder: Path) -> list[dict[str, float]]:
    """The peak of a driver that is handed records and makes the tables, by their number and length."""
    found: list[dict[str, float]] = []
    for count, rows in size.memory:
        words = ["-c", _STORED, str(count), str(rows), str(folder / f"{count}x{rows}")]
        _, printed = run(words)
        found.append({"records": count, "rows": rows, "peak_mib": float(printed)})
    return found


_STORED = """
import sys
from pathlib import Path
from harness.bench.overhead import peak_mib, store_many
store_many(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
print(peak_mib())
"""


def store_many(count: int, rows: int, results: Path) -> None:
    """Drive a sweep whose runner hands over `count` records of `rows` rows, tables included."""
    grid = grids.load("fig2", dataset="glyphs").model_copy(update={"max_iterations": rows})
    seeds = tuple(range(-(-count // len(grid.cells([0])))))
    content = records.dump(record(grid.cells([0])[0], rows))

    def runner(packs: Sequence[Pack], question: Question, machine: Machine, driver: Driver) -> None:
        for (cell,) in packs[:count]:
            driver.record(records.dump(_of(cell, records.load(content))))

    machine = Machine(device="cpu", jobs=1)
    sweep(Request(grid=grid, results=results, machine=machine, seeds=seeds), runner, _Quiet())


def peak_mib() -> float:
    """The most memory that this process has had at a time, resident. On Linux that of its parent, which
    getrusage passes on to a child, is left out."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return round(int(line.split()[1]) / 1024, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 1)  # bytes on macOS


class _Quiet:
    """A display that shows nothing."""

    def note(self, text: str) -> None: ...

    def begin(self, total: int, done: int, jobs: int) -> None: ...

    def progress(self, now: list[Progress]) -> None: ...

    def record(self, record: Record, question: Question) -> None: ...

    def end(self) -> None: ...


FULL = Size(
    records=10_000,
    seeds=(1, 5),
    sweeps={"quick": ["quick"], "part of fig2": [*PART]},
    memory=((100, 500), (1000, 500), (100, 5000), (1000, 5000)),
    repeats=3,
)
QUICK = Size(
    records=200,
    seeds=(1,),
    sweeps={"two cells of quick": ["quick", "--where", "method=maml"]},
    memory=((10, 100), (10, 1000)),
    repeats=1,
)
PARTS = ("store", "plots", "sweeps", "memory")


def measure(size: Size, dataset: str, parts: Sequence[str], folder: Path) -> dict[str, Any]:
    """The parts asked for; the stores lie in `folder`."""
    from harness.bench import machine  # late: torch, which a child that is measured has no need of

    swept = replace(
        size,
        sweeps={
            name: [*words, "--dataset", dataset] if words[0] != "quick" else words
            for name, words in size.sweeps.items()
        },
    )
    found: dict[str, Any] = {"machine": machine.facts("cpu"), "versions": machine.versions()}
    found["dataset"] = dataset
    measured = {
        "store": lambda: large_store(size, dataset, folder / "store"),
        "plots": lambda: plots(size, dataset, folder / "plots"),
        "sweeps": lambda: sweeps(swept, folder / "sweeps"),
        "memory": lambda: memory(size, folder / "memory"),
    }
    for part in parts:
        found[part] = measured[part]()
        print(json.dumps({part: found[part]}, indent=1), flush=True)
    found["load_at_end"] = [round(one, 2) for one in os.getloadavg()]
    return found


def main() -> None:
    """Measure and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small numbers of everything")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--dataset", choices=grids.datasets(), help="omniglot if it is there, else glyphs")
    parser.add_argument("--out", type=Path, default=places.RESULTS / "bench" / "overhead.json")
    asked = parser.parse_args()
    dataset = asked.dataset or ("omniglot" if os.environ.get("OMNIGLOT_ROOT") else "glyphs")
    with tempfile.TemporaryDirectory(prefix="harness-overhead-") as folder:
        found = measure(QUICK if asked.quick else FULL, dataset, asked.only, Path(folder))
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(found, indent=1) + "\n")
    print(f"wrote {asked.out}")


if __name__ == "__main__":
    main()
