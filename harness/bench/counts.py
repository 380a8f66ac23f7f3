"""What a precision does to counts: the cells of fig2 trained in each, beside the reference and beside
float32; and how long a long run of few cells takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from time import perf_counter
from typing import Any

import numpy as np

from harness import grids
from harness.bench.gpu import engine_rate, fusing, of_precision, ways
from harness.bench.timing import synchronize
from harness.cell import Cell, Question
from harness.grids import Grid
from harness.records import pool
from harness.records.passages import first_passage
from harness.training import loop

GRID = "fig2"
LONG, SEEDS, ITERATIONS, WHOLE = "accuracy", (0, 1, 2), 600, 60_000
"""The grid of the long run, the seeds that train together, how many iterations are timed, and of how many."""

Say = Callable[[str], Any]
Counts = Mapping[str, int | None]
"""First passages by the ids of the cells in float32; None: not reached."""


def long_run(device: str, say: Say = lambda line: None, iterations: int = ITERATIONS) -> dict[str, Any]:
    """How long MAML's accuracy run takes, three seeds together: extrapolated from so many iterations. On
    glyphs, which need no download and take as long."""
    grid = grids.load(LONG, dataset="glyphs")
    rate = engine_rate(grid.cells(SEEDS), device, iterations)
    minutes = round(WHOLE * len(SEEDS) / rate / 60, 2)
    say(f"{WHOLE} iterations of {len(SEEDS)} cells: {minutes} minutes, extrapolated from {iterations}")
    return {
        "problem": grid.protocol.label,
        "cells": len(SEEDS),
        "timed_iterations": iterations,
        "cell_iterations_per_second": rate,
        "of_iterations": WHOLE,
        "extrapolated_minutes": minutes,
    }


def measure(
    grid: Grid,
    device: str,
    say: Say = lambda line: None,
    keep: Callable[[list[dict[str, Any]]], Any] = lambda rows: None,
    precisions: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """A row for each precision: `seconds` of training all cells of the grid's first seed, each method as a
    pack, after two iterations to warm up, `warm_up_s`; what the counts are `beside_reference` and
    `beside_float32`, see `beside`; and the counts. precisions: None: those that the
    device has, and fused too where that can be."""
    cells = grid.cells(grid.seeds[:1])
    known = reference(grid)
    as_they_are = [(precision, False) for precision in precisions or ()]
    rows: list[dict[str, Any]] = []
    for precision, fuse in as_they_are or ways(grid.protocol, device):
        some = of_precision(cells, precision)
        with fusing(fuse):
            _, warm_up = _trained(some, Question(target_loss=None, max_iterations=2), device)
            losses, seconds = _trained(some, grid.question, device)
        assert grid.target_loss is not None
        passages = {
            cell.cell_id: first_passage(losses[same.cell_id], grid.target_loss)
            for cell, same in zip(cells, some, strict=True)
        }
        counts: Counts = rows[0]["counts"] if rows else passages
        row = {
            "grid": grid.name,
            "precision": precision,
            "fused": fuse,
            "cells": len(cells),
            "seconds": round(seconds, 2),
            "warm_up_s": round(warm_up, 2),
            "beside_reference": beside(passages, known),
            "beside_float32": beside(passages, counts),
            "counts": passages,
        }
        rows.append(row)
        keep(rows)
        name = f"{grid.name}, {precision}{', fused' * fuse}"
        say(f"{name}: {seconds:.1f} s; beside the reference {_words(row)}")
    return rows


def reference(grid: Grid) -> Counts:
    """The reference's counts. UserError: it has none of this grid."""
    tables, _ = pool.reference_tables(grid)
    counts = tables.trials[tables.trials["outcome"].notna()].set_index("cell_id")["iterations_to_target"]
    return {**dict.fromkeys(counts.index), **counts.dropna().astype(int).to_dict()}


def beside(counts: Counts, others: Counts) -> dict[str, Any]:
    """How far counts differ. Of the cells that reach the target in both: how many are `equal`, and the
    median, the 90th percentile and the largest difference, as shares of the other count (null: there are
    none). `otherwise`: how many of the cells in both reach it in one alone."""
    both = [cell for cell in counts if cell in others]
    pairs = [(counts[cell], others[cell]) for cell in both]
    reached = [(mine, other) for mine, other in pairs if mine is not None and other is not None]
    shares = [abs(mine - other) / other for mine, other in reached]
    median, most, largest = np.percentile(shares, [50, 90, 100]).tolist() if shares else (None, None, None)
    return {
        "cells": len(both),
        "reached": len(reached),
        "equal": sum(mine == other for mine, other in reached),
        "median": median,
        "percentile_90": most,
        "largest": largest,
        "otherwise": sum((mine is None) != (other is None) for mine, other in pairs),
    }


def _words(row: dict[str, Any]) -> str:
    of = row["beside_reference"]
    if of["median"] is None:
        return "no cell reaches the target in both"
    shares = f"{of['median']:.1%} (median), {of['percentile_90']:.1%} (90th percentile), {of['largest']:.1%}"
    return f"{shares} (largest); {of['otherwise']} of {of['cells']} cells hit or miss otherwise"


def _trained(cells: Sequence[Cell], question: Question, device: str) -> tuple[dict[str, list[float]], float]:
    """The training losses of each cell, by its id, and the seconds that all took."""
    started, losses = perf_counter(), {}
    for _, pack in groupby(cells, key=lambda cell: cell.method):
        for record in loop.train(list(pack), question, device):
            losses[record.header.cell.cell_id] = record.rows["train_loss"].to_pylist()
    synchronize(device)
    return losses, perf_counter() - started
