"""A meta-test summed up: what each setting reaches after each inner step, with intervals over tasks and over
seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.analysis import labels
from harness.analysis.intervals import standard_error, student
from harness.analysis.summary import hyper_columns, setting_columns
from harness.common.text import counted, markdown_table, number, written
from harness.methods import titled
from harness.records.schema import META_TEST

if TYPE_CHECKING:
    from harness.records.meta_tests import MetaTests

NORMAL = 1.96
"""Standard errors to either side that hold 95 % of a normal distribution."""
RATE, STEPS, SEEDS, TASKS = "test rate", "inner steps", "seeds tested", "tasks tested"
"""Columns of a summary: with blanks, as no hyper-parameter has any (`steps` is one of Reptile's)."""
SHOWN = (0, 1, 3, 5, 10)
"""Numbers of steps that a table shows, if the test took as many, beside the last one."""


def metrics(rows: pd.DataFrame) -> list[str]:
    """The columns of the problem's metrics, of the rows of a meta-test."""
    return [name for name in rows.columns if name not in META_TEST]


def shown(steps: int) -> list[int]:
    """The numbers of steps for a table, of a test of so many."""
    return sorted({step for step in SHOWN if step <= steps} | {steps})


def summary(rows: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """One row per (method, setting_columns), RATE (NaN: the cells' own) and number of STEPS, in the trials'
    order. Frames as in records.schema; cells without a row in both are left out.

    Columns beside these, for the loss and each metric; a loss that is not finite counts as inf:
    - SEEDS, TASKS: how many
    - `mean`: over tasks and seeds
    - `over_tasks`: 95 % half-width over tasks, 1.96 standard errors of the tasks' values, each averaged over
      the seeds, which share the tasks (so do Finn et al. 2017); NaN with one task
    - `over_seeds`: 95 % half-width over seeds, Student's t on the seeds' means; NaN with one seed
    """
    keys = ["method", *setting_columns(trials)]
    names = ["loss", *metrics(rows)]
    columns = [*keys, RATE, STEPS, SEEDS, TASKS]
    columns += [column(name) for name in names for column in (mean, over_tasks, over_seeds)]
    by_cell = {
        str(cell): own.sort_values(["rate", "steps", "task"], na_position="first")
        for cell, own in rows.groupby("cell_id", sort=False)
    }
    parts = []
    for key, group in trials.groupby(keys, sort=False, dropna=False):
        of_seeds = [by_cell[cell] for cell in group["cell_id"] if cell in by_cell]
        if of_seeds:
            own = _over(of_seeds, names)
            parts.append(own.join(pd.DataFrame([key] * len(own), own.index, columns=keys)))
    if not parts:
        return pd.DataFrame(columns=columns)
    return pd.concat(parts, ignore_index=True)[columns].astype({key: trials[key].dtype for key in keys})


def mean(name: str) -> str:
    """The column of a mean: see `summary`."""
    return f"mean {name}"


def over_tasks(name: str) -> str:
    """The column of a half-width over tasks."""
    return f"{name} +- tasks"


def over_seeds(name: str) -> str:
    """The column of a half-width over seeds."""
    return f"{name} +- seeds"


def printed(found: pd.DataFrame, trials: pd.DataFrame, unit: str = "") -> pd.DataFrame:
    """The table that a person reads, of texts: a row for each setting, rate and number of steps of `shown`.

    found: from `summary` of these trials; unit: of the loss. An accuracy, in percent, comes before the
    loss, each with its half-widths over tasks and, with several seeds, over seeds; what all
    rows share of the settings is left out.
    """
    protocols = labels.words(trials)
    hyper = [name for name in hyper_columns(trials) if found[name].nunique(dropna=False) > 1]
    asked = found[found[STEPS].isin(shown(int(found[STEPS].max())))]
    table = pd.DataFrame({"method": asked["method"].map(titled)})
    if len(protocols) > 1:
        keys = zip(asked["preset"], asked["changes"], strict=True)
        table["protocol"] = [protocols[key] for key in keys]
    for name in hyper:
        table[name] = ["" if pd.isna(value) else written(value) for value in asked[name]]
    if found[RATE].notna().any():
        table[RATE] = ["own" if pd.isna(rate) else number(rate) for rate in asked[RATE]]
    table[STEPS] = asked[STEPS].map(str)
    halves = (over_tasks, over_seeds) if found[SEEDS].max() > 1 else (over_tasks,)
    for name in [*["accuracy"] * (mean("accuracy") in found), "loss"]:
        percent = name == "accuracy"
        head = f"{name} %" if percent else f"{name} ({unit})" if unit else f"mean {name}"
        scale = 100 if percent else 1
        table[head] = [_text(value * scale, percent) for value in asked[mean(name)]]
        for column in halves:
            table[column(name)] = [_text(value * scale, percent) for value in asked[column(name)]]
    return table.reset_index(drop=True)


def in_markdown(tests: MetaTests, trials: pd.DataFrame) -> list[str]:
    """The section of a page on a meta-test: what was done, and the table. trials: of its cells."""
    found = summary(tests.rows, trials)
    if found.empty:
        return []
    table = printed(found, trials, tests.about["problem"]["unit"])
    said = f"{counted(int(found[TASKS].iloc[0]), 'task')}"
    classes = dict.fromkeys(tests.about["classes"].values())
    said += f" of {'; '.join(classes)}" if classes else ""
    seeds = " seeds: over the seeds, by Student's t." * bool(found[SEEDS].max() > 1)
    return [
        "## Meta-test",
        "",
        f"{said}; `metatest.parquet` has every one. +-: 95 % intervals; tasks: over the tasks, 1.96 standard",
        f"errors of their means over the seeds.{seeds}",
        "",
        markdown_table([*table.columns], table.itertuples(index=False, name=None)),
    ]


def _text(value: float, percent: bool) -> str:
    """Empty: there is none."""
    return "" if np.isnan(value) else f"{value:.2f}" if percent else f"{value:.4g}"


def _over(seeds: Sequence[pd.DataFrame], names: Sequence[str]) -> pd.DataFrame:
    """The rows of the cells of one setting, alike but for their values, summed up."""
    first = seeds[0]
    tasks = int(first["task"].nunique())
    found = first.iloc[::tasks][["rate", "steps"]].reset_index(drop=True)
    found.columns = [RATE, STEPS]
    found = found.assign(**{SEEDS: len(seeds), TASKS: tasks})
    for name in names:
        values = np.stack([own[name].to_numpy(float).reshape(-1, tasks) for own in seeds])
        values[np.isnan(values)] = np.inf
        found[mean(name)] = values.mean((0, 2))
        found[over_tasks(name)] = NORMAL * standard_error(values.mean(0))
        found[over_seeds(name)] = student(len(seeds)) * standard_error(values.mean(2).T)
    return found
