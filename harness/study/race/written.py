"""A race's numbers without those who ran: all that the text about it is made of, from a race or its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.common.errors import UserError, reason
from harness.common.files import opened
from harness.common.places import typed
from harness.common.text import one_line
from harness.study.race.headline import COLUMNS


@dataclass(frozen=True, kw_only=True, eq=False)
class Raced:
    """What a race came to."""

    grid: str
    """Its folder's name."""
    target: float
    numbers: pd.DataFrame
    """See headline.numbers."""
    chosen: Mapping[str, Mapping[str, float]]
    """See contenders.Race."""


def read(path: Path) -> Raced:
    """What a race.parquet says. UserError: it is not there, or something else is."""
    try:
        with opened(path) as file:
            table = pq.read_table(file)
        about = json.loads(table.schema.metadata[b"harness"])
        return Raced(
            grid=str(about["grid"]),
            target=float(about["target"]),
            numbers=table.select([*COLUMNS]).to_pandas(),
            chosen={str(name): dict(values) for name, values in about["chosen"].items()},
        )
    except FileNotFoundError:
        raise UserError(f"{path}: no race there; {typed('race')} makes it") from None
    except (pa.ArrowException, OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise UserError(f"{path}: not the numbers of a race ({one_line(why, 80)})") from None
