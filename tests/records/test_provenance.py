"""Where the code comes from: this checkout's commit, or unknown."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.records import provenance


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "first")
    return tmp_path


def test_the_commit_of_the_checkout(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "CHECKOUT", repository)
    commit = git(repository, "rev-parse", "--short=12", "HEAD")
    assert provenance._commit() == commit
    (repository / "new.py").touch()
    assert provenance._commit() == f"{commit}+"


def test_an_installed_package_has_no_commit(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where it lies in an environment inside a repository, or is used from one."""
    installed = repository / "env" / "site-packages"
    installed.mkdir(parents=True)
    monkeypatch.setattr(provenance, "CHECKOUT", installed)
    monkeypatch.chdir(repository)
    assert provenance._commit() is None
