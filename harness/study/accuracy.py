"""Is it MAML? The tables and figures of docs/accuracy.md, made from the reference and its meta-tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from harness.analysis.meta_test import RATE, mean, over_tasks, summary
from harness.analysis.meta_test import STEPS as TAKEN
from harness.common import pages, places
from harness.common.text import markdown_table, written
from harness.plots import fit, meta_test, style
from harness.records import meta_tests, reference, tables
from harness.records.meta_tests import MetaTests

PAGE = places.ROOT / "docs" / "accuracy.md"
FIVE_WAY, SINUSOID = "accuracy", "accuracy-sinusoid"
PAPER = {3: "98.7 +- 0.4"}
"""By inner steps of the test: Finn et al. 2017, Table 1, MAML with convolutions, 5-way 1-shot, after 60,000
iterations. Percent, with a 95 % interval over tasks."""
STEPS = (0, 1, 2, 3, 5, 10)
MOMENTS = (1000, 2000, 5000, 10_000, 15_000, 20_000)
BEFORE = 500
"""Iterations up to a moment over which accuracies are taken together: single ones scatter."""
DIVERGED = 100.0
"""A squared error beyond this says that the steps lead away; sinusoids of amplitude 5 have some 12."""
NETWORKS = {0.01: "MAML", 0.0: "pre-trained"}
"""By alpha0: trained with an inner step, and without."""


@cache
def tested(grid: str) -> MetaTests:
    """The meta-test of a grid of the reference."""
    return meta_tests.read(reference.find(grid))


@cache
def read(grid: str) -> tables.Tables:
    """Its tables."""
    return tables.read(reference.find(grid))


def by_steps() -> str:
    """Accuracy on new tasks after each number of inner steps."""
    tests, trials = tested(FIVE_WAY), read(FIVE_WAY).trials
    found = summary(tests.rows, trials).set_index(TAKEN)
    accuracy, half = found[mean("accuracy")], found[over_tasks("accuracy")]
    seeds = trials.set_index("cell_id")["seed"]
    means = tests.rows.groupby([tests.rows["cell_id"].map(seeds), "steps"])["accuracy"].mean()
    rows = [
        [
            steps,
            f"{100 * accuracy[steps]:.2f} +- {100 * half[steps]:.2f}",
            *(f"{100 * means[seed, steps]:.2f}" for seed in sorted(seeds)),
            f"{found[mean('loss')][steps]:.3g}",
            PAPER.get(steps, ""),
        ]
        for steps in STEPS
    ]
    head = [f"seed {seed}" for seed in sorted(seeds)]
    return markdown_table(["inner steps", "accuracy, %", *head, "loss, nats", "Finn et al., %"], rows)


def over_training() -> str:
    """Accuracies on the way: mean of those of the last BEFORE iterations."""
    trials, curves = read(FIVE_WAY).trials, read(FIVE_WAY).trajectories
    seeds = trials.set_index("cell_id")["seed"]
    rows = []
    for moment in MOMENTS:
        last = curves[curves["iteration"].between(moment - BEFORE + 1, moment)]
        means = last.groupby(last["cell_id"].map(seeds))[["train_accuracy", "val_accuracy"]].mean()
        rows.append([moment, *(f"{100 * value:.1f}" for value in means.to_numpy().T.ravel())])
    named = [
        f"{what}, seed {seed}" for what in ("training tasks", "validation tasks") for seed in sorted(seeds)
    ]
    return markdown_table(["iteration", *named], rows)


def regression() -> str:
    """Mean squared error on new sinusoids after each number of inner steps."""
    trials = read(SINUSOID).trials
    found = summary(tested(SINUSOID).rows, trials)
    rows = [
        [
            NETWORKS[own["alpha0"].iloc[0]],
            written(own[RATE].iloc[0]),
            *(_with_half(own[own[TAKEN] == steps]) for steps in STEPS),
        ]
        for _, own in found.groupby(["alpha0", RATE], sort=False)
    ]
    return markdown_table(["network", "rate of the test", *(f"after {n}" for n in STEPS)], rows)


def _with_half(row: pd.DataFrame) -> str:
    error, half = row[mean("loss")].item(), row[over_tasks("loss")].item()
    return f"{error:.3g} +- {half:.2g}" if error < DIVERGED else "diverges"


TABLES: pages.Tables = {one.__name__: one for one in (by_steps, over_training, regression)}


def write() -> list[Path]:
    """Make the page's tables and figures again. Returns the files written."""
    paths = [pages.write(PAGE, TABLES)]
    with style.applied():
        for grid in (FIVE_WAY, SINUSOID):
            about, trials = read(grid).about, read(grid).trials
            paths.append(PAGE.parent / f"{grid}.png")
            style.save(meta_test.draw(tested(grid), trials, about), paths[-1])
        shown = meta_test.shown_of(tested(SINUSOID), trials)
        paths.append(PAGE.parent / f"{SINUSOID}-fit.png")
        style.save(fit.draw(tested(SINUSOID), shown.lines, trials, about), paths[-1])
    return paths
