"""What the claims are judged by: tables pooled by reading, and the facts measured beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from harness.analysis.summary import numbers
from harness.common import places
from harness.common.errors import UserError
from harness.grids.grid import RESERVED
from harness.paper.definitions import RATES
from harness.paper.few_cells import with_few_cells
from harness.paper.reading import DRAW, Facts, Reading, Records, in_limit, of_rows
from harness.records import tables
from harness.records.schema import TRIALS
from harness.records.tables import Tables

DATASET = "omniglot"
"""The paper's: runs on any other data set say nothing about its sentences."""
GRID, READING = "_grid", "_reading"
ASKED = (
    *("cell_id", "method", "dataset", "protocol", "preset", "changes", "n_way", *RATES, "seed"),
    *("target_loss", "max_iterations"),
)
"""Columns of the trials that say what was asked; the others are results."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What `gather` finds."""

    records: tuple[Records, ...]
    """Of paper-adam, paper-sgd, then paper-adam on few cells and the readings that change a field."""
    facts: Facts
    sources: dict[str, str]
    """Grid -> where its records come from, in words."""


def gather(results: Path, reference_only: bool = False) -> Evidence:
    """All tables on Omniglot under `results` and in the reference, and the facts (of the reference alone).

    Of a grid that both have, the user's own tables count if half its cells of some seed are run in them,
    else the reference's. Readings are pooled over grids: a cell's longest run counts. Runs of an older
    version of the arithmetic than a reading's newest are left out: their cells count as not run.
    UserError if there is no table at all.
    """
    chosen, sources = _chosen({} if reference_only else _tables(results), _tables(places.REFERENCE))
    if not chosen:
        raise UserError(
            f"{results}: no tables on {DATASET} there or in the reference; {places.typed('sweep')} makes some"
        )
    rows = [tables.trials.assign(**{GRID: grid}) for grid, tables in chosen.items()]
    trials = pd.concat(rows, ignore_index=True)
    names = of_rows(trials)
    readings = sorted({name for name in names if DRAW not in name.fields}, key=lambda reading: reading.order)
    columns = {reading: place for place, reading in enumerate(readings)}
    trials[READING] = [columns.get(name, -1) for name in names]
    trials = trials[trials[READING] >= 0]
    version = pd.Series(numbers(trials["numerics"]), trials.index)  # NaN: not run
    old = version < version.groupby(trials[READING]).transform("max")
    trials.loc[old, [name for name in TRIALS if name not in ASKED]] = pd.NA
    for grid, count in trials[GRID][old].value_counts().items():
        sources[str(grid)] += f"; left out, of an older version of the arithmetic: {count}"
    records = [
        _records(reading, trials[trials[READING] == place].drop(columns=READING), chosen)
        for place, reading in enumerate(readings)
    ]
    return Evidence(records=tuple(with_few_cells(records)), facts=_facts(places.REFERENCE), sources=sources)


def _tables(folder: Path) -> dict[str, Tables]:
    """Grid -> its tables, of the folder's grids that ran on DATASET."""
    found = {}
    for path in sorted(folder.glob("*/trials.parquet")):
        if path.parent.name not in RESERVED:
            own = tables.read(path.parent)
            if (own.trials["dataset"] == DATASET).all():
                found[path.parent.name] = own
    return found


def _chosen(own: dict[str, Tables], reference: dict[str, Tables]) -> tuple[dict[str, Tables], dict[str, str]]:
    """For each grid the tables that count, and where they come from, in words."""
    chosen, sources = {}, {}
    for grid in sorted({*own, *reference}):
        mine, theirs = own.get(grid), reference.get(grid)
        if mine is not None and (theirs is None or _half(mine.trials)):
            chosen[grid] = mine
            beside = ", in place of the reference's" if theirs is not None else ""
            sources[grid] = f"own records ({_run(mine.trials)}){beside}"
        elif theirs is not None:
            chosen[grid] = theirs
            beside = f"; your own: {_run(mine.trials)}" if mine is not None else ""
            sources[grid] = f"reference ({_run(theirs.trials)}){beside}"
    return chosen, sources


def _half(trials: pd.DataFrame) -> bool:
    """Whether half the cells of some seed are run."""
    return bool((trials["outcome"].notna().groupby(trials["seed"]).mean() >= 0.5).any())


def _run(trials: pd.DataFrame) -> str:
    """`185 of 185 cells run`."""
    return f"{trials['outcome'].notna().sum()} of {len(trials)} cells run"


def _records(reading: Reading, trials: pd.DataFrame, tables: dict[str, Tables]) -> Records:
    """One row a cell, and the trajectory that belongs to it: of the longest run."""
    # A result outranks a failure; of runs equally long, the one with a target has counts beside it.
    ranks = pd.DataFrame(
        {
            "run": trials["outcome"].notna() & (trials["outcome"] != "failed"),
            "length": pd.Series(numbers(trials["iterations_run"]), trials.index).fillna(0),
            "target": trials["target_loss"].notna(),
        }
    ).sort_values(["run", "length", "target"], ascending=False, kind="stable")
    first = trials.loc[ranks.index].drop_duplicates("cell_id").index
    best = trials[trials.index.isin(first)]
    curves = [
        own.trajectories[own.trajectories["cell_id"].isin(shown["cell_id"])]
        for grid, own in tables.items()
        for shown in [best[(best[GRID] == grid) & best["outcome"].notna()]]
    ]
    limits = (
        Records(reading=reading, trials=own, trajectories=tables[str(grid)].trajectories)
        for grid, own in trials.groupby(GRID)
        if in_limit(own).any()
    )
    return Records(
        reading=reading,
        trials=best.drop(columns=GRID).reset_index(drop=True),
        trajectories=pd.concat(curves, ignore_index=True),
        limits=tuple(limits),
    )


def _facts(folder: Path) -> Facts:
    """Those of results/reference."""
    from harness.paper import chance  # late: it loads scipy

    losses = chance.read(folder / "noise")
    return Facts(
        cost=_json(folder / "cost" / "cost.json"),
        noise=None if losses is None else chance.summary(losses),
        data=_json(folder / "omniglot.json"),
    )


def _json(path: Path) -> dict[str, Any] | None:
    """None: there is no such file."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
        return found
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error}); git checkout restores it") from None
