"""Curves, and how the page looks, in a real browser with the network off: `make test-report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.analysis.summary import cells_over_seeds
from harness.records import reference, tables
from harness.records.tables import Tables
from harness.report import page as pages
from harness.report import sections
from harness.report.sections import Parts
from harness.report.shown import Shown
from tests.report import made
from tests.report.browser import ask, in_a_browser, opened, settle, small, squares
from tests.report.test_counts import ENDINGS, SETTINGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = in_a_browser


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


def test_a_finger_chooses_and_no_card_is_in_its_way(browser: Browser, fig2_file: Path) -> None:
    context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 844}, offline=True)
    page = context.new_page()
    page.goto(fig2_file.as_uri())
    page.wait_for_selector("body[data-ready]")
    page.locator("button[data-setting]").nth(3).tap()
    assert page.locator("#chips li").count() == 1
    assert not page.locator("#tip").is_visible()
    context.close()


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
