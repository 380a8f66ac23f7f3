"""What the claims are judged on: tables pooled by reading, and the facts measured beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis.rounding import DRAW
from harness.analysis.summary import finished, numbers
from harness.common import places
from harness.common.errors import UserError
from harness.grids.grid import RESERVED
from harness.paper import chance
from harness.paper.definitions import RATES
from harness.paper.few_cells import with_few_cells
from harness.paper.reading import Facts, Reading, Records, in_limit, readings_of
from harness.records import tables
from harness.records.tables import Tables

PROBLEM, DATASET, METHODS = "few-shot", "omniglot", ("maml", "alpha-maml")
"""The paper's: runs of any other say nothing about its sentences."""
GRID, READING = "_grid", "_reading"
ASKED = (
    *("cell_id", "method", "problem", "dataset", "protocol", "preset", "changes", "n_way", *RATES, "seed"),
    *("target_loss", "max_iterations"),
)
"""Columns of the trials that say what was asked; the others are results."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What `gather` returns."""

    records: tuple[Records, ...]
    """Of paper-adam, paper-sgd, then paper-adam on few cells and the readings that change a field, as grids
    list them."""
    facts: Facts
    sources: dict[str, str]
    """Grid -> where its records come from, in words."""


def gather(results: Path, reference_only: bool = False) -> Evidence:
    """All tables on Omniglot under `results` and in the reference, and the facts (from the reference only).

    Of a grid that both have, the user's own tables count if they have run half the cells of some seed, else
    the reference's. A reading's records are pooled over grids: of each cell, the longest run counts. Runs by
    an older version of the arithmetic than the newest of their reading are left out, as if not run.
    Raises UserError if there are no tables at all.
    """
    users, unreadable = ({}, {}) if reference_only else _tables(results)
    chosen, sources = _chosen(users, _tables(places.REFERENCE)[0])
    if not chosen:
        raise UserError(
            f"{results}: no tables on {DATASET} here or in the reference; {places.typed('sweep')} makes some"
        )
    rows = [tables.trials.assign(**{GRID: grid}) for grid, tables in chosen.items()]
    trials = pd.concat(rows, ignore_index=True)
    trials = trials.assign(**{rate: np.nan for rate in RATES if rate not in trials})  # all are MAML's
    reading_of_row = readings_of(trials)
    listed = as_listed(trials[GRID], reading_of_row)
    papers = [reading for reading in listed if DRAW not in reading.fields]  # the others are the yardstick's
    readings = sorted(papers, key=lambda reading: reading.order)
    numbered = {reading: number for number, reading in enumerate(readings)}
    trials[READING] = [numbered.get(reading, -1) for reading in reading_of_row]
    trials = trials[trials[READING] >= 0]
    version = pd.Series(numbers(trials["numerics"]), trials.index)  # NaN: not run
    old = version < version.groupby(trials[READING]).transform("max")
    asked = {*ASKED, GRID, READING}
    trials.loc[old, [name for name in trials.columns if name not in asked]] = pd.NA
    for grid, count in trials[GRID][old].value_counts().items():
        sources[str(grid)] += f"; {count} left out, made by an older version of the arithmetic"
    for grid, reason in unreadable.items():
        sources[grid] = "; ".join(
            [*([sources[grid]] if grid in sources else []), f"yours left out: {reason}"]
        )
    records = [
        _records(reading, trials[trials[READING] == number].drop(columns=READING), chosen)
        for number, reading in enumerate(readings)
    ]
    return Evidence(records=tuple(with_few_cells(records)), facts=_facts(places.REFERENCE), sources=sources)


def as_listed(grids: Iterable[str], readings: Iterable[Reading]) -> list[Reading]:
    """Each reading once, from the grid and the reading of each row: as the grid with most readings has them,
    then the further ones of the next."""
    by_grid: dict[str, dict[Reading, None]] = {}
    for grid, reading in zip(grids, readings, strict=True):
        by_grid.setdefault(grid, {})[reading] = None
    return list(dict.fromkeys(chain(*sorted(by_grid.values(), key=len, reverse=True))))


