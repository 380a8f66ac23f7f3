"""The user's own records beside the reference's: cell by cell, then counted for each seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis import labels
from harness.analysis.rounding import PASSAGES, Interval, Rounding
from harness.analysis.summary import finished, hyper_columns, numbers
from harness.cell import label
from harness.common.errors import UserError
from harness.common.text import listed

EQUAL, WITHIN, OUTSIDE, OUTCOME = "equal", "within rounding", "outside", "other outcome"
AGREEMENTS = (EQUAL, WITHIN, OUTSIDE, OUTCOME)
"""How two runs of a cell compare: they have the same count or missed in the same way; their counts differ by
no more than rounding explains; they differ by more; only one reached the target, or they missed it in
different ways."""
COLUMNS = dict(zip(("equal", "within", "outside", "other_outcome"), AGREEMENTS, strict=True))
"""Columns of `over_seeds` -> the agreement that each counts."""
QUESTION = {"dataset": "data set", "target_loss": "target", "max_iterations": "budget"}
"""Columns that must have the same values in both tables -> their names in messages."""
MADE_BY = ("numerics", "device", "torch")
"""Columns of the trials that may explain why counts differ."""
SIDES = ("mine", "reference")


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What `compare` returns."""

    cells: pd.DataFrame
    """See `compare`."""
    seeds: pd.DataFrame
    """See `over_seeds`."""
    notes: tuple[str, ...]
    """What else the reader needs to know, one line each: seeds left out, other machines or versions, rounding
    measured elsewhere."""


def compare(mine: pd.DataFrame, reference: pd.DataFrame, rounding: Rounding | None) -> Compared:
    """Lay two trials tables (see harness.records.schema) of the same question side by side.

    `rounding`: the yardstick; None: it was not measured, so counts that differ are OUTSIDE.
    The cells are those of the seeds that both tables have, the reference's first: cell_id, protocol, preset,
    changes, method, its hyper-parameters, seed, outcome_mine and outcome_reference (null: not run; a failed
    run counts as not run); for each of PASSAGES <name>_mine, <name>_reference (NaN: a miss),
    <name>_difference (mine minus reference) and <name>_agreement, one of AGREEMENTS (null: not run on both
    sides). Raises UserError if data set, protocol, target or budget differ, or no cell was run on both sides.
    """
    _check_question(mine, reference)
    cells = _side_by_side(mine, reference)
    for name in PASSAGES:
        interval = None if rounding is None else getattr(rounding, name)
        cells[f"{name}_difference"] = cells[f"{name}_mine"] - cells[f"{name}_reference"]
        cells[f"{name}_agreement"] = [_agreement(cell, name, interval) for cell in cells.to_dict("records")]
    compared = cells.loc[cells["first_agreement"].notna(), "cell_id"]
    if compared.empty:
        raise UserError("nothing to compare yet: no cell of these seeds has been run on both sides")
    run_on_both = [trials[trials["cell_id"].isin(compared)] for trials in (mine, reference)]
    notes = (
        *_seeds_left_out(mine, reference),
        *_made_by(*run_on_both),
        *_measured_elsewhere(rounding, run_on_both[1]),
    )
    return Compared(cells=cells, seeds=over_seeds(cells), notes=notes)


