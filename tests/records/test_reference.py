"""Reference results: what is published from a store, whole or not at all, and what its page says."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from harness import grids, records
from harness.cell import Cell
from harness.common import places
from harness.common.errors import UserError
from harness.grids import Grid
from harness.problems import datasets
from harness.records import describing, publishing, reference, tables
from harness.records.store import Store
from tests.records.test_tables import GRID, LOSSES, made

ORIGIN = {
    "device": "cpu (AMD EPYC)",
    "threads": 2,
    "pack_size": 1,
    "versions": {"python": "3.11.7", "torch": "2.13.0", "commit": "abc"},
    "dataset_sha256": "f" * 64,
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(places, "REFERENCE", tmp_path / "reference")
    return tmp_path / "reference"


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    path = tmp_path / "ends.yaml"
    path.write_text(GRID)
    return grids.load(str(path))


def put(results: Path, cell: Cell, losses: list[float], **origin: object) -> None:
    """A record of `cell` that went to its budget."""
    rows = [
        records.Row(iteration=i, alpha=0.5, beta=0.1, train_loss=loss, train_accuracy=0.5)
        for i, loss in enumerate(losses, 1)
    ]
    Store(results).put(records.dump(records.make(cell, "budget", rows, ORIGIN | origin)))


@pytest.fixture
def results(tmp_path: Path, grid: Grid) -> Path:
    """Seed 0: two of six cells, by two commits, one of them with changes; seed 1: four, on a GPU."""
    results = tmp_path / "results"
    first, second, *_ = grid.cells([0])
    put(results, first, [1.5] * 20, wall_seconds=1800.0, finished="2026-11-02T10:00:00+00:00")
    other = {"versions": ORIGIN["versions"] | {"commit": "def+", "ray": None}}
    put(results, second, [1.5] * 20, wall_seconds=7200.0, finished="2026-11-01T09:00:00+00:00", **other)
    for size, cell in enumerate(grid.cells([1])[:4], 2):
        gpu = {"device": "cuda (H100)", "threads": 8, "pack_size": size}
        put(results, cell, [1.5] * 20, wall_seconds=90.0, **gpu)
    return results


def test_the_tables_are_those_of_the_store(grid: Grid, results: Path, folder: Path) -> None:
    assert publishing.publish(grid, results, [0]) == folder / "ends"
    assert sorted(path.name for path in folder.iterdir()) == ["ends"]
    names = sorted(path.name for path in (folder / "ends").iterdir())
    assert names == ["README.md", "trajectories.parquet", "trials.parquet"]
    assert (folder / "ends").stat().st_mode & 0o777 == 0o755  # a temporary folder is its maker's alone
    own = tables.read(folder / "ends")
    trials = own.trials
    assert list(trials["cell_id"]) == [cell.cell_id for cell in grid.cells([0])]
    assert list(trials["outcome"].notna()) == [True, True, False, False, False, False]
    assert len(own.trajectories) == 40
    assert describing.grid_of(own.about) == grid.model_copy(update={"file": None})


def test_just_the_seeds_asked(grid: Grid, results: Path, folder: Path) -> None:
    """Half of seed 1 is there too, which a plot would show."""
    assert set(tables.read(publishing.publish(grid, results)).trials["seed"]) == {1}
    shutil.rmtree(folder)
    assert set(tables.read(publishing.publish(grid, results, [0])).trials["seed"]) == {0}
    assert set(tables.read(publishing.publish(grid, results, [0, 1])).trials["seed"]) == {0, 1}


def test_the_page_says_where_it_is_from(grid: Grid, results: Path) -> None:
    page = (publishing.publish(grid, results, [0, 1]) / "README.md").read_text()
    lines = page.splitlines()
    assert lines[0] == "# ends: reference records"
    assert "Protocol `paper-adam, n_way=5`, data set glyphs, target 1 nats, budget 20 iterations." in page
    # Two threads for half an hour and for two hours are five core-hours; four times 90 s are a tenth of one.
    assert "| 0 | 2 | 6 | 40 | 5 core-hours |" in lines
    assert "| 1 | 4 | 6 | 80 | 0.1 GPU-hours |" in lines
    assert "- time: 5 core-hours and 0.1 GPU-hours in all" in lines
    assert (
        "- machine: cuda (H100), threads: 8, cells trained together: 2 to 5 (4 records); "
        "cpu (AMD EPYC), threads: 2, cells trained together: 1 (2 records)"
    ) in lines
    assert "- versions: python 3.11.7, torch 2.13.0" in lines
    changed = "('+': the tree had changes that were not committed)"
    assert f"- commit: abc (5 records); def+ (1 record) {changed}" in lines
    assert f"- version of the arithmetic (`numerics`): {records.NUMERICS}" in lines
    assert f"- SHA-256 of the images: {'f' * 64}" in lines
    assert "- finished: 2026-11-01T09:00:00+00:00 to 2026-11-02T10:00:00+00:00" in lines
    assert "- a cell not run is a row without an outcome: figures draw it as not run" in lines
    assert "`make sweep GRID=ends SEEDS=0-1`" in page
    assert "DATASET" not in page


def test_the_page_says_how_to_compare(grid: Grid, results: Path) -> None:
    def sentence(of: Grid, target: float | None = None) -> str:
        page = (publishing.publish(of, results, [0, 1], target=target) / "README.md").read_text()
        return next(line for line in page.splitlines() if line.startswith("To make them again: "))

    again = "To make them again: `make sweep GRID=ends SEEDS=0-1`"
    compares = "; `make compare GRID=ends` compares the two."
    assert sentence(grid) == sentence(grid, 0.9) == again + compares
    figure = grids.figure.Losses(kind="losses")
    endless = grid.model_copy(update={"target_loss": None, "figure": figure})
    assert sentence(endless) == f"{again}."
    assert sentence(endless, 0.9) == again + compares.replace("ends`", "ends TARGET=0.9`")
    other = endless.model_copy(update={"folder": "ends-glyphs"})
    of_data = "ends DATASET=glyphs TARGET=2`"
    assert sentence(other, 2.0).endswith(compares.replace("ends`", of_data))


def test_the_page_of_a_whole_grid(grid: Grid, results: Path) -> None:
    for cell in grid.cells([0]):
        put(results, cell, [1.5] * 20, wall_seconds=1.0)
    page = (publishing.publish(grid, results, [0]) / "README.md").read_text()
    assert "| 0 | 6 | 6 | 120 |" in page
    assert "not run" not in page
    assert "- commit: abc\n" in page


def test_a_line_on_what_was_run(grid: Grid, results: Path) -> None:
    def line(*seeds: int) -> str:
        return reference.describe(tables.read(publishing.publish(grid, results, seeds)).trials)

    assert line(1) == "4 of 6 cells of seed 1; H100, commit abc"
    assert line(0, 1) == "6 of 12 cells of seeds 0-1; AMD EPYC, H100, commit abc and def+"
    trials = pd.DataFrame({"outcome": "reached", "seed": 0, "device": None, "commit": ["a", "b", "c", "a"]})
    assert reference.describe(trials) == "4 of 4 cells of seed 0; 3 commits"


def test_publishing_adds(grid: Grid, results: Path, folder: Path, tmp_path: Path) -> None:
    """What is published stays, whatever the store has; all else in the folder is replaced."""
    publishing.publish(grid, results, [0])
    (folder / "ends" / "stray").touch()
    third = grid.cells([0])[2]
    put(tmp_path / "other", third, [1.25] * 20, finished="2026-11-05T10:00:00+00:00")
    publishing.publish(grid, tmp_path / "other")
    assert [path.name for path in folder.iterdir()] == ["ends"]
    assert not (folder / "ends" / "stray").exists()
    own = tables.read(folder / "ends")
    assert list(own.trials["outcome"].notna()) == [True, True, True, False, False, False]
    assert list(own.trials["final_train_loss"].dropna()) == [1.5, 1.5, 1.25]
    assert list(own.trials["commit"].dropna()) == ["abc", "def+", "abc"]
    assert len(own.trajectories) == 60
    publishing.publish(grid, results, [1])
    assert set(tables.read(folder / "ends").trials["seed"]) == {0, 1}


def test_the_store_has_the_last_word(grid: Grid, results: Path, folder: Path, tmp_path: Path) -> None:
    """A record that answers takes the place of the published one; one that does not leaves it."""
    publishing.publish(grid, results, [0])
    first, second, *_ = grid.cells([0])
    put(tmp_path / "other", first, [1.25] * 20)
    put(tmp_path / "other", second, [1.25] * 5)
    publishing.publish(grid, tmp_path / "other", [0])
    assert list(tables.read(folder / "ends").trials["final_train_loss"].dropna()) == [1.25, 1.5]


def test_nothing_is_half_published(grid: Grid, results: Path, folder: Path) -> None:
    publishing.publish(grid, results, [0])
    before = {path.name: path.read_bytes() for path in (folder / "ends").iterdir()}
    with pytest.raises(UserError, match="no records of ends, seed 7; make sweep makes some"):
        publishing.publish(grid, results, [7])
    damaged = results / "store" / f"{grid.cells([1])[0].cell_id}.parquet"
    content = damaged.read_bytes()
    for spoilt in (content[:-9], content[:60] + bytes(8) + content[68:]):  # torn; broken within
        damaged.write_bytes(spoilt)
        with pytest.raises(UserError, match=rf"ends: record {damaged.stem} is damaged: .*make sweep"):
            publishing.publish(grid, results, [0, 1])
    assert {path.name: path.read_bytes() for path in (folder / "ends").iterdir()} == before
    assert [path.name for path in folder.iterdir()] == ["ends"]


def test_folders_with_tables(grid: Grid, results: Path, folder: Path) -> None:
    assert reference.grids() == {}
    with pytest.raises(UserError, match=r"fig9: no reference records in .*; there are none yet"):
        reference.find("fig9")
    publishing.publish(grid, results, [0])
    (folder / "cost").mkdir()
    (folder / "cost" / "cost.json").write_text("{}")
    assert reference.grids() == {"ends": folder / "ends"}
    assert reference.find("ends") == folder / "ends"
    with pytest.raises(UserError, match=r"cost: no reference records in .*; there are some of ends$"):
        reference.find("cost")


def test_the_records_of_all_endings(grid: Grid, tmp_path: Path) -> None:
    """An old provenance without some entries, a failure and a divergence are told too."""
    store = Store(tmp_path / "results")
    for cell, (ending, losses) in zip(grid.cells([0]), LOSSES.items(), strict=False):
        store.put(made(cell, ending, losses))
    page = (publishing.publish(grid, tmp_path / "results", [0]) / "README.md").read_text()
    assert re.search(r"^\| 0 \| 4 \| 6 \| 36 \| 0.00278 core-hours \|$", page, re.MULTILINE)
    assert "finished:" not in page
    assert "SHA-256" not in page


def test_the_data_are_counted(folder: Path, monkeypatch: pytest.MonkeyPatch, noise: datasets.Dataset) -> None:
    names = tuple(f"Alphabet{i % 50}/character{i}" for i in range(1623))
    data = datasets.Dataset(name="omniglot", images=noise.images, characters=names, sha256="e" * 64)
    monkeypatch.setattr(datasets, "load", lambda name, resize="lanczos": data)
    about = json.loads(publishing.describe_data().read_text())
    counted = (
        "characters",
        "alphabets",
        "drawings_per_character",
        "train_characters",
        "validation_characters",
    )
    assert [about[key] for key in counted] == [1623, 50, 20, 1200, 423]
    assert (about["in_both"], about["sha256"]) == (0, "e" * 64)
    assert [path.name for path in folder.iterdir()] == ["omniglot.json"]
