"""Claims on cost (C13), on the limit (C14), on the records themselves (C15) and on the data (C16)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from harness.analysis.summary import numbers
from harness.paper.claims.definitions import TARGETS
from harness.paper.claims.judged import Form, Judged, Verdict
from harness.paper.claims.logic import Told, all_of, verdict
from harness.paper.claims.rules import MOST_CELLS, NOT_ASKED
from harness.paper.reading import Facts, Records, in_limit
from harness.records.passages import first_passage, outcome, sustained_passage
from harness.records.schema import TRAJECTORIES

ONE_COPY = 1.01
"""Extra memory in copies of theta that counts as one: a hundredth for scalars beside it."""
SLOWER = 1.05
"""Alpha-MAML's time over MAML's up to which they cost the same."""
DATA = {
    "characters": 1623,
    "alphabets": 50,
    "drawings_per_character": 20,
    "train_characters": 1200,
    "validation_characters": 423,
    "in_both": 0,
}
"""The paper's data, by the keys of results/reference/omniglot.json; in_both: characters of both splits."""
AT_THE_END = ("beta", "val_loss", "val_accuracy")
"""Columns that the last row of a run has, or lacks, for being the last."""
SAME_RUN = ("numerics", "device", "threads", "pack_size", "torch")
"""Two runs of one problem agree to the last bit only where all of these do."""


def c13(records: Records, facts: Facts) -> Judged:
    """Alpha-MAML needs no gradient more and one stored one. Of the cost measurement, not of `reading`."""
    cost = facts.cost
    if cost is None:
        missing = Form(Verdict.OPEN, "the cost is not measured: results/reference/cost/cost.json is missing")
        return Judged(missing, weak=missing)
    passes = {name: cost["passes"][name] for name in ("maml", "alpha-maml")}
    extra = float(cost["memory"]["extra_in_theta"])
    low, high = map(float, cost["time"]["ratio_interval"])
    parts: dict[str, Told] = {
        "passes": passes["maml"] == passes["alpha-maml"],
        "memory": extra <= ONE_COPY,
        "time": True if high <= SLOWER else False if low > SLOWER else None,
    }
    lean = (
        f"{passes['alpha-maml']} backward passes an iteration against {passes['maml']}; "
        f"{extra:.2f} copies of theta more at the peak"
    )
    timed = f"{lean}; time {low:.3f} to {high:.3f} of MAML's (95 % interval)"
    two = {name: parts[name] for name in ("passes", "memory")}
    return Judged(
        Form(verdict(all_of(parts.values())), timed),
        weak=Form(verdict(all_of(two.values())), lean),
        numbers={
            "backward passes an iteration": passes,
            "extra memory at the peak, copies of theta": extra,
            "extra memory kept, copies of theta": cost["memory"].get("state_extra_in_theta"),
            "time over MAML's, median": cost["time"].get("ratio_median"),
            "time over MAML's, 95 % interval": [low, high],
        },
    )


class _Twins(NamedTuple):
    """Alpha-MAML with both hyper-rates 0, beside MAML at the same pair and seed."""

    name: str
    seed: int
    cells: tuple[str, ...]
    rows: int
    """That both have."""
    equal: bool | None
    """None: they cannot be compared."""
    why: str

    def weight(self) -> tuple[bool, bool, int]:
        """A difference found outweighs rows that are equal, and these that nothing is known."""
        return self.equal is False, self.equal is True, self.rows


def c14(records: Records, facts: Facts) -> Judged:
    """Without hyper-rates Alpha-MAML is MAML, in every bit of every row that both have."""
    best: dict[str, _Twins] = {}
    places: list[Records] = [*records.limits, records]  # what is pooled tells where no grid does
    for place in places:
        for one in _twins(place):
            best[one.cells[0]] = max(best.get(one.cells[0], one), one, key=_Twins.weight)
    twins = list(best.values())
    if not twins:
        return NOT_ASKED
    told = [t for t in twins if t.equal is not None]
    parted = [t for t in twins if not t.equal]
    why = (
        f"{sum(bool(t.equal) for t in told)} of {len(twins)} runs equal MAML's bit for bit, "
        f"in {sum(t.rows for t in told)} rows"
    )
    if parted:
        why += f"; {parted[0].name}, seed {parted[0].seed}: {parted[0].why}"
    return Judged(
        Form(verdict(all_of(t.equal for t in twins)), why),
        numbers={f"{t.name}, seed {t.seed}": t.why for t in twins},
        cells=tuple(cell for t in (parted or twins) for cell in t.cells)[:MOST_CELLS],
        seeds=tuple(sorted({t.seed for t in told})),
    )


