"""Tables of what was measured beside the claims: noise, rounding, machines, cost."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from harness.analysis import comparison, rounding
from harness.common import places
from harness.common.text import halves, markdown_table
from harness.paper import chance as noise
from harness.paper.page.cells import NONE, choice, start
from harness.paper.page.sources import read, rows_of
from harness.paper.words import rate
from harness.records import reference


def chance() -> str:
    """First passages of 2.99 by networks that never learn."""
    rows = []
    for head, by_tasks in noise.summary(chances()).items():
        for tasks, summed in by_tasks.items():
            low, high = summed["passed_interval"]
            median = summed["median_first_passage"]
            rows.append(
                [
                    head,
                    tasks,
                    f"{summed['mean_loss']:.3f}",
                    f"{summed['batch_sd']:.4f}",
                    f"{summed['passed']} of {summed['inits']}",
                    f"{100 * low:.0f} to {100 * high:.0f} %",
                    NONE if median is None else halves(median),
                    f"{summed['passed_by_paper']} of {summed['inits']}",
                    f"{summed['sustained']} of {summed['inits']}",
                ]
            )
    columns = ["head", "tasks", "mean loss", "sd of batches", "pass 2.99 in 500", "95 % interval"]
    return markdown_table([*columns, "median passage", "by 165", "sustained"], rows)


def chances() -> pd.DataFrame:
    """The losses of networks that never learn; see harness.paper.chance."""
    losses = noise.read(places.REFERENCE / "noise")
    if losses is None:
        raise FileNotFoundError(places.REFERENCE / "noise" / noise.FILE)
    return losses


def yardstick() -> str:
    """Counts of runs whose initial weights were moved by about a rounding, beside the unmoved run."""
    rows = []
    for point in rows_of(rounding.measure(read("yardstick").trials).points):
        moved = []
        for name in rounding.PASSAGES:
            base, low, high = (point[f"{name}_{what}"] for what in ("base", "low", "high"))
            moved.append(NONE if low is None else f"{base:.0f}: {low:+.0f} to {high:+.0f}")
        rows.append([point["method"], start(point), choice(point), point["draws"], *moved])
    return markdown_table(["method", "from", "hyper-rates", "draws", "first passage", "sustained"], rows)


def devices() -> str:
    """Counts of fig2's cells on CPUs beside the reference's, by alpha_hyperlr: how well machines agree."""
    cells = pd.read_parquet(places.REFERENCE / reference.DEVICES / "fig2" / reference.COMPARED)
    groups = [(_choice(value), group) for value, group in cells.groupby("alpha_hyperlr", dropna=False)]
    rows = []
    for name, group in [*groups, ("all", cells)]:
        row: list[object] = [name, len(group)]
        for passage in rounding.PASSAGES:
            agreement = group[f"{passage}_agreement"]
            missed = group[f"{passage}_mine"].isna() & (agreement == comparison.EQUAL)
            row += [int(missed.sum()), int((agreement == comparison.EQUAL).sum() - missed.sum())]
            row += [int((agreement == what).sum()) for what in comparison.AGREEMENTS[1:]]
        rows.append(row)
    head = [f"{what}: both miss" for what in rounding.PASSAGES]
    rest = ["equal", "within", "outside", "one misses"]
    return markdown_table(["alpha_hyperlr", "cells", head[0], *rest, head[1], *rest], rows)


def _choice(value: Any) -> str:
    return "MAML" if pd.isna(value) else rate(value)


def cost() -> str:
    """What C13 is about, measured."""
    measured = json.loads((places.REFERENCE / "cost" / "cost.json").read_text("utf-8"))
    both, memory, time = ("maml", "alpha-maml"), measured["memory"], measured["time"]
    state = {name: sum(memory["state_bytes"][name].values()) for name in both}
    mib = [[f"{held[name] / 2**20:.2f}" for name in both] for held in (state, memory["peak_bytes"])]
    low, high = time["ratio_interval"]
    return markdown_table(
        ["per iteration", "MAML", "Alpha-MAML", "extra"],
        [
            ["backward passes", *(measured["passes"][name] for name in both), ""],
            [
                "state kept, MiB",
                *mib[0],
                f"{memory['state_extra_in_theta']:+.2f} copies of the weights",
            ],
            ["peak, MiB", *mib[1], f"{memory['extra_in_theta']:+.2f} copies of the weights"],
            [
                "time, ms",
                *(f"{time['median_ms'][name]:.0f}" for name in both),
                f"ratio {time['ratio_median']:.3f} ({low:.3f} to {high:.3f}, {time['rounds']} rounds)",
            ],
        ],
    )
