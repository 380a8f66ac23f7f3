"""What all formats have in common: what is refused, and what is never lost."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from harness.common import places
from harness.common.errors import UserError
from harness.records import export
from harness.records.export.asked import file_names
from tests.records.export.made_up import asked, made, square


def test_an_unknown_format_is_one_line() -> None:
    with pytest.raises(
        UserError, match=r"^format 'optun' is unknown: did you mean optuna\? \(all: [^\n]*\)$"
    ):
        export.check("optun")
    with pytest.raises(UserError, match=rf"one of {', '.join(export.FORMATS)}$"):
        export.check("xyz")


@pytest.mark.parametrize(("name", "extra"), [("optuna", "race"), ("tensorboard", "export")])
@pytest.mark.parametrize("checkout", [Path("here"), None])
def test_a_missing_extra_is_one_line(
    monkeypatch: pytest.MonkeyPatch, checkout: Path | None, name: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(places, "CHECKOUT", checkout)
    pip = rf"\.venv/bin/pip install --editable '\.\[{extra}\]'"
    pip = pip if checkout else rf"pip install 'harness\[{extra}\]'"
    with pytest.raises(UserError, match=rf"^format {name} needs the package {name} \([^\n]*\): {pip}$"):
        export.check(name)


def test_what_it_is_stands_beside_it(tmp_path: Path) -> None:
    notes = export.write("mfpbench", asked(made(*square())), tmp_path / "out")
    about = json.loads((tmp_path / "out" / export.ABOUT).read_text())
    assert (about["format"], about["grid"], about["source"]) == ("mfpbench", "made-up", "by hand")
    assert about["notes"] == notes == ["means over 2 seeds; --seeds chooses"]


def test_an_older_export_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    old = tmp_path / "old"
    for name in ("mfpbench", "syne-tune"):
        export.write(name, asked(made(*square())), old)
    assert not [*old.rglob("sinusoid.parquet")]
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match=r"home: holds other files; choose an empty folder, or a new one$"):
        export.write("mfpbench", asked(made(*square())), tmp_path / "home")
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["letter.txt"]


def test_names_of_files() -> None:
    names = ["paper-adam, k_shot=5", "a/b", "a b", "..", "a_b"]
    assert file_names(names) == ["paper-adam_k_shot=5", "a_b", "a_b.2", "_", "a_b.3"]
