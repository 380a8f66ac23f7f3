"""What is known of the scale-free Alpha-MAML, alpha-maml-log: its knob, long runs, other readings of the
paper."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from harness.analysis.summary import numbers
from harness.common.text import markdown_table, written
from harness.methods import METHODS
from harness.records import reference, tables
from harness.study.league import ALPHA_MAML_LOG, MAML
from harness.study.standings import CHOICE

KNOB, LONG, READINGS = "scale-free-5way", "scale-free-long", "scale-free"
LAST = 10
"""Validations at the end of a long run, of which the mean is taken: single ones scatter."""
PASSAGES = ("iterations_to_target", "iterations_to_target_sustained")
TUNED = (1e-1, 1e-3)
"""The initial rates from which MAML reaches the target of the paper."""


def knob() -> str:
    """Iterations to the sustained passage over eta, from three pairs of rates, by Adam and by SGD."""
    trials = _trials(KNOB)
    trials = trials.assign(count=numbers(trials["iterations_to_target_sustained"]))
    pairs = trials[["alpha0", "beta0"]].drop_duplicates()
    rows = [
        [
            protocol,
            squares,
            written(eta),
            *(_median(_from(own, *pair)["count"]) for pair in pairs.itertuples(index=False, name=None)),
        ]
        for (protocol, squares, eta), own in trials.groupby(["protocol", "squares", "eta"], sort=False)
    ]
    head = [_pair(*pair) for pair in pairs.itertuples(index=False, name=None)]
    return markdown_table(["protocol", "squares", "eta", *head], rows)


def long_runs() -> str:
    """Where runs of ten budgets end: the mean of their last validations."""
    trials = _trials(LONG)
    curves = tables.read(reference.find(LONG)).trajectories
    measured = curves[curves["val_loss"].notna()]
    ends = measured.groupby("cell_id", sort=False)["val_loss"].apply(lambda own: own.tail(LAST).mean())
    trials = trials.assign(end=numbers(trials["cell_id"].map(ends)))
    keys = ["method", "squares", "eta", "alpha0", "beta0"]
    rows = []
    for (method, squares, eta, *pair), own in trials.groupby(keys, sort=False, dropna=False):
        knobs = "" if method == MAML else f"{squares}, {written(eta)}"
        middle, low, high = own["end"].median(), own["end"].min(), own["end"].max()
        shown = f"{middle:.2f} ({low:.2f} to {high:.2f})"
        rows.append([METHODS[str(method)].title, knobs, *(written(rate) for rate in pair), shown])
    return markdown_table(["method", "squares, eta", "alpha0", "beta0", "loss, median of the seeds"], rows)


def readings() -> str:
    """Under each reading of the paper: how many runs from the untuned pairs reach the target, by the first
    and by the sustained passage, and the tuned pair's counts beside MAML's."""
    trials = _trials(READINGS)
    rows = []
    for protocol, own in trials[trials["outcome"].notna()].groupby("protocol", sort=False):
        ours, maml = (own[own["method"] == name] for name in (ALPHA_MAML_LOG, MAML))
        tuned = _from(ours, *TUNED)
        untuned = ours.drop(tuned.index)
        counts = [_median(numbers(some["iterations_to_target"])) for some in (untuned, tuned, maml)]
        reached = [f"{untuned[name].notna().sum()} of {len(untuned)}" for name in PASSAGES]
        rows.append([protocol, *reached, *counts])
    head = ("reading", "untuned runs that reach 2.5", "sustained", "their median", "tuned pair", "MAML there")
    return markdown_table(head, rows)


def _trials(grid: str) -> pd.DataFrame:
    trials = tables.read(reference.find(grid), curves=False).trials
    assert not set(CHOICE) & set(trials["seed"])  # eta was chosen on these
    return trials


def _from(trials: pd.DataFrame, alpha0: float, beta0: float) -> pd.DataFrame:
    return trials[(trials["alpha0"] == alpha0) & (trials["beta0"] == beta0)]


def _pair(alpha0: float, beta0: float) -> str:
    return f"({written(alpha0)}, {written(beta0)})"


def _median(counts: Any) -> str:
    """`131`; `never` where it is a miss."""
    middle = np.median(np.where(np.isnan(counts), np.inf, counts)) if len(counts) else np.nan
    return "" if np.isnan(middle) else f"{middle:.0f}" if np.isfinite(middle) else "never"
