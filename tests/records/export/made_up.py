"""Tables by hand, as reference tables of a league are: the training loss of every iteration, validation at
iterations 1, 5 and 10, null between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from harness.records.export.asked import Asked
from harness.records.tables import Tables

BUDGET = 10
VALIDATED = (1, 5, 10)


def cell(
    seed: int = 0,
    method: str = "maml",
    changes: str = "{}",
    ending: str | None = "budget",
    ran: int = BUDGET,
    passage: int | None = None,
    target: float | None = None,
    **hyper: Any,
) -> dict[str, Any]:
    """A row of trials. Its id says what it is: `maml alpha0=1 {} 0`."""
    words = " ".join(f"{name}={value:g}" for name, value in hyper.items())
    outcome = "reached" if passage else ending
    return {
        "cell_id": f"{method} {words} {changes} {seed}",
        "method": method,
        "preset": "sinusoid",
        "changes": changes,
        "alpha0": None,
        "steps": None,
        **hyper,
        "seed": seed,
        "target_loss": target,
        "max_iterations": BUDGET,
        "outcome": None if outcome == "stopped" else outcome,
        "ending": ending,
        "iterations_to_target": passage,
        "iterations_to_target_sustained": None,
        "iterations_run": ran if ending else None,
        "wall_seconds": 2.0,
        "finished": "2026-11-28T00:00:10+00:00",
    }


def loss(trial: Mapping[str, Any], iteration: int) -> float:
    """The training loss: alpha0 + a tenth of the seed + a hundredth of the iteration. The validation loss is
    larger by 100."""
    return float(trial["alpha0"] + trial["seed"] / 10 + iteration / 100)


def made(*trials: Mapping[str, Any], validated: bool = True) -> Tables:
    rows = [
        {
            "cell_id": trial["cell_id"],
            "iteration": i,
            "alpha": 1.0,
            "train_loss": loss(trial, i),
            "val_loss": 100 + loss(trial, i)
            if validated and i in (*VALIDATED, trial["iterations_run"])
            else None,
        }
        for trial in trials
        if trial["outcome"] not in (None, "failed")
        for i in range(1, trial["iterations_run"] + 1)
    ]
    whole = ["seed", "max_iterations", "iterations_run", "steps"]
    whole += ["iterations_to_target", "iterations_to_target_sustained"]
    frame = pd.DataFrame(trials).astype(dict.fromkeys(whole, "Int64"))
    frame = frame.astype({"alpha0": float, "target_loss": float})
    curves = pd.DataFrame(rows).astype({"iteration": "Int64", "val_loss": float})
    return Tables(trials=frame, trajectories=curves, about={"grid": {"title": "Made up"}})


def asked(tables: Tables) -> Asked:
    return Asked(name="made-up", source="by hand", tables=tables)


def square(**more: Any) -> list[dict[str, Any]]:
    """Two settings of MAML, two seeds."""
    return [cell(seed, alpha0=alpha0, **more) for seed in (0, 1) for alpha0 in (1.0, 10.0)]
