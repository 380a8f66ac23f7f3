"""The claim of the abstract: C14 (Alpha-MAML extends MAML, so with hyper-rates of 0 it is MAML)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from harness.analysis.summary import numbers
from harness.paper.claims.claim import Claim
from harness.paper.judging.logic import all_of, verdict
from harness.paper.judging.verdict import MOST_CELLS, NOT_ASKED, Form, Judged
from harness.paper.reading import Facts, Records, in_limit

AT_THE_END = ("beta", "val_loss", "val_accuracy")
"""Columns whose value in a run's last row may be missing, or present, just because that row is the last."""
SAME_RUN = ("numerics", "device", "threads", "pack_size", "torch")
"""Two runs of the same cell agree bit for bit only if all of these are equal."""


@dataclass(frozen=True, kw_only=True)
class _Twins:
    """Alpha-MAML with both hyper-rates 0, beside MAML at the same pair and seed."""

    name: str
    seed: int
    cells: tuple[str, ...]
    rows: int
    """How many rows both have."""
    equal: bool | None
    """None: they cannot be compared."""
    why: str

    def weight(self) -> tuple[bool, bool, int]:
        """A difference outweighs equal rows, and those outweigh a pair that cannot be compared."""
        return self.equal is False, self.equal is True, self.rows


def _c14(records: Records, facts: Facts) -> Judged:
    best: dict[str, _Twins] = {}
    for source in (*records.limits, records):  # the pooled runs answer where no single grid does
        for pair in _twins(source):
            best[pair.cells[0]] = max(best.get(pair.cells[0], pair), pair, key=_Twins.weight)
    twins = list(best.values())
    if not twins:
        return NOT_ASKED
    compared = [t for t in twins if t.equal is not None]
    different = [t for t in twins if not t.equal]
    why = (
        f"{sum(bool(t.equal) for t in compared)} of {len(twins)} runs equal MAML's bit for bit, "
        f"over {sum(t.rows for t in compared)} rows"
    )
    if different:
        why += f"; {different[0].name}, seed {different[0].seed}: {different[0].why}"
    return Judged(
        strict=Form(verdict=verdict(all_of(t.equal for t in twins)), why=why),
        numbers={f"{t.name}, seed {t.seed}": t.why for t in twins},
        cells=tuple(cell for t in (different or twins) for cell in t.cells)[:MOST_CELLS],
        seeds=tuple(sorted({t.seed for t in compared})),
    )


def _twins(records: Records) -> Iterator[_Twins]:
    trials = records.trials
    for _, mine in trials[in_limit(trials)].iterrows():
        same = (trials[["alpha0", "beta0", "seed"]] == mine[["alpha0", "beta0", "seed"]]).all(axis=1)
        others = trials[same & (trials["method"] == "maml")]
        yield _beside(mine, None if others.empty else others.iloc[0], records)


def _beside(mine: pd.Series, other: pd.Series | None, records: Records) -> _Twins:
    """A trial of Alpha-MAML beside MAML's; None: MAML has no trial there."""
    twins = _Twins(
        name=f"alpha0 {mine['alpha0']:g}, beta0 {mine['beta0']:g}",
        seed=int(mine["seed"]),
        cells=(mine["cell_id"],),
        rows=0,
        equal=None,
        why="one of the two was not run",
    )
    if other is None or pd.isna(mine["outcome"]) or pd.isna(other["outcome"]):
        return twins
    twins = replace(twins, cells=(mine["cell_id"], other["cell_id"]))
    if unequal := [key for key in SAME_RUN if mine[key] != other[key]]:
        return replace(twins, why=f"not comparable: different {', '.join(unequal)}")
    rows, where = _first_difference(*(_curve(records, cell) for cell in twins.cells))
    why = f"{rows} rows, all equal" if where is None else f"they first differ in {where}"
    return replace(twins, rows=rows, equal=where is None, why=why)


def _curve(records: Records, cell: str) -> pd.DataFrame:
    rows = records.trajectories
    return rows[rows["cell_id"] == cell].sort_values("iteration")


def _first_difference(one: pd.DataFrame, other: pd.DataFrame) -> tuple[int, str | None]:
    """How many rows both have, and where they first differ: `train_loss at iteration 7`; None: nowhere.

    The last row of a run has no update, so no beta, and is always validated, while the other run may go on
    there or be cut there by its grid's budget. So a value that only one of them has in that row is ignored.
    """
    rows = min(len(one), len(other))
    differences: list[tuple[int, str]] = []
    for name in (name for name in one.columns if name not in ("cell_id", "iteration")):
        a, b = (numbers(curve[name])[:rows] for curve in (one, other))
        different = a.view(np.int64) != b.view(np.int64)
        different &= ~(np.isnan(a) & np.isnan(b))
        if rows and name in AT_THE_END and np.isnan(a[-1]) != np.isnan(b[-1]):
            different[-1] = False
        if different.any():
            differences.append((int(np.argmax(different)) + 1, name))
    if not differences:
        return rows, None
    iteration, name = min(differences)
    return rows, f"{name} at iteration {iteration}"


C14 = Claim(
    key="C14",
    place="Abstract; Algorithms 1 and 2",
    sentence="... introducing an extension to MAML, called Alpha MAML ...",
    short="with hyper-rates of 0, Alpha-MAML is MAML",
    strict="with both hyper-rates 0 every run equals MAML's bit for bit",
    judge=_c14,
)
