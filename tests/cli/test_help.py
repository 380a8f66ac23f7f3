"""The help: every command, each with an example."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import Run

COMMANDS = (
    "sweep",
    "plot",
    "claims",
    "compare",
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
