"""Tables are made again between their marks, and nothing else of a page changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.common import pages
from harness.common.text import markdown_table

TABLES: pages.Tables = {"two": lambda: markdown_table(["a", "b"], [[1, 2]]), "elsewhere": lambda: None}
TEXT = "before\n\n<!-- numbers: two -->\nold\n<!-- end -->\n\nafter\n"


def test_a_table_is_filled_between_its_marks(tmp_path: Path) -> None:
    table = "| a | b |\n| --- | --- |\n| 1 | 2 |"
    once = pages.filled(TEXT, TABLES)
    assert once == f"before\n\n<!-- numbers: two -->\n\n{table}\n\n<!-- end -->\n\nafter\n"
    assert pages.filled(once, TABLES) == once
    page = tmp_path / "page.md"
    page.write_text(TEXT)
    assert pages.write(page, TABLES) == page
    assert page.read_text() == once


def test_a_table_that_cannot_be_made_here_stays() -> None:
    text = TEXT.replace("two", "elsewhere")
    assert pages.filled(text, TABLES) == text
    assert pages.names(text + TEXT) == ["elsewhere", "two"]


def test_a_name_without_a_table() -> None:
    with pytest.raises(KeyError):
        pages.filled(TEXT.replace("two", "three"), TABLES)
