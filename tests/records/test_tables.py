"""The two tables: one row of every outcome, columns exactly as in the schema."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from pydantic import Field

from harness import grids, records
from harness.analysis.summary import hyper_columns
from harness.cell import Cell
from harness.grids import Grid
from harness.methods import METHODS, maml
from harness.methods.maml import MAML
from harness.records import Row, describing, schema, tables
from harness.records.store import Store
from tests.registries import bring

GRID = """
title: Five ends
figure: {kind: heatmap, panels: [method], x: alpha0, y: beta0}
protocol: {dataset: glyphs, n_way: 5}
target_loss: 1.0
max_iterations: 20
seeds: [0, 1]
cells:
  - {method: maml, alpha0: [0.1, 0.2, 0.3, 0.4, 0.5], beta0: 1e-3}
  - {method: alpha-maml, alpha0: 0.1, beta0: 1e-3, alpha_hyperlr: 0, beta_hyperlr: 1e-5}
"""
ORIGIN = {
    "wall_seconds": 2.5,
    "device": "cpu (x)",
    "threads": 1,
    "pack_size": 2,
    "versions": {"commit": "abc+", "torch": "2.13.0"},
}
LOSSES: dict[str, list[float]] = {
    "stopped": [1.5, 0.9, *[1.4] * 4, *[0.8] * 7],
    "budget": [1.5] * 20,
    "diverged": [1.5, 1.4, math.nan],
    "failed": [],
}


def made(cell: Cell, ending: str, losses: list[float]) -> bytes:
    """A record that validates at iterations 1 and 10 and makes no update in its last row."""
    rows = [
        Row(
            iteration=i,
            alpha=0.5,
            beta=i / 100 if i < len(losses) else None,
            train_loss=loss,
            train_accuracy=0.5,
            **({"val_loss": 2.0, "val_accuracy": 0.25} if i in (1, 10) else {}),
        )
        for i, loss in enumerate(losses, 1)
    ]
    error = "RuntimeError: no memory" if ending == "failed" else None
    return records.dump(records.make(cell, ending, rows, ORIGIN, error))


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    path = tmp_path / "ends.yaml"
    path.write_text(GRID)
    return grids.load(str(path))


@pytest.fixture
def store(tmp_path: Path, grid: Grid) -> Store:
    """Seed 0: the first four cells have a record, one of each ending; two cells are not run."""
    store = Store(tmp_path / "results")
    for cell, (ending, losses) in zip(grid.cells([0]), LOSSES.items(), strict=False):
        store.put(made(cell, ending, losses))
    return store


def made_tables(grid: Grid, store: Store, **question: Any) -> tables.Tables:
    asked = grid.model_copy(update=question)
    folder = store.folder.parent / grid.folder
    assert tables.write(asked, store, store.scan(), folder) == {}
    return tables.read(folder)


def column(frame: pd.DataFrame, name: str) -> list:
    return [None if pd.isna(value) else value for value in frame[name]]


def test_a_row_of_every_outcome(grid: Grid, store: Store) -> None:
    trials = made_tables(grid, store).trials
    assert column(trials, "cell_id") == [cell.cell_id for cell in grid.cells([0])]  # the grid's order
    assert column(trials, "outcome") == ["reached", "budget", "diverged", "failed", None, None]
    assert column(trials, "ending") == ["stopped", "budget", "diverged", "failed", None, None]
    assert column(trials, "iterations_to_target") == [2, None, None, None, None, None]
    assert column(trials, "iterations_to_target_sustained") == [13, *[None] * 5]
    assert column(trials, "iterations_run") == [13, 20, 3, 0, None, None]
    assert column(trials, "final_alpha") == [0.5, 0.5, 0.5, None, None, None]
    assert column(trials, "final_beta") == [0.12, 0.19, 0.02, None, None, None]
    assert column(trials, "final_train_loss") == [0.8, 1.5, None, None, None, None]
    assert column(trials, "final_val_loss") == [2.0, 2.0, 2.0, None, None, None]
    assert column(trials, "error") == [None, None, None, "RuntimeError: no memory", None, None]


def test_what_was_asked_is_there_whether_run_or_not(grid: Grid, store: Store) -> None:
    trials = made_tables(grid, store).trials
    assert column(trials, "method") == ["maml"] * 5 + ["alpha-maml"]
    assert column(trials, "alpha0") == [0.1, 0.2, 0.3, 0.4, 0.5, 0.1]
    assert column(trials, "alpha_hyperlr") == [None] * 5 + [0.0]
    assert column(trials, "beta_hyperlr") == [None] * 5 + [1e-5]
    for name, value in {
        "dataset": "glyphs",
        "protocol": "paper-adam, n_way=5",
        "n_way": 5,
        "seed": 0,
        "target_loss": 1.0,
        "max_iterations": 20,
    }.items():
        assert column(trials, name) == [value] * 6, name
    for name, value in {"torch": "2.13.0", "commit": "abc+", "wall_seconds": 2.5, "threads": 1}.items():
        assert column(trials, name) == [value] * 4 + [None] * 2, name


def test_trajectories(grid: Grid, store: Store) -> None:
    ids = [cell.cell_id for cell in grid.cells([0])]
    curves = made_tables(grid, store).trajectories
    assert column(curves, "cell_id") == [ids[0]] * 13 + [ids[1]] * 20 + [ids[2]] * 3
    assert column(curves, "iteration") == [*range(1, 14), *range(1, 21), *range(1, 4)]
    first = curves[curves.cell_id == ids[0]]
    assert column(first, "train_loss") == LOSSES["stopped"]
    assert column(first, "beta") == [i / 100 for i in range(1, 13)] + [None]
    assert [i for i, loss in enumerate(column(first, "val_loss"), 1) if loss is not None] == [1, 10]


def test_a_smaller_budget_cuts(grid: Grid, store: Store) -> None:
    """What lies beyond the budget is ignored."""
    both = made_tables(grid, store, max_iterations=2)
    trials, curves = both.trials, both.trajectories
    assert column(trials, "outcome") == ["reached", "budget", "budget", "failed", None, None]
    assert column(trials, "ending") == ["budget", "budget", "budget", "failed", None, None]
    assert column(trials, "iterations_to_target")[0] == 2
    assert column(trials, "iterations_to_target_sustained")[0] is None
    assert column(trials, "iterations_run") == [2, 2, 2, 0, None, None]
    assert column(trials, "final_train_loss") == [0.9, 1.5, 1.4, None, None, None]
    assert column(trials, "final_beta")[0] == 0.02
    assert curves.iteration.max() == 2
    (one,) = {*column(made_tables(grid, store, max_iterations=1).trials, "iterations_to_target")}
    assert one is None


def test_another_target_is_read_off_the_same_records(grid: Grid, store: Store) -> None:
    assert column(made_tables(grid, store, target_loss=1.5).trials, "iterations_to_target")[:3] == [1, 1, 1]
    without = made_tables(grid, store, target_loss=None).trials
    assert column(without, "iterations_to_target") == [None] * 6
    assert column(without, "target_loss") == [None] * 6
    # Without a target a run has to go to the budget: what stopped before is still to be run.
    assert column(without, "outcome") == [None, "budget", "diverged", "failed", None, None]
    assert column(without, "iterations_run") == [None, 20, 3, 0, None, None]


def test_columns_are_exactly_the_schemas(grid: Grid, store: Store) -> None:
    made_tables(grid, store)
    folder = store.folder.parent / grid.folder
    cells = grid.cells([0])
    for name, columns in (("trials", schema.trials(cells)), ("trajectories", schema.trajectories(cells))):
        found = pq.read_schema(folder / f"{name}.parquet")
        assert found.equals(schema.arrow(columns).with_metadata(found.metadata), check_metadata=True), name


def test_dtypes_in_pandas(grid: Grid, store: Store) -> None:
    both = made_tables(grid, store)
    trials, curves = both.trials, both.trajectories
    for name in ("seed", "iterations_to_target", "iterations_run", "threads"):
        assert trials[name].dtype == pd.Int64Dtype(), name  # integers also where some are null
    assert curves["iteration"].dtype == pd.Int64Dtype()
    for name in ("alpha_hyperlr", "final_beta", "target_loss"):
        assert trials[name].dtype == float, name


def test_a_method_with_a_hyper_parameter_of_its_own(
    grid: Grid, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hyper(maml.Hyper):
        momentum: float = Field(ge=0)

    class Heavy(MAML):
        name = "heavy"
        title = "Heavy ball"

    Heavy.Hyper = Hyper
    bring(monkeypatch, METHODS, Heavy())
    path = tmp_path / "own.yaml"
    path.write_text(GRID + "  - {method: heavy, alpha0: 0.1, beta0: 1e-3, momentum: 1}\n")
    own = made_tables(grids.load(str(path)), store)
    trials = own.trials
    assert hyper_columns(trials) == ["alpha0", "beta0", "alpha_hyperlr", "beta_hyperlr", "momentum"]
    assert column(trials, "momentum") == [None] * 6 + [1.0]
    assert trials["momentum"].dtype == float
    assert describing.grid_of(own.about).cells([0])[-1].hyper.model_dump()["momentum"] == 1


def test_a_record_that_falls_short_is_still_to_be_run(grid: Grid, store: Store) -> None:
    """Not reached in 20 iterations says nothing of a budget of 500, nor 0.9 in a row of 0.5."""
    for question in ({"max_iterations": 500}, {"target_loss": 0.5, "max_iterations": 500}):
        both = made_tables(grid, store, **question)
        trials, curves = both.trials, both.trajectories
        expected = ["reached", None] if "target_loss" not in question else [None, None]
        assert column(trials, "outcome") == [*expected, "diverged", "failed", None, None]
        shown = trials.loc[trials["outcome"].notna(), "cell_id"]
        assert set(curves["cell_id"]) <= set(shown)


def test_recorded_seeds(grid: Grid, store: Store) -> None:
    assert tables.recorded_seeds(grid, store.scan()) == (0,)
    assert tables.recorded_seeds(grid, Store(store.folder / "empty").scan()) == (0, 1)  # its own
    cells = grid.cells([7])
    store.put(made(cells[0], "budget", [1.5] * 20))
    assert tables.recorded_seeds(grid, store.scan()) == (0,)  # may be another grid's cell
    assert tables.recorded_seeds(grid, store.scan(), asked=[7, 3]) == (0, 7)  # of 3 there are none
    for cell in cells[1:3]:
        store.put(made(cell, "budget", [1.5] * 20))
    other = grid.model_copy(update={"protocol": grid.protocol.model_copy(update={"n_way": 6})})
    store.put(made(other.cells([9])[0], "budget", [1.5] * 20))  # of another grid
    assert tables.recorded_seeds(grid, store.scan()) == (0, 7)
    trials = made_tables(grid, store).trials
    assert column(trials, "seed") == [0] * 6 + [7] * 6
    assert column(trials, "outcome")[6:] == ["budget"] * 3 + [None] * 3


def test_tables_are_written_even_without_records(grid: Grid, tmp_path: Path) -> None:
    both = made_tables(grid, Store(tmp_path / "empty"))
    trials, curves = both.trials, both.trajectories
    assert column(trials, "outcome") == [None] * 12
    assert list(curves.columns) == list(schema.trajectories(grid.cells([0])))
    assert curves.empty


def test_a_record_with_damaged_rows_is_left_out_and_named(grid: Grid, store: Store) -> None:
    scan = store.scan()  # before: the header was whole
    torn = store.folder / f"{grid.cells([0])[1].cell_id}.parquet"
    torn.write_bytes(torn.read_bytes()[:-9])
    gone = grid.cells([0])[2].cell_id
    (store.folder / f"{gone}.parquet").unlink()
    folder = store.folder.parent / grid.folder
    assert list(tables.write(grid, store, scan, folder)) == [torn.stem]
    assert column(tables.read(folder).trials, "outcome") == ["reached", None, None, "failed", None, None]
