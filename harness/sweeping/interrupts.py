"""Ctrl-C and SIGTERM as a request to stop, not as an exception in the middle of a write."""

from __future__ import annotations

import signal
from types import FrameType


class Interrupts:
    """Inside its `with`, the first signal is remembered, and a second one raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self.wanted = False
        self._before: dict[int, object] = {}

    def listen(self) -> None:
        """Catch the signals (again)."""
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.signal(number, self._remember)
            self._before.setdefault(number, handler)

    def __enter__(self) -> Interrupts:
        self.listen()
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if self.wanted:
            raise KeyboardInterrupt
        self.wanted = True
