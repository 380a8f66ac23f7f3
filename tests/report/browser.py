"""A real browser, for the tests of the page: Chromium, with the network off."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.report import page as pages
from harness.report.sections import Parts
from harness.report.shown import Shown
from tests.report import made
from tests.report.test_counts import ENDINGS, SETTINGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

VARIABLE = "HARNESS_BROWSER"
"""Set by `make test-report`: the browser's path or name. Without it these tests are skipped."""
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
HOW = f"needs Chromium: apt-get install chromium, on Debian, or {VARIABLE}=path"


@contextmanager
def launched() -> Iterator[Browser]:
    """The browser. RuntimeError: there is none, and how to get it."""
    from playwright.sync_api import sync_playwright

    asked = os.environ.get(VARIABLE, "chromium")
    path = shutil.which(asked)
    if path is None:
        raise RuntimeError(f"no browser {asked}; {HOW}")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=[*FLAGS])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, file: Path, width: int = 1280, dark: bool = False) -> Iterator[Page]:
    """The page of a file when it is ready. AssertionError: it asked for anything else, or a script failed."""
    wrong: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        offline=True,
        accept_downloads=True,
    )
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on(
        "console", lambda said: wrong.append(f"{said.type}: {said.text}") if said.type == "error" else None
    )
    page.on(
        "request",
        lambda asked: wrong.append(asked.url[:80]) if asked.url.startswith(("http", "ws")) else None,
    )
    page.goto(file.absolute().as_uri())
    page.wait_for_selector("body[data-ready]", timeout=60_000)
    yield page
    context.close()
    assert not wrong


in_a_browser = pytest.mark.skipif(VARIABLE not in os.environ, reason=f"make test-report runs it; it {HOW}")


def small(browser: Browser, folder: Path, **more: Any) -> Any:
    """The page of a few made-up runs."""
    path = folder / "made.html"
    pages.write(path, [Shown(name="made", tables=made.tables(ENDINGS, SETTINGS), source="hand")], Parts())
    return opened(browser, path, **more)


def ask(page: Page, target: float) -> None:
    page.fill("#target-number", repr(target))
    page.press("#target-number", "Enter")
    settle(page)


def settle(page: Page) -> None:
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_selector("body:not([aria-busy])")


def squares(page: Page) -> dict[int, tuple[str, str, str]]:
    """Setting -> its number, its share of seeds, its state."""
    found = page.evaluate(
        """[...document.querySelectorAll("button[data-setting]")].map(one =>
        [one.dataset.setting, one.children[0].textContent, one.children[1].textContent, one.dataset.state])"""
    )
    return {int(setting): (number, seeds, state) for setting, number, seeds, state in found}