def over_seeds(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells of `compare`, counted: one row per seed and passage (`first`, `sustained`).

    Columns beside these: in_both (cells run on both sides), equal, within, outside, other_outcome (see
    AGREEMENTS; together in_both), median_difference (of |difference| where both have a count, iterations;
    NaN: no such cell), only_mine and only_reference (cells run on one side only).
    """
    rows = []
    for seed, group in cells.groupby("seed", sort=True):
        has_mine, has_reference = group["outcome_mine"].notna(), group["outcome_reference"].notna()
        for name in PASSAGES:
            agreement = group[f"{name}_agreement"]
            rows.append(
                {
                    "seed": seed,
                    "passage": name,
                    "in_both": int(agreement.notna().sum()),
                    **{column: int((agreement == what).sum()) for column, what in COLUMNS.items()},
                    "median_difference": group[f"{name}_difference"].abs().median(),
                    "only_mine": int((has_mine & ~has_reference).sum()),
                    "only_reference": int((has_reference & ~has_mine).sum()),
                }
            )
    return pd.DataFrame(rows)


def _check_question(mine: pd.DataFrame, reference: pd.DataFrame) -> None:
    """UserError unless both tables ask the same question; one protocol in common is enough."""
    if reference["target_loss"].isna().all():
        raise UserError("this grid has no target, so there are no counts to compare")
    protocols = [labels.of_trials(trials) for trials in (mine, reference)]
    if not any(protocol in protocols[1] for protocol in protocols[0]):
        raise _mismatch("protocol", *([label(*protocol) for protocol in side] for side in protocols))
    for column, word in QUESTION.items():
        sides = (mine, reference)
        values = [set(trials[column].dropna()) if column in trials else set() for trials in sides]
        if values[0] != values[1]:
            raise _mismatch(word, *values)


def _mismatch(word: str, mine: Iterable[object], reference: Iterable[object]) -> UserError:
    shown = [listed(sorted(map(str, values))) or "none" for values in (mine, reference)]
    return UserError(
        f"{word}: yours is {shown[0]}, the reference's {shown[1]}; the counts cannot be compared"
    )


def _side_by_side(mine: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """The cells of the seeds that both tables have, with the outcomes and counts of both sides."""
    hyper = dict.fromkeys((*hyper_columns(reference), *hyper_columns(mine)))
    keys = ["cell_id", "protocol", "preset", "changes", "method", *hyper, "seed"]
    # Older tables have columns of hyper-parameters that none of their methods has, newer ones do not.
    asked = [trials.reindex(columns=keys) for trials in (reference, mine)]
    cells = pd.concat(asked, ignore_index=True).drop_duplicates("cell_id")
    cells = cells[cells["seed"].isin(set(mine["seed"]) & set(reference["seed"]))]
    for side, trials in zip(SIDES, (mine, reference), strict=True):
        cells = cells.merge(_results(trials, side), on="cell_id", how="left")
    return cells


def _results(trials: pd.DataFrame, side: str) -> pd.DataFrame:
    """Cell, outcome and counts of the cells that were run."""
    done = finished(trials)
    counts = {f"{name}_{side}": numbers(done[column]) for name, column in PASSAGES.items()}
    return pd.DataFrame({"cell_id": done["cell_id"], f"outcome_{side}": done["outcome"], **counts})


def _agreement(cell: dict[Any, Any], name: str, interval: Interval | None) -> str | None:
    """One of AGREEMENTS; None: not run on both sides."""
    outcomes = [cell[f"outcome_{side}"] for side in SIDES]
    mine, reference = (float(cell[f"{name}_{side}"]) for side in SIDES)
    if any(pd.isna(outcome) for outcome in outcomes):
        return None
    if np.isnan(mine) and np.isnan(reference):
        return EQUAL if outcomes[0] == outcomes[1] else OUTCOME
    if np.isnan(mine) or np.isnan(reference):
        return OUTCOME
    if mine == reference:
        return EQUAL
    return WITHIN if interval is not None and interval.allows(mine - reference, reference) else OUTSIDE


def _seeds_left_out(mine: pd.DataFrame, reference: pd.DataFrame) -> Iterator[str]:
    for seed in sorted(set(mine["seed"]) - set(reference["seed"])):
        yield f"seed {seed} is not in the reference, so it is not compared"


def _made_by(mine: pd.DataFrame, reference: pd.DataFrame) -> Iterator[str]:
    """A line for each of MADE_BY that differs. The user reads it, so what is `mine` here is "yours" there."""
    for column in MADE_BY:
        yours, ours = (sorted(map(str, trials[column].dropna().unique())) for trials in (mine, reference))
        if yours != ours:
            yield f"{column}: yours {listed(yours)}, the reference's {listed(ours)}"


def _measured_elsewhere(rounding: Rounding | None, reference: pd.DataFrame) -> Iterator[str]:
    """A line if some of these cells are of a protocol under which rounding was not measured."""
    if rounding is None or rounding.points.empty:
        return
    measured, here = labels.of_trials(rounding.points), labels.of_trials(reference)
    if any(protocol not in measured for protocol in here):
        yield f"rounding was measured under {labels.one_line(measured)} alone"
