"""The measures as tables of text that a person reads: for the terminal, LaTeX and pages alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis.sensitivity.in_environment import EVALUATIONS, FACTOR, ITERATIONS, TOTAL
from harness.analysis.sensitivity.measure import Measures
from harness.analysis.sensitivity.over_environments import ANY, DEFAULT, TUNED
from harness.analysis.sensitivity.resamples import DRAWS, EXACT, FEW
from harness.analysis.sensitivity.runs import Runs
from harness.analysis.sensitivity.shares import JOINT, SEED
from harness.analysis.sensitivity.texts import (
    DRAWN,
    NEVER,
    Numbers,
    interval,
    number,
    share,
    short_names,
    with_interval,
)
from harness.common.text import counted

SHARES = {"count": "iterations to the target", "hit": "whether the target is reached", "score": "score"}
"""Whose variance is shared out, see in_environment."""
ROOM = 2
"""Environments for which a terminal has room for everything."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """One table of text."""

    key: str
    """A short name, of letters alone."""
    title: str
    frame: pd.DataFrame
    """Ready to print: its columns are the heads, its cells are text. Without rows where nothing is known."""
    words: tuple[str, ...] = ("environment", "method")
    """Columns that are no numbers."""
    notes: tuple[str, ...] = ()
    """What its numbers are, and why some are missing; a line each."""
    at_length: bool = False
    """Whether it is for the files: a terminal has no room for everything."""


def heading(measured: Measures) -> str:
    """Where it was measured, in a line: `7 environments, all with target 2.5`."""
    runs = measured.runs
    if len(runs.environments) == 1:
        return f"environment: {runs.environments[0]}"
    _, common = short_names(runs.environments)
    return counted(len(runs.environments), "environment") + f", all with {common}" * bool(common)


def tables(measured: Measures) -> list[Table]:
    """All tables for which there is anything to say, from the most general to the details."""
    known = Numbers(measured)
    runs = known.runs
    found = [_searched(known)]
    if len(runs.environments) > 1:
        found.append(_over_environments(known))
    found.append(_settings(known))
    if any("count" in one.results for one in runs.methods):
        found.append(_costs(known))
    if not runs.of_counts:
        found.append(_search_of_score(known))
    found += [_shares(known, of) for of in SHARES if of != "score" or not runs.of_counts]
    found += [_held_out(known), _improvement(known)]
    return [one for one in found if len(one.frame) or one.notes]


def _frame(rows: Sequence[dict[str, str]]) -> pd.DataFrame:
    """Without columns that are empty everywhere."""
    frame = pd.DataFrame(rows, dtype=object).fillna("")
    return frame[[name for name in frame if (frame[name] != "").any()]]


def _searched(known: Numbers) -> Table:
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
        frame=_frame(rows),
        words=("method", "varied"),
        notes=(f"varied: how many values, in all environments together{together}",),
    )


def _over_environments(known: Numbers) -> Table:
    rows = []
    for one in known.runs.methods:
        if not math.isnan(known.value("sensitivity", one.name)):
            dimension = known.text("effective_dimension", one.name)
            rows.append(
                {
                    "method": one.name,
                    "tuned": number(known.value(TUNED, one.name)),
                    "default": number(known.value(DEFAULT, one.name)),
                    "Phi": known.text("sensitivity", one.name),
                    "d": f"{dimension} of {len(one.hyper)}" if dimension else "",
                }
            )
    notes = (
        "tuned, default: score of the best setting of each environment, and of the best for all; 0 and 1 are "
        "the 5th and 95th percentile of an environment's scores",
        "Phi: sensitivity, tuned - default; d: how many of its hyper-parameters have to be tuned for each "
        "environment to reach 95 % of tuned",
    )
    why = known.why(("sensitivity", "effective_dimension"))
    return Table(
        key="environments",
        title="Sensitivity over environments",
        frame=_frame(rows),
        notes=(*(notes if rows else ()), *why),
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


def _settings(known: Numbers) -> Table:
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
    return Table(key="settings", title="Settings", frame=_frame(rows), notes=tuple(notes))


def _cost(known: Numbers, method: str, environment: str, unit: str) -> Any:
    """The row of a tuning cost, and its words: `never in 2 of 5 seeds` where it is infinite."""
    row = known.find("tuning_cost", method, environment, unit)
    if row is None or math.isfinite(row.value):
        return with_interval(row)
    never = int(known.value("seeds_without_hit", method, environment))
    return NEVER if never == row.seeds else f"{NEVER} in {never} of {counted(row.seeds, 'seed')}"


def _costs(known: Numbers) -> Table:
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
    notes = (
        "iterations: expected of random search, each setting once, until its first run that reaches the "
        f"target, with all runs that it gave up{_budgets(known.runs)}; it belongs to these settings and this "
        "budget",
        "gradients: in gradient evaluations; iterations of two methods may differ in how many they take",
    )
    return Table(key="cost", title="Tuning cost", frame=_frame(rows), notes=notes)


def _budgets(runs: Runs) -> str:
    """`, after 500 iterations each`."""
    caps = [one.results["cap"][one.ran] for one in runs.methods if "cap" in one.results]
    used = np.unique(np.concatenate([cap[np.isfinite(cap)] for cap in caps]))
    return f" after {' or '.join(f'{cap:g}' for cap in used)} iterations" if used.size <= 2 else ""


def _search_of_score(known: Numbers) -> Table:
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
    notes = (
        f"expected best of {DRAWN}: of so many settings drawn at random, each once",
        "rate sensitivity: how much worse than its best setting a method is on average over its settings; "
        "one that diverges is as bad as no training",
        *known.why(("rate_sensitivity",), environments=True),
    )
    return Table(key="search", title="Random search", frame=_frame(rows), notes=notes)


def _shares(known: Numbers, of: str) -> Table:
    """Main effects, all interactions together, and all that involves the seed: they add up to 1."""
    measure = f"share_of_{of}"
    rows = []
    largest: dict[str, tuple[str, str, float]] = {}
    for environment, one in known.present():
        effects = known.effects(measure, one.name, environment)
        if len(effects) < 2:  # of one, all of the variance
            continue
        by_kind: dict[str, float] = {name: effects[name] for name in one.factors if name in effects}
        seeds = [name for name in effects if name.split(JOINT)[-1] == SEED]
        joint = {name: effects[name] for name in effects if name not in {*by_kind, *seeds}}
        if joint:
            by_kind["interactions"] = sum(joint.values())
            top = max(joint, key=lambda name: joint[name])
            if joint[top] > largest.get(one.name, ("", "", 0.0))[2]:
                largest[one.name] = (top, environment, joint[top])
        if seeds:
            by_kind["seed"] = sum(effects[name] for name in seeds)
        texts = {name: share(value) for name, value in by_kind.items()}
        rows.append(known.place(environment) | {"method": one.name} | texts)
    frame = _frame(rows)
    last = [name for name in ("interactions", "seed") if name in frame]
    frame = frame[[*(name for name in frame if name not in last), *last]]
    notes = ["of log10 of the iterations, a miss as the budget"] * (of == "count" and len(frame) > 0)
    notes += ["seed: all that involves it"] * ("seed" in frame)
    for method, (top, environment, value) in largest.items():
        where = f" in {known.names[environment]}" if len(known.names) > 1 else ""
        pair = top.replace(JOINT, " with ")
        notes.append(f"largest interaction of {method}: {pair}, {share(value)}{where}")
    return Table(
        key=f"shares{of}",
        title=f"Shares of the variance: {SHARES[of] if of != 'score' else known.runs.score or 'score'}",
        frame=frame,
        notes=(*notes, *known.why((measure,), environments=True)),
        at_length=of == "hit" and len(known.names) > ROOM,
    )


def _held_out(known: Numbers) -> Table:
    rows = [
        {
            "method": one.name,
            **{choice: known.text(f"{choice}_held_out", one.name) for choice in (TUNED, DEFAULT)},
            "interquartile mean": known.text("interquartile_mean", one.name, of=TUNED),
        }
        for one in known.runs.methods
        if known.find(f"{TUNED}_held_out", one.name)
    ]
    notes = (
        "each seed is scored by the setting that is best on the others; 0 and 1 are the 5th and 95th "
        "percentile of an environment's scores",
        "interquartile mean: of the tuned runs without the best and the worst quarter",
    )
    return Table(
        key="heldout",
        title="On seeds that the setting was not chosen on",
        frame=_frame(rows),
        notes=notes if rows else (),
    )


def _improvement(known: Numbers) -> Table:
    """One method beside another."""
    names = [one.name for one in known.runs.methods]
    rows = []
    for at, later in enumerate(names):
        for first in names[:at]:
            found = {
                choice: with_interval(known.find("improvement", later, of=choice, other=first))
                for choice in (TUNED, DEFAULT, ANY)
            }
            if any(found.values()):
                rows.append({"method": later, "better than": first} | found)
    notes = ("seed by seed, a tie counts half; any: a setting of each at random",) if rows else ()
    return Table(
        key="improvement",
        title="Probability of improvement",
        frame=_frame(rows),
        words=("method", "better than"),
        notes=notes,
    )


def footnotes(measured: Measures) -> list[str]:
    """How the intervals are made, and what scores are, a line each."""
    runs = measured.runs
    names, _ = short_names(runs.environments)
    by_count: dict[int, list[str]] = {}
    for name, used in zip(runs.environments, runs.has_seed, strict=True):
        by_count.setdefault(int(used.sum()), []).append(names[name])
    lines: list[str] = []
    for count, where in sorted(by_count.items(), key=lambda item: len(item[1])):
        last = len(by_count) > 1 and len(lines) == len(by_count) - 1
        place = "" if len(by_count) == 1 else " elsewhere" if last else f" in {'; '.join(where)}"
        lines.append(_intervals(count, place))
    if runs.of_counts and len(runs.environments) > 1:
        lines.append("scores over environments: -log10 of the iterations to the target, a miss as the budget")
    return lines


def _intervals(seeds: int, place: str) -> str:
    """How those over so many seeds are made. `place`: where these are."""
    if seeds == 1:
        return f"one seed{place}: no intervals"
    resamples = f"all {math.comb(2 * seeds - 1, seeds)}" if seeds <= EXACT else f"{DRAWS:,}"
    few = "; so few seeds make them narrow" if seeds <= FEW else ""
    return f"(a to b){place}: the middle 95 % of {resamples} resamples of {seeds} seeds{few}"
