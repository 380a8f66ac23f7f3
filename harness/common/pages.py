"""Pages whose tables are made by code, each between `<!-- numbers: NAME -->` and `<!-- end -->`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.common.files import write_whole

Tables = Mapping[str, Callable[[], str | None]]
"""Name in a page's marks -> the function that makes the table, in Markdown; None: it cannot be made here, and
stays as it is."""

_TABLE = re.compile(r"(<!-- numbers: (\S+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def filled(text: str, tables: Tables) -> str:
    """The page with every table made again. Raises KeyError for a name not in `tables`."""

    def again(mark: re.Match[str]) -> str:
        made = tables[mark[2]]()
        return mark[0] if made is None else f"{mark[1]}\n{made}\n\n{mark[4]}"

    return _TABLE.sub(again, text)


def names(text: str) -> list[str]:
    """The tables of a page, in order."""
    return [name for _, name, _, _ in _TABLE.findall(text)]


def write(path: Path, tables: Tables) -> Path:
    """Make the page's tables again. Returns its path. Raises NotWritten."""
    text = filled(path.read_text("utf-8"), tables)
    write_whole(path, lambda file: file.write_text(text, "utf-8"))
    return path
