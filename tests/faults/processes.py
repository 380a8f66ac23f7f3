"""Processes as /proc lists them."""

from __future__ import annotations

from pathlib import Path


def below(pid: int) -> dict[int, str]:
    """The living processes that `pid` started, and those that they started, with their command lines."""
    parents = {int(path.name): parent for path in Path("/proc").glob("[0-9]*") if (parent := _parent(path))}
    found: dict[int, str] = {}
    at = {pid}
    while at:
        at = {child for child, parent in parents.items() if parent in at}
        found |= {child: text for child in at if (text := line(child)) is not None}
    return found


def line(pid: int) -> str | None:
    """The command line of a living process; None: there is none."""
    path = Path("/proc") / str(pid)
    try:
        text = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None
    return text if _parent(path) is not None else None


def _parent(path: Path) -> int | None:
    """Who started it; None: it is not alive."""
    try:
        state, parent = (path / "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return None if state in "ZX" else int(parent)
