"""`harness WORDS` as a process of its own: in a terminal of some width, or into files."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from dataclasses import dataclass

from harness.common.places import ROOT

COMMAND = (sys.executable, "-m", "harness")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, kw_only=True)
class Screen:
    """What a terminal got."""

    code: int
    raw: str

    @property
    def lines(self) -> list[str]:
        """Without colours, and without what was replaced."""
        whole = _ESCAPES.sub("", re.sub(r"\r\x1b\[2K|\x1b\[1A\x1b\[2K", "\n\x00", self.raw))
        return [line.rstrip() for line in whole.replace("\r\n", "\n").split("\n") if "\x00" not in line]


def environment(**more: str) -> dict[str, str]:
    """As a person's, without what rich would read; `more` is added."""
    read = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
    kept = {name: value for name, value in os.environ.items() if name not in read}
    return kept | {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "PYTHONUTF8": "0"} | more


def in_terminal(*words: str, columns: int = 80, env: Mapping[str, str] | None = None) -> Screen:
    """Run in a pseudo-terminal of so many columns."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *words], stdin=its, stdout=its, stderr=its, env=env or environment(), close_fds=True
    )
    os.close(its)
    raw = b""
    with contextlib.suppress(OSError):  # Linux says so when the other side is closed
        while part := os.read(ours, 1 << 16):
            raw += part
    os.close(ours)
    return Screen(code=process.wait(60), raw=raw.decode())


def by_shell(script: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    """Run a bash script in which $HARNESS is the command."""
    env = environment(HARNESS=" ".join(COMMAND), **more)
    return subprocess.run(["bash", "-c", script], env=env, capture_output=True, timeout=120, check=False)
