"""The tables of docs/reproduction.md: of the reference records and nothing else, as Markdown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from harness import evidence, frames, places, reference
from harness.analysis import noise, rounding
from harness.analysis.claims import judge
from harness.analysis.claims.definitions import BUDGET, DIAGONALS, TARGETS, TUNED, at
from harness.analysis.claims.sentences import CLAIMS
from harness.analysis.passages import WINDOW, first_passage, sustained_passage
from harness.analysis.summary import numbers

PAIRS = DIAGONALS["paper-adam"]
MIDDLE = (1e-1, 1e-6)
"""Hyper-rates at which the page follows the rates: in the middle of Figure 2."""
NONE = "\N{EN DASH}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def read(grid: str) -> frames.Tables:
    """A grid's reference tables."""
    return frames.read(places.REFERENCE / grid)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Row by row, a value that is missing as None."""
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _hyper(row: dict[str, Any]) -> str:
    return NONE if row["alpha_hyperlr"] is None else at((row["alpha_hyperlr"], row["beta_hyperlr"]))


def _from(row: dict[str, Any]) -> str:
    return at((row["alpha0"], row["beta0"]))


def _count(first: int | None, sustained: int | None) -> str:
    """`155 (180)`: first passage and, in brackets, the sustained one."""
    return f"{NONE if first is None else first} ({NONE if sustained is None else sustained})"


def _counts(row: dict[str, Any]) -> str:
    return _count(row["iterations_to_target"], row["iterations_to_target_sustained"])


def _losses(tables: frames.Tables, cell_id: str) -> np.ndarray:
    return numbers(tables.trajectories.loc[tables.trajectories["cell_id"] == cell_id, "train_loss"])


def _cells(trials: pd.DataFrame, method: str, pair: tuple[float, float]) -> pd.DataFrame:
    """Those of a method from a pair of initial rates that were run."""
    alpha0, beta0 = pair
    same = (trials["method"] == method) & (trials["alpha0"] == alpha0) & (trials["beta0"] == beta0)
    return trials[same & trials["outcome"].notna()]


def _pair(pair: tuple[float, float]) -> str:
    return at(pair) + ", tuned" * (pair == TUNED)


def records() -> str:
    """What was run, grid by grid."""
    rows = []
    for name, folder in reference.grids().items():
        trials = frames.read(folder, curves=False).trials
        done = trials[trials["outcome"].notna()]
        hours = numbers(done["wall_seconds"]) @ numbers(done["threads"]) / 3600
        seeds = ", ".join(map(str, sorted(trials["seed"].unique())))
        rows.append(
            [
                f"[`{name}`](../results/reference/{name}/README.md)",
                f"{len(done)} of {len(trials)}",
                seeds,
                int(numbers(done["iterations_run"]).sum()),
                f"{hours:.2f}",
                ", ".join(sorted(done["device"].dropna().unique())),
            ]
        )
    return table(["grid", "cells run", "seeds", "iterations", "core-hours", "machine"], rows)


def maml() -> str:
    """MAML's counts by both targets, and how low each run came."""
    low, high = read("fig2"), read("fig3")
    by_cell = {row["cell_id"]: row for row in _rows(high.trials)}
    rows = []
    for pair in PAIRS:
        for one in _rows(_cells(low.trials, "maml", pair)):
            losses = _losses(low, one["cell_id"])
            counts = _counts(one), _counts(by_cell[one["cell_id"]])
            rows.append([_pair(pair), one["seed"], *counts, f"{losses.min():.3f}", len(losses)])
    head = ["(alpha0, beta0)", "seed", "to 2.5", "to 2.99", "lowest loss, nats", "iterations run"]
    return table(head, rows)


def panels() -> str:
    """Alpha-MAML from each pair: how many choices of the hyper-rates pass, and how fast."""
    rows = []
    for grid, target in (("fig2", 2.5), ("fig3", 2.99)):
        trials = read(grid).trials
        for pair in PAIRS:
            cells = _cells(trials, "alpha-maml", pair)
            asked = ((trials["method"] == "alpha-maml") & (trials["alpha0"] == pair[0])).sum()
            counts = np.nan_to_num(numbers(cells["iterations_to_target"]), nan=np.inf)
            middle = np.median(counts) if len(counts) else np.nan
            rows.append(
                [
                    f"{target:g}",
                    _pair(pair),
                    f"{len(cells)} of {asked}",
                    int(np.isfinite(counts).sum()),
                    int(cells["iterations_to_target_sustained"].notna().sum()),
                    f"{counts.min():.0f}" if np.isfinite(counts).any() else NONE,
                    f"{middle:.0f}" if np.isfinite(middle) else f"over {BUDGET}",
                ]
            )
    head = ["target", "(alpha0, beta0)", "cells run", "reached", "sustained", "least", "median"]
    return table(head, rows)


