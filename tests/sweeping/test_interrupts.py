"""Signals to this process, and what becomes of them."""

from __future__ import annotations

import os
import signal

import pytest

from harness.sweeping import interrupts
from harness.sweeping.interrupts import Interrupts

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_is_remembered_and_a_later_one_interrupts(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(number)
    now = [100.0]
    monkeypatch.setattr(interrupts.time, "monotonic", lambda: now[0])
    with Interrupts() as asked:
        assert not asked.wanted
        os.kill(os.getpid(), number)
        assert asked.wanted
        now[0] += 0.4  # as `timeout` sends it to a process and to its group
        os.kill(os.getpid(), number)
        now[0] += 0.2
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", SIGNALS)
def test_one_that_was_ignored_still_is(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with Interrupts() as asked:
            os.kill(os.getpid(), number)
            assert not asked.wanted
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)
