"""The league's tables of docs/sensitivity.md: what each method costs on each problem, and how it stands over
all."""

from __future__ import annotations

from functools import cache

from harness.analysis import sensitivity
from harness.analysis.sensitivity.in_environment import EVALUATIONS, ITERATIONS
from harness.analysis.sensitivity.tables import Passage, of_tables
from harness.analysis.sensitivity.texts import Numbers, interval, number, percent, with_interval
from harness.common.text import markdown_table, written
from harness.methods import METHODS
from harness.records import describing, reference, tables
from harness.study.league import LEAGUE, MAML, TARGETS
from harness.study.standings import standings


@cache
def known(grid: str) -> Numbers:
    """The measures of one of the league's grids: sustained passages of its target, losses at its budget."""
    read = {grid: tables.read(reference.find(grid))}
    return Numbers(sensitivity.measure(of_tables(read, Passage(target=TARGETS[grid], sustained=True))))


def costs(grid: str) -> str:
    """A row for each method, the lowest tuning cost first."""
    if grid not in reference.grids():
        return f"`make sweep GRID={grid}` has not been run yet."
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
    table = markdown_table((*head, "best loss", "mean loss"), [row for _, row in sorted(rows)])
    missing = [name for name in _methods() if name not in {one.name for one in found.runs.methods}]
    return "\n\n".join([table, *([f"Not run yet: {', '.join(missing)}."] if missing else [])])


def standing() -> str:
    """Over all problems: a default chosen on seeds 0 and 1, and its scores."""
    if lacking := [name for name in LEAGUE if name not in reference.grids()]:
        return f"To come, after {' and '.join(f'`{name}`' for name in lacking)}."
    runs = of_tables({name: tables.read(reference.find(name)) for name in LEAGUE})
    rows = [
        [
            METHODS[one.method].title,
            " ".join(f"{name}={written(value)}" for name, value in one.default.items()),
            number(one.chosen),
            interval(one.reported, one.low, one.high),
            number(one.optimism),
            number(one.tuned),
            number(one.tuned - one.reported),
        ]
        for one in standings(runs)
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


def _methods() -> list[str]:
    """All that any of the league's grids has."""
    found: dict[str, None] = {}
    for name in LEAGUE:
        if name in reference.grids():
            blocks = describing.grid_of(tables.read_about(reference.find(name))).blocks
            found |= dict.fromkeys(block.method for block in blocks)
    return [*found]
