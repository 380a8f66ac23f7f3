"""Where commands print, how they end, and how they write a path or a table."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDE = None if sys.stdout.isatty() else 200  # tables in a file or a pipe are not wrapped at 80
out = Console(highlight=False, width=_WIDE)
err = Console(stderr=True, highlight=False)

FAILED, USER_ERROR, INTERRUPTED = 1, 2, 130


def say(text: str, style: str = "", console: Console = out) -> None:
    """A line as it is: not wrapped, and nothing in it read as markup."""
    console.print(Text(text, style=style), soft_wrap=True)


def short(path: Path) -> str:
    """A path as one would type it here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def say_written(paths: Iterable[Path], what: str = "wrote") -> None:
    """A line with the files that a command has made."""
    say(f"{what} {', '.join(short(path) for path in paths)}")


def plain_table(columns: Sequence[str], right: Collection[str] = (), wrap: Collection[str] = ()) -> Table:
    """A table without lines. `right`: the columns of numbers; `wrap`: those that may take several lines."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", no_wrap=name not in wrap)
    return table
