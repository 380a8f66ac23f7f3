"""One's own records beside the reference ones: cell by cell, and seed by seed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.analysis import labels
from harness.analysis.rounding import PASSAGES, Interval, Rounding
from harness.analysis.summary import hyper_columns, numbers
from harness.cell import label
from harness.common.errors import UserError

EQUAL, WITHIN, OUTSIDE, OUTCOME = "equal", "within rounding", "outside", "other outcome"
AGREEMENTS = (EQUAL, WITHIN, OUTSIDE, OUTCOME)
"""Of two runs of a cell: the same count or the same kind of miss; counts as near as rounding brings them;
further apart; one reached the target and the other did not, or they missed it in other ways."""
COLUMNS = dict(zip(("equal", "within", "outside", "other_outcome"), AGREEMENTS, strict=True))
"""Of `over_seeds`: column -> agreement."""
ASKED = {
    "dataset": "data set",
    "target_loss": "target",
    "max_iterations": "budget",
}
"""Columns in which both tables have to be alike, in words."""
MADE_BY = ("numerics", "device", "torch")
"""Columns of the trials that may explain a difference."""


class Compared(NamedTuple):
    """What `compare` finds."""

    cells: pd.DataFrame
    """See `compare`."""
    seeds: pd.DataFrame
    """See `over_seeds`."""
    notes: tuple[str, ...]
    """What else one has to know, a line each: seeds that are not compared, other machines or versions."""


def compare(mine: pd.DataFrame, reference: pd.DataFrame, rounding: Rounding | None) -> Compared:
    """Lay two trials tables (see harness.records.schema) of the same question side by side.

    `rounding`: the yardstick; None: none was measured, so counts that are not equal are OUTSIDE.
    The cells are those of the seeds that both have, the reference's first: cell_id, protocol, preset,
    changes, method, its hyper-parameters, seed, outcome_mine and outcome_reference (null: not run; a failed
    run counts as such); for each of PASSAGES <name>_mine, <name>_reference (NaN: a miss), <name>_difference
    (mine less reference) and <name>_agreement, one of AGREEMENTS (null: not run on both sides).
    UserError: other data set, protocol, target or budget, or no cell that both have run.
    """
    _same_question(mine, reference)
    lacking = sorted(set(mine["seed"]) - set(reference["seed"]))
    notes = [f"seed {seed}: the reference has none of it, so it is not compared" for seed in lacking]
    common = set(mine["seed"]) & set(reference["seed"])
    keys = ["cell_id", "protocol", "preset", "changes", "method", *hyper_columns(reference), "seed"]
    known = pd.concat([reference[keys], mine[keys]], ignore_index=True).drop_duplicates("cell_id")
    known = known[known["seed"].isin(common)]
    cells = known.merge(_results(mine, "mine"), on="cell_id", how="left")
    cells = cells.merge(_results(reference, "reference"), on="cell_id", how="left")
    for name in PASSAGES:
        cells[f"{name}_difference"] = cells[f"{name}_mine"] - cells[f"{name}_reference"]
        interval = None if rounding is None else getattr(rounding, name)
        cells[f"{name}_agreement"] = _agreements(cells, name, interval)
    if not cells["first_agreement"].notna().any():
        raise UserError("no cell of these seeds has been run on both sides: there is nothing to compare yet")
    ran = cells.loc[cells["first_agreement"].notna(), "cell_id"]
    notes += _made_by(mine[mine["cell_id"].isin(ran)], reference[reference["cell_id"].isin(ran)])
    return Compared(cells, over_seeds(cells), tuple(notes))


def over_seeds(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells of `compare` counted: one row a seed and passage (`first`, `sustained`).

    Columns beside these: in_both (cells run on both sides), equal, within, outside, other_outcome (see
    AGREEMENTS; together in_both), median_difference (of |difference| where both have a count, iterations;
    NaN: nowhere), only_mine and only_reference (cells that one side alone has run).
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


def _results(trials: pd.DataFrame, side: str) -> pd.DataFrame:
    """Cell, outcome and counts of the cells that were run."""
    done = trials[trials["outcome"].notna() & (trials["outcome"] != "failed")]
    counts = {f"{name}_{side}": numbers(done[column]) for name, column in PASSAGES.items()}
    return pd.DataFrame({"cell_id": done["cell_id"], f"outcome_{side}": done["outcome"], **counts})


def _agreements(cells: pd.DataFrame, name: str, interval: Interval | None) -> list[str | None]:
    """One of AGREEMENTS for each cell; None: not run on both sides."""
    found: list[str | None] = []
    for cell in cells.to_dict("records"):
        outcomes = cell["outcome_mine"], cell["outcome_reference"]
        difference, count = cell[f"{name}_difference"], cell[f"{name}_reference"]
        missed = [np.isnan(cell[f"{name}_{side}"]) for side in ("mine", "reference")]
        if any(pd.isna(outcome) for outcome in outcomes):
            found.append(None)
        elif all(missed):
            found.append(EQUAL if outcomes[0] == outcomes[1] else OUTCOME)
        elif any(missed):
            found.append(OUTCOME)
        elif difference == 0:
            found.append(EQUAL)
        else:
            found.append(WITHIN if interval and interval.allows(difference, count) else OUTSIDE)
    return found


def _same_question(mine: pd.DataFrame, reference: pd.DataFrame) -> None:
    """UserError unless both tables ask the same of the same problem."""
    if reference["target_loss"].isna().all():
        raise UserError("this grid has no target, so there are no counts to compare")
    protocols = [[label(*one) for one in labels.of_trials(trials)] for trials in (mine, reference)]
    if not set(protocols[0]) & set(protocols[1]):  # of several, one in common will do
        shown = [" and ".join(sorted(those)) or "none" for those in protocols]
        raise UserError(f"protocol: yours is {shown[0]}, the reference's {shown[1]}; counts do not compare")
    for column, word in ASKED.items():
        own, other = (set(trials[column].dropna()) for trials in (mine, reference))
        if own != other:
            shown = [" and ".join(sorted(map(str, values))) or "none" for values in (own, other)]
            raise UserError(f"{word}: yours is {shown[0]}, the reference's {shown[1]}; counts do not compare")


def _made_by(mine: pd.DataFrame, reference: pd.DataFrame) -> Iterator[str]:
    """A line for each of MADE_BY in which the records differ. The user reads them, so mine are "yours"."""
    for column in MADE_BY:
        own, other = (sorted(map(str, trials[column].dropna().unique())) for trials in (mine, reference))
        if own != other:
            yield f"{column}: yours {' and '.join(own)}, the reference's {' and '.join(other)}"
