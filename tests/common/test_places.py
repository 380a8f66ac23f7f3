"""A command as it is typed here, and what only a checkout can do."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from harness.common import places
from harness.common.errors import UserError


def test_the_environment_is_settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For processes that start in another folder, and for libraries that ask for a home folder."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"HOME": "", "HARNESS_DATA": "mine", "OMNIGLOT_ROOT": ""}.items():
        monkeypatch.setenv(name, value)
    places.settle()
    assert os.environ["HARNESS_DATA"] == str(tmp_path / "mine")
    assert os.environ["OMNIGLOT_ROOT"] == ""
    assert Path("~").expanduser().is_dir()
    monkeypatch.delenv("HARNESS_DATA")
    monkeypatch.setattr(places, "ROOT", Path())  # as installed
    places.settle()
    assert os.environ["HARNESS_DATA"] == str(tmp_path / "data")
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)  # an account that the system does not know
    monkeypatch.delenv("HOME", raising=False)
    places.settle()
    assert os.environ["HOME"] == tempfile.gettempdir()
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(UserError, match="the working folder no longer exists; go to one that does"):
        places.settle()


def test_in_a_checkout_commands_are_typed_by_make() -> None:
    assert places.typed("sweep") == "make sweep"
    assert places.typed("plot", "fig2") == "make plots GRID=fig2"
    assert places.checkout("publish") == places.ROOT


def test_an_installed_package_has_no_make_and_keeps_its_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "CHECKOUT", None)
    assert places.typed("sweep", "fig2") == "harness sweep fig2"
    assert places.typed("plot") == "harness plot"
    with pytest.raises(UserError, match="publish: works only in a checkout of the repository"):
        places.checkout("publish")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("/somewhere/else", "/somewhere/else"),
        ("~/else", "/home/me/else"),
        ("~", "/home/me"),
        ("else/~", "else/~"),
        ("\t/somewhere else\r\n", "/somewhere else"),
    ],
)
def test_paths_of_the_environment(written: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("HARNESS_DATA", written)
    monkeypatch.delenv("OMNIGLOT_ROOT", raising=False)
    assert places.data() == places.omniglot() == Path(expected)
    monkeypatch.delenv("HARNESS_DATA")
    monkeypatch.setenv("OMNIGLOT_ROOT", written)
    assert (places.data(), places.omniglot()) == (places.ROOT / "data", Path(expected))


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_blank_variable_is_none(blank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_DATA", blank)
    monkeypatch.setenv("OMNIGLOT_ROOT", blank)
    assert places.data() == places.omniglot() == places.ROOT / "data"


def test_a_path_that_cannot_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNIGLOT_ROOT", "~nobody-of-this-name/x")
    with pytest.raises(UserError, match="OMNIGLOT_ROOT ~nobody-of-this-name/x: there is no such home folder"):
        places.omniglot()
    with pytest.raises(UserError, match="results: empty; write a path"):
        places.path("", "results")
