"""The table of a meta-test: every number in its row, described, read as it was written, and gone on from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import harness
from harness.cell import Cell
from harness.common.errors import NotWritten, UserError
from harness.common.files import figures
from harness.grids import Grid
from harness.grids.meta_test import MetaTest
from harness.records import meta_tests, schema
from harness.records.meta_tests import Fit, Part, Reached, part_of
from tests.swept import MIXED, grid_of
from tests.swept import SINUSOID as REGRESSION

TEST = MetaTest(tasks=3, steps=2, rates=("own", 0.5))
ORIGIN = {"device": "cpu (x)", "threads": 1, "versions": {"torch": "2.13.0"}}


def values(cell: Cell, scale: float) -> dict[str, np.ndarray]:
    """0, 1, ... of each, times a scale."""
    names = schema.judged(cell)
    return {name: scale * np.arange(18.0).reshape(2, 3, 3) + at for at, name in enumerate(names)}


def fit_of(scale: float) -> Fit:
    return Fit(
        x=np.array([0.0, 1.0]),
        true=np.array([[2.0, 3.0], [4.0, 5.0]]),
        support_x=np.array([[0.25], [0.75]]),
        support_y=np.array([[1.0], [7.0]]),
        steps=(0, 1, 2),
        predicted=scale * np.arange(24.0).reshape(2, 3, 2, 2),
    )


def part(cell: Cell, scale: float = 1.0, fit: bool = False, digest: str = "d1", **origin: Any) -> Part:
    reached = Reached(values=values(cell, scale), fit=fit_of(scale) if fit else None)
    return part_of(cell, TEST.numbers, reached, digest, ORIGIN | origin)


def made(folder: Path, text: str = MIXED) -> tuple[Grid, list[tuple[Cell, Part]]]:
    """The meta-test of a grid's first two cells."""
    grid = grid_of(folder, text)
    fit = grid.protocol.problem == "sinusoid"
    parts = [(cell, part(cell, 1.0 + at, fit, f"d{at}")) for at, cell in enumerate(grid.cells()[:2])]
    meta_tests.write(grid, TEST, parts, {grid.label: "the 4 classes"}, folder / grid.folder)
    return grid, parts


def test_every_number_is_in_its_row(tmp_path: Path) -> None:
    grid, parts = made(tmp_path)
    rows = harness.load_meta_test(grid.folder, tmp_path)
    assert list(rows.columns) == ["cell_id", "rate", "steps", "task", "loss", "accuracy"]
    assert len(rows) == 2 * 2 * 3 * 3
    assert list(rows["cell_id"].unique()) == [cell.cell_id for cell, _ in parts]
    for at, (cell, _) in enumerate(parts):
        expected = values(cell, 1.0 + at)
        for place, rate in enumerate(TEST.numbers):
            for steps, task in np.ndindex(3, 3):
                own = rows["rate"].isna() if rate is None else rows["rate"] == rate
                (row,) = rows[
                    (rows["cell_id"] == cell.cell_id)
                    & own
                    & (rows["steps"] == steps)
                    & (rows["task"] == task)
                ].to_dict("records")
                assert row["loss"] == expected["loss"][place, steps, task]
                assert row["accuracy"] == expected["accuracy"][place, steps, task]


def test_a_file_says_what_it_holds(tmp_path: Path) -> None:
    grid, parts = made(tmp_path)
    about = meta_tests.read(tmp_path / grid.folder).about
    assert about["meta_test"] == {"tasks": 3, "steps": 2, "rates": ["own", 0.5]}
    assert about["classes"] == {grid.label: "the 4 classes"}
    assert about["cells"] == {
        cell.cell_id: {"weights": f"d{at}", "origin": 0} for at, (cell, _) in enumerate(parts)
    }
    assert about["origins"] == [ORIGIN | {"cells": 2}]
    assert about["grid"]["name"] == grid.name
    columns = schema.of_arrow(pq.read_schema(tmp_path / grid.folder / meta_tests.FILE))
    assert columns == schema.meta_test([parts[0][0]])
    assert (columns["loss"].unit, columns["accuracy"].unit) == ("nats", "share")


