"""A race's numbers without those who ran: all that the text about it is made of, from a race or its file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.common.errors import UserError, reason
from harness.common.files import opened
from harness.common.places import typed
from harness.common.text import one_line
from harness.records.describing import grid_of
from harness.study.race import curves
from harness.study.race.contenders import Race
from harness.study.race.headline import COLUMNS

NUMBERS, CURVES = "race.parquet", "curves.parquet"
"""The files of a race; see harness.cli.race_files."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Raced:
    """What a race came to."""

    grid: str
    """Its folder's name."""
    target: float
    seeds: tuple[int, ...]
    """On which all raced."""
    budget: int
    """Iterations of a whole run."""
    unit: str
    """Of the loss; empty: none."""
    numbers: pd.DataFrame
    """See headline.numbers."""
    chosen: Mapping[str, Mapping[str, float]]
    """See contenders.Race."""


def of(race: Race, grid: str, numbers: pd.DataFrame) -> Raced:
    """What a race came to; grid: its folder's name."""
    return Raced(
        grid=grid,
        target=race.given.target,
        seeds=race.seeds,
        budget=race.axis.budget,
        unit=grid_of(race.given.fine.about).protocol.problem_type.unit,
        numbers=numbers,
        chosen=race.chosen,
    )


def about(raced: Raced) -> dict[str, Any]:
    """All but the numbers, as the files keep it."""
    return {name: value for name, value in vars(raced).items() if name != "numbers"}


def read(path: Path) -> Raced:
    """What a race.parquet says. UserError: it is not there, or something else is."""
    with _explained(path, "the numbers of a race"):
        table = _table(path)
        about = json.loads(table.schema.metadata[b"harness"])
        return Raced(
            grid=str(about["grid"]),
            target=float(about["target"]),
            seeds=tuple(map(int, about["seeds"])),
            budget=int(about["budget"]),
            unit=str(about["unit"]),
            numbers=table.select([*COLUMNS]).to_pandas(),
            chosen={str(name): dict(values) for name, values in about["chosen"].items()},
        )


def read_curves(path: Path) -> pd.DataFrame:
    """What a curves.parquet holds: see curves.curves. UserError: it is not there, or something else is."""
    with _explained(path, "the curves of a race"):
        return _table(path).select([*curves.COLUMNS]).to_pandas()


def _table(path: Path) -> pa.Table:
    with opened(path) as file:
        return pq.read_table(file)


@contextmanager
def _explained(path: Path, what: str) -> Iterator[None]:
    """What goes wrong in reading as a UserError; what: that the file should hold."""
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path}: no race there; {typed('race')} makes it") from None
    except (pa.ArrowException, OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise UserError(f"{path}: not {what} ({one_line(why, 80)})") from None
