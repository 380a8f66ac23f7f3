"""Whole commands in fresh processes, timed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from statistics import median
from time import monotonic
from typing import Any

from harness.common import places


def run(words: Sequence[str]) -> tuple[float, str]:
    """Seconds that a fresh Python takes for `words`, and what it prints. RuntimeError if it fails. The code
    is compiled once, as it is for users, whatever this shell says."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = monotonic()
    done = subprocess.run([sys.executable, *words], cwd=places.ROOT, capture_output=True, text=True, env=env)
    took = monotonic() - began
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)[-200:]}: {done.stdout[-500:]}{done.stderr[-2000:]}")
    return took, done.stdout


def repeated(words: Sequence[str], repeats: int) -> dict[str, Any]:
    """The times of some runs and their median, s."""
    times = [round(run(words)[0], 3) for _ in range(repeats)]
    return {"median_s": median(times), "all_s": times}
