"""A grid's tables on a disk that refuses them, in the hands of others, or beside those of another grid."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness import grids
from harness.common.errors import NotWritten, UserError
from harness.grids import Grid
from harness.records import answers, tables
from harness.records.store import Store
from tests.common.test_files import ODD, small_files
from tests.records.test_tables import grid, made_tables, store

__all__ = ["grid", "store"]


@pytest.mark.parametrize("name", tables.FILES)
def test_a_table_that_cannot_be_written_leaves_no_older_one(grid: Grid, store: Store, name: str) -> None:
    """Nor a figure made from it: all would pass for new."""
    made_tables(grid, store)
    folder = store.folder.parent / grid.folder
    (folder / "ends.png").write_text("a figure")
    (folder / "kept.txt").write_text("a user's own")
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(NotWritten, match=rf"{name}: .*; missing now: trials.parquet, trajectories.parquet, "):
        tables.write(grid, store, store.scan(), folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(["kept.txt", name])
    (folder / name).rmdir()
    made_tables(grid, store)


def test_a_disk_that_fills_up_while_the_trajectories_are_written(
    grid: Grid, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of them: the writer must not hide why."""
    monkeypatch.setattr(answers, "GROUP", 1)
    with small_files(), pytest.raises(NotWritten, match="the file would be larger than is allowed here"):
        tables.write(grid, store, store.scan(), store.folder.parent / grid.folder)
    assert list((store.folder.parent / grid.folder).iterdir()) == []


def test_a_damaged_record_of_the_scan_is_named(grid: Grid, store: Store) -> None:
    torn = store.folder / f"{grid.cells([0])[1].cell_id}.parquet"
    torn.write_bytes(b"")
    (store.folder / "of another grid.parquet").write_bytes(b"")
    folder = store.folder.parent / grid.folder
    assert list(tables.write(grid, store, store.scan(), folder)) == [torn.stem]


def test_seeds_that_were_asked_for_but_not_run_add_no_rows(grid: Grid, store: Store) -> None:
    """As of a sweep that was interrupted before its first record: the tables stay as they were."""
    before = made_tables(grid, store)
    folder = store.folder.parent / grid.folder
    content = [(folder / name).read_bytes() for name in tables.FILES]
    tables.write(grid, store, store.scan(), folder, [2, 3])
    assert [(folder / name).read_bytes() for name in tables.FILES] == content
    assert set(before.trials["seed"]) == {0}
    empty = Store(store.folder / "empty")
    assert tables.recorded_seeds(grid, empty.scan(), [2, 3]) == (2, 3)  # there is nothing else to show


@pytest.mark.parametrize("name", tables.FILES)
@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_table(grid: Grid, store: Store, name: str, kind: str) -> None:
    made_tables(grid, store)
    folder = store.folder.parent / grid.folder
    (folder / name).unlink()
    ODD[kind](folder / name)
    with pytest.raises(UserError, match=rf"its tables cannot be read \({re.escape(kind)}\)"):
        tables.read(folder)


@pytest.mark.parametrize("about", [[], {}, {"grid": None, "origins": []}, {"grid": {}, "origins": 1}])
def test_tables_that_describe_no_grid(grid: Grid, store: Store, about: object) -> None:
    made_tables(grid, store)
    path = store.folder.parent / grid.folder / "trials.parquet"
    metadata = {b"harness": json.dumps(about).encode()}
    pq.write_table(pq.read_table(path).replace_schema_metadata(metadata), path)
    for read in (tables.read, tables.read_about):
        with pytest.raises(UserError, match="its tables cannot be read"):
            read(path.parent)


@pytest.mark.parametrize("name", tables.FILES)
def test_tables_without_a_column_or_with_another_type(grid: Grid, store: Store, name: str) -> None:
    made_tables(grid, store)
    path = store.folder.parent / grid.folder / name
    whole = pq.read_table(path)
    for spoilt in (whole.drop_columns(["cell_id"]), whole.set_column(0, "cell_id", [[1] * len(whole)])):
        pq.write_table(spoilt.replace_schema_metadata(whole.schema.metadata), path)
        with pytest.raises(UserError, match=r"its column cell_id is (missing|int64), not string"):
            tables.read(path.parent)


def test_a_folder_with_a_name_that_looks_like_a_column(grid: Grid, store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "run=3"
    tables.write(grid, store, store.scan(), folder)
    assert "run" not in tables.read(folder).trials


def test_whose_tables_they_are(grid: Grid, store: Store, tmp_path: Path) -> None:
    made_tables(grid, store)
    folder = store.folder.parent / grid.folder
    assert tables.read_about(folder)["file"] == str(tmp_path / "ends.yaml")
    edited = grid.model_copy(update={"title": "Another"})
    other = edited.model_copy(update={"file": "/elsewhere/ends.yaml"})
    tables.check_free(edited, folder)  # the same file, edited
    tables.check_free(other.model_copy(update={"title": grid.title}), folder)  # another, that says the same
    tables.check_free(other, tmp_path / "nothing")
    for one in (other, edited.model_copy(update={"file": None})):
        with pytest.raises(UserError, match=rf"ends: holds the tables of {tmp_path}/ends.yaml; rename one"):
            tables.check_free(one, folder)
    (tmp_path / "ends.yaml").unlink()
    tables.check_free(other, folder)


def test_a_grid_of_sweeps_keeps_no_path(tmp_path: Path) -> None:
    quick = grids.load("quick")
    tables.write(quick, Store(tmp_path), Store(tmp_path).scan(), tmp_path / "quick")
    assert "file" not in tables.read_about(tmp_path / "quick")
