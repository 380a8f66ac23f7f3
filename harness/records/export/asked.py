"""What every format writes: a grid's tables, and the one that a paper would print."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.records import schema
from harness.records.schema import Column

if TYPE_CHECKING:
    import pandas as pd

    from harness.records.tables import Tables

DASH = "–"
"""In a printed table: there is no finite median."""
MANY = 6
"""More hyper-parameters than these share a column of a printed table."""

Value = float | int | bool | str
"""Of a hyper-parameter."""


@dataclass(frozen=True, kw_only=True)
class Printed:
    """The table that a paper would print: a row for each setting, numbers over its seeds."""

    caption: str
    """What was measured, and what the columns and a DASH mean: sentences without a line break."""
    rows: pd.DataFrame
    """The method, the protocol where there are several, the hyper-parameters, the results. Hyper-parameters
    are values, null where a method has none of that name; all else is text."""
    hyper: tuple[str, ...]
    """The columns of hyper-parameters."""

    @property
    def shared(self) -> bool:
        """Whether the hyper-parameters share a column."""
        return len(self.hyper) > MANY

    @property
    def words(self) -> int:
        """How many columns are before the hyper-parameters."""
        return next((at for at, name in enumerate(self.rows) if name in self.hyper), 1)

    def laid_out(
        self,
        text: Callable[[str], str],
        name: Callable[[str], str],
        values: Callable[[Iterable[Value]], dict[Value, str]],
    ) -> tuple[list[str], list[list[str]]]:
        """The heads and the rows as a format writes them.

        text: any text; name: that of a hyper-parameter; values: those of one hyper-parameter. With more than
        MANY hyper-parameters, those of a row stand in one column.
        """
        import pandas as pd

        known = {key: values(self.rows[key].dropna().unique().tolist()) for key in self.hyper}
        heads, columns = [], []
        for column in map(str, self.rows.columns):
            found = self.rows[column].tolist()
            if column not in self.hyper:
                heads.append(text(column))
                columns.append([text(one) for one in found])
                continue
            said = ["" if pd.isna(one) else known[column][one] for one in found]
            if not self.shared:
                heads.append(name(column))
                columns.append(said)
                continue
            said = [f"{name(column)} = {one}" if one else "" for one in said]
            if column == self.hyper[0]:
                heads.append("hyper-parameters")
                columns.append(said)
            else:
                columns[-1] = [", ".join(filter(None, both)) for both in zip(columns[-1], said, strict=True)]
        return heads, [list(row) for row in zip(*columns, strict=True)]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The tables of one grid."""

    name: str
    """The grid's folder."""
    source: str
    """Where the records are from, in words."""
    tables: Tables
    printed: Printed | None = None
    """None: this format does not write it, see records.export.Format."""

    def described(self) -> Iterator[tuple[str, pd.DataFrame, dict[str, Column]]]:
        """Both tables: their file, their rows, and what each column means."""
        from harness.records.tables import FILES

        frames = self.tables.trials, self.tables.trajectories
        base = schema.TRIALS, schema.TRAJECTORIES
        for file, frame, known, fixed in zip(FILES, frames, self.tables.columns, base, strict=True):
            whole = {**fixed, **known}
            yield file, frame, {str(name): whole[str(name)] for name in frame.columns}


def not_run(trials: pd.DataFrame) -> list[str]:
    """A line that says how many cells have no result yet; nothing where all have."""
    missing = int(trials["outcome"].isna().sum())
    return [f"{missing} cells not run: rows without an outcome"] if missing else []


def file_names(names: Iterable[str]) -> list[str]:
    """Methods' or protocols' names as those of files: without blanks, commas and what shells read; no two
    alike."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"[^\w.=+-]+", "_", name)[:100].strip("._") or "_"
        again = sum(one == plain or one.startswith(f"{plain}.") for one in found)
        found.append(f"{plain}.{again + 1}" if again else plain)
    return found
