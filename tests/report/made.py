"""Made-up tables, and what a page made of them says, for the tests of the report."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from gzip import decompress
from typing import Any

import numpy as np
import pandas as pd

from harness.records.passages import first_passage, outcome, sustained_passage
from harness.records.schema import INTEGER, NUMBER, TEXT
from harness.records.tables import Tables
from tests.readings import TRAJECTORIES, TRIALS, reading


def tables(
    runs: dict[str, tuple[list[float], str | None]],
    settings: dict[str, tuple[float, float]],
    figure: dict[str, Any] | None = None,
    target: float | None = 2.0,
    budget: int = 30,
    title: str = "Made up",
) -> Tables:
    """Tables of MAML's runs. `runs`: cell id -> training losses and ending; ids are <setting><seed>, as in
    a0. `settings`: by the first letter of an id, alpha0 and beta0."""
    rows, curves = [], []
    for cell_id, (losses, ending) in runs.items():
        alpha0, beta0 = settings[cell_id[0]]
        ran = ending is not None
        rows.append(
            {
                **dict.fromkeys(TRIALS),
                **{"cell_id": cell_id, "method": "maml", "problem": "few-shot", "dataset": "omniglot"},
                **reading("paper-adam"),
                "n_way": 20,
                **{"alpha0": alpha0, "beta0": beta0, "seed": int(cell_id[1:]), "target_loss": target},
                "max_iterations": budget,
                "outcome": outcome(losses, ending, len(losses) if ran else None, target, budget),
                "ending": ending,
                "iterations_to_target": None if target is None else first_passage(losses, target),
                "iterations_to_target_sustained": None
                if target is None
                else sustained_passage(losses, target),
                "iterations_run": len(losses) if ran else None,
                "final_train_loss": losses[-1] if losses else None,
                "device": "a device" if ran else None,
            }
        )
        curves += [
            {
                **{"cell_id": cell_id, "iteration": i + 1, "train_loss": loss},
                "val_loss": loss + 1 if i % 5 == 0 else None,
            }
            for i, loss in enumerate(losses)
        ]
    kinds = {INTEGER: "Int64", NUMBER: "float64", TEXT: "object"}
    trials = pd.DataFrame(rows).astype({name: kinds[column.type] for name, column in TRIALS.items()})
    trajectories = pd.DataFrame(curves, columns=[*TRAJECTORIES]).astype(
        {"train_loss": float, "val_loss": float}
    )
    grid = {
        **{"name": "made-up", "title": title, "target_loss": target, "max_iterations": budget},
        "figure": figure or {"kind": "losses", "rest": "median"},
    }
    about = {"grid": grid, "origins": []}
    return Tables(trials=trials, trajectories=trajectories, about=about, columns=(TRIALS, TRAJECTORIES))


def content(page: str) -> dict[str, Any]:
    """The JSON that a page carries."""
    (found,) = re.findall(r'<script type="application/json" id="content">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)


def block(page: str) -> bytes:
    """The bytes that a page carries, unpacked."""
    (found,) = re.findall(r'id="block">(.*?)</script>', page, re.DOTALL)
    return decompress(b64decode(found))


def array(carried: bytes, reference: dict[str, Any]) -> np.ndarray:
    """An array of a block: its bytes stand there in planes."""
    kind = np.dtype(f"<{reference['type']}")
    size = reference["length"] * kind.itemsize
    planes = np.frombuffer(carried, np.uint8, size, reference["at"])
    whole = np.ascontiguousarray(planes.reshape(kind.itemsize, reference["length"]).T)
    return whole.reshape(-1).view(kind)