def _twins(records: Records) -> Iterator[_Twins]:
    trials = records.trials
    for _, mine in trials[in_limit(trials)].iterrows():
        same = (trials[["alpha0", "beta0", "seed"]] == mine[["alpha0", "beta0", "seed"]]).all(axis=1)
        others = trials[same & (trials["method"] == "maml")]
        name = f"alpha0 {mine['alpha0']:g}, beta0 {mine['beta0']:g}"
        if others.empty or pd.isna(mine["outcome"]) or pd.isna(others.iloc[0]["outcome"]):
            yield _Twins(name, int(mine["seed"]), (mine["cell_id"],), 0, None, "not both are run")
            continue
        other = others.iloc[0]
        cells = (mine["cell_id"], other["cell_id"])
        apart = [key for key in SAME_RUN if mine[key] != other[key]]
        if apart:
            yield _Twins(name, int(mine["seed"]), cells, 0, None, f"run apart: other {', '.join(apart)}")
            continue
        rows, where = _first_difference(*(_curve(records, cell) for cell in cells))
        why = f"{rows} rows, all equal" if where is None else f"they part in {where}"
        yield _Twins(name, int(mine["seed"]), cells, rows, where is None, why)


def _curve(records: Records, cell: str) -> pd.DataFrame:
    rows = records.trajectories
    return rows[rows["cell_id"] == cell].sort_values("iteration")


def _first_difference(one: pd.DataFrame, other: pd.DataFrame) -> tuple[int, str | None]:
    """How many rows both have, and where they first part: `train_loss of iteration 7`; None: nowhere.

    The last row of a run has no update, so no beta, and is validated whatever its iteration; the other run
    may go on there, or be cut there by its grid's budget. A value that only one has is passed over in it.
    """
    rows = min(len(one), len(other))
    found: list[tuple[int, str]] = []
    for name in (name for name in TRAJECTORIES if name not in ("cell_id", "iteration")):
        a, b = (numbers(curve[name])[:rows] for curve in (one, other))
        parted = a.view(np.int64) != b.view(np.int64)
        parted &= ~(np.isnan(a) & np.isnan(b))
        if rows and name in AT_THE_END and np.isnan(a[-1]) != np.isnan(b[-1]):
            parted[-1] = False
        if parted.any():
            found.append((int(np.argmax(parted)) + 1, name))
    return rows, f"{min(found)[1]} of iteration {min(found)[0]}" if found else None


def c15(records: Records, facts: Facts) -> Judged:
    """A lower target takes no fewer iterations, and the tables' counts are those of the trajectories."""
    trials = records.trials
    run = trials[trials["outcome"].notna() & (trials["outcome"] != "failed")]
    rows = records.trajectories.sort_values(["cell_id", "iteration"], kind="stable")
    curves = {cell: numbers(curve["train_loss"]) for cell, curve in rows.groupby("cell_id", sort=False)}
    wrong = {
        row["cell_id"]: why
        for _, row in run.iterrows()
        if (why := _wrong(row, curves.get(row["cell_id"], np.empty(0))))
    }
    cells = tuple(wrong) or tuple(run["cell_id"])
    asked = tuple(trials["cell_id"])
    agree = None if run.empty else not wrong
    why = f"{len(run) - len(wrong)} of {len(run)} runs agree with themselves"
    why += "".join(f"; {cell}: {text}" for cell, text in list(wrong.items())[:1])
    return Judged(
        Form(verdict(agree), "no cell is run" if run.empty else why),
        numbers={"runs": len(run), "runs that do not agree": len(wrong)},
        cells=(cells or asked)[:MOST_CELLS],
        seeds=tuple(sorted(map(int, run["seed"].unique()))),
    )


def _wrong(row: pd.Series, losses: np.ndarray) -> str:
    """What does not agree in a run; nothing if all does."""
    budget = int(row["max_iterations"])
    target = None if pd.isna(row["target_loss"]) else float(row["target_loss"])
    for name, passage in (("first", first_passage), ("sustained", sustained_passage)):
        low, high = (passage(losses, target) for target in TARGETS)
        if low is not None and (high is None or high > low):
            return f"{name} passage of {TARGETS[1]:g} after that of {TARGETS[0]:g}"
    within = losses[:budget]
    expected = {
        "outcome": outcome(losses, row["ending"], int(row["iterations_run"]), target, budget),
        "iterations_run": len(within),
        "iterations_to_target": None if target is None else first_passage(within, target),
        "iterations_to_target_sustained": None if target is None else sustained_passage(within, target),
    }
    for name, value in expected.items():
        found = None if pd.isna(row[name]) else row[name]
        if found != value:
            return f"{name} is {found} in the table, {value} by the trajectory"
    return ""


def c16(records: Records, facts: Facts) -> Judged:
    """Omniglot is as the paper counts it, split as it says. Of the data, not of `reading`."""
    data = facts.data
    if data is None:
        return Judged(
            Form(Verdict.OPEN, "the data are not described: results/reference/omniglot.json is missing")
        )
    found: dict[str, Any] = {key: data.get(key) for key in DATA}
    parts = {key: None if found[key] is None else found[key] == value for key, value in DATA.items()}
    why = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in found.items())
    return Judged(Form(verdict(all_of(parts.values())), why), numbers=found)
