"""A grid's file: its name, its place, and the folder of results/ that it takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness import grids
from harness.common import places
from harness.common.errors import UserError
from tests.grids.test_grid import GRID


def test_an_unknown_grid_gives_the_nearest() -> None:
    with pytest.raises(UserError, match=r"grid 'quik': unknown; did you mean quick\?"):
        grids.load("quik")
    with pytest.raises(UserError, match="known: 5way, accuracy, accuracy-20way, accuracy-sinusoid, beyond"):
        grids.load("zzz")
    with pytest.raises(UserError, match="cannot be read"):
        grids.load("no/such/file.yaml")
    with pytest.raises(UserError, match=r"data set 'glyph': unknown; did you mean glyphs\?"):
        grids.load("fig2", dataset="glyph")


def test_a_grid_of_your_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GRID)
    grid = grids.load(str(path))
    assert (grid.name, grid.folder) == ("mine", "mine")
    assert grids.load(str(path), dataset="glyphs").folder == "mine-glyphs"
    assert grid.protocol.label == "paper-adam, k_shot=5"
    path.write_text(GRID + "x: 1\n")
    with pytest.raises(UserError, match=re.escape(f"{path}:18: x: unknown key")):
        grids.load(str(path))


@pytest.mark.parametrize(
    "stem", ["fig2", "FIG2", "fig2-glyphs", "store", "reference", "bench", "claims.md", "a b", ".x"]
)
def test_a_name_that_is_taken_or_not_a_folder_name(tmp_path: Path, stem: str) -> None:
    (tmp_path / f"{stem}.yaml").write_text(GRID)
    with pytest.raises(UserError, match="rename it"):
        grids.load(str(tmp_path / f"{stem}.yaml"))


@pytest.mark.parametrize("stem", ["a\nb", "\x1b[2J", "x" * 101, "\udcff"])
def test_a_name_that_no_line_can_show(stem: str) -> None:
    with pytest.raises(UserError, match="rename it") as error:
        grids.load(f"nowhere/{stem}.yaml")
    assert str(error.value).isprintable()
    with pytest.raises(UserError, match="unknown") as error:
        grids.load(stem)
    assert str(error.value).isprintable()


def test_a_link_may_not_take_another_grids_name(tmp_path: Path) -> None:
    """fig3.yaml, a link to fig2.yaml, would put fig2's cells into results/fig3."""
    (tmp_path / "fig3.yaml").symlink_to(places.SWEEPS / "fig2.yaml")
    with pytest.raises(UserError, match="results/fig3 is already taken"):
        grids.load(str(tmp_path / "fig3.yaml"))
    (tmp_path / "fig2.yaml").symlink_to(places.SWEEPS / "fig2.yaml")
    assert grids.load(str(tmp_path / "fig2.yaml")) == grids.load("fig2")


def test_too_many_seeds() -> None:
    fig2 = grids.load("fig2")
    fig2.check_size(270)
    with pytest.raises(UserError, match=r"^fig2: 185 cells x 271 seeds are 50,135; at most 50,000 are"):
        fig2.check_size(271)
    assert len(fig2.cells(range(271))) == 50_135  # of records that are there, there may be any number


def test_a_grid_of_sweeps_by_its_path() -> None:
    assert grids.load(str(places.SWEEPS / "fig2.yaml")) == grids.load("fig2")
