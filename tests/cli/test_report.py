"""`harness report`: whose records, where to, what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.common.places import ROOT
from harness.study.race import written
from tests.cli.conftest import Run, fill, is_refused
from tests.report.made import content


def test_own_records_come_first_and_what_is_missing_is_said(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny)
    said = harness("report", tiny)
    assert said.code == 0, said.err
    path = results / "tiny" / "report.html"
    assert said.out.startswith("tiny: your records (2 of 3 cells of seed 0")
    assert said.out.splitlines()[-1] == f"wrote {path}"
    page = path.read_text("utf-8")
    assert "1 of 3 cells not run yet" in page
    assert content(page)["grids"][0]["again"].endswith(f"harness cell --grid {tiny}")


def test_own_records_stand_beside_the_references(
    harness: Run, tiny: str, results: Path, reference_folder: Path, tmp_path: Path
) -> None:
    fill(results, tiny)
    assert harness("plot", tiny).code == 0  # makes the tables, which become the reference's
    reference_folder.mkdir()
    (results / "tiny").rename(reference_folder / "tiny")
    said = harness("report", tiny, "--beside", "reference", "--out", str(tmp_path / "both.html"))
    assert said.code == 0, said.err
    both = content((tmp_path / "both.html").read_text("utf-8"))["grids"]
    assert [one["name"] for one in both] == ["tiny", "reference/tiny"]


def test_the_reference_answers_else_also_for_a_second_grid(
    harness: Run, reference_folder: Path, results: Path
) -> None:
    reference_folder.symlink_to(ROOT / "results" / "reference")
    said = harness("report", "limit", "--beside", "beyond")
    assert said.code == 0, said.err
    page = (results / "limit" / "report-beyond.html").read_text("utf-8")
    assert [one["name"] for one in content(page)["grids"]] == ["limit", "beyond"]


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ([], "no records of tiny yet"),
        (["--beside", "reference"], "no records of tiny yet"),
        (["--seeds", "7-"], "seeds"),
    ],
)
def test_refusals_are_one_line(
    harness: Run, tiny: str, results: Path, words: list[str], pattern: str
) -> None:
    is_refused(harness("report", tiny, *words), pattern)
    assert not results.exists()


def test_a_grid_is_not_shown_beside_itself(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny)
    is_refused(
        harness("report", tiny, "--beside", tiny), "beside: tiny itself; name another grid, or reference"
    )


def test_the_reference_is_not_shown_beside_itself(harness: Run, reference_folder: Path) -> None:
    reference_folder.symlink_to(ROOT / "results" / "reference")
    is_refused(
        harness("report", "limit", "--beside", "reference"), "no records of limit yet to be shown beside"
    )


def test_a_race_that_is_damaged_is_left_out_and_said(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny)
    folder = results / "tiny" / "race"
    folder.mkdir(parents=True)
    for name in (written.NUMBERS, written.CURVES):
        (folder / name).write_bytes(b"torn")
    said = harness("report", tiny)
    assert said.code == 0, said.err
    assert "race left out: " in " ".join(said.out.split())
    assert (results / "tiny" / "report.html").exists()
