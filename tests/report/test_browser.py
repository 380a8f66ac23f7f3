"""What a reader sees and does, in a real browser with the network off: `make test-report`."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from harness.analysis.counting import counted_to
from harness.analysis.summary import cells_over_seeds
from harness.common.text import halves
from harness.records.tables import Tables
from tests.report.browser import ask, in_a_browser, settle, squares

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = in_a_browser
TARGETS = (2.6123, 2.987654321)
"""That no grid names."""


def expected(kept: Tables, target: float, column: str = "iterations_to_target") -> list[tuple[str, str]]:
    """The number and the share that analysis has for each setting."""
    cells = cells_over_seeds(counted_to("fig2", kept, target))
    return [
        (
            halves(row[column]) if np.isfinite(row[column]) else "",
            f"{row['reached']}/{row['run']}" if 0 < row["reached"] < row["run"] else "",
        )
        for _, row in cells.iterrows()
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_squares_show_what_analysis_counts_for_any_target(
    fig2_page: Page, fig2: Tables, target: float
) -> None:
    ask(fig2_page, target)
    found = squares(fig2_page)
    assert [found[at][:2] for at in sorted(found)] == expected(fig2, target)


def test_the_slider_asks_for_another_target(fig2_page: Page, fig2: Tables) -> None:
    """Moved by keys and by a pointer; what it stands at is what is counted to."""
    fig2_page.focus("#target-slider")
    for _ in range(40):
        fig2_page.keyboard.press("ArrowRight")
    settle(fig2_page)
    target = float(fig2_page.input_value("#target-number"))
    assert 2.5 < target < 2.6
    found = squares(fig2_page)
    assert [found[at][:2] for at in sorted(found)] == expected(fig2, target)
    box = fig2_page.locator("#target-slider").bounding_box()
    assert box is not None
    fig2_page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    settle(fig2_page)
    assert float(fig2_page.input_value("#target-number")) > target


def test_the_sustained_passage_is_a_switch_away(fig2_page: Page, fig2: Tables) -> None:
    fig2_page.check("#sustained")
    settle(fig2_page)
    found = squares(fig2_page)
    numbers = [number for number, _ in expected(fig2, 2.5, "iterations_to_target_sustained")]
    assert [found[at][0] for at in sorted(found)] == numbers


def test_shares_of_settings_are_recomputed(fig2_page: Page, fig2: Tables) -> None:
    ask(fig2_page, TARGETS[0])
    cells = cells_over_seeds(counted_to("fig2", fig2, TARGETS[0]))
    rows = fig2_page.locator("#summary tbody tr").all_inner_texts()
    for row, (_, own) in zip(rows, cells.groupby("method", sort=False), strict=True):
        share = (own["state"] == "reached").mean()
        runs = own["reached"].sum() / own["run"].sum()
        assert row.split("\t")[1:4] == [
            str(len(own)),
            f"{share:.0%}".replace("%", " %"),
            f"{runs:.0%}".replace("%", " %"),
        ]


def test_chance_is_marked_and_can_be_asked_for(fig2_page: Page) -> None:
    fig2_page.click("#target-marks button:has-text('ln 20')")
    assert float(fig2_page.input_value("#target-number")) == pytest.approx(np.log(20))


def test_the_tuned_panel_is_the_one_beside_which_maml_is_fastest(fig2_page: Page) -> None:
    assert fig2_page.locator(".panel[data-tuned] figcaption").all_inner_texts() == [
        "Alpha-MAML\nα0 = 10⁻¹, β0 = 10⁻³"
    ]
    ask(fig2_page, 0.5)  # which nobody reaches
    assert fig2_page.locator(".panel[data-tuned]").count() == 0


def test_filters_leave_out_what_is_not_wanted(fig2_page: Page) -> None:
    fig2_page.click("#filter-box summary")
    fig2_page.locator("[data-filter=method] label:has-text('Alpha-MAML') input").uncheck()
    for seed in ("1", "2", "3", "4"):
        fig2_page.locator(f"[data-filter=seed] label:text-is('{seed}') input").uncheck()
    settle(fig2_page)
    assert fig2_page.locator("#cells tbody tr").count() == 5
    assert fig2_page.locator("#summary tbody tr").count() == 1
    assert fig2_page.locator("button[data-setting]:visible").count() == 5


def test_a_value_that_is_left_out_leaves_a_square_for_the_keyboard(fig2_page: Page) -> None:
    """The first square of each panel was the one that the tabulator stops at."""
    fig2_page.click("#filter-box summary")
    fig2_page.locator("[data-filter=alpha_hyperlr] label:text-is('100') input").uncheck()
    settle(fig2_page)
    assert fig2_page.locator("button[data-setting]:visible").count() == 185 - 5 * 6
    assert fig2_page.locator(".panel button[tabindex='0']:visible").count() == 5


def test_the_table_sorts_and_missing_counts_come_last(fig2_page: Page) -> None:
    head = fig2_page.locator("#cells th button:text-is('first')")
    column = fig2_page.locator("#cells th").evaluate_all(
        "all => all.findIndex(one => one.innerText.trim() === 'first')"
    )
    for least in (True, False):
        head.click()
        texts = fig2_page.locator(f"#cells tbody td:nth-child({column + 1})").all_inner_texts()
        counts = [int(text) for text in texts if text != "–"]
        assert counts == sorted(counts, reverse=not least)
        assert len(counts) == 100


def test_the_csv_has_every_run_and_the_counts_to_this_target(fig2_page: Page, fig2: Tables) -> None:
    ask(fig2_page, TARGETS[0])
    with fig2_page.expect_download() as waiting:
        fig2_page.click("#csv")
    assert waiting.value.suggested_filename == f"fig2-target-{TARGETS[0]}.csv"
    rows = list(csv.DictReader(io.StringIO(waiting.value.path().read_text("utf-8"))))
    counts = counted_to("fig2", fig2, TARGETS[0]).set_index("cell_id")
    assert len(rows) == len(counts)
    for row in rows:
        own = counts.loc[row["cell_id"]]
        count = own["iterations_to_target"]
        assert row["first_passage"] == ("" if pd.isna(count) else str(count))
        assert row["outcome_for_target"] == own["outcome"]
        assert float(row["final_train_loss"]) == own["final_train_loss"]
        assert row["commit"] == own["commit"]


def test_colours_go_from_one_to_the_budget(fig2_page: Page) -> None:
    """By hand: 172 of 500 is at log 172 / log 500 = 0.828 of the scale."""
    colours = dict(
        fig2_page.evaluate(
            """[...document.querySelectorAll("button[data-setting]")].map(one =>
            [one.children[0].textContent, one.style.background])"""
        )
    )
    red, green, blue = mpl.colormaps["viridis"](np.log(172) / np.log(500), bytes=True)[:3]
    found = [int(part) for part in re.findall(r"\d+", colours["172"])]
    assert np.abs(np.array(found) - [red, green, blue]).max() <= 6  # between 16 colours they are mixed
    assert colours[""] == ""


def test_below_the_grids_target_shares_are_ranges(fig2_page: Page) -> None:
    """Runs stopped at 2.5: who would have reached 2.3 is not known."""
    ask(fig2_page, 2.3)
    told = fig2_page.locator("#summary tbody tr").nth(1).inner_text()
    assert re.search(r"\d+ % to \d+ %", told)


def test_an_emptied_target_asks_for_what_it_was(fig2_page: Page) -> None:
    fig2_page.fill("#target-number", "")
    fig2_page.press("#target-number", "Enter")
    assert fig2_page.input_value("#target-number") == "2.5"
