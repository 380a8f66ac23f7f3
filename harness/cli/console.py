"""Where commands print, how they end, and how they write a path."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

_WIDE = None if sys.stdout.isatty() else 200  # tables in a file or a pipe are not folded at 80
out = Console(highlight=False, width=_WIDE)
err = Console(stderr=True, highlight=False)

OK, FAILED, USER_ERROR, INTERRUPTED = 0, 1, 2, 130


def short(path: Path) -> str:
    """A path as one types it from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def say_written(paths: Iterable[Path], what: str = "wrote") -> None:
    """A line with the files that a command has made."""
    out.print(f"{what} {', '.join(short(path) for path in paths)}", soft_wrap=True, markup=False)
