"""Output that is closed, full, broken, of another encoding or no terminal; signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import app, sweep
from harness.cli.console import Printer
from harness.cli.signals import Signals
from harness.cli.streams import Stream
from harness.common.signals import STOPS
from harness.records.store import Store
from tests.cli.conftest import TINY, Run
from tests.cli.terminal import in_shell, into, terminal

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")


@pytest.mark.parametrize(
    ("script", "codes", "out", "err"),
    [
        ("harness grids | head -1", "0 0", r"grid +cells .*\n", ""),
        ("harness grids 2>&1 | true", "0 0", "", ""),
        ("harness grids >&-", "0", "", ""),
        ("harness grids >&- 2>&- <&-", "0", "", ""),
        ("harness grids nothing 2>&-", "2", "", ""),
        pytest.param(
            "harness grids >/dev/full",
            "1",
            "",
            "harness: some of the output could not be written: the disk is full\n",
            marks=needs_full,
        ),
        pytest.param(
            "harness -h >/dev/full",
            "1",
            "",
            "harness: some of the output could not be written: the disk is full\n",
            marks=needs_full,
        ),
        pytest.param("harness grids nothing 2>/dev/full", "2", "", "", marks=needs_full),
    ],
)
def test_output_that_is_lost(tmp_path: Path, script: str, codes: str, out: str, err: str) -> None:
    done = in_shell(f'{script}; echo "${{PIPESTATUS[@]}}"', tmp_path)
    *shown, last = done.stdout.decode().splitlines(keepends=True)
    assert re.fullmatch(out, "".join(shown))
    assert last.strip() == codes
    assert done.stderr.decode() == err
    assert not list(tmp_path.iterdir())


@needs_full
@pytest.mark.usefixtures("noise", "blank")
@pytest.mark.parametrize("kind", ["full", "broken"])
def test_a_sweep_goes_on_without_its_output(harness: Run, tiny: str, results: Path, kind: str) -> None:
    if kind == "full":
        stream = FULL.open("w")
    else:
        reading, writing = os.pipe()
        os.close(reading)
        stream = os.fdopen(writing, "w")
    with stream, into(stream):
        code = harness("sweep", tiny, "--runner", "serial").code
    assert code == (1 if kind == "full" else 0)
    assert len(Store(results).scan().headers) == 3
    assert {path.name for path in (results / "tiny").iterdir()} >= {
        "tiny.png",
        "tiny.svg",
        "tiny.pdf",
        "trials.parquet",
    }
    assert "3 cells, all done" in harness("grids", tiny, "--cells").out


@pytest.mark.usefixtures("noise")
def test_a_cell_that_nobody_watches_any_more_stops(harness: Run, tiny: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = ("cell", "alpha0=0.1", "beta0=0.1", "--grid", tiny, "--iterations", "1000000")
    with os.fdopen(writing, "w") as stream, into(stream):
        assert harness(*words).code == 0


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Path, closed: str) -> None:
    """Whatever a child process or a C library prints would end up in it."""
    code = "with sturdy(): file = open('file', 'w'); print(file.fileno(), file=file)"
    script = f'"$PYTHON" -c "from harness.cli.streams import sturdy\n{code}" {closed}'
    assert in_shell(script, tmp_path).returncode == 0
    assert int((tmp_path / "file").read_text()) > 2


def test_after_a_loss_nothing_is_written_and_nothing_raised(tmp_path: Path) -> None:
    file = (tmp_path / "file").open("w")
    stream = Stream(file)
    stream.write("kept\n")
    stream.flush()
    file.close()
    assert stream.write("lost") == 4
    stream.flush()
    assert isinstance(stream.lost, ValueError)
    assert "closed file" in stream.reason
    assert (tmp_path / "file").read_text() == "kept\n"


FOREIGN = TINY.replace("Tiny", "学習率 and more")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_what_an_encoding_cannot_write_is_replaced(harness: Run, tmp_path: Path, encoding: str) -> None:
    grid = tmp_path / "tiny.yaml"
    grid.write_text(FOREIGN, "utf-8")
    with (tmp_path / "said").open("w", encoding=encoding) as stream, into(stream):
        assert harness("grids", str(grid)).code == 0
        assert harness("status", str(grid)).code == 0
        assert harness("grids", "学").code == 2
    said = (tmp_path / "said").read_text(encoding)
    assert "title     ??? and more" in said
    assert "cells  done  running" in said
    assert "harness: grid '" in said


@pytest.mark.parametrize(
    "more",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii", "FORCE_COLOR": "1"},
    ],
    ids=str,
)
def test_what_the_terminal_cannot_show_is_replaced(tmp_path: Path, more: dict[str, str]) -> None:
    (tmp_path / "tiny.yaml").write_text(FOREIGN, "utf-8")
    done = in_shell("harness grids tiny.yaml && harness grids 学", tmp_path, **more)
    assert done.returncode == 2
    assert "title     ??? and more" in done.stdout.decode("ascii")
    assert done.stderr.startswith(b"harness: grid '")


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"])
@pytest.mark.usefixtures("noise", "blank")
def test_a_file_is_no_terminal_whatever_the_environment_says(
    harness: Run, tiny: str, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    monkeypatch.setenv("COLUMNS", "60")
    with (tmp_path / "said").open("w") as stream, into(stream):
        monkeypatch.setattr(sweep, "out", Printer())
        assert harness("sweep", tiny, "--runner", "serial").code == 0
        assert harness("grids").code == 0
    text = (tmp_path / "said").read_text()
    assert not re.search(r"\x1b\[\??[0-9]*[A-LK]|\x1b\[\?25|\r", text)  # colours may be there, nothing else
    assert [text.count(f"[{number}/3]") for number in (1, 2, 3)] == [1, 1, 1]
    assert max(map(len, text.splitlines())) > 120  # the grids


@pytest.mark.parametrize("columns", ["abc", "0", "-5", "1", ""])
def test_a_strange_width(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """A terminal that knows no size, as inside `script`, `ssh -tt` and `docker -t`."""
    with terminal(0, 0):
        monkeypatch.setenv("COLUMNS", columns)
        monkeypatch.setenv("LINES", "0")
        size = Printer().size
    assert size == (80, 24)


def test_the_environment_has_the_last_word_on_the_width(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    with terminal(100, 50):
        sizes.append(Printer().size)
        monkeypatch.setenv("COLUMNS", "60")
        sizes.append(Printer().size)
        monkeypatch.setenv("LINES", "10")
        sizes.append(Printer().size)
    assert sizes == [(100, 50), (60, 50), (60, 10)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("instead", [None, ImportError("numpy failed to load"), SystemExit(0)])
def test_a_signal_anywhere(
    harness: Run, monkeypatch: pytest.MonkeyPatch, number: int, instead: BaseException | None
) -> None:
    def slow(words: list[str]) -> int:
        try:
            os.kill(os.getpid(), number)
            signal.pause()
        except BaseException as error:
            raise instead or error from None
        return 0

    monkeypatch.setattr(app, "run", slow)
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    said = harness("grids")
    assert (said.code, said.err) == (130, "harness: interrupted\n")
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "a sweep's"])
def test_a_signal_in_a_command(harness: Run, monkeypatch: pytest.MonkeyPatch, ours: bool) -> None:
    """Past Typer, which knows KeyboardInterrupt."""

    def scan(store: Store) -> None:
        if not ours:
            raise KeyboardInterrupt
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()

    monkeypatch.setattr(Store, "scan", scan)
    said = harness("status")
    assert (said.code, said.out, said.err) == (130, "", "harness: interrupted\n")


def test_a_signal_that_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under nohup, or in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Signals() as signals:
            os.kill(os.getpid(), signal.SIGINT)
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert not signals.came
    finally:
        signal.signal(signal.SIGINT, before)


def test_when_a_process_only_has_to_end_a_second_signal_changes_nothing() -> None:
    """It would end with -15, or a traceback, in place of its exit code."""
    before = {number: signal.getsignal(number) for number in STOPS}
    try:
        with Signals() as signals:
            signals.over = True
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_the_front_is_light() -> None:
    """Only what is imported before `main` runs can be interrupted with a traceback."""
    code = "import sys, harness.cli; print(*{'typer', 'rich', 'pydantic', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
