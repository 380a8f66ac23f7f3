"""Processes of a session, with `sleep` in the place of Ray's servers."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from harness.sweeping import sessions

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")


def test_a_session_is_killed_with_all_its_groups_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The leader last."""
    killed, kill = [], os.kill
    monkeypatch.setattr(os, "kill", lambda pid, number: (killed.append(pid), kill(pid, number)))
    words = ["sh", "-c", "sleep 100 & exec sleep 100"]
    leader = subprocess.Popen(words, start_new_session=True)
    other = subprocess.Popen(["sleep", "100"], start_new_session=True)
    while sorted(sessions.members(leader.pid).values()) != ["sleep", "sleep"]:  # each is a shell at first
        time.sleep(0.01)
    sessions.kill(leader.pid)
    assert not sessions.members(leader.pid)
    assert killed[-1] == leader.pid
    assert len(set(killed)) == 2
    assert sessions.ended(leader.pid) == {"sleep"}  # until somebody asks how it ended
    assert leader.wait() == -9
    assert other.poll() is None
    other.kill()
    other.wait()
