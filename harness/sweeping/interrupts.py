"""Ctrl-C, SIGTERM and a terminal that goes away as a request to stop, not as an exception in the middle of a
write."""

from __future__ import annotations

import signal
from types import FrameType


class Interrupts:
    """Inside its `with`, the first signal is remembered, and a second one raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self.wanted = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> Interrupts:
        for number in _signals():
            self._before[number] = signal.signal(number, self._remember)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if self.wanted:
            raise KeyboardInterrupt
        self.wanted = True


def _signals() -> list[signal.Signals]:
    """Those that ask a program to stop. Under `nohup` a hang-up does not."""
    asked = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) != signal.SIG_IGN:
        asked.append(hangup)
    return asked
