"""Tables of what was searched, what it found, and what the search costs."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis.sensitivity.in_environment import EVALUATIONS, FACTOR, ITERATIONS, TOTAL
from harness.analysis.sensitivity.runs import Runs
from harness.analysis.sensitivity.texts import (
    DRAWN,
    NEVER,
    Numbers,
    Table,
    frame_of,
    interval,
    number,
    with_interval,
)
from harness.common.text import counted, written

ROOM = 2
"""Environments for which a terminal has room for everything."""


def searched(known: Numbers) -> Table:
    """The search space of each method."""
    rows = []
    for one in known.runs.methods:
        levels = {
            name: len(np.unique(one.knobs[:, columns], axis=0)) for name, columns in one.factors.items()
        }
        varied = ", ".join(f"{name} ({count})" for name, count in levels.items())
        rows.append({"method": one.name, "settings": str(len(one.table)), "varied": varied or "nothing"})
    together = "; a+b were varied together" * any(one.paired for one in known.runs.methods)
    return Table(
        key="searched",
        title="What was searched",
        frame=frame_of(rows),
        words=("method", "varied"),
        notes=(f"varied: how many values, in all environments together{together}",),
    )


def _best(known: Numbers, method: str, environment: str) -> str:
    """The best setting's score in its unit; that of counts as iterations."""
    row = known.find("best", method, environment)
    if row is None or not known.runs.of_counts:
        return with_interval(row)
    if known.value("reached", method, environment) == 0:
        return NEVER
    value, high, low = (10**-score for score in (row.value, row.low, row.high))
    return f"{value:.0f}" if row.seeds == 1 else interval(value, low, high)


def settings(known: Numbers) -> Table:
    """How many of a method's settings reach the target, and how good the best is."""
    of_counts, counts = known.runs.of_counts, any("count" in one.results for one in known.runs.methods)
    unit = ITERATIONS if of_counts else known.runs.unit
    best, mean = (f"{name} ({unit})" if unit else name for name in ("best", "mean"))
    rows = []
    for environment, one in known.present():
        key = one.name, environment
        reached = known.find("reached", *key)
        alone = len(known.names) == 1  # else there is no room
        row = known.place(environment) | {
            "method": one.name,
            "settings": f"{known.value('settings', *key):.0f}",
            "reach it": with_interval(reached) if alone or reached is None else number(reached.value),
            "near best": number(known.value("robust_area", *key, of=f"{FACTOR:g}")),
            best: _best(known, *key),
        }
        rows.append(row if of_counts else row | {mean: number(known.value("mean", *key))})
    notes = []
    if counts:
        notes += [
            "reach it: share of the settings that reach the target, and so the chance that one drawn at "
            "random does",
            f"near best: share that needs at most {FACTOR:g} times the iterations of the method's best",
        ]
    if of_counts:
        notes.append("best: fewest iterations, a geometric mean over seeds, a miss as the budget")
    else:
        notes.append(f"best, mean: of all settings; {known.runs.score}")
    return Table(key="settings", title="Settings", frame=frame_of(rows), notes=tuple(notes))


def chosen(known: Numbers, chosen: pd.DataFrame) -> Table:
    """The best setting of each environment, and the best for all of them."""
    order = {name: at for at, name in enumerate(known.runs.environments)}
    rows: list[dict[str, str]] = []
    # Those of an environment together, as in the other tables, and the defaults last.
    places = chosen["environment"].map(lambda name: order.get(name, len(order)))
    sorted_rows = chosen.iloc[places.to_numpy().argsort(kind="stable")]
    for method, environment, text, _, _, edges in sorted_rows.itertuples(index=False, name=None):
        setting = " ".join(f"{name}={written(value)}" for name, value in json.loads(text).items())
        place = known.place(environment) if isinstance(environment, str) else {"environment": "all"}
        rows.append(place | {"method": method, "best setting": setting, "at an end": edges})
    return Table(
        key="chosen",
        title="Best settings",
        frame=frame_of(rows),
        words=("environment", "method", "best setting", "at an end"),
        notes=("at an end: of the range that was searched, so that a wider one might have a better setting",),
        at_length=len(known.names) > ROOM,
    )


def _cost(known: Numbers, method: str, environment: str, unit: str) -> Any:
    """The row of a tuning cost, and its words: `never in 2 of 5 seeds` where it is infinite."""
    row = known.find("tuning_cost", method, environment, unit)
    if row is None or math.isfinite(row.value):
        return with_interval(row)
    never = int(known.value("seeds_without_hit", method, environment))
    return NEVER if never == row.seeds else f"{NEVER} in {never} of {counted(row.seeds, 'seed')}"


def costs(known: Numbers) -> Table:
    """What random search spends until its first hit."""
    first = known.runs.methods[0].name
    rows = []
    for environment, one in known.present():
        cost = known.find("tuning_cost", one.name, environment, EVALUATIONS)
        ratio = known.find("tuning_cost", one.name, environment, ITERATIONS, other=first)
        # Infinite for one of the two: no ratio.
        is_known = ratio is not None and math.isfinite(ratio.value) and ratio.value > 0
        rows.append(
            known.place(environment)
            | {
                "method": one.name,
                ITERATIONS: _cost(known, one.name, environment, ITERATIONS),
                "gradients": "" if cost is None else number(cost.value),
                f"ratio to {first}": with_interval(ratio) if is_known else "",
            }
        )
    frame = frame_of(rows)
    notes = [
        "iterations: expected of random search, each setting once, until its first run that reaches the "
        f"target, with all runs that it gave up{_budgets(known.runs)}; it belongs to these settings and this "
        "budget",
    ]
    if "gradients" in frame:
        notes.append(
            "gradients: in gradient evaluations; iterations of two methods may differ in how many they take"
        )
    return Table(key="cost", title="Tuning cost", frame=frame, notes=tuple(notes))


def _budgets(runs: Runs) -> str:
    """`, after 500 iterations each`."""
    caps = [one.results["cap"][one.ran] for one in runs.methods if "cap" in one.results]
    used = np.unique(np.concatenate([cap[np.isfinite(cap)] for cap in caps]))
    return f" after {' or '.join(f'{cap:g}' for cap in used)} iterations" if used.size <= 2 else ""


def search_of_score(known: Numbers) -> Table:
    """What random search finds, and how flat the range of rates is."""
    unit = known.runs.unit
    heads = [
        f"{name} ({unit})" if unit else name for name in (f"expected best of {DRAWN}", "rate sensitivity")
    ]
    rows = [
        known.place(environment)
        | {
            "method": one.name,
            heads[0]: with_interval(known.best.get((one.name, environment))),
            heads[1]: known.text("rate_sensitivity", one.name, environment, TOTAL),
        }
        for environment, one in known.present()
    ]
    blank = "; blank: a method has fewer" * any(row[heads[0]] == "" for row in rows)
    notes = (
        f"expected best of {DRAWN}: of so many settings drawn at random, each once{blank}",
        "rate sensitivity: how much worse than its best setting a method is on average over its settings; "
        "one that diverges is as bad as no training",
        *known.why(("rate_sensitivity",), environments=True),
    )
    return Table(key="search", title="Random search", frame=frame_of(rows), notes=notes)
