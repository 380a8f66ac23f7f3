"""Standard output and error as a terminal, or as a file of some other kind, and `harness` in a shell."""

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
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest
from rich.cells import cell_len

from harness.common.places import ROOT

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
READ_BY_RICH = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


class Screen:
    """What a terminal got."""

    def __init__(self) -> None:
        self.raw = ""

    @property
    def lines(self) -> list[str]:
        """Without colours and cursor movements; what was replaced is there too."""
        text = _ESCAPE.sub("", self.raw.replace("\r\n", "\n")).replace("\r", "\n")
        return [line.rstrip() for line in text.split("\n")]

    @property
    def width(self) -> int:
        """Of the widest line, in columns."""
        return max(map(cell_len, self.lines))


@contextlib.contextmanager
def terminal(columns: int, rows: int = 40) -> Iterator[Screen]:
    """Inside its `with`, standard output and error are a terminal of this size. Its content is there
    afterwards."""
    screen, parts = Screen(), []
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read() -> None:
        with contextlib.suppress(OSError):  # Linux says so once the other side is closed
            while part := os.read(ours, 1 << 16):
                parts.append(part)

    reader = threading.Thread(target=read)
    reader.start()
    with pytest.MonkeyPatch.context() as patch:
        for name in READ_BY_RICH:
            patch.delenv(name, raising=False)
        patch.setenv("TERM", "xterm-256color")
        try:
            with open(its, "w", encoding="utf-8") as stream, into(stream):  # noqa: PTH123
                yield screen
        finally:
            reader.join(10)
            os.close(ours)
    screen.raw = b"".join(parts).decode()


@contextlib.contextmanager
def into(stream: TextIO) -> Iterator[None]:
    """Inside its `with`, standard output and error go there."""
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        yield


def in_shell(script: str, folder: Path, **more: str) -> subprocess.CompletedProcess[bytes]:
    """Run a bash script, in which `harness` is the command, without what rich would read; `more` is added
    to its environment."""
    env = {name: value for name, value in os.environ.items() if name not in READ_BY_RICH}
    env |= {"PYTHONPATH": str(ROOT), "PYTHON": sys.executable} | more
    function = 'harness() { "$PYTHON" -m harness "$@"; }\n'
    return subprocess.run(
        ["bash", "-c", function + script], env=env, cwd=folder, capture_output=True, timeout=120, check=False
    )
