"""What a reader sees and does, in a real browser with the network off: `make test-report`."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from harness.analysis.counting import counted_to
from harness.analysis.summary import cells_over_seeds
from harness.common.text import halves
from harness.records import reference, tables
from harness.records.tables import Tables
from harness.report import page as pages
from harness.report import sections
from harness.report.sections import Parts
from harness.report.shown import Shown
from tests.report import made
from tests.report.browser import HOW, VARIABLE, launched, opened
from tests.report.test_counts import ENDINGS, SETTINGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.skipif(VARIABLE not in os.environ, reason=f"make test-report runs it; it {HOW}")
TARGETS = (2.6123, 2.987654321)
"""That no grid names."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as one:
        yield one


@pytest.fixture(scope="module")
def fig2() -> Tables:
    return tables.read(reference.find("fig2"))


@pytest.fixture(scope="module")
def fig2_file(fig2: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fig2") / "fig2.html"
    shown = [Shown(name="fig2", tables=fig2, source="the reference")]
    pages.write(path, shown, sections.parts(shown, path.parent, reference_only=True))
    return path


@pytest.fixture
def fig2_page(browser: Browser, fig2_file: Path) -> Iterator[Page]:
    with opened(browser, fig2_file) as page:
        yield page


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


def test_a_click_draws_the_runs_and_tells_where_they_come_from(fig2_page: Page, fig2: Tables) -> None:
    at = fig2_page.locator("button[data-setting]").nth(8)
    setting = int(at.get_attribute("data-setting") or -1)
    at.click()
    assert fig2_page.locator("#charts canvas").count() == 6
    cells = cells_over_seeds(fig2.trials)
    own = fig2.trials[fig2.trials["alpha_hyperlr"] == cells["alpha_hyperlr"][setting]]
    ids = set(fig2_page.locator("#facts tbody td:first-child").all_inner_texts())
    assert len(ids) == 5
    assert ids <= {*own["cell_id"]}
    command = fig2_page.locator("#facts code").inner_text()
    assert "harness cell --grid fig2 " in command
    assert command.split()[-1] in ids
    assert at.get_attribute("aria-pressed") == "true"


def test_several_settings_are_pinned_and_let_go(fig2_page: Page) -> None:
    some = fig2_page.locator("button[data-setting]")
    some.nth(1).click()
    some.nth(50).click(modifiers=["Shift"])
    assert fig2_page.locator("#chips li").count() == 2
    some.nth(90).click()
    assert fig2_page.locator("#chips li").count() == 3
    fig2_page.locator("#chips li").first.get_by_label("remove").click()
    assert fig2_page.locator("#chips li").count() == 2


def test_a_pointer_is_told_the_seeds(fig2_page: Page) -> None:
    fig2_page.locator("button[data-setting]").nth(3).hover()
    told = fig2_page.locator("#tip").inner_text()
    assert "Alpha-MAML" in told
    assert fig2_page.locator("#tip tbody tr").count() == 5


def test_keys_go_from_square_to_square(fig2_page: Page) -> None:
    fig2_page.locator("button[data-setting]").first.focus()
    first = fig2_page.evaluate("document.activeElement.getAttribute('aria-label')")
    fig2_page.keyboard.press("ArrowRight")
    fig2_page.keyboard.press("ArrowDown")
    moved = fig2_page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert moved != first
    assert "Alpha-MAML, α 0 10⁻¹, β 0 10⁻³, α hyperlr 10, β hyperlr 10⁻⁷" in moved
    fig2_page.keyboard.press("Enter")
    assert fig2_page.locator("#chips li").count() == 1


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


def test_evidence_of_a_claim_opens_its_cell(fig2_page: Page) -> None:
    fig2_page.locator(".claim summary").first.click()
    link = fig2_page.locator(".claim [data-cell]").first
    cell = link.get_attribute("data-cell")
    link.click()
    assert cell in fig2_page.locator("#facts").inner_text()


def test_every_ending_has_its_mark(browser: Browser, tmp_path: Path) -> None:
    with small(browser, tmp_path) as page:
        assert [state for _, _, state in squares(page).values()] == [
            "budget",
            "diverged",
            "not run",
            "budget",
        ]
        page.select_option("#show", "final_train_loss")
        settle(page)
        assert squares(page)[0][0] == "2.05"  # the mean of 1.9 and 2.2
        assert squares(page)[1] == ("×", "", "diverged")  # the other run failed


def test_two_grids_are_asked_for_the_same_target(browser: Browser, tmp_path: Path) -> None:
    both = [
        Shown(name=name, tables=made.tables(ENDINGS, SETTINGS, target=target), source="hand")
        for name, target in (("made", 2.0), ("other", 2.6))
    ]
    path = tmp_path / "both.html"
    pages.write(path, both, Parts())
    with opened(browser, path) as page:
        ask(page, 2.45)
        texts = [page.locator(f"#squares-{at} button b").all_inner_texts() for at in (0, 1)]
        assert texts[0] == texts[1] == ["2.5", "×", "·", ""]
        assert page.locator("#cells tbody tr").count() == 2 * len(ENDINGS)
        for at in (0, 1):
            page.locator(f"#squares-{at} button[data-setting]").first.click(modifiers=["Shift"])
        assert page.locator("#chips li").count() == 2


@pytest.mark.parametrize("width", [390, 800, 1600])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_every_width(browser: Browser, fig2_file: Path, width: int, dark: bool) -> None:
    with opened(browser, fig2_file, width=width, dark=dark) as page:
        page.locator("button[data-setting]").first.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_charts_stand_beside_each_other_where_there_is_room(browser: Browser, fig2_file: Path) -> None:
    """At 834 pixels the room is no whole number of them."""
    with opened(browser, fig2_file, width=834) as page:
        page.locator("button[data-setting]").first.click()
        page.wait_for_selector("#charts canvas")
        boxes = [one.bounding_box() for one in page.locator("#charts figure").all()]
        assert boxes[0] is not None
        assert boxes[1] is not None
        assert boxes[0]["y"] == boxes[1]["y"]


def test_every_control_has_a_name_and_every_id_is_there_once(fig2_page: Page) -> None:
    fig2_page.locator("button[data-setting]").first.click()
    nameless = fig2_page.evaluate(
        """[...document.querySelectorAll("button, input, select")].filter(one => !(one.textContent.trim()
        || one.getAttribute("aria-label") || one.labels?.length)).map(one => one.outerHTML)"""
    )
    assert nameless == []
    ids = fig2_page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len({*ids})


def test_it_prints(fig2_page: Page, tmp_path: Path) -> None:
    fig2_page.locator("button[data-setting]").first.click()
    fig2_page.emulate_media(media="print")
    assert fig2_page.locator("button[data-setting]").first.is_visible()
    assert not fig2_page.locator("#cells").is_visible()
    assert len(fig2_page.pdf(print_background=True)) > 20_000


def test_what_is_told_of_a_run_is_what_its_record_says(fig2_page: Page, fig2: Tables) -> None:
    fig2_page.locator("button[data-setting]").nth(20).click()
    heads = [text.strip() for text in fig2_page.locator("#facts th").all_inner_texts()]
    own = fig2.trials.set_index("cell_id")
    for row in fig2_page.locator("#facts tbody tr").all():
        told = dict(zip(heads, row.locator("td").all_inner_texts(), strict=True))
        run = own.loc[told["cell id"]]
        for name in ("seed", "iterations_run", "ending", "outcome", "device", "commit", "torch", "finished"):
            assert told[name.replace("_", " ")] == str(run[name]), name
        assert told["first passage"] == str(run["iterations_to_target"])
        assert float(told["final train loss"]) == pytest.approx(run["final_train_loss"], rel=1e-5)


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


def test_a_column_of_the_figure_is_drawn_at_a_click(browser: Browser, tmp_path: Path) -> None:
    kept = tables.read(reference.find("fig1"))
    path = tmp_path / "fig1.html"
    pages.write(path, [Shown(name="fig1", tables=kept, source="the reference")], Parts())
    with opened(browser, path) as page:
        assert page.locator("#chips li").count() == 4  # of the first column
        page.click("#views button:nth-child(2)")
        assert page.locator("#chips li").count() == 8
        assert page.locator("#charts canvas").count() == 6
        page.check("#log-loss")
        assert page.locator("#charts canvas").count() == 6


def test_the_race_is_drawn(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "race.html"
    race = sections.race("league-sinusoid", tmp_path, reference_only=True)
    shown = [Shown(name="made", tables=made.tables(ENDINGS, SETTINGS), source="hand")]
    pages.write(path, shown, Parts(race=race))
    with opened(browser, path) as page:
        assert page.locator("#race-charts canvas").count() == 2
        assert (
            page.locator("#race-key li").count() == len({one["title"] for one in race.curves}) if race else 0
        )
