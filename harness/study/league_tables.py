"""The league's tables of docs/sensitivity.md: what each method costs on each problem, where its best settings
lie, how it stands over all problems with one default, and with one choice of its own knobs."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from harness.analysis import sensitivity
from harness.analysis.sensitivity.chosen import chosen
from harness.analysis.sensitivity.in_environment import EVALUATIONS, ITERATIONS
from harness.analysis.sensitivity.tables import Passage, of_tables
from harness.analysis.sensitivity.texts import Numbers, interval, number, percent, with_interval
from harness.common.text import markdown_table, written
from harness.methods import METHODS
from harness.records import reference, tables
from harness.records.tables import Tables
from harness.study.league import LEAGUE, MAML, TARGETS
from harness.study.standings import standings
from harness.study.transfer import transfers


@cache
def measured(grid: str) -> sensitivity.Measures:
    """The measures of one of the league's grids: sustained passages of its target, losses at its budget."""
    asked = Passage(target=TARGETS[grid], sustained=True)
    return sensitivity.measure(of_tables({grid: read(grid)}, asked))


@cache
def known(grid: str) -> Numbers:
    """The same by their keys."""
    return Numbers(measured(grid))


@cache
def together() -> sensitivity.Runs:
    """The league's grids as environments: losses at their budgets."""
    return of_tables({name: read(name) for name in LEAGUE})


@cache
def read(grid: str) -> Tables:
    """The reference tables of one of the league's grids."""
    return tables.read(reference.find(grid))


def costs(grid: str) -> str:
    """A row for each method, the lowest tuning cost first."""
    found = known(grid)
    (where,) = found.runs.environments
    rows = []
    for _, one in found.present():
        key = one.name, where
        ratio = found.find("tuning_cost", *key, ITERATIONS, other=MAML)
        row = [
            METHODS[one.name].title,
            f"{found.value('settings', *key):.0f}",
            percent(found.value("reached", *key)),
            found.text("tuning_cost", *key, ITERATIONS),
            "1" if ratio is None else with_interval(ratio),
            number(found.value("tuning_cost", *key, EVALUATIONS)),
            number(found.value("best", *key)),
            number(found.value("mean", *key)),
        ]
        rows.append((found.value("tuning_cost", *key, ITERATIONS), row))
    head = ("method", "settings", "reach it", "tuning cost, iterations", "of MAML's", "gradient evaluations")
    return markdown_table((*head, "best loss", "mean loss"), [row for _, row in sorted(rows)])


def standing() -> str:
    """Over all problems: a default chosen on seeds 0 and 1, and its scores."""
    rows = [
        [
            METHODS[one.method].title,
            _setting(one.default),
            number(one.chosen),
            interval(one.reported, one.low, one.high),
            number(one.optimism),
            number(one.tuned),
            number(one.tuned - one.reported),
        ]
        for one in standings(together())
    ]
    head = (
        "method",
        "default",
        "on the seeds of the choice",
        "on the others",
        "optimism",
        "tuned",
        "tuning adds",
    )
    return markdown_table(head, rows)


def best_settings() -> str:
    """The setting of each method with the lowest mean validation loss at the budget, for each problem; a
    value at an end of those that were tried is in bold."""
    rows: dict[str, list[str]] = {}
    for name in LEAGUE:
        frame = chosen(known(name).runs)
        for method, text, edges in zip(frame["method"], frame["setting"], frame["edges"], strict=True):
            rows.setdefault(method, []).append(_setting(json.loads(text), edges.split(", ")))
    named = [[METHODS[method].title, *settings] for method, settings in rows.items()]
    return markdown_table(("method", *(f"`{name}`" for name in LEAGUE)), named)


def one_choice() -> str:
    """With its own knobs chosen on the first problem: the share of initial rates that reach the target."""
    first, *_ = LEAGUE
    rows = [
        [
            METHODS[one.method].title,
            _setting(one.knobs) or "none to choose",
            percent(one.promised),
            *map(percent, one.kept),
        ]
        for one in transfers({name: known(name).runs for name in LEAGUE}, first)
    ]
    head = ("method", "its own knobs", f"`{first}`, seeds of the choice", *(f"`{name}`" for name in LEAGUE))
    return markdown_table(head, rows)


def _setting(values: Mapping[str, Any], bold: Collection[str] = ()) -> str:
    """`alpha0=1 beta0=0.01`."""
    words = {name: f"{name}={written(value)}" for name, value in values.items()}
    return " ".join(f"**{word}**" if name in bold else word for name, word in words.items())
