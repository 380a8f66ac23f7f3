"""make: what is typed reaches the program as it was typed, and the environment is made, and made again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.common.places import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")

SPOKEN = """\
Obtaining file:///somewhere
  Installing build dependencies: started
Collecting torch==2.13.0 (from harness==0.1.0)
  Downloading torch-2.13.0-cp311-none-any.whl (888.1 MB)
Processing /wheels/python_dateutil-4.0.0-py3-none-any.whl (from pandas->harness==0.1.0)
Requirement already satisfied: numpy in somewhere
Installing collected packages: torch, python-dateutil, harness
Successfully installed harness-0.1.0 python-dateutil-4.0.0 torch-2.13.0
"""

STAND_IN = """\
import json, os, pathlib, sys, time
here, words = pathlib.Path(__file__).parent, sys.argv[1:]
if words[:3] == ["-m", "pip", "install"]:
    print((here / "pip says").read_text(), end="", flush=True)
    while (here / "bin").exists() and not (here / "bin" / "slept").exists():
        time.sleep(0.01)
    code = int((here / "pip ends").read_text())
    sys.exit("ERROR: no space left" if code else 0)
if words[0] == "-m" and words[1] == "venv":
    (here / "made").open("a").write(" ".join(words[2:]) + "\\n")
    os.makedirs(words[-1] + "/bin", exist_ok=True)
    (pathlib.Path(words[-1]) / "bin" / "python").unlink(missing_ok=True)
    os.symlink(here / "python", words[-1] + "/bin/python")
elif words[0] == "-c":
    print(*[0] if "importlib" in words[1] else [], end="")
elif words[:2] != ["-m", "pip"]:
    print(json.dumps({"words": words, "path": os.environ.get("PYTHONPATH")}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout with a blank and a quote in its path, whose environment is ready; its Python is a stand-in
    that prints its arguments."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{tmp_path}/stand_in.py' \"$@\"\n", "utf-8")
    python.chmod(0o755)
    (tmp_path / "stand_in.py").write_text(STAND_IN, "utf-8")
    (tmp_path / "pip says").write_text(SPOKEN, "utf-8")
    (tmp_path / "pip ends").write_text("0", "utf-8")
    folder = tmp_path / "it's a checkout"
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".ci").mkdir()
    for name in ("Makefile", "pyproject.toml", ".ci/install"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv" / "bin" / "python").symlink_to(python)
    for name in (".ready", ".peers"):
        (folder / ".venv" / name).write_text(f"{folder}\n", "utf-8")
    return folder


def make(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        ["make", *words],
        cwd=folder,
        env=kept | {"PYTHON": str(folder.parent / "python")} | environment,
        capture_output=True,
        text=True,
    )


def words(folder: Path, *typed: str, **environment: str) -> list[str]:
    """The arguments of the Python that make starts."""
    done = make(folder, *typed, **environment)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)["words"]
    return found


ODD = (
    "two words",
    "it's",
    'a "quoted" word',
    "$(touch ran)",
    "`touch ran`",
    "$(shell touch ran)",
    "${HOME} $HOME $$ $@ %",
    "a;touch ran&&touch ran|touch ran>ran",
    "two\nlines",
    "-x",
    "--help",
    "#*?[a]~ \\",
    "größer=é",
)
SWEEP = {
    "--dataset": "DATASET",
    "--results": "RESULTS",
    "--seeds": "SEEDS",
    "--device": "DEVICE",
    "--jobs": "JOBS",
    "--ray-address": "RAY_ADDRESS",
    "--where": "WHERE",
    "--shard": "SHARD",
    "--runner": "RUNNER",
}
MORE = (
    *("GRID", "ROUNDS", "ONLY", "REFERENCE", "FULL", "TARGET", "SUSTAINED", "FORMAT", "OUT", "BESIDE"),
    *("COLUMN", "TASKS", "STEPS", "RATES"),
)


