"""Standard output and error that cannot end a command: what cannot be written is lost, not the work."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from harness.common.errors import reason


class Stream:
    """A text stream whose writes never raise. All else is as in the stream under it."""

    def __init__(self, under: TextIO) -> None:
        self._under = under
        self.lost: Exception | None = None
        """Why the output could not be written; None: it could."""
        if isinstance(under, io.TextIOWrapper):
            under.reconfigure(errors="replace")  # a title in Japanese, on a terminal that knows only ASCII

    @property
    def reason(self) -> str:
        """The same in words."""
        return reason(self.lost) if isinstance(self.lost, OSError) else str(self.lost)

    def write(self, text: str) -> int:
        """Write, or lose the text."""
        try:
            return self._under.write(text)
        except (OSError, ValueError) as error:
            return self._lose(error, len(text))

    def flush(self) -> None:
        """Flush, or lose what is in the buffer."""
        try:
            self._under.flush()
        except (OSError, ValueError) as error:
            self._lose(error, 0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._under, name)

    def _lose(self, error: Exception, length: int) -> int:
        """From here on all goes to the null device: also what Python still has in its buffer as it exits."""
        self.lost = self.lost or error
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._under.fileno())
            os.close(null)
        return length


@contextlib.contextmanager
def sturdy() -> Iterator[tuple[Stream, Stream]]:
    """Inside its `with`, standard output and error are such streams."""
    _occupy()
    before = sys.stdout, sys.stderr  # each None if it was closed when this process began
    with Path(os.devnull).open("w") as nowhere:
        streams = Stream(before[0] or nowhere), Stream(before[1] or nowhere)
        sys.stdout, sys.stderr = streams
        try:
            yield streams
        finally:
            for stream in streams:
                stream.flush()
            sys.stdout, sys.stderr = before


def _occupy() -> None:
    """Open the null device in place of standard streams that are closed: otherwise the next file that is
    opened, a record say, would get such a number, and the output of a child process."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