def rates() -> str:
    """Where the rates stand at the first passage of 2.5, from every pair with the hyper-rates MIDDLE."""
    tables = read("fig2")
    rows = []
    for pair in PAIRS:
        cells = _cells(tables.trials, "alpha-maml", pair)
        here = (cells["alpha_hyperlr"] == MIDDLE[0]) & (cells["beta_hyperlr"] == MIDDLE[1])
        for one in _rows(cells[here & cells["iterations_to_target"].notna()]):
            curve = tables.trajectories[tables.trajectories["cell_id"] == one["cell_id"]]
            row = curve[curve["iteration"] == one["iterations_to_target"]].iloc[0]
            rows.append(
                [_pair(pair), one["iterations_to_target"], f"{row['alpha']:.3g}", f"{row['beta']:.2g}"]
            )
    return table(["(alpha0, beta0)", "first passage", "alpha", "beta"], rows)


def figure1() -> str:
    """Every run of Figure 1 at its end."""
    tables = read("fig1")
    rows = []
    for one in _rows(tables.trials[tables.trials["outcome"].notna()]):
        losses = _losses(tables, one["cell_id"])
        counts = [_count(first_passage(losses, t), sustained_passage(losses, t)) for t in TARGETS]
        end = f"{losses[-WINDOW:].mean():.3f}", f"{one['final_val_loss']:.3f}"
        moved = f"{one['final_alpha']:.3g}", f"{one['final_beta']:.2g}"
        rows.append([one["method"], _from(one), _hyper(one), *end, *moved, *counts])
    head = ["method", "from", "hyper-rates", "training loss", "validation loss", "alpha", "beta"]
    return table([*head, *(f"to {target:g}" for target in TARGETS)], rows)


def claims() -> str:
    """Every sentence under `paper-adam`, and why; C13 and C16 are judged once."""
    found = matrix()
    label = judge.labels(found)[0]
    rows = []
    for claim in CLAIMS:
        judged = found[claim.key, label if claim.everywhere else judge.ONCE]
        if judged is not None:
            forms = (judged.strict, judged.weak, judged.sustained)
            verdicts = [NONE if form is None else form.verdict for form in forms]
            rows.append([claim.key, claim.short, *verdicts, judged.strict.why.replace("|", "/")])
    return table(["", "sentence", "strict", "weak", "sustained", "why"], rows)


def chance() -> str:
    """First passages of 2.99 by networks that never learn."""
    rows = []
    for head, by_tasks in noise.summary(chances()).items():
        for tasks, one in by_tasks.items():
            low, high = one["passed_interval"]
            median = one["median_first_passage"]
            rows.append(
                [
                    head,
                    tasks,
                    f"{one['mean_loss']:.3f}",
                    f"{one['batch_sd']:.4f}",
                    f"{one['passed']} of {one['inits']}",
                    f"{100 * low:.0f} to {100 * high:.0f} %",
                    f"{median:.0f}" if median is not None else NONE,
                    f"{one['passed_by_paper']} of {one['inits']}",
                    f"{one['sustained']} of {one['inits']}",
                ]
            )
    columns = ["head", "tasks", "mean loss", "sd of batches", "pass 2.99 in 500", "95 % interval"]
    return table([*columns, "median passage", "by 165", "sustained"], rows)


def yardstick() -> str:
    """Counts of runs whose first weights were moved by a rounding, beside the run as it is."""
    found = rounding.interval(read("yardstick").trials)
    rows = []
    for one in _rows(found.points):
        moved = []
        for name in rounding.PASSAGES:
            base, low, high = (one[f"{name}_{what}"] for what in ("base", "low", "high"))
            moved.append(NONE if low is None else f"{base:.0f}: {low:+.0f} to {high:+.0f}")
        rows.append([one["method"], _from(one), _hyper(one), one["draws"], *moved])
    return table(["method", "from", "hyper-rates", "draws", "first passage", "sustained"], rows)


def cost() -> str:
    """C13, measured."""
    found = json.loads((places.REFERENCE / "cost" / "cost.json").read_text())
    both, memory, time = ("maml", "alpha-maml"), found["memory"], found["time"]
    state = {name: sum(memory["state_bytes"][name].values()) for name in both}
    mib = [[f"{held[name] / 2**20:.2f}" for name in both] for held in (state, memory["peak_bytes"])]
    low, high = time["ratio_interval"]
    return table(
        ["of an iteration", "MAML", "Alpha-MAML", "more"],
        [
            ["backward passes", *(found["passes"][name] for name in both), ""],
            [
                "state kept, MiB",
                *mib[0],
                f"{memory['state_extra_in_theta']:+.2f} thetas",
            ],
            ["peak, MiB", *mib[1], f"{memory['extra_in_theta']:+.2f} thetas"],
            [
                "time, ms",
                *(f"{time['median_ms'][name]:.0f}" for name in both),
                f"ratio {time['ratio_median']:.3f} ({low:.3f} to {high:.3f}, {time['rounds']} rounds)",
            ],
        ],
    )


def matrix() -> judge.Matrix:
    """The claims by the reference records alone."""
    found = evidence.gather(places.RESULTS, reference_only=True)
    return judge.matrix(found.readings, found.facts)


def chances() -> pd.DataFrame:
    """The losses of networks that never learn, see harness.analysis.noise."""
    found = noise.read(places.REFERENCE / "noise")
    if found is None:
        raise FileNotFoundError(places.REFERENCE / "noise" / noise.FILE)
    return found


TABLES: dict[str, Callable[[], str]] = {
    function.__name__: function
    for function in (records, claims, maml, panels, rates, figure1, chance, yardstick, cost)
}
"""What may stand on the page, by name."""
