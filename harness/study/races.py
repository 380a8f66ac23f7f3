"""The races of the league on docs/sensitivity.md: what they said, from their committed numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from harness.analysis.sensitivity.texts import with_interval
from harness.common import places
from harness.common.errors import UserError
from harness.common.text import markdown_table
from harness.plots import race as plotted
from harness.records.reference import RACES
from harness.study.league import LEAGUE
from harness.study.race import figure, sentences, summary
from harness.study.race.contenders import TITLES
from harness.study.race.written import CURVES, NUMBERS, Raced, read, read_curves


def in_short() -> str:
    """For each grid, what one run is worth, and what goes with it."""
    return "\n".join(f"- {' '.join(sentences.in_short(raced(grid)))}" for grid in LEAGUE)


def worth() -> str:
    """What one run is worth in runs of each tuner, by the loss it ends with, on each grid."""
    return _beside("worth_by_loss", ("one run of", "against"), summary.runs)


def costs() -> str:
    """Iterations that each racer spends until it reaches the target; the ratio to MAML's random search."""
    known = [summary.spent(raced(grid).numbers, raced(grid).target).frame for grid in LEAGUE]
    found = [{str(row.racer): _cost(row) for row in frame.itertuples()} for frame in known]
    rows = [[title, *(one.get(title, "") for one in found)] for title in TITLES.values()]
    return markdown_table(("racer", *(f"`{grid}`" for grid in LEAGUE)), rows)


def gains() -> str:
    """What drawing all four rates of Alpha-MAML anew for each run changes in the expected best loss."""
    return _beside("gain_by_search", ("beside", "after"), with_interval)


@cache
def raced(grid: str) -> Raced:
    """What the race of a grid came to. UserError: it was not kept, or its file is damaged."""
    return read(_kept(grid, NUMBERS))


def folder(grid: str) -> Path:
    """Where a race is kept."""
    return places.REFERENCE / RACES / grid


def draw(grid: str) -> Figure:
    """Its figure. UserError: as of raced."""
    return plotted.draw(read_curves(_kept(grid, CURVES)), figure.drawn(raced(grid)))


def _kept(grid: str, name: str) -> Path:
    """A file of its race. UserError: it is not there."""
    path = folder(grid) / name
    if not path.exists():
        raise UserError(f"{path}: not there; harness race {grid} --keep makes it")
    return path


def _cost(row: Any) -> str:
    """`1800 (1640 to 1920); 0.85 (0.65 to 1.02)`."""
    return "; ".join(text for text in (row.iterations, row.ratio) if text)


def _beside(measure: str, head: tuple[str, str], said: Callable[[Any], str]) -> str:
    """A row for each pair of racers (or a racer and how many runs), a column for each grid."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for grid in LEAGUE:
        numbers = raced(grid).numbers
        for row in numbers[numbers["measure"] == measure].itertuples():
            racer, other = TITLES[str(row.racer)], TITLES[str(row.other)]
            key = (other, f"{row.of!s} budget{'s' * (row.of != '1')}") if row.of else (racer, other)
            rows.setdefault(key, {})[grid] = said(row)
    cells = [[*key, *(found.get(grid, "") for grid in LEAGUE)] for key, found in rows.items()]
    return markdown_table((*head, *(f"`{grid}`" for grid in LEAGUE)), cells)