@pytest.mark.parametrize("odd", ODD)
def test_a_value_is_passed_on_as_it_was_typed(folder: Path, odd: str) -> None:
    values = {name: f"{odd}{name}" for name in (*SWEEP.values(), "GRID")}
    expected = ["-P", "-m", "harness", "sweep"]
    for option, name in SWEEP.items():
        expected += [option, values[name]]
    expected += ["--", values["GRID"]]
    before = sorted(folder.rglob("*"))
    assert words(folder, "sweep", *(f"{name}={value}" for name, value in values.items())) == expected
    assert words(folder, "sweep", **values) == expected
    assert words(folder, "-e", "-j4", "sweep", **values) == expected
    assert sorted(folder.rglob("*")) == before


def test_every_target_passes_its_variables_on(folder: Path) -> None:
    odd = "a 'b' $(shell touch ran)"
    harness = ["-P", "-m", "harness"]
    every = dict.fromkeys((*SWEEP.values(), *MORE), odd)
    common = ["--dataset", odd, "--results", odd, "--seeds", odd]
    bench = ["--results", odd, "--rounds", odd, "--only", odd]
    asked = ["--target", odd, "--sustained", "--reference"]
    tested = ["--tasks", odd, "--steps", odd, "--rates", odd]
    for target, expected in {
        "plots": [*harness, "plot", *common, "--column", "--", odd],
        "meta-test": [*harness, "meta-test", *common, "--device", odd, *tested, "--", odd],
        "sensitivity": [*harness, "sensitivity", *common, *asked, "--", *odd.split()],
        "export": [*harness, "export", *common, "--format", odd, "--out", odd, "--reference", "--", odd],
        "report": [*harness, "report", *common, "--beside", odd, "--out", odd, "--reference", "--", odd],
        "compare": [*harness, "compare", *common, "--target", odd, "--", odd],
        "claims": [*harness, "claims", "--reference", "--results", odd],
        "bench": [*harness, "bench", *bench],
        "bench-gpu": [*harness, "bench", "--device", "cuda", *bench, "--full"],
        "faults": ["-m", "tests.faults", "--full"],
    }.items():
        assert words(folder, target, *(f"{name}={value}" for name, value in every.items())) == expected
    assert not list(folder.glob("ran*"))


def test_what_is_not_set_or_empty_is_left_out(folder: Path) -> None:
    harness = ["-P", "-m", "harness"]
    for target, expected in {
        "sweep": [*harness, "sweep"],
        "plots": [*harness, "plot"],
        "meta-test": [*harness, "meta-test"],
        "sensitivity": [*harness, "sensitivity", "--"],
        "export": [*harness, "export"],
        "report": [*harness, "report", "--", "quick"],
        "compare": [*harness, "compare", "--", "fig2"],
        "claims": [*harness, "claims"],
        "bench": [*harness, "bench"],
        "faults": ["-m", "tests.faults"],
    }.items():
        assert words(folder, target) == expected
        assert words(folder, target, "GRID=", "RESULTS=", SEEDS="", REFERENCE="", FULL="") == expected


def test_a_list_of_grids(folder: Path) -> None:
    """Split at its blanks, and nothing else is done to it: there are files that the patterns would match."""
    for grid in ("a b", " a  b "):
        assert words(folder, "sensitivity", f"GRID={grid}")[-3:] == ["--", "a", "b"]
    odd = ["*", "[a-z]*", "$(touch", "ran)", "`touch", "ran`", "$HOME", "'a"]
    assert words(folder, "sensitivity", GRID=" ".join(odd))[-len(odd) :] == odd
    assert not list(folder.glob("ran*"))


def test_code_from_elsewhere_is_not_imported(folder: Path) -> None:
    done = make(folder, "sweep", PYTHONPATH="/opt/other")
    assert json.loads(done.stdout)["path"] is None


def test_lint_finds_the_code_whatever_the_folder_is_called(folder: Path) -> None:
    (folder / "harness" / "report" / "page").mkdir(parents=True)
    (folder / "plots").mkdir()
    (folder / "harness" / "cell.py").write_text("x\n", "utf-8")
    for name, does in {
        "ruff": "true",
        "mypy": "cat harness/cell.py; ls ../../pyproject.toml harness",
        "deno": "true",
    }.items():
        program = folder / ".venv" / "bin" / name
        program.write_text(f"#!/bin/sh\n{does}\n", "utf-8")
        program.chmod(0o755)
    done = make(folder, "lint")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-5:] == ["../../pyproject.toml", "harness:", "cell.py", "plots", "report"]


