"""Figures drawn several at a time: the same as one after the other, said in order, whatever happens."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from harness.cli import drawing
from harness.cli.console import say
from harness.cli.drawing import Call, Drawers, Loading
from harness.common import plugins
from harness.common.errors import NotWritten, UserError
from harness.common.files import whole_file
from tests.cli.conftest import Run, fill


@pytest.fixture(autouse=True)
def _two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Although there are few figures, and whatever this machine has. They load only what they need, and none
    of the plug-ins that other tests have left in this process."""
    program = drawing.PROGRAM.replace("sys;", "sys; from harness.cli import drawing; drawing.warm = int;")
    assert program != drawing.PROGRAM
    monkeypatch.setattr(drawing, "PROGRAM", program)
    monkeypatch.setattr(drawing, "FEW", 0)
    monkeypatch.setattr(plugins, "_loaded", {})
    monkeypatch.setattr(drawing, "cores", lambda: 2)


def later(text: str, seconds: float) -> None:
    time.sleep(seconds)
    say(f"{text} of {'another' if os.getpid() != int(os.environ['TESTS']) else 'this'} process")


def refused(error: Exception) -> None:
    say("tried")
    raise error


def killed() -> None:
    if os.getpid() != int(os.environ["TESTS"]):
        os.kill(os.getpid(), signal.SIGKILL)
    say("in the end")


@pytest.fixture
def drawers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Drawers]:
    monkeypatch.setenv("TESTS", str(os.getpid()))
    with Drawers(2) as some:
        yield some
        process = some._process
    assert process is not None
    assert process.poll() is not None


def test_said_in_order(drawers: Drawers, capsys: pytest.CaptureFixture[str]) -> None:
    waits = {"first": 0.5, "second": 0.0, "third": 0.0}
    drawers.draw(partial(later, name, seconds) for name, seconds in waits.items())
    assert capsys.readouterr().out.splitlines() == [f"{name} of another process" for name in waits]


@pytest.mark.parametrize(
    "error",
    [UserError("no such grid"), NotWritten(Path("here.png"), OSError(28, "full"), "missing now: a.svg")],
    ids=["the user's", "the disk's"],
)
def test_what_is_raised_is_raised_in_its_turn(
    drawers: Drawers, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    calls: list[Call] = [partial(later, "first", 0.5), partial(refused, error), partial(later, "third", 0)]
    with pytest.raises(type(error)) as raised:
        drawers.draw(calls)
    assert str(raised.value) == str(error)
    assert capsys.readouterr().out == "first of another process\ntried\n"


def test_a_process_that_was_killed(drawers: Drawers, capsys: pytest.CaptureFixture[str]) -> None:
    """What it drew is drawn here, and the other process goes on."""
    drawers.draw([killed, partial(later, "second", 0.0), partial(later, "third", 0.0)])
    assert capsys.readouterr().out.splitlines() == [
        "in the end",
        "second of another process",
        "third of another process",
    ]


def test_all_processes_were_killed(drawers: Drawers, capsys: pytest.CaptureFixture[str]) -> None:
    drawers.draw([killed, killed, partial(later, "third", 0.0)])
    assert capsys.readouterr().out.splitlines() == ["in the end", "in the end", "third of this process"]


def write(path: Path) -> None:
    with whole_file(path):
        time.sleep(30)


def test_an_interrupt_leaves_no_part_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(busy: object) -> None:
        while len([*tmp_path.glob("*.tmp")]) < 2:
            time.sleep(0.05)
        raise KeyboardInterrupt

    monkeypatch.setattr(drawing, "wait", interrupted)
    calls = [partial(write, tmp_path / name) for name in ("first.png", "second.png")]
    with pytest.raises(KeyboardInterrupt), Drawers(2) as drawers:
        drawers.draw(calls)
    assert not [*tmp_path.iterdir()]


def test_the_same_figures(harness: Run, tiny: str, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(results, tiny)
    said = harness("plot", tiny)
    assert said.code == 0, said.err
    drawn = {path.name: path.read_bytes() for path in (results / "tiny").glob("tiny.*")}
    assert drawn.keys() == {"tiny.png", "tiny.svg", "tiny.pdf"}
    monkeypatch.setattr(drawing, "FEW", 4)
    assert harness("plot", tiny) == said
    assert drawn == {path.name: path.read_bytes() for path in (results / "tiny").glob("tiny.*")}


def test_what_draws_waits_for_what_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    def slow() -> None:
        time.sleep(0.3)
        done.set()

    monkeypatch.setattr(drawing, "SOON_S", 0.0)
    monkeypatch.setattr(drawing, "warm", slow)
    loading = Loading()
    loading.start()
    time.sleep(0.1)  # it has begun
    loading.start()
    loading.wait()
    assert done.is_set()
    done.clear()
    Loading().wait()  # nothing was to be loaded
    assert not done.is_set()
