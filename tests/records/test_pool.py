"""Reference records by cell id: of a grid that shares cells with others, cut to its own target and budget."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import grids
from harness.cell import Cell
from harness.common import places
from harness.common.errors import UserError
from harness.grids import Grid
from harness.records import pool, publishing, reference, tables
from harness.records.store import Store
from tests.common.test_files import ODD
from tests.records.test_tables import GRID, made

FALLING = [1.5, 1.5, 0.9, *[0.8] * 17]
"""Passes 1.0 at iteration 3."""


def grid_of(tmp_path: Path, name: str, *changes: tuple[str, str]) -> Grid:
    text = GRID
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / f"{name}.yaml"
    path.write_text(text)
    return grids.load(str(path))


LESS = ("[0.1, 0.2, 0.3, 0.4, 0.5]", "[0.1, 0.2]")
"""Three of the six cells."""


def publish(grid: Grid, folder: Path, cells: list[Cell], losses: list[float]) -> None:
    for cell in cells:
        Store(folder).put(made(cell, "budget", losses))
    publishing.publish(grid, folder, sorted({cell.seed for cell in cells}))


@pytest.fixture(autouse=True)
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Grid:
    """The reference of a grid of six cells and two seeds."""
    monkeypatch.setattr(places, "REFERENCE", tmp_path / "reference")
    grid = grid_of(tmp_path, "whole")
    publish(grid, tmp_path / "whole", list(grid.cells([0, 1])), FALLING)
    return grid


def test_a_grid_that_is_a_part_of_another(tmp_path: Path) -> None:
    part = grid_of(tmp_path, "part", LESS)
    found = pool.of(part)
    assert found.folders == ("whole",)
    assert found.records.keys() == {cell.cell_id for cell in part.cells([0, 1])}
    own, source = pool.reference_tables(part)
    assert source == "6 of 6 cells of seeds 0-1, from whole; x, commit abc+"
    assert list(own.trials["cell_id"]) == [cell.cell_id for cell in part.cells([0, 1])]
    assert own.trials["iterations_to_target"].eq(3).all()
    assert len(own.trajectories) == 6 * 20
    assert own.about["grid"]["name"] == "part"


def test_its_own_target_and_budget(tmp_path: Path) -> None:
    part = grid_of(tmp_path, "part", LESS, ("max_iterations: 20", "max_iterations: 2"))
    own, _ = pool.reference_tables(part)
    assert own.trials["outcome"].eq("budget").all()
    assert own.trials["iterations_run"].eq(2).all()
    assert len(own.trajectories) == 6 * 2
    part = grid_of(tmp_path, "part", LESS, ("target_loss: 1.0", "target_loss: 1.5"))
    assert pool.reference_tables(part)[0].trials["iterations_to_target"].eq(1).all()


def test_cells_that_the_reference_does_not_have(tmp_path: Path) -> None:
    part = grid_of(tmp_path, "part", ("[0.1, 0.2, 0.3, 0.4, 0.5]", "[0.1, 7]"))
    own, source = pool.reference_tables(part)
    assert source.startswith("4 of 6 cells of seeds 0-1, from whole")
    assert own.trials["outcome"].isna().tolist() == [False, True, False] * 2


def test_none_at_all(tmp_path: Path) -> None:
    other = grid_of(tmp_path, "other", ("n_way: 5", "n_way: 6"))
    with pytest.raises(UserError, match=r"^other: no reference records in .*; there are some of whole$"):
        pool.reference_tables(other)
    longer = grid_of(tmp_path, "longer", LESS, ("target_loss: 1.0", "target_loss: 0.1"))
    longer = longer.model_copy(update={"max_iterations": 500})
    with pytest.raises(UserError, match=r"^longer: the reference records .* of whole, do not go as far"):
        pool.reference_tables(longer)


def test_its_own_folder_comes_first(tmp_path: Path) -> None:
    part = grid_of(tmp_path, "part", LESS)
    publish(part, tmp_path / "part", list(part.cells([0])), [1.5] * 20)
    own, source = pool.reference_tables(part)
    assert source == "3 of 3 cells of seed 0; x, commit abc+"
    assert own.trials["outcome"].eq("budget").all()


def test_a_record_that_answers_counts_before_one_of_the_grid_with_more_cells(tmp_path: Path) -> None:
    """And where none answers, the longest."""
    longer = grid_of(tmp_path, "longer", LESS, ("max_iterations: 20", "max_iterations: 30"))
    publish(longer, tmp_path / "longer", list(longer.cells([0])[:1]), [1.5] * 30)
    asked = grid_of(
        tmp_path,
        "asked",
        ("target_loss: 1.0", "target_loss: 0.1"),
        ("max_iterations: 20", "max_iterations: 30"),
    )
    found = pool.of(asked)
    assert set(found.folders) == {"longer", "whole"}
    lengths = {one.header.cell.cell_id: one.header.iterations for one in found.records.values()}
    first, second, *_ = asked.cells([0])
    assert (lengths[first.cell_id], lengths[second.cell_id]) == (30, 20)
    assert pool.of(grid_of(tmp_path, "same")).folders == ("whole",)


def test_the_cells_of_fig2_core_are_those_of_fig2(monkeypatch: pytest.MonkeyPatch) -> None:
    """The grid that is recommended without a GPU."""
    monkeypatch.setattr(places, "REFERENCE", places.RESULTS / "reference")
    core = grids.load("fig2-core")
    made_for_core, source = pool.reference_tables(core, curves=False)
    assert source.startswith("250 of 250 cells of seeds 0-4, from fig2")
    fig2 = tables.read(reference.find("fig2"), curves=False).trials.set_index("cell_id")
    for column in ("outcome", "iterations_to_target", "iterations_to_target_sustained", "final_val_loss"):
        mine = made_for_core.trials.set_index("cell_id")[column]
        assert mine.equals(fig2.loc[mine.index, column]), column


@pytest.mark.parametrize("kind", ODD)
def test_a_folder_that_cannot_be_read_is_passed_over(tmp_path: Path, kind: str) -> None:
    other = grid_of(tmp_path, "another")
    publish(other, tmp_path / "another", list(other.cells([0])), FALLING)
    for name in tables.FILES:
        path = places.REFERENCE / "another" / name
        content = path.read_bytes()
        path.unlink()
        ODD[kind](path)
        own, source = pool.reference_tables(grid_of(tmp_path, "part", LESS))
        assert source.startswith("6 of 6 cells of seeds 0-1, from whole;")
        assert own.trials["outcome"].eq("reached").all()
        path.rmdir() if kind == "a folder" else path.unlink()
        path.write_bytes(content)
