"""The table in Markdown, read back."""

from __future__ import annotations

import re
from pathlib import Path

from harness.records import export
from tests.records.export.papers import ODD, paper


def cells(line: str) -> list[str]:
    """The cells of a row, without backslashes."""
    parts = re.split(r"(?<!\\)\|", line)[1:-1]
    return [re.sub(r"\\(.)", r"\1", part.strip()) for part in parts]


def test_it_is_read_back(tmp_path: Path) -> None:
    assert export.write("markdown", paper(), tmp_path) == []
    caption, empty, *lines = (tmp_path / "made-up.md").read_text().splitlines()
    assert re.sub(r"\\(.)", r"\1", caption) == f"A caption: {ODD}."
    assert empty == ""
    assert [cells(line) for line in lines] == [
        ["method", "alpha0", "rule_of", "reached", "first passage"],
        ["---"] * 5,
        [ODD, "0.001", "", "0/9", "–"],
        ["MAML", "0.002", "raw_x", "1/9", "1"],
    ]
