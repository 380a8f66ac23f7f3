"""Where the code comes from: this checkout's commit, or unknown."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.common import VERSION
from harness.common.places import ROOT
from harness.records import provenance

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
CODE = "harness/records/provenance.py"


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True, env=kept
    )
    return done.stdout.strip()


def unpacked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with this code, from which it runs."""
    (folder / CODE).parent.mkdir(parents=True)
    (folder / CODE).write_text("")
    monkeypatch.setattr(provenance, "CHECKOUT", folder)
    monkeypatch.setattr(provenance, "__file__", str(folder / CODE))
    return folder


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout, in a folder with letters that git and a terminal may write otherwise."""
    folder = unpacked(tmp_path / "prüfung", monkeypatch)
    (folder / "README.md").write_text("")
    (folder / ".gitignore").write_text("results/\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


def head(folder: Path) -> str:
    return git(folder, "rev-parse", "--short=12", "HEAD")


def test_the_commit_of_the_checkout(repository: Path) -> None:
    assert provenance._commit() == head(repository)
    git(repository, "config", "core.abbrev", "4")
    git(repository, "config", "status.branch", "true")
    assert provenance._commit() == head(repository)


@pytest.mark.parametrize(
    "path", ["sweeps/mine.yaml", "results/store/x.parquet", "notes.py", "harness/.x.swp"]
)
def test_files_of_the_user_are_not_changes(repository: Path, path: str) -> None:
    (repository / path).parent.mkdir(parents=True, exist_ok=True)
    (repository / path).write_text("mine")
    assert provenance._commit() == head(repository)


@pytest.mark.parametrize("path", ["README.md", CODE, "harness/methods/größer.py", "plots/mine.py"])
def test_changed_files_and_new_code_are_a_plus(repository: Path, path: str) -> None:
    git(repository, "config", "core.quotePath", "false")
    (repository / path).parent.mkdir(parents=True, exist_ok=True)
    (repository / path).write_text("changed")
    assert provenance._commit() == f"{head(repository)}+"


def test_a_hook_of_another_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, git names its own repository in the environment."""
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    git(other, "commit", "--quiet", "--allow-empty", "--message", "other")
    monkeypatch.chdir(other)
    for name, value in {
        "GIT_DIR": str(other / ".git"),
        "GIT_WORK_TREE": str(other),
        "GIT_INDEX_FILE": str(other / ".git" / "index"),
        "GIT_OBJECT_DIRECTORY": str(other / ".git" / "objects"),
        "GIT_PREFIX": "",
    }.items():
        monkeypatch.setenv(name, value)
    assert provenance._commit() == head(repository)


def test_a_worktree_has_its_own_commit(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    git(repository, "worktree", "add", "--quiet", str(tree), "-b", "mine")
    git(tree, "commit", "--quiet", "--allow-empty", "--message", "second")
    monkeypatch.setattr(provenance, "CHECKOUT", tree)
    monkeypatch.setattr(provenance, "__file__", str(tree / CODE))
    assert provenance._commit() == head(tree) != head(repository)


@pytest.mark.parametrize("made", ["nothing", "an empty .git", "a .git that leads nowhere"])
def test_an_archive_unpacked_in_another_repository(
    made: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if that one holds it: its commits are not this project's."""
    folder = unpacked(tmp_path / "harness-main", monkeypatch)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "other")
    if made == "an empty .git":
        (folder / ".git").mkdir()
    elif made == "a .git that leads nowhere":
        (folder / ".git").write_text("gitdir: ../nowhere\n")
    monkeypatch.chdir(folder)
    assert provenance._commit() is None


def test_a_repository_that_does_not_hold_the_code(repository: Path) -> None:
    """Somebody's own, made in the folder into which the archive was unpacked."""
    git(repository, "rm", "--quiet", "-r", "--cached", "harness")
    git(repository, "commit", "--quiet", "--message", "only what is mine")
    assert provenance._commit() is None


def test_an_installed_package_has_no_commit(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where it lies in an environment inside a repository, or is used from one."""
    monkeypatch.setattr(provenance, "CHECKOUT", None)
    monkeypatch.chdir(repository)
    assert provenance._commit() is None


def test_without_git_the_commit_is_unknown(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert provenance._commit() is None


def test_a_repository_without_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(unpacked(tmp_path, monkeypatch), "init", "--quiet")
    assert provenance._commit() is None


def test_the_device_names_the_settings_of_its_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in provenance._SETTINGS:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(provenance, "_processor", lambda: "Processor")
    assert provenance.of_run("cpu", 1)["device"] == "cpu (Processor)"
    monkeypatch.setenv("MKL_CBWR", "COMPATIBLE")
    assert provenance.of_run("cpu", 1)["device"] == "cpu (Processor, MKL_CBWR=COMPATIBLE)"


def test_the_version_is_this_package_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that of another project called harness, nor one left by an old build."""
    (tmp_path / "harness-9.9.dist-info").mkdir()
    (tmp_path / "harness-9.9.dist-info" / "METADATA").write_text("Name: harness\nVersion: 9.9\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    provenance.of_code.cache_clear()
    assert provenance.version_of("harness") == "9.9"
    assert provenance.of_code()["harness"] == VERSION
    assert f"version: {VERSION}\n" in (ROOT / "CITATION.cff").read_text()
