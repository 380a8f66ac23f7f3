"""The repeats of tuners, a file each, so that a race that was killed goes on where it was."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from harness.common.files import write_whole
from harness.study.race.searched import Searched


def fingerprint(*of: object) -> str:
    """Of all that a repeat depends on. A file with another is made again."""
    hashed = sha256()
    for one in of:
        if isinstance(one, Searched):
            hashed.update(one.table.to_csv(index=False).encode())
            for array in (one.loss, one.ran, one.steps, one.validation):
                hashed.update(np.ascontiguousarray(array).tobytes())
        else:
            hashed.update(repr(one).encode())
    return hashed.hexdigest()[:16]


def read(path: Path, key: str) -> Any:
    """What a file holds; None: it is not there, damaged, or of something else."""
    try:
        kept = json.loads(path.read_text("utf-8"))
        return kept["repeat"] if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(path: Path, key: str, repeat: object) -> None:
    """One repeat, whole or not at all. A number that is not finite becomes null. NotWritten."""
    text = json.dumps({"key": key, "repeat": _plain(repeat)}, allow_nan=False)
    write_whole(path, lambda temporary: temporary.write_text(text, "utf-8"))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
