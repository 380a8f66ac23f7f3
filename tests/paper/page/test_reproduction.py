"""docs/reproduction.md says what the reference records say."""

from __future__ import annotations

import re

import pytest

from harness.common.places import ROOT
from harness.common.text import markdown_table
from harness.paper.page import reproduction as page
from harness.paper.page.tables import TABLES

PAGE = page.PAGE.read_text()


def test_the_page_is_up_to_date() -> None:
    """If this fails, run `harness publish page`."""
    assert page.filled(PAGE) == PAGE


def test_every_table_stands_on_the_page() -> None:
    assert sorted(re.findall(r"<!-- numbers: (\S+) -->", PAGE)) == sorted(TABLES)


def test_a_table_is_filled_between_its_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLES, "two", lambda: markdown_table(["a", "b"], [[1, 2]]))
    text = "before\n\n<!-- numbers: two -->\nold\n<!-- end -->\n\nafter\n"
    once = page.filled(text)
    table = "| a | b |\n| --- | --- |\n| 1 | 2 |"
    assert once == f"before\n\n<!-- numbers: two -->\n\n{table}\n\n<!-- end -->\n\nafter\n"
    assert page.filled(once) == once
    with pytest.raises(KeyError):
        page.filled(text.replace("two", "three"))


def test_figures_of_the_page_and_the_readme_are_there() -> None:
    for path in (ROOT / "README.md", page.PAGE):
        for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", path.read_text()):
            assert (path.parent / name).exists(), name