def test_functions_are_kept_point_by_point(tmp_path: Path) -> None:
    grid, parts = made(tmp_path, REGRESSION)
    tests = meta_tests.read(tmp_path / grid.folder)
    assert tests.metrics == []
    fit = tests.fit
    assert fit is not None
    assert list(fit.columns) == list(schema.FIT)
    own = fit[(fit["cell_id"] == parts[1][0].cell_id) & (fit["rate"] == 0.5) & (fit["task"] == 1)]
    of = {kind: part[["x", "y"]].to_numpy().tolist() for kind, part in own.groupby("kind")}
    assert of["true"] == [[0, 4], [1, 5]]
    assert of["support"] == [[0.75, 7]]
    predicted = own[own["kind"] == "predicted"]
    assert predicted["steps"].tolist() == [0, 0, 1, 1, 2, 2]
    assert predicted["y"].tolist() == (2 * fit_of(1).predicted[1, :, 1]).ravel().tolist()
    assert own[own["kind"] != "predicted"]["steps"].isna().all()


def test_what_is_there_is_gone_on_from(tmp_path: Path) -> None:
    """Of the same test alone; its rows come back as they were, and go into the same file again."""
    grid, parts = made(tmp_path, REGRESSION)
    folder = tmp_path / grid.folder
    before = [(folder / name).read_bytes() for name in (meta_tests.FILE, meta_tests.FIT)]
    found = meta_tests.parts_of(folder, TEST)
    for cell, own in parts:
        again = found[cell.cell_id]
        assert (again.weights, again.origin) == (own.weights, own.origin)
        assert again.rows.equals(own.rows)
        assert again.fit.equals(own.fit)
    meta_tests.write(
        grid, TEST, [(cell, found[cell.cell_id]) for cell, _ in parts], {grid.label: "the 4 classes"}, folder
    )
    assert [(folder / name).read_bytes() for name in (meta_tests.FILE, meta_tests.FIT)] == before
    assert meta_tests.parts_of(folder, MetaTest(tasks=3, steps=2)) == {}
    assert meta_tests.parts_of(tmp_path, TEST) == {}
    (folder / meta_tests.FILE).write_bytes(b"PAR1")
    assert meta_tests.parts_of(folder, TEST) == {}


def test_origins_are_counted(tmp_path: Path) -> None:
    grid = grid_of(tmp_path, MIXED)
    one, two, three = grid.cells()[:3]
    parts = [(one, part(one)), (two, part(two, device="cuda (y)")), (three, part(three))]
    meta_tests.write(grid, TEST, parts, {}, tmp_path)
    about = meta_tests.read(tmp_path).about
    assert [(origin["device"], origin["cells"]) for origin in about["origins"]] == [
        ("cpu (x)", 2),
        ("cuda (y)", 1),
    ]
    assert [cell["origin"] for cell in about["cells"].values()] == [0, 1, 0]
    found = meta_tests.parts_of(tmp_path, TEST)
    assert found[two.cell_id].origin == ORIGIN | {"device": "cuda (y)"}


def test_functions_of_an_older_test_do_not_stay(tmp_path: Path) -> None:
    grid, parts = made(tmp_path, REGRESSION)
    folder = tmp_path / grid.folder
    assert (folder / meta_tests.FIT).exists()
    (cell, _), *_ = parts
    meta_tests.write(grid, TEST, [(cell, part(cell))], {}, folder)
    assert not (folder / meta_tests.FIT).exists()
    assert meta_tests.read(folder).fit is None


def test_a_cell_alone(tmp_path: Path) -> None:
    cell = grid_of(tmp_path, REGRESSION).cells()[0]
    paths = meta_tests.write_cell(cell, TEST, part(cell, fit=True), {}, tmp_path / "one.parquet")
    assert [path.name for path in paths] == ["one.parquet", "one-fit.parquet"]
    assert len(pd.read_parquet(tmp_path / "one.parquet")) == 18


def test_figures_go_with_a_table_that_cannot_be_written(tmp_path: Path) -> None:
    grid, parts = made(tmp_path)
    folder = tmp_path / grid.folder
    (figure, *_) = figures(folder / "metatest")
    figure.write_text("old")
    (folder / meta_tests.FILE).unlink()
    (folder / meta_tests.FILE).mkdir()
    with pytest.raises(NotWritten, match=r"missing now: .*metatest\.png"):
        meta_tests.write(grid, TEST, parts, {}, folder)
    assert not figure.exists()


def test_what_is_no_meta_test_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no meta-test there; make meta-test makes one"):
        meta_tests.read(tmp_path)
    grid, _ = made(tmp_path)
    path = tmp_path / grid.folder / meta_tests.FILE
    whole = pq.read_table(path)
    for wrong, said in (
        (whole.drop_columns("task"), "its column task is missing"),
        (whole.replace_schema_metadata({b"harness": b"{}"}), "not a meta-test"),
        (whole.replace_schema_metadata(None), "cannot be read"),
    ):
        pq.write_table(wrong, path)
        with pytest.raises(UserError, match=said) as error:
            meta_tests.read(path.parent)
        assert "\n" not in str(error.value)
