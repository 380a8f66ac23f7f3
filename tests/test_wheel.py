"""What an installed package holds: all rooms, figures, grids and reference records, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from harness.common.places import REFERENCE, ROOT
from harness.records import reference

SOURCES = ("harness", "plots", "sweeps", "results/reference")
LOOSE = ("pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the sources: a build leaves files behind."""
    pytest.importorskip("setuptools", minversion="80")
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for folder in SOURCES:
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in LOOSE:
        shutil.copy(ROOT / name, source / name)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", str(made)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, str(source)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (path,) = made.glob("*.whl")
    return path


def test_everything_is_in_the_package_harness(wheel: Path) -> None:
    """A package called plots or tests would land in other people's environments."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"harness"}
    inside = {name.removeprefix("harness/") for name in names}
    for folder, into in (("harness", ""), ("plots", "plots/"), ("sweeps", "sweeps/")):
        for path in (ROOT / folder).rglob("*.*"):
            if path.suffix in (".py", ".yaml", ".txt", ".html", ".css", ".js"):
                assert into + path.relative_to(ROOT / folder).as_posix() in inside, path
    for path in (ROOT / "results" / "reference").rglob("*.*"):
        assert f"reference/{path.relative_to(ROOT / 'results' / 'reference').as_posix()}" in inside, path


def test_the_commands_answer_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    package, empty = tmp_path / "package", tmp_path / "empty"
    empty.mkdir()
    zipfile.ZipFile(wheel).extractall(package)

    def harness(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "harness", *words],
            cwd=empty,
            env=os.environ | {"PYTHONPATH": str(package)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "fig2-core" in harness("grids")
    assert "fig2.png" in harness("plot", "fig2")
    assert "report.html" in harness("report", "limit")
    assert [path.name for path in empty.iterdir()] == ["results"]
    kept = package / "harness" / "reference"
    tables = {path.relative_to(kept) for path in kept.rglob("trials.parquet")}
    assert tables == {path.relative_to(REFERENCE) for path in REFERENCE.rglob("trials.parquet")}
    assert {path.parts[0] for path in tables} == {*reference.grids()}
