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
OTHERS = "scale-free-others"
LAST = 10
"""Validations at the end of a long run, of which the mean is taken: single ones scatter."""
PASSAGES = ("iterations_to_target", "iterations_to_target_sustained")
UNTUNED = ("untuned runs that reach 2.5", "sustained", "their median")
"""What is said of the runs from the untuned pairs."""
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
        rows.append([protocol, *_from_all_pairs(ours), _median(numbers(maml["iterations_to_target"]))])
    return markdown_table(("reading", *UNTUNED, "tuned pair", "MAML there"), rows)


def others() -> str:
    """The same of the other methods that adapt both rates, for the readings that were run."""
    trials = _trials(OTHERS)
    done = trials[trials["outcome"].notna()]
    rows = []
    for (protocol, method), own in done.groupby(["protocol", "method"], sort=False):
        asked = trials[(trials["protocol"] == protocol) & (trials["method"] == method)]
        if len(own) == len(asked):
            rows.append([protocol, METHODS[str(method)].title, *_from_all_pairs(own)])
    return markdown_table(("reading", "method", *UNTUNED, "tuned pair"), rows)


def _from_all_pairs(runs: pd.DataFrame) -> list[str]:
    """Of the runs from the untuned pairs how many reach the target, by the first and by the sustained
    passage, and the median of their counts; that of the tuned pair."""
    tuned = _from(runs, *TUNED)
    untuned = runs.drop(tuned.index)
    reached = [f"{untuned[name].notna().sum()} of {len(untuned)}" for name in PASSAGES]
    first, _ = PASSAGES
    return [*reached, *(_median(numbers(some[first])) for some in (untuned, tuned))]


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
