"""Text of a user's that looks like markup, or that a terminal would obey."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from harness import cli, grids, records
from harness.cli.console import Printer
from harness.common.errors import UserError
from harness.records import publishing
from harness.records.store import Store
from tests.cli.conftest import TINY, Run, Said, cells
from tests.cli.terminal import terminal
from tests.records.test_tables import made

TITLE = "[red]x[/nope] [bold] :smile: [link=x]"
ERROR = "[red]x[/nope] \x1b[31m \x9b31m \u202e \x07 two\nlines"
SPELLED = r"[red]x[/nope] \x1b[31m \x9b31m \u202e \x07 two lines"


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY.replace("title: Tiny", f"title: '{TITLE}'"))
    return str(path)


def is_harmless(said: Said) -> None:
    assert said.code == 0, said.err
    text = said.out + said.err
    assert not {character for character in text if ord(character) < 32} - {"\n"}
    assert not {"\x9b", "\u202e"} & {*text}


@pytest.mark.usefixtures("noise")
def test_a_title_and_an_error(harness: Run, tiny: str, results: Path, reference_folder: Path) -> None:
    first, second, third = cells(tiny)
    store = Store(results)
    store.put(made(first, "budget", [1.5] * 5))
    record = records.load(made(third, "budget", [1.5] * 5))
    strange = {"device": "cpu " + ERROR, "versions": {"commit": ERROR}}
    header = replace(record.header, provenance=record.header.provenance | strange)
    store.put(records.dump(replace(record, header=header)))
    store.put(records.dump(records.make(second, "failed", [], {}, ERROR)))
    publishing.publish(grids.load(tiny), results)

    said = {
        words: harness(*words.split())
        for words in (
            f"grids {tiny}",
            f"grids {tiny} --cells",
            f"status {tiny}",
            f"show {second.cell_id}",
            f"show {third.cell_id}",
            f"plot {tiny}",
            f"compare {tiny}",
            f"sweep {tiny} --runner serial",
        )
    }
    for one in said.values():
        is_harmless(one)
    assert TITLE in said[f"grids {tiny}"].out
    for words in (f"status {tiny}", f"show {second.cell_id}", f"grids {tiny} --cells"):
        assert SPELLED in said[words].out
    assert f"device: cpu {SPELLED}" in said[f"show {third.cell_id}"].out


@pytest.mark.parametrize("word", ["[/red]", "\x1b[31m.yaml", "\u202e", "a\udcffb", "[bold]x.yml"])
@pytest.mark.parametrize("command", ["grids", "sweep", "status", "show", "data", "cell", "--"])
def test_a_word_on_the_command_line(harness: Run, command: str, word: str) -> None:
    said = harness(command, word)
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert not {"\x1b", "\u202e", "\udcff"} & {*said.err}
    assert "[/red]" not in word or "[/red]" in said.err


def test_any_error_is_one_clean_line(harness: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for error, code, line in (
        (UserError(ERROR), 2, SPELLED),
        (OSError(5, "Input/output error", "a\x1b[31m"), 2, r"a\x1b[31m: Input/output error"),
        (OSError(28, "No space left on device"), 1, "the disk is full"),
        (FileNotFoundError(2, "No such file", "here"), 2, "here: there is no such file or folder"),
        (OSError("no reason"), 1, "no reason"),
        (MemoryError(), 1, "out of memory"),
    ):

        def fails(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(grids, "load_all", fails)
        said = harness("grids")
        assert (said.code, said.err) == (code, f"harness: {line}\n")


def test_strings_are_clean_wherever_they_are_printed() -> None:
    with terminal(80) as screen:
        Printer().print(ERROR)
    assert screen.raw.strip() == SPELLED


ALLOWED = {"layout": {"Table"}, "app": {"typer.echo"}}
"""Tables of Text that is clean; the help, which is our own text."""


def test_only_the_console_prints() -> None:
    """So no text can reach a terminal in any other way."""
    folder = Path(cli.__file__).parent
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text())
        called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        printing = {"print", "Console", "Table", "typer.echo", "typer.secho"}
        assert not called & printing - ALLOWED.get(path.stem, set()), path
