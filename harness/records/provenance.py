"""Where a record comes from: versions, commit, machine, device, threads, time."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.common.places import CHECKOUT

_PACKAGES = ("torch", "ray", "numpy", "pyarrow", "matplotlib", "pillow")
VERSIONS = ("harness", "python", *_PACKAGES)
"""In the order in which they are listed."""


@lru_cache
def of_code() -> dict[str, Any]:
    """Versions of this project and its packages, Python, and the git commit ('+': with uncommitted
    changes)."""
    return {
        "harness": version_of("harness"),
        "python": platform.python_version(),
        **{name: version_of(name) for name in _PACKAGES},
        "commit": _commit(),
    }


def of_run(device: str, pack_size: int) -> dict[str, Any]:
    """The process that trains: device, threads and code."""
    import torch

    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else _processor()
    return {
        "device": f"{device.split(':')[0]} ({name})",
        "threads": torch.get_num_threads(),
        "pack_size": pack_size,
        "versions": of_code(),
    }


def now(wall_seconds: float) -> dict[str, Any]:
    """The end of a run."""
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    return {"wall_seconds": round(wall_seconds, 6), "finished": finished}


def version_of(package: str) -> str | None:
    """The version of an installed package; None: not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """None for an installed package, even one inside somebody else's repository."""
    if CHECKOUT is None or not (CHECKOUT / ".git").exists():
        return None

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(CHECKOUT), *words], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return None


@lru_cache
def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
