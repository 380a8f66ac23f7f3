"""Where commands print: nothing in a text is markup, and nothing in it is obeyed by the terminal."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleDimensions
from rich.text import Text

from harness.cli.layout import wrapped
from harness.common.text import clean

IN_A_FILE = 200
"""Columns of a table in a file or a pipe. Lines are not wrapped there."""
EVERY_S = 60.0
"""Seconds between two lines of Telling."""
NARROWEST = 20
"""Columns; a terminal that claims to have fewer does not know."""


class Printer(Console):
    """rich's console, for plain text: every string, in tables too, is printed as it is, and clean."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False, force_jupyter=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """rich calls it for every string that it prints."""
        return super().render_str(clean(text), **options)

    @property
    def watched(self) -> bool:
        """Whether this is a terminal, whatever FORCE_COLOR and the like say."""
        return self.file.isatty()

    @property
    def live(self) -> bool:
        """Whether what was printed can be replaced."""
        return self.watched and self.is_terminal and not self.is_dumb_terminal

    @property  # type: ignore[misc]  # rich's can be set
    def size(self) -> ConsoleDimensions:
        """Of the terminal, now."""
        if not self.watched:
            return ConsoleDimensions(IN_A_FILE, 100)
        columns = lines = 0  # as some terminals report, too
        with contextlib.suppress(OSError, ValueError):
            columns, lines = os.get_terminal_size(self.file.fileno())
        return ConsoleDimensions(
            _first("COLUMNS", columns, least=NARROWEST, default=80),
            _first("LINES", lines, least=1, default=24),
        )


def _first(variable: str, reported: int, least: int, default: int) -> int:
    """What the environment variable says, else what the terminal does, else the default: the first that is
    not below `least`."""
    try:
        asked = int(os.environ.get(variable, ""))
    except ValueError:
        asked = 0
    return next((size for size in (asked, reported) if size >= least), default)


out = Printer()
err = Printer(stderr=True)


def say(text: str | Text = "", style: str = "", console: Printer = out, indent: int = 4) -> None:
    """A line. A terminal gets it wrapped between words, with what follows the first line indented.

    A Text must be clean already.
    """
    if (lines := _kept.get()) is not None and console is out:
        lines.append((text, style, indent))
        return
    line = Text(clean(text), style) if isinstance(text, str) else text
    if console.watched:
        line = wrapped(line, console.width, indent)
    console.print(line, soft_wrap=True)


Line = tuple[str | Text, str, int]
"""What `say` prints on standard output: a text, its style, how far what it is wrapped to is indented."""
_kept: ContextVar[list[Line] | None] = ContextVar("kept", default=None)


@contextlib.contextmanager
def kept() -> Iterator[list[Line]]:
    """Inside its `with`, the lines that `say` would print on standard output are kept, for another process to
    `tell`, and nobody is shown what takes so long."""
    lines: list[Line] = []
    before = _kept.set(lines)
    try:
        yield lines
    finally:
        _kept.reset(before)


def tell(line: Line) -> None:
    """Print a line that was kept."""
    text, style, indent = line
    say(text, style, indent=indent)


def say_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Names and values, a line each, the values below each other."""
    listed = list(facts)
    width = max(len(name) for name, _ in listed) + 2
    for name, value in listed:
        say(f"{name:<{width}}{value}", indent=width)


def complain(text: str) -> None:
    """A line on standard error that says who says it."""
    say(f"harness: {text}", console=err)


def say_json(value: object) -> None:
    """For programs: never wrapped, and ASCII alone."""
    out.print(Text(json.dumps(value, indent=1)), soft_wrap=True)


def working(text: str) -> AbstractContextManager[object]:
    """Inside its `with`, a person at the terminal sees what takes so long; afterwards nothing is left of
    it."""
    if _kept.get() is not None:
        return contextlib.nullcontext()
    if err.live:
        return err.status(Text(f"{clean(text)} ..."), spinner="line")
    if err.watched:
        say(f"{text} ...", console=err)
    return contextlib.nullcontext()


class Telling:
    """A line that tells how far it is, while it lasts; in a file or a pipe one every EVERY_S seconds."""

    def __init__(self, text: str) -> None:
        """text: what is told at first."""
        self._text = text

    def __enter__(self) -> Callable[[str], None]:
        self._status: Any = working(self._text)
        self._live: Any = self._status.__enter__()
        self._last = time.monotonic()
        return self._note

    def _note(self, text: str) -> None:
        if self._live is not None:
            self._live.update(f"{clean(text)} ...")
        elif time.monotonic() - self._last > EVERY_S:
            self._last = time.monotonic()
            say(text, console=err)

    def __exit__(self, *error: Any) -> None:
        self._status.__exit__(*error)


def unheard() -> bool:
    """Whether standard output leads nowhere any more: see streams.Stream."""
    return getattr(sys.stdout, "lost", None) is not None


def short(path: Path) -> str:
    """A path as one would type it here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def say_written(paths: Iterable[Path], what: str = "wrote") -> None:
    """A line with the files that a command has made."""
    say(f"{what} {', '.join(short(path) for path in paths)}")
