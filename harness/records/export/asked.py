"""What every format writes: a grid's tables."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.records.tables import Tables


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The tables of one grid."""

    name: str
    """The grid's folder."""
    source: str
    """Where the records are from, in words."""
    tables: Tables


def file_names(names: Iterable[str]) -> list[str]:
    """Methods' or protocols' names as those of files: without blanks, commas and what shells read; no two
    alike."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"[^\w.=+-]+", "_", name)[:100].strip("._") or "_"
        again = sum(one == plain or one.startswith(f"{plain}.") for one in found)
        found.append(f"{plain}.{again + 1}" if again else plain)
    return found
