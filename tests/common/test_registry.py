"""What installed packages offer by their entry points, with packages that pip has really installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.common.errors import UserError
from harness.common.places import ROOT
from harness.common.registry import Registry

PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "PACKAGE"
version = "1"

[project.entry-points."harness.methods"]
NAME = "MODULE:Mine"

[tool.setuptools]
py-modules = ["MODULE"]
"""
METHOD = """
import harness
from harness.methods.maml import MAML

@harness.method
class Mine(MAML):
    name = "NAME"
"""
GRID = """title: Mine
figure: {kind: heatmap, panels: [method], x: beta0, y: alpha0}
protocol: {preset: sinusoid, meta_batch: 2, validation_tasks: 2}
target_loss: 100
max_iterations: 2
cells:
  - {method: METHOD, alpha0: 0.1, beta0: 0.1}
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders into which one package each is installed: name -> where."""
    pytest.importorskip("setuptools")
    wanted = {
        "good": ("good", METHOD),
        "again": ("good", METHOD),
        "broken": ("broken", "import harness\n1 / 0\n"),
        "empty": ("empty", "class Mine: pass\n"),
        "shadow": ("maml", "class Mine: pass\n"),
    }
    sources, made = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("packages")
    for package, (name, source) in wanted.items():
        folder = sources / package
        folder.mkdir()
        project = PROJECT.replace("PACKAGE", f"a-{package}").replace("MODULE", f"a_{package}")
        (folder / "pyproject.toml").write_text(project.replace("NAME", name))
        (folder / f"a_{package}.py").write_text(source.replace("NAME", name))
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
    for package in wanted:
        command = [sys.executable, "-m", "pip", "install", *options, "--target", str(made / package)]
        done = subprocess.run([*command, str(sources / package)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return {package: made / package for package in wanted}


def sweep(tmp_path: Path, installed: list[Path], method: str) -> subprocess.CompletedProcess[str]:
    """`harness sweep` of a grid of this method, where these packages are installed."""
    (tmp_path / "mine.yaml").write_text(GRID.replace("METHOD", method))
    paths = [str(ROOT), *map(str, installed)]
    words = ["sweep", "mine.yaml", "--results", "results", "--runner", "serial"]
    return subprocess.run(
        [sys.executable, "-m", "harness", *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
    )


def test_an_installed_package_brings_a_method(packages: dict[str, Path], tmp_path: Path) -> None:
    done = sweep(tmp_path, [packages["good"]], "good")
    assert "1 cell; 1 to run" in done.stdout, done.stderr
    tables = tmp_path / "results" / "mine" / "trials.parquet"
    assert re.search(rb'"method good": "[0-9a-f]{16}"', _plugins(tables))


def _plugins(path: Path) -> bytes:
    import pyarrow.parquet as pq

    return pq.read_table(path)["plugins"][0].as_py().encode()


@pytest.mark.parametrize(
    ("names", "method", "words"),
    [
        (
            ["good", "again"],
            "good",
            r"method 'good' is offered by the package a-\w+ \(a_\w+:Mine\) and the package a-\w+ \(.*\); "
            "uninstall all but one",
        ),
        (["broken"], "broken", r"method 'broken' of the package a-broken \(.*\): line 2: ZeroDivisionError"),
        (["empty"], "empty", r"method 'empty' of .*: it is loaded, and does not bring it"),
        (["shadow"], "maml", r"method 'maml' is built in, and the package a-shadow \(.*\) offers another"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_offer_is_one_line(
    names: list[str], method: str, words: str, packages: dict[str, Path], tmp_path: Path
) -> None:
    done = sweep(tmp_path, [packages[name] for name in names], method)
    assert done.returncode == 2
    assert re.fullmatch(rf"harness: mine.yaml:7: cells\[0\].method: {words}.*\n", done.stderr), done.stderr


def test_it_matters_only_to_those_who_name_it(packages: dict[str, Path], tmp_path: Path) -> None:
    done = sweep(tmp_path, [packages[name] for name in ("good", "again", "broken", "empty")], "maml")
    assert "1 cell; 1 to run" in done.stdout, done.stderr


def test_a_name_belongs_to_whoever_came_first() -> None:
    things: Registry[int] = Registry("thing")
    things.add("one", 1, "mine")
    things.add("one", 2, "mine")  # as a cell of a notebook that is run again
    assert things["one"] == 2
    with pytest.raises(UserError, match="thing 'one' is already brought by mine; choose another name"):
        things.add("one", 3, "theirs")
    assert (list(things), things.module("one")) == (["one"], "mine")
    with pytest.raises(KeyError):
        things["two"]


@pytest.mark.parametrize("name", ["", " one", "one\n", 3, None])
def test_what_is_no_name(name: object) -> None:
    with pytest.raises(UserError, match=r"a thing's name is .*; write a word such as 'my-thing'"):
        Registry("thing").add(name, 1, "mine")
