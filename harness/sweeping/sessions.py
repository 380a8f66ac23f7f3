"""Processes by session: those that a program started, and those that they started in turn."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

_PROC = Path("/proc")
PATIENCE_S = 1.0
"""How long killed processes may take to go."""


def kill(leader: int) -> None:
    """Kill the session that `leader` began, except for the process that asks, and wait until it is gone.

    Where the system does not list processes in /proc, only the process group of `leader` is killed.
    """
    for last in (False, True):  # the leader last: should who asks be killed meanwhile, it can still clean up
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and (pids := [pid for pid in members(leader) if last or pid != leader]):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
    if not _PROC.is_dir() and os.getpid() != leader:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def members(leader: int) -> dict[int, str]:
    """The living processes of the session, except for the one that asks: their ids, and the names of their
    programs. Empty where the system has no /proc."""
    return {pid: name for pid, (name, alive) in _session(leader).items() if alive}


def ended(leader: int) -> set[str]:
    """The names of programs of the session that have ended, and whose parent has not noticed yet."""
    return {name for name, alive in _session(leader).values() if not alive}


def _session(leader: int) -> dict[int, tuple[str, bool]]:
    """Its processes but this one: the name of the program, and whether it is alive."""
    found: dict[int, tuple[str, bool]] = {}
    for path in _PROC.glob("[0-9]*/stat"):
        try:
            front, _, rest = path.read_bytes().rpartition(b")")
        except OSError:  # it is gone
            continue
        pid, (state, _, _, session, *_) = int(path.parent.name), rest.split()
        if int(session) == leader and pid != os.getpid():
            found[pid] = front.partition(b"(")[2].decode(errors="replace"), state not in (b"Z", b"X")
    return found
