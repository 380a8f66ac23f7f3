"""A signal as a request to stop, not as an exception in the middle of a write."""

from __future__ import annotations

import time
from contextlib import ExitStack
from types import FrameType

from harness.common import signals

TOGETHER_S = 0.5
"""Seconds after the first signal in which others count as the same request: `timeout` and batch schedulers
signal a process and then its group, and make passes on what it gets itself."""


class Interrupts(ExitStack):
    """Inside its `with`, the first signal is remembered, and a second one raises KeyboardInterrupt."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted = False
        self._first = 0.0

    def __enter__(self) -> Interrupts:
        self.enter_context(signals.handled(self._remember))
        return self

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if not self.wanted:
            self.wanted, self._first = True, time.monotonic()
        elif time.monotonic() - self._first > TOGETHER_S:
            raise KeyboardInterrupt
