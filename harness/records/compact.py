"""Compact tables of a large grid: a folder in parts, one for each method, and of each run the training loss
of every iteration, but everything else at some iterations alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

EVERY = 5
"""Rates, metrics and validation are kept at iterations 1, EVERY, 2 EVERY, ... and the last two: the last
update is the last but one's."""

WHOLE = ("iteration", "train_loss")
"""Columns that are kept as they are: counts to any target stay exact."""

FILES = ("trials.parquet", "trajectories.parquet")
"""A grid's two tables in a folder."""


def thinned(rows: pa.Table, every: int = EVERY) -> pa.Table:
    """A run's rows, null where they are not kept."""
    import pyarrow.compute as pc  # late: slow to import, and only those who write compact tables need it

    kept = pa.array(_kept(len(rows), every))
    nothing = {kind: pa.scalar(None, kind) for kind in set(rows.schema.types)}
    columns = [
        column if name in WHOLE else pc.if_else(kept, column, nothing[column.type])
        for name, column in zip(rows.column_names, rows.columns, strict=True)
    ]
    return pa.table(columns, schema=rows.schema)


def _kept(rows: int, every: int) -> NDArray[np.bool_]:
    """[rows] whether it is kept."""
    iterations = np.arange(1, rows + 1)
    return (iterations == 1) | (iterations % every == 0) | (iterations >= rows - 1)


def is_thinned(missing: NDArray[np.bool_]) -> bool:
    """Whether a column whose values are missing there [rows] may be one of a run that was thinned, by any
    `every`; it may also be whole."""
    kept = np.flatnonzero(~missing) + 1
    if not len(missing) or len(kept) == len(missing):
        return True
    every = int(kept[1]) if len(kept) > 1 else len(missing)
    return bool(np.array_equal(~missing, _kept(len(missing), every)))


def parts(folder: Path) -> list[Path]:
    """The folders that hold the tables of `folder`: itself, or one for each method; none: it has none."""
    if (folder / FILES[0]).exists():
        return [folder]
    return sorted(path.parent for path in folder.glob(f"[!.]*/{FILES[0]}"))
