"""Figures from your records, else from the reference's; publishing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness import grids
from harness.cli import plot
from harness.plots.render import render
from harness.records import publishing, reference
from harness.records.store import Store
from tests.cli.conftest import TINY, Run, cells, is_refused
from tests.records.test_tables import made


def fill(results: Path, tiny: str, losses: tuple[float, ...] = (1.5,) * 5) -> None:
    for cell in cells(tiny)[:2]:
        Store(results).put(made(cell, "budget", list(losses)))


@pytest.fixture(params=[False, True], ids=["whole", "in parts"])
def published(tiny: str, tmp_path: Path, reference_folder: Path, request: pytest.FixtureRequest) -> Path:
    """A reference of `tiny`, two of three cells; the sweep that made it lies elsewhere."""
    fill(tmp_path / "elsewhere", tiny)
    return publishing.publish(grids.load(tiny), tmp_path / "elsewhere", in_parts=request.param)


LINE = "tiny: the reference records (2 of 3 cells of seed 0; x, commit abc+)"


@pytest.mark.parametrize("words", [[], ["tiny"]], ids=["all", "by name"])
@pytest.mark.usefixtures("published")
def test_without_your_own_records(harness: Run, results: Path, words: list[str]) -> None:
    """Its grid is in no sweeps/: the tables know it."""
    said = harness("plot", *words)
    assert said.code == 0, said.err
    assert LINE in said.out.splitlines()
    assert sorted(path.name for path in (results / "tiny").iterdir()) == ["tiny.pdf", "tiny.png", "tiny.svg"]


@pytest.mark.usefixtures("published", "blank")
def test_for_a_papers_column_too(harness: Run, results: Path) -> None:
    said = harness("plot", "tiny", "--column")
    assert said.code == 0, said.err
    names = [f"tiny{part}.{kind}" for part in ("", "-column") for kind in ("png", "svg", "pdf")]
    paths = [str(results / "tiny" / name) for name in names]
    assert said.out.splitlines()[-1] == f"figures: {', '.join(paths)}"
    assert {path.name for path in (results / "tiny").iterdir()} == {*names}


@pytest.mark.usefixtures("published")
def test_by_the_path_of_its_grid(harness: Run, tiny: str) -> None:
    assert LINE in harness("plot", tiny).out.splitlines()
    is_refused(harness("plot", tiny, "--dataset", "omniglot"), "no records of tiny-omniglot yet")
    is_refused(harness("plot", "--dataset", "omniglot"), "no records yet")
    assert LINE in harness("plot", "--dataset", "glyphs").out


@pytest.mark.usefixtures("published")
def test_your_records_come_first(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny)
    Path(tiny).write_text(TINY.replace("Tiny", "Mine"))
    said = harness("plot", tiny)
    assert said.code == 0, said.err
    assert "reference" not in said.out
    assert (results / "tiny" / "trials.parquet").exists()
    assert "Mine" in (results / "tiny" / "tiny.svg").read_text()
    assert "reference" not in harness("plot").out


def test_the_tables_of_both_draw_the_same(harness: Run, tiny: str, results: Path, published: Path) -> None:
    harness("plot", "tiny")
    drawn = (results / "tiny" / "tiny.png").read_bytes()
    fill(results, tiny)
    harness("plot", tiny)
    assert (results / "tiny" / "tiny.png").read_bytes() == drawn


HEATMAP = "{kind: heatmap, panels: [method], x: alpha0, y: beta0}"


@pytest.mark.parametrize(("figure", "rows"), [(HEATMAP, 0), ("{kind: losses}", 10)])
def test_the_trajectories_are_read_where_a_figure_needs_them(
    harness: Run, tiny: str, results: Path, reference_folder: Path, monkeypatch: Any, figure: str, rows: int
) -> None:
    """Of your records and of the reference's."""
    Path(tiny).write_text(TINY.replace(HEATMAP, figure))
    fill(results, tiny)
    publishing.publish(grids.load(tiny), results)
    seen: list[int] = []

    def noting(trials: Any, curves: Any, *rest: Any) -> list[Path]:
        seen.append(len(curves))
        return render(trials, curves, *rest)

    monkeypatch.setattr("harness.plots.render.render", noting)
    assert harness("plot", tiny).code == 0
    assert (results / "tiny" / "tiny.png").exists()
    shutil.rmtree(results)
    assert LINE in harness("plot", tiny).out
    assert seen == [rows, rows]


