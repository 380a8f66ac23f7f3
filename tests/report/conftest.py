"""The browser, and the report of fig2 in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.records import reference, tables
from harness.records.tables import Tables
from harness.report import page as pages
from harness.report import sections
from harness.report.shown import Shown
from tests.report.browser import launched, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launched() as one:
        yield one


@pytest.fixture(scope="session")
def fig2() -> Tables:
    return tables.read(reference.find("fig2"))


@pytest.fixture(scope="session")
def fig2_file(fig2: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fig2") / "fig2.html"
    shown = [Shown(name="fig2", tables=fig2, source="the reference")]
    pages.write(path, shown, sections.parts(shown, path.parent, reference_only=True))
    return path


@pytest.fixture
def fig2_page(browser: Browser, fig2_file: Path) -> Iterator[Page]:
    with opened(browser, fig2_file) as page:
        yield page
