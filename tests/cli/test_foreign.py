"""What the commands make of records and tables whose plug-in is not loaded, or cannot be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.common import plugins
from harness.records import tables
from harness.records.store import Scan, Store
from tests.cli.conftest import Run, is_refused
from tests.records.test_foreign import fill, write_grid


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    plugins.forget()


@pytest.fixture
def grid(tmp_path: Path) -> str:
    return write_grid(tmp_path)


@pytest.fixture
def store(grid: str, results: Path) -> Store:
    return fill(results, grid)


def test_status_counts_them_in_a_line(store: Store, harness: Run) -> None:
    said = harness("status")
    assert said.code == 0
    assert "2 more records in" in said.out
    assert said.out.strip().endswith("not loaded: method mine")
    assert json.loads(harness("status", "--json").out)["not_loaded"] == {"method mine": 2}


def test_status_while_a_plug_in_is_edited(
    harness: Run, grid: str, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records and the grid are of the same plug-in, however often it is loaded."""
    plug_in, scan = tmp_path / "mine.py", Store.scan
    plug_in.write_text(plug_in.read_text() + "    class Hyper(MAML.Hyper):\n        pass\n")
    fill(results, grid)

    def and_edit(self: Store) -> Scan:
        found = scan(self)
        plug_in.write_text(plug_in.read_text() + "# edited\n")
        return found

    monkeypatch.setattr(Store, "scan", and_edit)
    (found,) = json.loads(harness("status", grid, "--json").out)["grids"]
    assert (found["cells"], found["done"], found["missing"]) == (2, 2, 0)


def test_show_says_what_is_missing_and_shows_it_with_its_grid(store: Store, harness: Run, grid: str) -> None:
    cell_id = next(iter(store.scan().foreign))
    is_refused(harness("show", cell_id), "a record of method mine, which is not loaded here; --grid")
    assert "mine alpha0=" in harness("show", cell_id, "--grid", grid).out


@pytest.mark.parametrize("plug_in", [None, "raise RuntimeError('no')"])
def test_figures_need_no_plug_in(
    plug_in: str | None,
    store: Store,
    grid: str,
    harness: Run,
    blank: None,
    results: Path,
) -> None:
    """They are drawn from the tables as they are, with or without the name of the grid."""
    assert harness("plot", grid).code == 0
    plugins.forget()
    path = Path(grid).with_name("mine.py")
    path.unlink()
    if plug_in is not None:
        path.write_text(plug_in)
    for words in (("plot", grid), ("plot",)):
        (results / "mine" / "mine.png").unlink()
        said = harness(*words)
        assert said.code == 0, said.err
        assert "mine: drawn from its tables as they are" in said.out
        assert (results / "mine" / "mine.png").exists()
    for words in (("status", grid), ("status",)):
        said = harness(*words)
        assert said.code == 0, said.err
        assert "mine  its tables are as they were: " in said.out


def test_a_grid_without_tables_needs_its_plug_in(store: Store, grid: str, harness: Run) -> None:
    Path(grid).with_name("mine.py").unlink()
    is_refused(harness("plot", grid), "mine.yaml:2: plugins: plug-in mine.py: .*there is no such file")


def test_tables_are_read_without_it(
    store: Store, grid: str, harness: Run, blank: None, results: Path
) -> None:
    assert harness("plot", grid).code == 0
    plugins.forget()
    trials, trajectories = tables.load("mine", results)
    assert trials["method"].tolist() == ["mine", "mine"]
    assert len(trajectories) == 10
