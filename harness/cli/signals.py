"""Ctrl-C and SIGTERM, wherever a command is."""

from __future__ import annotations

import signal
from types import FrameType


class Interrupted(BaseException):
    """Raised instead of KeyboardInterrupt, which Typer takes for a command's exit code, and Python, if it
    passed through exec(), for a reason to die of SIGINT in the end."""


class Signals:
    """Inside its `with`, both raise Interrupted; one that was ignored still is."""

    def __init__(self) -> None:
        self.came = False
        """Whether one came. What it interrupts may raise something else: an import, an ImportError."""
        self.over = False
        """Whether the process only has to end: another signal must not change its exit code."""
        self._before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def __enter__(self) -> Signals:
        for number, handler in self._before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, self._interrupt)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if self.over else handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        if not self.over:
            raise Interrupted
