"""The files of the two tables: read by others, by name, and refused where they are not ours."""

from __future__ import annotations

import json
import math
from pathlib import Path

import duckdb
import pandas as pd
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import harness
from harness.common import places
from harness.common.errors import UserError
from harness.grids import Grid
from harness.records import answers, describing, schema, tables
from harness.records.store import Store
from tests.records.test_tables import grid, made_tables, store

__all__ = ["grid", "store"]


def test_others_read_the_files_as_they_are(grid: Grid, store: Store) -> None:
    made_tables(grid, store)
    folder = store.folder.parent / grid.folder
    trials, curves = folder / "trials.parquet", folder / "trajectories.parquet"
    found = duckdb.sql(
        f"select t.alpha0, count(*) from '{trials}' t join '{curves}' using (cell_id) group by 1 order by 1"
    ).fetchall()
    assert found == [(0.1, 13), (0.2, 20), (0.3, 3)]
    joined = polars.read_parquet(curves).join(polars.read_parquet(trials), on="cell_id")
    assert joined.height == 36
    assert polars.read_parquet(trials)["iterations_to_target"].to_list() == [2, *[None] * 5]


def test_the_files_describe_themselves(grid: Grid, store: Store) -> None:
    about = made_tables(grid, store).about
    folder = store.folder.parent / grid.folder
    for name in ("trials", "trajectories"):
        assert json.loads(pq.read_schema(folder / f"{name}.parquet").metadata[b"harness"]) == about
    assert tables.read_about(folder) == about
    assert about["schema"] == schema.VERSION
    assert {"harness", "python", "torch", "pyarrow", "commit"} <= set(about["versions"])
    (origin,) = about["origins"]
    assert origin["records"] == 4
    assert origin["device"] == "cpu (x)"
    assert about["protocol_label"] == "paper-adam, n_way=5"
    assert about["chance_loss"] == pytest.approx(math.log(5))
    assert describing.grid_of(about) == grid
    assert describing.grid_of(about).cells() == grid.cells()


def test_load(grid: Grid, store: Store) -> None:
    there = made_tables(grid, store)
    trials, curves = harness.load("ends", results=store.folder.parent)
    pd.testing.assert_frame_equal(trials, there.trials)
    pd.testing.assert_frame_equal(curves, there.trajectories)
    with pytest.raises(UserError, match="no tables there; make sweep makes them"):
        harness.load("fig9", results=store.folder.parent)


@pytest.mark.parametrize(
    ("name", "how"), [("trials", "torn"), ("trajectories", "torn"), ("trials", "foreign")]
)
def test_tables_that_are_not_ours(grid: Grid, store: Store, name: str, how: str) -> None:
    made_tables(grid, store)
    path = store.folder.parent / grid.folder / f"{name}.parquet"
    if how == "torn":
        path.write_bytes(path.read_bytes()[:-5])
    else:
        pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(UserError, match="make plots makes them again"):
        tables.read(path.parent)
    if name == "trials":
        with pytest.raises(UserError, match="make plots makes them again"):
            tables.read_about(path.parent)


@pytest.mark.parametrize(("checkout", "where"), [(Path(), "repository"), (None, "package")])
def test_the_reference_s_tables_are_made_by_no_sweep_or_plot(
    grid: Grid, store: Store, monkeypatch: pytest.MonkeyPatch, checkout: Path | None, where: str
) -> None:
    made_tables(grid, store)
    path = store.folder.parent / grid.folder / "trials.parquet"
    path.write_bytes(path.read_bytes()[:-5])
    monkeypatch.setattr(places, "REFERENCE", store.folder.parent)
    monkeypatch.setattr(places, "CHECKOUT", checkout)
    with pytest.raises(UserError, match=rf"; they come with the {where}: get its files again$"):
        tables.read(path.parent)
    with pytest.raises(UserError, match=r"fig9: no reference records in .*; there are some of ends"):
        tables.read(store.folder.parent / "fig9")


def test_trajectories_are_written_in_groups_of_many_cells(
    grid: Grid, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the size of a group: the same rows, no more of them in memory than a group and a cell."""
    whole = made_tables(grid, store).trajectories
    path = store.folder.parent / grid.folder / "trajectories.parquet"
    assert pq.read_metadata(path).num_row_groups == 1
    monkeypatch.setattr(answers, "GROUP", 20)  # the cells have 13, 20 and 3 rows
    pd.testing.assert_frame_equal(made_tables(grid, store).trajectories, whole)
    groups = pq.read_metadata(path)
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [33, 3]


def test_the_trials_without_a_file(grid: Grid, store: Store) -> None:
    scan = store.scan()
    folder = store.folder.parent / grid.folder
    tables.write(grid, store, scan, folder, [7])
    made, damaged = tables.make(grid, store, scan, [7])
    pd.testing.assert_frame_equal(made.trials, tables.read(folder).trials)
    pd.testing.assert_frame_equal(made.trajectories, tables.read(folder).trajectories)
    assert made.about == tables.read_about(folder)
    assert damaged == {}
    torn = store.folder / f"{grid.cells([0])[1].cell_id}.parquet"
    torn.write_bytes(torn.read_bytes()[:-9])
    made, damaged = tables.make(grid, store, scan, curves=False)
    assert list(damaged) == [torn.stem]
    assert made.trajectories.empty
    assert made.trials["outcome"].isna().tolist()[1]
