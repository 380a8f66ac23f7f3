"""Tables of the runs: the counts, rates and losses of the reference records, over their seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from harness.analysis.rounding import PASSAGES
from harness.analysis.summary import numbers
from harness.common.text import markdown_table
from harness.grids.selection import seed_ranges
from harness.paper.definitions import DIAGONALS, RATES, TARGETS, TUNED, from_pair
from harness.paper.page.cells import NONE, choice, middle, named, over_seeds, span, start
from harness.paper.page.sources import cells_of, losses_of, read, rows_of
from harness.paper.reading import readings_of, short_labels
from harness.paper.words import rate
from harness.records import compact, reference
from harness.records import tables as kept
from harness.records.passages import WINDOW, first_passage

MIDDLE = (1e-1, 1e-6)
"""Hyper-rates at which the page follows the rates: in the middle of Figure 2."""
EDGES = (100.0, 1e-3)
"""The largest alpha_hyperlr and beta_hyperlr of Figure 2, where runs overshoot."""


def records() -> str:
    """What was run, grid by grid; the study of the paper has no compact tables."""
    rows = []
    for name, folder in reference.grids().items():
        if compact.parts(folder) != [folder]:
            continue
        trials = kept.read(folder, curves=False).trials
        done = trials[trials["outcome"].notna()]
        seeds = sorted(trials["seed"].unique().tolist())
        rows.append(
            [
                f"[`{name}`](../results/reference/{name}/README.md)",
                f"{len(done)} of {len(trials)}",
                seed_ranges(seeds),
                int(numbers(done["iterations_run"]).sum()),
                _hours(done),
                ", ".join(sorted(done["device"].dropna().unique())),
            ]
        )
    return markdown_table(["grid", "cells run", "seeds", "iterations", "time of the runs", "machine"], rows)


def _hours(done: pd.DataFrame) -> str:
    """`2 min of the GPU`, `0.72 core-hours`: cells of a pack share its time."""
    on_gpu = done["device"].str.startswith("cuda")
    minutes = numbers(done["wall_seconds"][on_gpu]).sum() / 60
    hours = numbers(done["wall_seconds"][~on_gpu]) @ numbers(done["threads"][~on_gpu]) / 3600
    parts = [f"{minutes:.1f} min of the GPU"] * bool(minutes) + [f"{hours:.2f} core-hours"] * bool(hours)
    return " and ".join(parts)


def maml() -> str:
    """MAML's counts to both targets, over the seeds, and the lowest loss of its runs."""
    low, high = read("fig2"), read("fig3")
    rows = []
    for pair in DIAGONALS["paper-adam"]:
        both = [cells_of(tables.trials, "maml", pair) for tables in (low, high)]
        lowest = [losses_of(low, cell).min() for cell in both[0]["cell_id"]]
        counts = [over_seeds(numbers(cells[column])) for cells in both for column in PASSAGES.values()]
        rows.append([named(pair), len(both[0]), *counts, f"{min(lowest):.3f}"])
    passages = [f"{what} {target:g}" for target in TARGETS for what in ("to", "sustained, to")]
    return markdown_table(["(alpha0, beta0)", "seeds", *passages, "lowest loss, nats"], rows)


def panels() -> str:
    """Alpha-MAML from each pair: how many choices of the hyper-rates pass, and how fast."""
    return _panels("paper-adam", ("fig2", "fig3"))


def panels_sgd() -> str:
    """The same under plain SGD, with MAML's count beside it."""
    return _panels("paper-sgd", ("fig2-sgd", "fig3-sgd"))


def _panels(preset: str, grids: Sequence[str]) -> str:
    rows = []
    for grid, target in zip(grids, TARGETS, strict=True):
        trials = read(grid).trials
        for pair in DIAGONALS[preset]:
            here = from_pair(trials, pair)
            asked = (here & (trials["method"] == "alpha-maml")).sum()
            cells, beside = (cells_of(trials, method, pair) for method in ("alpha-maml", "maml"))
            by_seed = cells.groupby("seed")
            counts = numbers(cells["iterations_to_target"])
            shares = [
                span(by_seed[column].count() / by_seed["cell_id"].count(), ".2f")
                for column in PASSAGES.values()
            ]
            rows.append(
                [
                    f"{target:g}",
                    named(pair, preset),
                    over_seeds(numbers(beside["iterations_to_target"])),
                    f"{len(cells)} of {asked}",
                    *shares,
                    f"{np.nanmin(counts):.0f}" if np.isfinite(counts).any() else NONE,
                    middle(counts),
                ]
            )
    head = ["target", "(alpha0, beta0)", "MAML", "cells run", "share that reaches it", "sustained"]
    return markdown_table([*head, "smallest", "median"], rows)


