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
    while time.monotonic() < end and (members := _members(leader)):
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    if not _PROC.is_dir() and os.getpid() != leader:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def _members(leader: int) -> list[int]:
    """The living processes of the session but this one."""
    pids = [int(path.name) for path in _PROC.glob("[0-9]*")]
    return [pid for pid in pids if pid != os.getpid() and _lives_in(pid, leader)]


def _lives_in(pid: int, session: int) -> bool:
    try:
        words = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return False
    return words[0] not in (b"Z", b"X") and int(words[3]) == session
