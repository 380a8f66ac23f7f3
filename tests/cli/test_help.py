"""The help: every command, each with an example."""

from __future__ import annotations

import re
import sys

import pytest

from harness import cli
from tests.cli.conftest import Run

COMMANDS = (
    "sweep",
    "meta-test",
    "plot",
    "claims",
    "compare",
    "sensitivity",
    "race",
    "export",
    "restore",
    "status",
    "show",
    "cell",
    "grids",
    "data",
    "bench",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_has_an_example(harness: Run, command: str) -> None:
    said = harness(command, "-h")
    assert said.code == 0
    assert f"Example: harness {command}" in said.out


def test_help_names_all_commands(harness: Run) -> None:
    said = harness("-h")
    assert [c for c in COMMANDS if re.search(rf"^ *{c} ", said.out, re.MULTILINE)] == list(COMMANDS)


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)], ids=" ".join)
def test_no_help_is_cut(
    harness: Run, words: list[str], columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = harness(*words, "-h").out.splitlines()
    assert max(map(len, lines)) <= columns
    assert words or not [line for line in lines[1:] if line.endswith("...")]


def test_without_a_command_there_is_help(harness: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["harness"])
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main()


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["harness", "--version"])
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main()
    assert re.fullmatch(r"harness \d+\.\d+\.\d+(, commit [0-9a-f]{12}\+?)?\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("harness sweep fig2-", ["fig2-core", "fig2-sgd"]),
        ("harness plot qui", ["quick"]),
        ("harness data g", ["glyphs"]),
        ("harness comp", ["compare"]),
    ],
)
def test_completion(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, completed: list[str]
) -> None:
    monkeypatch.setenv("_HARNESS_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    monkeypatch.setattr(sys, "argv", ["harness"])
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().out.split() == completed
