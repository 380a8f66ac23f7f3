"""A sweep whose cells take next to no time beside a run of Ray Tune that does nothing."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import median
from typing import Any

from harness import grids
from harness.bench.commands import run
from harness.common import places
from harness.common.machine import cores
from harness.records.store import Store

LIMIT_S = 2.0
"""How much longer the sweep may be."""

# As many trials and workers as a sweep of `quick`, on a Ray that is started as ours is, but nothing in them.
EMPTY = """
import logging, os, sys, tempfile
from harness.sweeping.supervisor import QUIET
os.environ.update(QUIET)
import ray
from ray import tune
def nothing(config):
    return {"done": True}
with tempfile.TemporaryDirectory(prefix="harness-", dir="/tmp") as folder:
    ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR,
             num_cpus=int(sys.argv[1]), num_gpus=0, object_store_memory=200 * 2**20, _temp_dir=folder)
    tune.Tuner(
        tune.with_resources(nothing, {"cpu": 1.0, "gpu": 0.0}),
        param_space={"trial": tune.grid_search(list(range(int(sys.argv[2]))))},
        tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=int(sys.argv[1])),
        run_config=tune.RunConfig(name="empty", storage_path=folder + "/tune", verbose=0),
    ).fit()
    ray.shutdown()
"""


def fixed(folder: Path, repeats: int) -> dict[str, Any]:
    """A sweep of `quick` whose cells end after one iteration, beside an empty run of Ray Tune, by turns."""
    jobs = cores()
    text = (places.SWEEPS / "quick.yaml").read_text("utf-8")
    grid = folder / "nothing.yaml"
    folder.mkdir(parents=True)
    grid.write_text(re.sub(r"(?m)^max_iterations: \d+", "max_iterations: 1", text), "utf-8")
    cells = len(grids.load(str(grid)).cells())
    empty, whole, above = [], [], []
    for k in range(repeats):
        empty.append(round(run(["-c", EMPTY, str(jobs), str(cells)])[0], 2))
        results = folder / f"{k}"
        words = ["-m", "harness", "sweep", str(grid), "--jobs", str(jobs), "--results", str(results)]
        whole.append(round(run(words)[0], 2))
        headers = Store(results).scan().headers.values()
        training = sum(header.provenance["wall_seconds"] for header in headers)
        above.append(round(whole[-1] - training / jobs - empty[-1], 2))
    return {
        "cells": cells,
        "workers": jobs,
        "empty_s": empty,
        "sweep_s": whole,
        "above_empty_s": above,
        "median_s": round(median(above), 2),
        "limit_s": LIMIT_S,
    }
