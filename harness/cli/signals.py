"""Ctrl-C and SIGTERM, wherever a command is."""

from __future__ import annotations

import signal
from types import FrameType


class Interrupted(BaseException):
    """A KeyboardInterrupt that Typer does not take for a command's exit code."""


class Signals:
    """Inside its `with`, SIGTERM raises KeyboardInterrupt as Ctrl-C does; a signal that was ignored still
    is."""

    def __init__(self) -> None:
        self.came = False
        """Whether one came. What it interrupts may raise something else: an import, an ImportError."""
        self._before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def __enter__(self) -> Signals:
        for number, handler in self._before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, self._interrupt)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        raise KeyboardInterrupt
