"""`harness export`: whose records, where to, what is said."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from harness import grids
from harness.common.places import ROOT
from harness.records.export import FORMATS
from harness.records.store import Store
from tests.cli.conftest import Run, fill, is_refused
from tests.records.test_tables import made


def test_own_records_come_first(harness: Run, tiny: str, results: Path) -> None:
    """Of three cells one has a result: one of MAML's two settings."""
    fill(results, tiny)
    said = harness("export", tiny, "--format", "mfpbench")
    assert said.code == 0, said.err
    folder = results / "tiny" / "export" / "mfpbench"
    lines = said.out.splitlines()
    assert lines[0].startswith("tiny: your records (2 of 3 cells of seed 0")
    assert "2 of 3 cells not run, or failed" in lines
    assert "maml: left out 1 of 2 settings: no result for their seed" in lines
    assert lines[-1].startswith(f"wrote into {folder}: about.json, maml/")
    assert json.loads((folder / "about.json").read_text())["grid"] == "tiny"


def test_seeds_and_a_folder_are_chosen(harness: Run, tiny: str, results: Path, tmp_path: Path) -> None:
    for seed, loss in ((0, 1.0), (1, 3.0)):
        for cell in grids.load(tiny).cells([seed]):
            Store(results).put(made(cell, "budget", [loss] * 5))
    means = []
    for words in ([], ["--seeds", "1"]):
        assert harness("export", tiny, "--format", "mfpbench", "--out", str(tmp_path / "o"), *words).code == 0
        (path,) = (tmp_path / "o" / "maml").iterdir()
        means.append(set(pd.read_parquet(path)["train_loss"]))
    assert means == [{2.0}, {3.0}]
    assert not (results / "tiny").exists()


def test_the_reference_answers_else(harness: Run, reference_folder: Path, tmp_path: Path) -> None:
    reference_folder.symlink_to(ROOT / "results" / "reference")
    said = harness("export", "limit", "--format", "croissant", "--out", str(tmp_path / "limit"))
    assert said.code == 0, said.err
    assert said.out.startswith("limit: the reference records (")
    assert len(pd.read_parquet(tmp_path / "limit" / "trials.parquet"))


@pytest.mark.parametrize(("format_", "suffix"), [("latex", "tex"), ("markdown", "md")])
def test_a_table_for_a_paper(harness: Run, tiny: str, results: Path, format_: str, suffix: str) -> None:
    fill(results, tiny)
    said = harness("export", tiny, "--format", format_)
    assert said.code == 0, said.err
    folder = results / "tiny" / "export" / format_
    assert said.out.splitlines()[-1] == f"wrote into {folder}: about.json, tiny.{suffix}; 0.0 MB"
    text = (folder / f"tiny.{suffix}").read_text()
    assert "Tiny. glyphs, 5-way; " in text
    assert "0/1" in text
    assert "not run" in text


def test_many_files_are_counted(
    harness: Run, tiny: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(results, tiny)
    monkeypatch.setattr("harness.cli.export.MOST", 2)
    said = harness("export", tiny, "--format", "csv")
    assert said.out.splitlines()[-1].endswith(": about.json, columns.csv and 2 more; 0.0 MB")


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (["--format", "tensorbord"], r"format 'tensorbord' is unknown: did you mean tensorboard\?"),
        (["--format", "xyz"], "format 'xyz' is unknown: one of"),
        (["--format", "mfpbench"], "no records of tiny yet"),
    ],
)
def test_refusals_are_one_line(
    harness: Run, tiny: str, results: Path, words: list[str], pattern: str
) -> None:
    is_refused(harness("export", tiny, *words), pattern)
    assert not results.exists()


def test_the_help_names_all_formats(harness: Run) -> None:
    said = " ".join(harness("export", "-h").out.split())
    assert f"{', '.join([*FORMATS][:-1])} or {[*FORMATS][-1]}." in said
    assert "Missing option '--format'" in harness("export", "fig1").err


def test_other_peoples_files_stay(harness: Run, tiny: str, results: Path, tmp_path: Path) -> None:
    fill(results, tiny)
    is_refused(harness("export", tiny, "--format", "mfpbench", "--out", str(tmp_path)), "holds other files")
    assert Path(tiny).is_file()
