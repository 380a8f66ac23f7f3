"""The numbers of a race as tables of text that fit a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from harness.analysis.sensitivity.texts import Table, frame_of, interval, number, with_interval
from harness.study.race.contenders import TITLES
from harness.study.race.headline import RUNS
from harness.study.race.written import Raced


def tables(raced: Raced) -> list[Table]:
    """All of them that have rows."""
    found = (worth(raced.numbers), spent(raced.numbers, raced.target), gains(raced.numbers))
    return [one for one in found if len(one.frame)]


def _title(name: Any) -> str:
    return TITLES[name]


def _rows(frame: pd.DataFrame) -> Iterator[Any]:
    return frame.itertuples()


def runs(row: Any) -> str:
    """`12.3 (8.1 to 20)`, `over 169`, `under 1`, with what its interval's ends are; `neither reaches it`."""
    if math.isnan(row.value):
        return str(row.why)
    shown, *ends = (_runs(one, row) for one in (row.value, row.low, row.high))
    if math.isfinite(row.value) and math.isfinite(row.low) and math.isfinite(row.high):
        return interval(row.value, row.low, row.high)
    if math.isnan(row.low) or ends == [shown, shown]:
        return shown
    return f"{shown} ({ends[0]} to {ends[1]})"


def _runs(value: float, row: Any) -> str:
    if math.isinf(value):
        return f"over {short(row.last)}" if value > 0 else f"under {short(row.first)}"
    return number(value)


def short(value: float) -> str:
    """`169`, `0.1`, `33.1`."""
    return f"{value:.1f}".removesuffix(".0")


def _of(numbers: pd.DataFrame, measure: str) -> pd.DataFrame:
    return numbers[numbers["measure"] == measure]


def worth(numbers: pd.DataFrame) -> Table:
    """What one untuned run is worth."""
    losses, hits = _of(numbers, "worth_by_loss"), _of(numbers, "worth_by_hit")
    rows = [
        {
            "one run of": _title(by_loss.racer),
            "against": _title(by_loss.other),
            "by loss": runs(by_loss),
            "by hit": runs(by_hit),
        }
        for by_loss, by_hit in zip(_rows(losses), _rows(hits), strict=True)
    ]
    return Table(
        key="worth",
        title="What one run at random initial rates is worth, in runs of a tuner",
        frame=frame_of(rows),
        words=("one run of", "against"),
        notes=(
            "by loss: runs of the tuner until its expected best validation loss is the mean of the one run",
            "by hit: until a run of it has reached the target as probably",
            "of TPE, ASHA and PBT: iterations, in whole budgets",
        ),
    )


def spent(numbers: pd.DataFrame, target: float) -> Table:
    """What each racer spends until it reaches the target."""
    costs, losses, hits = (_of(numbers, name) for name in ("tuning_cost", "single_loss", "single_hit"))
    rows = []
    for name in costs["racer"].unique():
        own = costs[costs["racer"] == name]
        cost = next(_rows(own[own["other"].isna()]))
        ratio = next(_rows(own[own["other"].notna()]), None)
        single = next(_rows(losses[losses["racer"] == name]), None)
        hit = next(_rows(hits[hits["racer"] == name]), None)
        rows.append(
            {
                "racer": _title(name),
                "iterations": cost.why if math.isinf(cost.value) else with_interval(cost),
                "ratio": with_interval(ratio) if ratio is not None and math.isfinite(ratio.value) else "",
                "loss of one": "" if single is None else number(single.value),
                "hits": "" if hit is None else number(hit.value),
            }
        )
    return Table(
        key="spent",
        title=f"Iterations until a training loss of {target:g}",
        frame=frame_of(rows),
        words=("racer",),
        notes=(
            "iterations: expected until the first sustained passage, abandoned runs included",
            "ratio: to MAML's random search",
            "loss of one, hits: expected validation loss of one run, and its chance to reach the target",
        ),
    )


def gains(numbers: pd.DataFrame) -> Table:
    """What searching Alpha-MAML's own rates adds."""
    found = _of(numbers, "gain_by_search")
    rows = []
    for other in found["other"].unique():
        by_runs = {row.of: with_interval(row) for row in _rows(found[found["other"] == other])}
        rows.append({"beside": _title(other)} | {_after(runs): by_runs.get(f"{runs}", "") for runs in RUNS})
    return Table(
        key="gains",
        title="What searching all four rates of Alpha-MAML adds: expected best loss, difference",
        frame=frame_of(rows),
        words=("beside",),
        notes=("below 0: drawing its own rates anew for each run is better than one pair that is kept",),
    )


def _after(runs: int) -> str:
    return f"after {runs} budget{'s' * (runs > 1)}"
