"""Repeats in files: read again only if they are of the same things."""

from __future__ import annotations

import json
import math
from pathlib import Path

from harness.study.race import kept
from tests.study.race.made import searched


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "one.json"
    kept.write(path, "a", {"losses": (1.5, math.inf, math.nan), "ran": 3})
    assert kept.read(path, "a") == {"losses": [1.5, None, None], "ran": 3}


def test_what_is_of_something_else_or_damaged_is_not(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    assert kept.read(path, "a") is None
    kept.write(path, "a", [1])
    assert kept.read(path, "b") is None
    for text in ("{", "[]", "3", json.dumps({"key": "a"}), "\0"):
        path.write_text(text)
        assert kept.read(path, "a") is None


def test_a_fingerprint_changes_with_the_records_alone() -> None:
    first = kept.fingerprint(searched(), 4)
    assert first == kept.fingerprint(searched(), 4)
    assert len({first, kept.fingerprint(searched(), 5), kept.fingerprint(searched(rng=1), 4)}) == 3
    other = searched()
    other.passage[:] = 1  # of another target: what a tuner tries is the same
    assert kept.fingerprint(other, 4) == first
