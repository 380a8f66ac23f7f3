"""Comma-separated tables, read back by pandas and by Python itself."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pandas as pd

from harness.common.places import ROOT
from harness.records import export, schema, tables
from harness.records.export.asked import Asked
from tests.records.export.made_up import asked, cell, made

ANY = schema.Column(schema.TEXT, "", "")
REFERENCE = ROOT / "results" / "reference" / "limit"


def read(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """With the types of this frame."""
    kinds = frame.dtypes.to_dict()
    return pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values=[""])  # type: ignore[call-overload,no-any-return]


def test_every_number_is_the_same_double(tmp_path: Path) -> None:
    known = tables.read(REFERENCE)
    export.write("csv", Asked(name="limit", source="the reference", tables=known), tmp_path)
    for name, frame in (("trials", known.trials), ("trajectories", known.trajectories)):
        pd.testing.assert_frame_equal(read(tmp_path / f"{name}.csv", frame), frame, check_exact=True)


def test_the_text_is_what_is_expected(tmp_path: Path) -> None:
    """Thirds, infinity, null, a text with a comma and a line break, whole numbers without a point."""
    known = made(cell(alpha0=0.1 + 0.2), cell(1, alpha0=1e-300, ending="failed"), validated=False)
    known = replace(known, columns=(dict.fromkeys(known.trials, ANY), dict.fromkeys(known.trajectories, ANY)))
    known.trials["error"] = [None, 'no, "never"\nagain']
    known.trajectories.loc[3, "train_loss"] = float("inf")
    notes = export.write("csv", asked(known), tmp_path)
    assert notes == ["an empty field is null: columns.csv says what that means"]
    with (tmp_path / "trials.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["alpha0"], first["seed"], first["steps"]) == ("0.30000000000000004", "0", "")
    assert (second["alpha0"], second["error"]) == ("1e-300", 'no, "never"\nagain')
    lines = (tmp_path / "trajectories.csv").read_text().splitlines()
    assert lines[0] == "cell_id,iteration,alpha,train_loss,val_loss"
    assert lines[4].split(",")[1:] == ["4", "1.0", "inf", ""]


def test_every_column_is_described(tmp_path: Path) -> None:
    known = tables.read(REFERENCE)
    export.write("csv", Asked(name="limit", source="the reference", tables=known), tmp_path)
    said = pd.read_csv(tmp_path / "columns.csv", keep_default_na=False)
    for name in ("trials", "trajectories"):
        own = said[said["table"] == f"{name}.csv"]
        assert own["column"].tolist() == list(pd.read_csv(tmp_path / f"{name}.csv", nrows=1))
    meaning = dict(zip(said["column"], said["meaning"], strict=True))
    assert meaning["target_loss"] == schema.TRIALS["target_loss"].meaning
    assert said["meaning"].ne("").all()