def test_without_a_browser_its_tests_say_how_to_get_one(folder: Path) -> None:
    done = make(folder, "test-report", HARNESS_BROWSER="nosuch")
    assert done.returncode == 2
    first, *_ = done.stderr.splitlines()
    assert first.startswith("test-report: there is no browser nosuch: apt-get install chromium, on Debian")


def test_an_environment_that_is_ready_is_left_as_it_is(folder: Path) -> None:
    assert make(folder, "setup").stdout == "make: Nothing to be done for 'setup'.\n"


def installs(folder: Path, again: bool) -> None:
    """make setup installs, into a new environment if `again`; then it is ready."""
    made = folder.parent / "made"
    made.unlink(missing_ok=True)
    done = make(folder, "setup")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "installing into .venv (some minutes the first time)",
        "  torch",
        "  python_dateutil",
        "unpacking 3 packages",
    ]
    assert (made.read_text("utf-8") if made.exists() else "") == ("--clear .venv\n" if again else "")
    test_an_environment_that_is_ready_is_left_as_it_is(folder)


def lost(folder: Path) -> None:
    shutil.rmtree(folder / ".venv")


def interrupted(folder: Path) -> None:
    """While venv made it: it has a Python, and no pip."""
    (folder / ".venv" / ".ready").unlink()
    (folder / ".venv" / "bin" / "python").unlink()
    (folder / ".venv" / "bin" / "python").symlink_to("/bin/false")


def without_its_python(folder: Path) -> None:
    (folder / ".venv" / "bin" / "python").unlink()
    (folder / ".venv" / "bin" / "python").symlink_to("/usr/bin/python3.0")


def made_elsewhere(folder: Path) -> None:
    (folder / ".venv" / ".ready").write_text("/home/somebody/harness\n", "utf-8")


@pytest.mark.parametrize("broken", [lost, interrupted, without_its_python, made_elsewhere])
def test_a_broken_environment_is_made_again(folder: Path, broken: Callable[[Path], None]) -> None:
    broken(folder)
    installs(folder, again=True)


def test_new_requirements_are_installed_into_the_old_environment(folder: Path) -> None:
    os.utime(folder / "pyproject.toml")
    later = (folder / ".venv" / ".ready").stat().st_mtime + 10
    os.utime(folder / "pyproject.toml", (later, later))
    done = make(folder, "setup")
    assert "unpacking 3 packages" in done.stdout
    assert not (folder.parent / "made").exists()


def test_an_error_of_pip_is_shown_and_the_next_make_goes_on(folder: Path) -> None:
    (folder / ".venv" / ".ready").unlink()
    (folder.parent / "pip ends").write_text("1", "utf-8")
    done = make(folder, "sweep")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "ERROR: no space left"
    assert "words" not in done.stdout
    (folder.parent / "pip ends").write_text("0", "utf-8")
    installs(folder, again=False)


def test_what_counts_the_packages_holds_none_of_the_callers_streams(folder: Path) -> None:
    """Whoever reads them to their end, as `| tee` does, would wait for its last `sleep`."""
    (folder / ".venv" / ".ready").unlink()
    sleep = folder.parent / "bin" / "sleep"
    sleep.parent.mkdir()
    sleep.write_text('#!/bin/sh\necho slept; echo slept >&2; touch "${0%/*}/slept"; exit 1\n', "utf-8")
    sleep.chmod(0o755)
    done = make(folder, "setup", PATH=f"{sleep.parent}:{os.environ['PATH']}")
    assert done.returncode == 0
    assert "slept" not in done.stdout + done.stderr


def test_a_python_that_is_missing_or_too_old_is_refused(folder: Path) -> None:
    lost(folder)
    for python in ("no-such-python", "false"):
        done = make(folder, "setup", f"PYTHON={python}")
        assert done.returncode == 2
        assert "harness needs Python 3.11 or newer: make PYTHON=python3.12 ...\n" in done.stderr
        assert not (folder / ".venv").exists()