def _tables(folder: Path) -> tuple[dict[str, Tables], dict[str, str]]:
    """Grid -> its tables, for the grids in the folder that ran the paper's methods on its data set; and, for
    those that cannot be read, why not."""
    by_grid, unreadable = {}, {}
    for path in sorted(folder.glob("*/trials.parquet")):
        if path.parent.name not in RESERVED:
            try:
                grid = tables.read(path.parent)
            except UserError as error:
                unreadable[path.parent.name] = str(error)
                continue
            if (papers := _papers(grid)) is not None:
                by_grid[path.parent.name] = papers
    return by_grid, unreadable


def _papers(grid: Tables) -> Tables | None:
    """The tables without other methods; None: they say nothing about the paper's sentences."""
    trials = grid.trials
    if "dataset" not in trials or not (trials["dataset"] == DATASET).all():
        return None
    if "problem" in trials and not (trials["problem"] == PROBLEM).all():  # older tables lack it
        return None
    kept = trials[trials["method"].isin(METHODS)]
    return None if kept.empty and len(trials) else replace(grid, trials=kept)


def _chosen(
    users: dict[str, Tables], reference: dict[str, Tables]
) -> tuple[dict[str, Tables], dict[str, str]]:
    """Grid -> the tables that count, and grid -> where these come from, in words."""
    chosen, sources = {}, {}
    for grid in sorted({*users, *reference}):
        mine, theirs = users.get(grid), reference.get(grid)
        if mine is not None and (theirs is None or _half(mine.trials)):
            chosen[grid] = mine
            beside = ", instead of the reference's" if theirs is not None else ""
            sources[grid] = f"your records ({_run(mine.trials)}){beside}"
        elif theirs is not None:
            chosen[grid] = theirs
            beside = f"; yours: {_run(mine.trials)}" if mine is not None else ""
            sources[grid] = f"reference ({_run(theirs.trials)}){beside}"
    return chosen, sources


def _half(trials: pd.DataFrame) -> bool:
    """Whether half the cells of some seed are run."""
    return bool((trials["outcome"].notna().groupby(trials["seed"]).mean() >= 0.5).any())


def _run(trials: pd.DataFrame) -> str:
    """`185 of 185 cells run`."""
    return f"{trials['outcome'].notna().sum()} of {len(trials)} cells run"


def _records(reading: Reading, trials: pd.DataFrame, tables: dict[str, Tables]) -> Records:
    """One row per cell, and the trajectory of its longest run."""
    # A result outranks a failure; of runs equally long, the one for a target comes first: it has counts.
    ranks = pd.DataFrame(
        {
            "run": trials.index.isin(finished(trials).index),
            "length": pd.Series(numbers(trials["iterations_run"]), trials.index).fillna(0),
            "target": trials["target_loss"].notna(),
        }
    ).sort_values(["run", "length", "target"], ascending=False, kind="stable")
    first = trials.loc[ranks.index].drop_duplicates("cell_id").index
    best = trials[trials.index.isin(first)]
    curves = [
        grid_tables.trajectories[grid_tables.trajectories["cell_id"].isin(shown["cell_id"])]
        for grid, grid_tables in tables.items()
        for shown in [best[(best[GRID] == grid) & best["outcome"].notna()]]
    ]
    limits = (
        Records(reading=reading, trials=rows, trajectories=tables[str(grid)].trajectories)
        for grid, rows in trials.groupby(GRID)
        if in_limit(rows).any()
    )
    return Records(
        reading=reading,
        trials=best.drop(columns=GRID).reset_index(drop=True),
        trajectories=pd.concat(curves, ignore_index=True),
        limits=tuple(limits),
    )


def _facts(folder: Path) -> Facts:
    """The facts in results/reference."""
    losses = chance.read(folder / "noise")
    return Facts(
        cost=_json(folder / "cost" / "cost.json"),
        noise=None if losses is None else chance.summary(losses),
        data=_json(folder / "omniglot.json"),
    )


def _json(path: Path) -> dict[str, Any] | None:
    """The file's content; None: there is no such file."""
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return content
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error}); git checkout restores it") from None
