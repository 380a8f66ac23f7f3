"""The report's page in a browser: how fast it answers, and how it looks.

    python -m tests.report.look FILE [--rounds 5] [--pictures FOLDER] [--picture FILE.png]

Prints the size of FILE, a page of `harness report`, and milliseconds, median (least to most) of rounds, each
in a browser context of its own with the network off: ready (from the address until all is drawn), click (a
square until its curves are drawn), slide (the target moves until the squares have changed). With --pictures
it is photographed at three widths, light and dark; with --picture its beginning, as README shows it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tests.report.browser import launched, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = (390, 834, 1280)
"""Pixels: of a phone, a tablet, a laptop."""
GLANCE = 500
"""Milliseconds between a page and its first click."""
HEIGHT = 1500
"""Of README's picture."""
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
CLICK = f"""async () => {{
  const all = [...document.querySelectorAll("button[data-setting]:not([hidden])")];
  const one = all[Math.floor(all.length / 3)];
  const start = performance.now();
  one.click();
  await {PAINTED};
  return performance.now() - start;
}}"""
SLIDE = f"""async () => {{
  const slider = document.getElementById("target-slider");
  slider.value = Number(slider.value) + 60;
  const start = performance.now();
  slider.dispatchEvent(new Event("input"));
  await {PAINTED};
  return performance.now() - start;
}}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with launched() as browser:
        print(f"{asked.file.stat().st_size / 1e6:.2f} MB, {browser.version}")
        for name, times in timed(browser, asked.file, asked.rounds).items():
            print(f"{name}: {median(times):.0f} ms ({min(times):.0f} to {max(times):.0f})")
        if asked.pictures:
            asked.pictures.mkdir(parents=True, exist_ok=True)
            photograph(browser, asked.file, asked.pictures)
        if asked.picture:
            with opened(browser, asked.file, width=WIDTHS[-1]) as page:
                choose_two(page)
                size = {"x": 0, "y": 0, "width": WIDTHS[-1], "height": HEIGHT}
                page.screenshot(path=asked.picture, full_page=True, clip=size)  # type: ignore[arg-type]


def timed(browser: Browser, file: Path, rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"ready": [], "click": [], "slide": []}
    for _ in range(rounds):
        start = time.perf_counter()
        with opened(browser, file) as page:
            page.evaluate(PAINTED)
            found["ready"].append(1000 * (time.perf_counter() - start))
            page.wait_for_timeout(GLANCE)
            found["click"].append(page.evaluate(CLICK))
            found["slide"].append(page.evaluate(SLIDE))
    return found


def photograph(browser: Browser, file: Path, folder: Path) -> None:
    for width in WIDTHS:
        for dark in (False, True):
            with opened(browser, file, width=width, dark=dark) as page:
                choose_two(page)
                page.screenshot(path=folder / f"{width}{'-dark' * dark}.png", full_page=True)


def choose_two(page: Page) -> None:
    """So that there are curves to compare."""
    some = page.locator("button[data-setting]")
    some.nth(8).click()
    some.nth(some.count() // 2).click(modifiers=["Shift"])
    page.mouse.move(0, 0)


if __name__ == "__main__":
    main()
