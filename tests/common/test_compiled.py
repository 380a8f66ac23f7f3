"""C code as a library: made once, kept, made again if damaged; none where there is no compiler."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.common import compiled
from harness.common.compiled import library

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


@pytest.fixture(name="source")
def _source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv(compiled.SWITCH, raising=False)
    path = tmp_path / "answer.c"
    path.write_text("TYPE answer(void) { return 42; }\n", "utf-8")
    return path


def kept(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "data" / "cache").glob("*"))


def test_made_once(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = library(source, TYPE="int")
    assert made is not None
    assert made.answer() == 42
    assert len(kept(tmp_path)) == 1
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("made again"))
    again = library(source, TYPE="int")
    assert again is not None
    assert again.answer() == 42


def test_other_code_or_names_are_another_library(source: Path, tmp_path: Path) -> None:
    library(source, TYPE="int")
    of_double = library(source, TYPE="double")
    assert of_double is not None
    of_double.answer.restype = ctypes.c_double
    assert of_double.answer() == 42.0
    source.write_text("int answer(void) { return 43; }\n", "utf-8")
    other = library(source, TYPE="int")
    assert other is not None
    assert other.answer() == 43
    assert len(kept(tmp_path)) == 3


def test_a_damaged_one_is_made_again(source: Path, tmp_path: Path) -> None:
    library(source, TYPE="int")
    (path,) = kept(tmp_path)
    path.unlink()
    path.write_bytes(b"\x7fELF torn")
    made = library(source, TYPE="int")
    assert made is not None
    assert made.answer() == 42


def test_nothing_can_be_kept(source: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be", "utf-8")
    made = library(source, TYPE="int")
    assert made is not None
    assert made.answer() == 42


@pytest.mark.parametrize(("variable", "value"), [("CC", "no-such-compiler"), (compiled.SWITCH, "0")])
def test_none_where_there_is_no_compiler_or_none_is_wanted(
    variable: str, value: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert library(source, TYPE="int") is None
    assert kept(tmp_path) == []


def test_none_where_the_compiler_refuses(source: Path) -> None:
    source.write_text("this is not C\n", "utf-8")
    assert library(source, TYPE="int") is None
