"""The table of a grid that a paper would print: frames in, frame and caption out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis import labels
from harness.analysis.learned import learned
from harness.analysis.summary import (
    cells_over_seeds,
    equal,
    finished,
    hyper_columns,
    numbers,
    setting_columns,
)
from harness.common.text import counted, halves
from harness.methods import titled
from harness.records.export.asked import DASH, Printed
from harness.records.reference import say_seeds

LOSSES = {"final_val_loss": "validation loss", "final_train_loss": "training loss"}


def printed(trials: pd.DataFrame, about: Mapping[str, Any]) -> Printed:
    """A row for each method and setting, in the trials' order.

    `trials` as in records.schema, at least one row; `about`: their table's description. With a target: how
    many runs reached it, of those finished, and the median first and sustained passage over the seeds, where
    a miss is infinite. Without: the medians of the last losses and metrics, where the loss of a run that
    diverged is infinite. A setting without a result says why.
    """
    hyper = [name for name in hyper_columns(trials) if trials[name].notna().any()]
    summed = cells_over_seeds(trials)
    protocols = labels.words(trials)
    rows = pd.DataFrame({"method": [titled(name) for name in summed["method"]]})
    if len(protocols) > 1:
        keys = zip(summed["preset"], summed["changes"], strict=True)
        rows["protocol"] = [protocols[key] for key in keys]
    rows = pd.concat([rows, summed[hyper].astype(object)], axis=1)
    target = trials["target_loss"].notna().any()
    results, meaning = _counts(trials, summed, about) if target else _losses(trials, summed, about)
    caption = f"{_asked(trials, about)} {meaning}"
    return Printed(caption=caption, rows=pd.concat([rows, results], axis=1), hyper=tuple(hyper))


def _asked(trials: pd.DataFrame, about: Mapping[str, Any]) -> str:
    """Title, what is learned, protocols, budget, seeds."""
    seeds = [int(seed) for seed in trials["seed"].unique()]
    named = labels.of_trials(trials)
    parts = (
        learned(trials, about).title,
        f"protocol{'s' * (len(named) > 1)} {labels.one_line(named)}",
        f"budget {counted(int(trials['max_iterations'].max()), 'iteration')}",
        say_seeds(seeds),
    )
    return f"{about['grid']['title'].rstrip('.')}. {'; '.join(parts)}."


def _counts(trials: pd.DataFrame, summed: pd.DataFrame, about: Mapping[str, Any]) -> tuple[pd.DataFrame, str]:
    """The columns of passages, and what they are."""
    results = pd.DataFrame(
        {
            "reached": [
                f"{reached}/{run}" if run else state
                for reached, run, state in zip(summed["reached"], summed["run"], summed["state"], strict=True)
            ],
            "first passage": summed["iterations_to_target"].map(_count),
            "sustained": summed["iterations_to_target_sustained"].map(_count),
        }
    )
    if some := _some_diverged(trials):
        results["diverged"] = _diverged(trials)
    goal = learned(trials, about).with_unit(float(trials["target_loss"].iloc[0]))
    meaning = (
        f"First passage: the first iteration with a training loss of {goal} or less; sustained: the first "
        "with a mean of ten losses as low, which lags. Medians over seeds, where a miss is infinite; "
        f"{DASH}: the median run misses. Reached: of the finished runs, those with a first passage"
        f"{'; diverged: runs that ended so' * some}."
    )
    return results, meaning


def _losses(trials: pd.DataFrame, summed: pd.DataFrame, about: Mapping[str, Any]) -> tuple[pd.DataFrame, str]:
    """The columns of losses and metrics, and what they are."""
    metrics = [name for name in trials.columns if name.startswith("final_val_") and name not in LOSSES]
    heads = LOSSES | {name: f"validation {name.removeprefix('final_val_')}" for name in metrics}
    heads = {name: head for name, head in heads.items() if trials[name].notna().any()}
    results = pd.DataFrame({"runs": summed["run"].astype(str).where(summed["run"] > 0, summed["state"])})
    for name, head in heads.items():
        results[head] = _medians(trials, name)
    if some := _some_diverged(trials):
        results["diverged"] = _diverged(trials)
    unit = learned(trials, about).unit
    gone = (
        f"; the loss of a run that diverged is infinite. {DASH}: the median run diverged, or of columns that "
        "are no losses, one of the runs"
    )
    unit = f", losses in {unit}" if unit else ""
    meaning = f"Runs: those that are finished. At their end{unit}: medians over seeds{gone * some}."
    return results, meaning


def _by_setting(trials: pd.DataFrame, values: pd.Series) -> Any:
    """Values of the finished runs, grouped by the place of their setting in cells_over_seeds."""
    keys = ["method", *setting_columns(trials)]
    place = trials.groupby(keys, sort=False, dropna=False).ngroup()
    places = pd.CategoricalDtype([*range(int(place.max()) + 1)])
    return values.groupby(place[values.index].astype(places), observed=False)


def _gone(trials: pd.DataFrame) -> pd.Series:
    """Which of the finished runs diverged."""
    return equal(finished(trials)["ending"], "diverged")


def _some_diverged(trials: pd.DataFrame) -> bool:
    return bool(_gone(trials).any())


def _diverged(trials: pd.DataFrame) -> list[str]:
    """Of each setting how many finished runs ended so; empty: none is finished."""
    over = _by_setting(trials, _gone(trials))
    return [str(int(some)) if run else "" for some, run in zip(over.sum(), over.size(), strict=True)]


def _medians(trials: pd.DataFrame, name: str) -> list[str]:
    """Of the last values of each setting's finished runs; empty: there are none."""
    gone = _gone(trials)
    known = pd.Series(numbers(finished(trials)[name]), gone.index)
    medians = _by_setting(trials, known.where(~gone, np.inf)).median()
    if name not in LOSSES:  # which end of a metric is the bad one, nobody says
        medians = medians.where(_by_setting(trials, gone).sum() == 0, np.inf)
    return ["" if np.isnan(one) else f"{one:.3f}" if np.isfinite(one) else DASH for one in medians]


def _count(median: float) -> str:
    if np.isnan(median):
        return ""
    return halves(median) if np.isfinite(median) else DASH
