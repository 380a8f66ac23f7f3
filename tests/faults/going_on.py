"""Sweeps that are killed in the middle of their runs, and go on: `python -m tests.faults.going_on`.

Each kill comes at a random moment of a sweep that writes checkpoints all the time. Then the same command goes
on. It is well survived if in the end all records have the numbers of an undisturbed sweep, and all weights,
bit for bit; if some run was really taken up again; and if nothing is left over.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from signal import SIGKILL
from typing import Any

from harness.records import checkpoint
from harness.records.store import Store
from tests.faults import processes

GRID = """
title: Going on
figure: {kind: losses}
protocol: {dataset: glyphs, n_way: 5, meta_batch: 2, layers: 2, filters: 4, validation_tasks: 2}
target_loss: null
max_iterations: 200
keep_weights: true
cells:
  - {method: alpha-maml, alpha0: 0.1, beta0: [1e-3, 1e-4], alpha_hyperlr: 1e-2, beta_hyperlr: 1e-5}
  - {method: meta-sgd, alpha0: 0.1, beta0: [1e-3, 1e-4]}
"""
CELLS, ITERATIONS = 4, 200
EVERY = {"HARNESS_CHECKPOINT_SECONDS": "0.05"}
KILLS, SEED = 20, 0
LONG_S = 180.0
Known = dict[str, tuple[Any, str]]
"""Cell id -> the rows of its record, and the digest of its weights' arrays."""


def survive(runner: str, victim: str, moment: float, folder: Path, undisturbed: Known) -> str:
    """Kill a sweep in the empty `folder` at a moment, as a share 0 ... 1 of its training, and let it go on.
    Returns what is wrong, or how far the furthest run was when it was taken up, after `ok: `.

    victim: `driver` or `worker`. A killed worker's cells are taken up by the same sweep.
    """
    words = [*command(folder), "--runner", runner]
    temporary = folder / "tmp"
    temporary.mkdir()
    environment = os.environ | EVERY | {"TMPDIR": str(temporary), "RAY_TMPDIR": str(temporary)}
    with (folder / "output").open("w") as output:
        driver = subprocess.Popen(
            words, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
        try:
            _wait_until(folder, moment, driver)
            pid = driver.pid if victim == "driver" else _worker(driver.pid)
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, SIGKILL)
            driver.wait(LONG_S)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(driver.pid, SIGKILL)
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"the same command ends with {done.returncode}: {done.stderr.strip()[-200:]}"
    return _wrong(folder, undisturbed)


def _wrong(folder: Path, undisturbed: Known) -> str:
    found = kept(folder)
    if found.keys() != undisturbed.keys():
        return f"{len(found)} cells in the end, not {len(undisturbed)}"
    if other := sum(found[i][0] != undisturbed[i][0] for i in found):
        return f"{other} records with other numbers"
    if other := sum(found[i][1] != undisturbed[i][1] for i in found):
        return f"{other} other weights"
    left = [path.name for path in (folder / "results/store/checkpoints").iterdir()]
    if left := [*left, *(path.name for path in (folder / "results").rglob("*.tmp"))]:
        return f"left over: {' '.join(left)}"
    taken_up = [at for header in headers(folder) for at in header.provenance.get("continued", ())]
    return f"ok: {max(taken_up, default=0)}"


def headers(folder: Path) -> list[Any]:
    """Of all records."""
    return [*Store(folder / "results").scan().headers.values()]


def kept(folder: Path) -> Known:
    """All records and weights."""
    store = Store(folder / "results")
    found = {}
    for cell_id, header in store.scan().headers.items():
        path = store.folder / "weights" / f"{cell_id}-{header.iterations}.safetensors"
        _, arrays = checkpoint.load(path.read_bytes())
        digest = str(sorted((name, one.tobytes().hex()) for name, one in arrays.items()))
        found[cell_id] = (store.read(cell_id).rows, digest)
    return found


def command(folder: Path) -> list[str]:
    """The sweep's command, with its grid's file and results in `folder`."""
    (folder / "going-on.yaml").write_text(GRID)
    path, results = str(folder / "going-on.yaml"), str(folder / "results")
    return [sys.executable, "-m", "harness", "sweep", path, "--results", results, "--jobs", "2"]


def undisturbed(folder: Path) -> Known:
    """What a sweep gives that nobody disturbs, and that writes no checkpoint."""
    subprocess.run([*command(folder), "--runner", "serial"], capture_output=True, check=True)
    return kept(folder)


def _wait_until(folder: Path, moment: float, driver: subprocess.Popen) -> None:
    """Wait until all runs together have come so far, as a share of their iterations, by their checkpoints."""
    end = time.monotonic() + LONG_S
    while time.monotonic() < end and driver.poll() is None:
        if _share(folder) >= moment:
            return
        time.sleep(0.02)


def _share(folder: Path) -> float:
    store = folder / "results/store"
    done = ITERATIONS * len(list(store.glob("*.parquet")))
    for path in store.glob("checkpoints/*.safetensors"):
        with contextlib.suppress(checkpoint.Damaged, OSError):
            about = checkpoint.read_about(path)
            done += (about.iteration - 1) * len(about.cells)
    return done / (ITERATIONS * CELLS)


def _worker(driver: int) -> int | None:
    """A worker of Ray."""
    children = processes.below(driver)
    return next((pid for pid, name in children.items() if "ray::Impl" in name), None)


def run(kills: int, seed: int = SEED) -> int:
    """As many kills of each runner at random moments, a line for each; returns how many went wrong."""
    draw = random.Random(seed)
    bad = 0
    with tempfile.TemporaryDirectory(prefix="g-") as parent:
        known = undisturbed(_made(Path(parent) / "undisturbed"))
        for number in range(2 * kills):
            runner = ("serial", "ray")[number % 2]
            victim = "worker" if number % 4 == 3 else "driver"
            moment = draw.uniform(0.0, 0.9)
            found = survive(runner, victim, moment, _made(Path(parent) / str(number)), known)
            bad += not found.startswith("ok")
            said = found.replace("ok:", "nothing lost or changed; taken up at iteration")
            print(f"[{number + 1:2}/{2 * kills}] {runner:6} {victim:6} at {moment:4.0%}: {said}", flush=True)
    print(f"{2 * kills} kills of runs that go on, {bad} of them not well survived", flush=True)
    return bad


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def main() -> int:
    """Some kills: 1 if one was not well survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.going_on")
    parser.add_argument("--kills", type=int, default=KILLS, help="of each runner")
    parser.add_argument("--seed", type=int, default=SEED, help="of the moments")
    given = parser.parse_args()
    return int(bool(run(given.kills, given.seed)))


if __name__ == "__main__":
    sys.exit(main())
