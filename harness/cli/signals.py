"""A signal that ends a command, wherever it is."""

from __future__ import annotations

from contextlib import ExitStack
from types import FrameType

from harness.common import signals


class Interrupted(BaseException):
    """Raised instead of KeyboardInterrupt, which Typer takes for a command's exit code, and Python, if it
    passed through exec(), for a reason to die of SIGINT in the end."""


class Signals(ExitStack):
    """Inside its `with`, a signal raises Interrupted."""

    def __init__(self) -> None:
        super().__init__()
        self.came = False
        """Whether one came. What it interrupts may raise something else: an import, an ImportError."""
        self.over = False
        """Whether the process only has to end: another signal must not change its exit code."""

    def __enter__(self) -> Signals:
        self.callback(self._end)
        self.enter_context(signals.handled(self._interrupt))
        return self

    def _end(self) -> None:
        if self.over:
            signals.ignore()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        if not self.over:
            raise Interrupted
