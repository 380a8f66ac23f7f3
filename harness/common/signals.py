"""The signals that ask a program to stop."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

STOPS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Ctrl-C, what batch schedulers send, and a terminal that goes away."""


@contextlib.contextmanager
def handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Inside its `with`, they call `handler`. One that was ignored before, as under `nohup` or in the
    background of a shell, still is. In another thread than the main one nothing changes: signals never go
    there."""
    ours = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in STOPS if ours}
    heard = [number for number, was in before.items() if was is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])


def ignore() -> None:
    """From now on, none of them changes anything: the process only has to end."""
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Inside its `with`, none of them comes; those that were sent come at its end."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
