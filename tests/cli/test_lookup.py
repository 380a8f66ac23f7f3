"""What the words of a command stand for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness import grids
from harness.cli.lookup import by_beginning, recorded
from harness.common.errors import UserError
from harness.problems.datasets import DATASETS
from harness.records.store import Scan, Store
from tests.records.test_tables import made


def test_the_beginning_of_an_id() -> None:
    known = {"0af8": 1, "0b": 2, "1c": 3}
    assert by_beginning("0a", known, "record", "in the store") == 1
    assert by_beginning("1c", known, "record", "in the store") == 3
    for beginning, says in {
        "0": "the beginning of 2 record ids",
        "": "the beginning of 3 record ids",
        "2": "not the beginning of any record id",
    }.items():
        with pytest.raises(UserError, match=f"^cell '{beginning}': {says} in the store; harness"):
            by_beginning(beginning, known, "record", "in the store")


def test_grids_with_records_on_their_own_and_on_other_data_sets(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for dataset in (None, "glyphs"):
        store.put(made(grids.load("fig2-sgd", dataset=dataset).cells()[0], "budget", [1.5] * 20))
    found = recorded(store.scan(), tmp_path, [], None)
    folders = [grid.folder for grid in found]
    assert {"fig2-sgd", "fig2-sgd-glyphs"} <= set(folders)
    assert len(folders) == len(set(folders))
    assert recorded(Scan(headers={}, damaged={}), tmp_path, [], None) == []
    only = recorded(store.scan(), tmp_path, [], "glyphs")
    assert {grid.protocol.dataset for grid in only} == {"glyphs"}


def test_a_grid_without_images_has_no_folder_for_a_data_set(tmp_path: Path) -> None:
    """`status` looks for the grids of sweeps/ on every data set that the store has records of."""
    store = Store(tmp_path)
    store.put(made(grids.load("quick").cells()[0], "budget", [1.5] * 20))
    store.put(made(grids.load("sinusoid").cells()[0], "budget", [1.5] * 20))
    for dataset in (None, "glyphs"):
        folders = [grid.folder for grid in recorded(store.scan(), tmp_path, [], dataset)]
        assert "sinusoid" in folders
        assert "quick" in folders
        assert not [folder for folder in folders if folder.startswith("sinusoid-")]


def test_a_data_set_that_is_too_small_for_a_grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """fig2's tasks have 20 classes, quick's 5."""
    store = Store(tmp_path)
    store.put(made(grids.load("quick", dataset="omniglot").cells()[0], "budget", [1.5] * 20))
    small = replace(DATASETS["omniglot"], classes=20, fields=SPLIT)
    monkeypatch.setitem(DATASETS._things, "omniglot", small)
    known = [grids.load("quick"), grids.load("fig2", dataset="glyphs")]
    monkeypatch.setattr(grids, "load_all", lambda dataset: known)
    assert recorded(store.scan(), tmp_path, [], None) == []


SPLIT = {"train_characters": 15, "validation_characters": 5}
