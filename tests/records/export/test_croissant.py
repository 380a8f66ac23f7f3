"""The description of both tables, checked and read by mlcroissant itself."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from harness.common.places import ROOT
from harness.records import export, tables
from harness.records.export.asked import Asked

REFERENCE = ROOT / "results" / "reference" / "limit"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    read = tables.read(REFERENCE)
    export.write("croissant", Asked(name="limit", source="the reference", tables=read), tmp_path / "out")
    return tmp_path / "out"


def described(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "croissant.json").read_text())
    return found


def test_the_tables_are_those_of_the_records(folder: Path) -> None:
    assert (folder / "croissant.json").is_file()
    again, before = tables.read(folder), tables.read(REFERENCE)
    pd.testing.assert_frame_equal(again.trials, before.trials)
    pd.testing.assert_frame_equal(again.trajectories, before.trajectories)
    assert again.about == before.about


def test_files_have_their_digests(folder: Path) -> None:
    for file in described(folder)["distribution"]:
        content = (folder / file["contentUrl"]).read_bytes()
        assert file["sha256"] == sha256(content).hexdigest()
        assert file["contentSize"] == f"{len(content)} B"


def test_every_column_has_its_meaning_and_unit(folder: Path) -> None:
    trials, trajectories = described(folder)["recordSet"]
    for records, name in ((trials, "trials"), (trajectories, "trajectories")):
        fields = {field["name"]: field for field in records["field"]}
        assert list(fields) == pq.read_schema(folder / f"{name}.parquet").names
        assert all(field["description"] for field in fields.values())
    fields = {field["name"]: field for field in trials["field"]}
    assert fields["wall_seconds"]["description"].endswith("(unit: s)")
    assert fields["target_loss"]["description"] == "the grid's target; null: the grid has none (unit: nats)"
    kinds = {name: fields[name]["dataType"] for name in ("seed", "alpha0", "method")}
    assert kinds == {"seed": "sc:Integer", "alpha0": "sc:Float", "method": "sc:Text"}


@pytest.mark.filterwarnings("ignore")
def test_mlcroissant_finds_nothing_to_complain_of(folder: Path) -> None:
    why = "mlcroissant is not installed: pip install '.[export]'"
    mlcroissant: Any = pytest.importorskip("mlcroissant", reason=why)
    dataset = mlcroissant.Dataset(folder / "croissant.json")
    assert not dataset.metadata.issues.errors
    assert not dataset.metadata.issues.warnings
    rows = list(dataset.records("trials"))
    kept = tables.read(REFERENCE).trials
    assert [row["trials/cell_id"].decode() for row in rows] == kept["cell_id"].tolist()
    assert [row["trials/final_val_loss"] for row in rows] == kept["final_val_loss"].tolist()
    first = next(iter(dataset.records("trajectories")))
    assert first["trajectories/iteration"] == 1