def slower() -> str:
    """How many cells of Alpha-MAML take more iterations than MAML from the same pair, by target."""
    seeds = sorted(read("fig2").trials["seed"].unique())
    rows = []
    for grid, target in zip(("fig2", "fig3"), TARGETS, strict=True):
        done = read(grid).trials.dropna(subset="outcome")
        done = done.assign(count=numbers(done["iterations_to_target"])).fillna({"count": np.inf})
        maml, alpha = (done[done["method"] == name] for name in ("maml", "alpha-maml"))
        keys = [*RATES[:2], "seed"]
        both = alpha.merge(maml[[*keys, "count"]], on=keys, suffixes=("", "_maml"))
        more = both[both["count"] > both["count_maml"]]
        inner = (more["alpha_hyperlr"] != EDGES[0]) & (more["beta_hyperlr"] != EDGES[1])
        by_seed = [(more["seed"] == seed).sum() for seed in seeds]
        rows.append([f"{target:g}", *by_seed, (~from_pair(more, TUNED)).sum(), inner.sum()])
    edges = f"not at alpha_hyperlr {rate(EDGES[0])} or beta_hyperlr {rate(EDGES[1])}"
    heads = (f"seed {seed}" for seed in seeds)
    return markdown_table(["target", *heads, "of these not from the tuned pair", edges], rows)


def rates() -> str:
    """The rates at the first passage of 2.5, from every pair, with the hyper-rates MIDDLE."""
    tables = read("fig2")
    rows = []
    for pair in DIAGONALS["paper-adam"]:
        cells = cells_of(tables.trials, "alpha-maml", pair)
        here = (cells["alpha_hyperlr"] == MIDDLE[0]) & (cells["beta_hyperlr"] == MIDDLE[1])
        passed = cells[here & cells["iterations_to_target"].notna()]
        at_passage = tables.trajectories.merge(
            passed[["cell_id", "iterations_to_target"]],
            left_on=["cell_id", "iteration"],
            right_on=["cell_id", "iterations_to_target"],
        )
        counts = over_seeds(numbers(passed["iterations_to_target"]))
        alpha_and_beta = [span(at_passage[name], ".3g") for name in ("alpha", "beta")]
        rows.append([named(pair), counts, *alpha_and_beta])
    return markdown_table(["(alpha0, beta0)", "first passage", "alpha", "beta"], rows)


def figure1() -> str:
    """The ends of Figure 1's runs: medians over the seeds, and for the losses the range."""
    return _ends("fig1")


def figure1_sgd() -> str:
    """The same under plain SGD."""
    return _ends("fig1-sgd")


def _ends(grid: str) -> str:
    tables = read(grid)
    done = tables.trials[tables.trials["outcome"].notna()]
    rows = []
    for _, cells in done.groupby(["method", *RATES], sort=False, dropna=False):
        losses = [losses_of(tables, cell) for cell in cells["cell_id"]]
        first = rows_of(cells.head(1))[0]
        passed = [[first_passage(curve, target) or np.nan for curve in losses] for target in TARGETS]
        rows.append(
            [
                first["method"],
                start(first),
                choice(first),
                span([curve[-WINDOW:].mean() for curve in losses], ".3f"),
                span(cells["final_val_loss"], ".3f"),
                f"{cells['final_alpha'].median():.3g}",
                f"{cells['final_beta'].median():.2g}",
                *map(over_seeds, passed),
            ]
        )
    head = ["method", "from", "hyper-rates", "training loss", "validation loss", "alpha", "beta"]
    return markdown_table([*head, *(f"to {target:g}" for target in TARGETS)], rows)


def lucky() -> str:
    """First passages of MAML from rates at which it cannot learn, by the tasks of a meta-batch."""
    trials = read("chance").trials
    trials = trials[trials["outcome"].notna()]
    rows = []
    for name, cells in _by_reading(trials):
        counts = [over_seeds(numbers(cells[column])) for column in PASSAGES.values()]
        rows.append([name, len(cells), *counts])
    return markdown_table(["reading", "seeds", "to 2.99", "sustained"], rows)


def readings() -> str:
    """Each reading on the same few cells: MAML, and Alpha-MAML from the tuned pair and from the others."""
    trials = read("readings").trials
    rows = []
    for name, cells in _by_reading(trials[trials["outcome"].notna()]):
        counts = cells["iterations_to_target"]
        alpha, tuned = cells["method"] == "alpha-maml", cells["alpha0"] == TUNED[0]
        row = [name, over_seeds(numbers(counts[~alpha & tuned]))]
        row.append(f"{counts[~alpha & ~tuned].count()} of {(~alpha & ~tuned).sum()}")
        for which in (alpha & tuned, alpha & ~tuned):
            row += [f"{counts[which].count()} of {which.sum()}", middle(numbers(counts[which]))]
        rows.append(row)
    head = ["reading", "MAML, tuned", "MAML, untuned", "Alpha-MAML, tuned", "median"]
    return markdown_table([*head, "Alpha-MAML, untuned", "median"], rows)


def _by_reading(trials: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Each reading's name, short beside the first one's, and its trials."""
    reading_of_row = readings_of(trials)
    readings = list(dict.fromkeys(reading_of_row))
    return [
        (name, trials[[other == reading for other in reading_of_row]])
        for name, reading in zip(short_labels(readings), readings, strict=True)
    ]
