"""docs/reproduction.md says what the reference records say."""

from __future__ import annotations

import re

from harness.common import pages
from harness.common.places import ROOT
from harness.paper.page import reproduction as page
from harness.paper.page.tables import TABLES

PAGE = page.PAGE.read_text()


def test_the_page_is_up_to_date() -> None:
    """If this fails, run `harness publish page`."""
    assert pages.filled(PAGE, TABLES) == PAGE


def test_every_table_stands_on_the_page() -> None:
    assert sorted(pages.names(PAGE)) == sorted(TABLES)


def test_figures_of_the_page_and_the_readme_are_there() -> None:
    for path in (ROOT / "README.md", page.PAGE):
        for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", path.read_text()):
            assert (path.parent / name).exists(), name