@pytest.mark.usefixtures("published")
def test_the_reference_with_the_figure_that_the_file_asks_for_today(
    harness: Run, tiny: str, results: Path
) -> None:
    """Only if it is of the same cells."""
    drawn = results / "tiny" / "tiny.svg"
    harness("plot", tiny)
    before = drawn.read_bytes()
    turned = TINY.replace("x: alpha0, y: beta0", "x: beta0, y: alpha0")
    Path(tiny).write_text(turned)
    assert LINE in harness("plot", tiny).out
    after = drawn.read_bytes()
    assert after != before
    Path(tiny).write_text(turned.replace("alpha0: [0.1, 0.2]", "alpha0: [0.1, 0.2, 0.3]"))
    assert LINE in harness("plot", tiny).out
    assert drawn.read_bytes() == before


@pytest.mark.usefixtures("published")
def test_folders_without_tables_are_passed_over(harness: Run, reference_folder: Path, results: Path) -> None:
    (reference_folder / "cost").mkdir()
    assert harness("plot").code == 0
    assert [path.name for path in results.iterdir()] == ["tiny"]
    is_refused(harness("plot", "cost"), "grid 'cost': unknown")


def test_publish(harness: Run, tiny: str, results: Path, reference_folder: Path) -> None:
    is_refused(harness("publish", tiny), "no records of tiny, seed 0; make sweep makes some")
    assert not reference_folder.exists() or not list(reference_folder.iterdir())
    fill(results, tiny)
    said = harness("publish", tiny, "--seeds", "0")
    assert said.code == 0, said.err
    place = reference_folder / "tiny"
    assert said.out == f"published {place}: 2 new records\n"
    assert list(reference.grids()) == ["tiny"]
    assert harness("publish", tiny).out == f"published {place}: 0 new records\n"
    is_refused(harness("publish", tiny, "--seeds", "3"), "no records of tiny, seed 3")
    assert list(reference.grids()) == ["tiny"]


def test_publish_is_not_a_command_for_users(harness: Run) -> None:
    assert "publish" not in harness("-h").out


def test_a_reference_that_was_renamed_or_cannot_be_read(harness: Run, published: Path, results: Path) -> None:
    published.rename(published.with_name("renamed"))
    odd = published.with_name("odd")
    odd.mkdir()
    os.mkfifo(odd / "trials.parquet")
    said = harness("plot")
    assert said.code == 0, said.err
    assert f"left out: {odd}: its tables cannot be read (a pipe (FIFO))" in said.out
    assert sorted(path.name for path in (results / "renamed").iterdir()) == [
        "tiny.pdf",
        "tiny.png",
        "tiny.svg",
    ]


@pytest.mark.usefixtures("published")
def test_a_grid_that_nobody_ran_is_refused_before_another_is_drawn(
    harness: Run, tiny: str, results: Path
) -> None:
    is_refused(harness("plot", tiny, "quick"), "no records of quick yet .* make sweep GRID=quick makes some")
    assert not results.exists()


def test_seeds_without_records(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny)
    said = harness("plot", tiny, "--seeds", "2-4")
    assert said.code == 0, said.err
    assert "tiny: no records of seeds 2-4" in said.out


def test_more_records_are_left_out_than_are_named(
    harness: Run, tiny: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plot, "MAX_LEFT_OUT", 1)
    for cell in cells(tiny):
        Store(results).put(made(cell, "budget", [1.5] * 5))
    for cell in cells(tiny)[:2]:
        (results / "store" / f"{cell.cell_id}.parquet").write_bytes(b"torn")
    lines = harness("plot", tiny).out.splitlines()
    assert sum("left out, damaged" in line for line in lines) == 1
    assert "tiny: 1 more left out" in lines


@pytest.mark.parametrize(("title", "said_once"), [("Any", 0), ("Any \U0010fffd", 1)])
def test_characters_that_no_font_has_are_named_once(
    harness: Run, tiny: str, results: Path, title: str, said_once: int
) -> None:
    fill(results, tiny)
    Path(tiny).write_text(TINY.replace("Tiny", title))
    said = harness("plot", tiny)
    assert said.code == 0, said.err
    assert said.err == ""
    assert said.out.count(r"tiny: no installed font has \U0010fffd; boxes are drawn instead") == said_once
