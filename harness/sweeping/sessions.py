"""Processes by session: those that a program started, and those that they started in turn."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

_PROC = Path("/proc")
PATIENCE_S = 2.0
"""How long killed processes may take to go."""


def kill(leader: int) -> None:
    """Kill the session that `leader` began, except for the process that asks, and wait until it is gone.

    Where the system does not list processes in /proc, only the process group of `leader` is killed.
    """
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and (found := members(leader)):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    if not _PROC.is_dir() and os.getpid() != leader:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def members(leader: int) -> dict[int, str]:
    """The living processes of the session, except for the one that asks: their ids, and the names of their
    programs. Empty where the system has no /proc."""
    pids = (int(path.name) for path in _PROC.glob("[0-9]*"))
    return {pid: name for pid in pids if pid != os.getpid() and (name := _name(pid, leader)) is not None}


def _name(pid: int, session: int) -> str | None:
    """The name of a process's program; None: it is not alive, or of another session."""
    try:
        front, _, rest = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")
    except OSError:
        return None
    state, _, _, own, *_ = rest.split()
    alive = state not in (b"Z", b"X") and int(own) == session
    return front.partition(b"(")[2].decode(errors="replace") if alive else None
