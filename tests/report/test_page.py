from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from harness.common.errors import UserError
from harness.records import reference, tables
from harness.report import page, sections
from harness.report.sections import Parts
from harness.report.shown import Shown
from tests.report import made
from tests.report.test_counts import ENDINGS, SETTINGS

HOSTILE = '</script><script>alert("no")</script><!--'


def shown(**changes: object) -> Shown:
    return Shown(name="made", tables=made.tables(ENDINGS, SETTINGS, **changes), source="hand")  # type: ignore[arg-type]


def test_it_is_one_file_that_asks_for_nothing() -> None:
    text = page.written([shown()], Parts())
    policy = re.findall(r'Content-Security-Policy"\s+content="(.*?)"', text)[0]
    assert policy.startswith("default-src 'none'; script-src 'unsafe-inline' data:")
    own = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)  # the library's comments name its home
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?!#|data:)\w""", own)
    assert "http:" not in own
    assert "https:" not in own


def test_the_same_records_give_the_same_bytes() -> None:
    assert page.written([shown()], Parts()) == page.written([shown()], Parts())


def test_what_people_wrote_is_only_text() -> None:
    one = shown(title=HOSTILE)
    text = page.written([Shown(name=HOSTILE, tables=one.tables, source=HOSTILE)], Parts())
    assert text.count("<script") == page.written([shown()], Parts()).count("<script")
    assert made.content(text)["grids"][0]["title"] == HOSTILE
    assert "&lt;/script&gt;" in text


def test_a_sweep_under_way_says_what_is_missing() -> None:
    assert "1 of 7 cells not run yet" in page.written([shown()], Parts())


def test_what_the_page_carries_of_a_grid() -> None:
    grid = made.content(page.written([shown()], Parts()))["grids"][0]
    assert grid["chances"] == [{"name": "ln 20", "value": pytest.approx(2.995732), "protocols": [0]}]
    assert grid["settings"]["alpha0"] == [0.1, 0.2, 0.3, 0.4]
    assert (grid["target"], grid["budget"]) == (2.0, 30)
    assert [len(one["squares"]) for one in grid["panels"]] == [4]


def test_a_grid_of_trajectories_has_the_columns_of_its_figure() -> None:
    figure = {
        "kind": "trajectories",
        "reference": {"alpha0": [0.4]},
        "columns": [{"title": "Low", "where": {"alpha0": [0.1, 0.2]}}],
    }
    grid = made.content(page.written([shown(figure=figure)], Parts()))["grids"][0]
    assert grid["views"] == [{"title": "Low", "settings": [0, 1, 3]}]


def test_without_any_run_there_is_a_page_all_the_same() -> None:
    empty = made.tables({"a0": ([], None)}, SETTINGS)
    text = page.written([Shown(name="none", tables=empty, source="nobody")], Parts())
    assert "1 of 1 cell not run yet" not in text
    assert "none of its cells has been run yet" in text


def test_two_grids_stand_side_by_side() -> None:
    both = [shown(), Shown(name="other", tables=made.tables(ENDINGS, SETTINGS), source="hand")]
    text = page.written(both, Parts())
    assert [one["name"] for one in made.content(text)["grids"]] == ["made", "other"]
    assert 'id="squares-1"' in text


def test_fig2_has_its_measures_and_its_claims(tmp_path: Path) -> None:
    kept = tables.read(reference.find("fig2"))
    found = sections.parts([Shown(name="fig2", tables=kept, source="")], tmp_path, reference_only=True)
    assert found.measures[0][1].heading == "environment: paper-adam, target 2.5"
    assert {claim.key for claim in found.claims} >= {"C2", "C3", "C12"}
    ids = {*kept.trials["cell_id"]}
    assert all(claim.cells and {*claim.cells} <= ids for claim in found.claims)
    assert (found.league, found.race) == ({}, None)


def test_a_league_grid_has_the_league_and_its_race(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """tests/study has what the tables say, which takes a while."""
    monkeypatch.setattr(sections.league_tables, "costs", lambda grid: f"| method |\n| --- |\n| {grid} |")
    for name in ("standing", "best_settings", "one_choice"):
        monkeypatch.setattr(sections.league_tables, name, lambda: "none")
    found = sections.league("league-sinusoid")
    assert "<td>league-sinusoid</td>" in found["What each method costs on this problem"]
    assert len(found) == 4
    race = sections.race("league-sinusoid", tmp_path, reference_only=True)
    assert race is not None
    assert {one["curve"] for one in race.curves} == {"hit", "best"}
    assert all(len(one["x"]) == len(one["value"]) > 0 for one in race.curves)


def test_what_cannot_be_measured_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise UserError("made-up: nothing to measure")

    monkeypatch.setattr(sections, "of_tables", refuse)
    assert sections.measured("made-up", shown().tables).heading == "Not measured: made-up: nothing to measure"


def test_a_table_in_markdown_becomes_a_table_and_nothing_else() -> None:
    made_html = sections.MARKDOWN.render("| a | b |\n| --- | --- |\n| `x` | <b>1</b> |")
    assert "<code>x</code>" in made_html
    assert "&lt;b&gt;1&lt;/b&gt;" in made_html


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("uPlot.iife.min.js", "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"),
        ("uPlot.min.css", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"),
    ],
)
def test_the_library_is_as_its_makers_published_it(name: str, digest: str) -> None:
    """Of uplot 1.6.32 from the npm registry."""
    assert hashlib.sha256((page.FILES / "vendor" / name).read_bytes()).hexdigest() == digest
