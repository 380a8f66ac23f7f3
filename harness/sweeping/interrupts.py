"""Ctrl-C, SIGTERM and a terminal that goes away as a request to stop, not as an exception in the middle of a
write."""

from __future__ import annotations

import signal
import time
from types import FrameType

TOGETHER_S = 0.5
"""Seconds after the first signal in which others count as the same request: `timeout` and batch schedulers
signal a process and then its group, and make passes on what it gets itself."""


class Interrupts:
    """Inside its `with`, the first signal is remembered, and a second one raises KeyboardInterrupt. A signal
    that was ignored before, as under `nohup` or in the background of a shell, still is."""

    def __init__(self) -> None:
        self.wanted = False
        self._first = 0.0
        self._before: dict[int, object] = {}

    def __enter__(self) -> Interrupts:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._remember)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if not self.wanted:
            self.wanted, self._first = True, time.monotonic()
        elif time.monotonic() - self._first > TOGETHER_S:
            raise KeyboardInterrupt
