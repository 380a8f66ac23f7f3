"""Hand-made runs with rates, validation and provenance, for the claims that are not about counts."""

from __future__ import annotations

import math

import pandas as pd

from harness.paper.reading import MAIN, Facts, Records
from tests.readings import TRAJECTORIES, TRIALS

NO_FACTS = Facts(cost=None, noise=None, data=None)
BUDGET = 20
TUNED, UNTUNED = (1e-1, 1e-3), (1e-4, 1e-6)


def run(
    pair, hyper=None, losses=(3.0,) * BUDGET, val=None, seed=0, ending="budget", alpha=None, beta=None, **more
) -> tuple[dict, list[dict]]:
    """One cell's trial and rows. `losses` None: not run. `val`: the last row's, default its training loss."""
    method = "maml" if hyper is None else "alpha-maml"
    cell = f"{method} {pair} {hyper} {seed}"
    trial = dict.fromkeys(TRIALS) | {
        "cell_id": cell,
        "method": method,
        "alpha0": pair[0],
        "beta0": pair[1],
        "alpha_hyperlr": math.nan if hyper is None else hyper[0],
        "beta_hyperlr": math.nan if hyper is None else hyper[1],
        "seed": seed,
        "max_iterations": BUDGET,
        "target_loss": math.nan,
    }
    if losses is None:
        return trial | more, []
    rows = [
        {
            "cell_id": cell,
            "iteration": i,
            "alpha": pair[0],
            "beta": pair[1] if i < len(losses) else math.nan,
            "train_loss": loss,
            "train_accuracy": 0.5,
            "val_loss": math.nan if i < len(losses) else (losses[-1] if val is None else val),
            "val_accuracy": math.nan if i < len(losses) else 0.5,
        }
        for i, loss in enumerate(losses, 1)
    ]
    outcome = {
        "outcome": "budget",
        "ending": ending,
        "iterations_run": len(losses),
        "final_alpha": pair[0] if alpha is None else alpha,
        "final_beta": pair[1] if beta is None else beta,
    }
    same = {"numerics": 2, "device": "cpu (x)", "threads": 1, "pack_size": 1, "torch": "2.13.0"}
    return trial | outcome | same | more, rows


def records(*runs, reading=MAIN) -> Records:
    rows = [row for _, its in runs for row in its]
    return Records(
        reading=reading,
        trials=pd.DataFrame([trial for trial, _ in runs], columns=list(TRIALS)),
        trajectories=pd.DataFrame(rows, columns=list(TRAJECTORIES)),
    )


def verdicts(judged):
    """Strict and weak."""
    return judged.strict.verdict, judged.weak.verdict
