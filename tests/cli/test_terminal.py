"""What each command looks like in terminals of several widths: nothing is wider, no word is cut."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest

from harness import grids
from harness.cli import progress
from harness.cli.console import Printer
from harness.records import Progress, Row, publishing, record
from harness.records.store import Store
from tests import swept
from tests.cli.conftest import Run, cells, fill
from tests.cli.terminal import Screen, terminal
from tests.records.test_tables import made

WIDTHS = (60, 80, 200)


def words_of(text: str) -> set[str]:
    """Its words without punctuation, and the pieces that a narrow table folds a name into."""
    words = {word.strip("(,;)") for word in text.split()}
    parts = [re.split(r"(?<=[_=-])", word) for word in words]
    ends = ((some, a, b) for some in parts for a, b in combinations(range(len(some) + 1), 2))
    return words | {"".join(some[a:b]) for some, a, b in ends}


def check(screen: Screen, columns: int, in_a_file: str) -> None:
    """Paths apart, which stay whole, so that they can be copied."""
    lines = [line for line in screen.lines if "/" not in line]
    assert max(map(len, lines)) <= columns, "\n".join(lines)
    known = words_of(in_a_file)
    for word in {word.strip("(,;)") for line in lines for word in line.split()}:
        head, _, value = word.partition("=")  # the narrowest tables name each number
        assert word in known or {head, value} <= known, word
    assert not any("…" in line for line in screen.lines)


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize(
    "words",
    [
        ["grids"],
        ["grids", "readings"],
        ["grids", "readings", "--cells", "--where", "alpha0=1e-5"],
        ["grids", "fig2", "--cells", "--seeds", "0-1", "--where", "alpha0=1e-5"],
        ["status", "TINY"],
        ["status"],
        ["show", "ID"],
        ["show", "FAILED"],
        ["restore", "tiny"],
        ["grids", "nothing"],
        ["nothing"],
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("noise")
def test_a_command(
    harness: Run, tiny: str, results: Path, words: list[str], columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.cli import grids as dry_run

    monkeypatch.setattr(dry_run, "_timed", lambda cell, cells: 1.25)
    done, failed, _ = fill(results, tiny)
    publishing.publish(grids.load(tiny), results)
    names = {"TINY": tiny, "ID": done.cell_id, "FAILED": failed.cell_id}
    words = [names.get(word, word) for word in words]
    with terminal(columns) as screen:
        code = harness(*words).code
    said = harness(*words)
    assert said.code == code
    check(screen, columns, said.out + said.err)


@pytest.mark.usefixtures("noise", "blank")
@pytest.mark.parametrize("columns", WIDTHS)
def test_a_sweep(harness: Run, tiny: str, results: Path, columns: int) -> None:
    with terminal(columns) as screen:
        assert harness("sweep", tiny, "--runner", "serial").code == 0
    ended = [line for line in screen.lines if line.startswith("[")]
    assert [line[:5] for line in ended] == ["[1/3]", "[2/3]", "[3/3]"]
    assert "alpha-maml alpha0=0.1" in ended[0] + ended[1] + ended[2]
    assert max(len(line) for line in screen.lines if "/" not in line.replace("/3]", "")) <= columns


def live(grid: str, columns: int, rows: int = 40) -> list[str]:
    """The live display as it ends, with every cell of a seed in training."""
    every = grids.load(grid).cells()
    row = Row(iteration=123, alpha=1.23e-05, beta=4.56e-07, train_loss=2.345, train_accuracy=0.5)
    with terminal(columns, rows) as screen:
        display = progress.Display(Printer(), every, 500)
        display.begin(len(every), 0, 2)
        display.progress([Progress(cell=cell, row=row) for cell in every])
        display._live.refresh()
        display.end()
    shown = screen.lines
    last = max(place for place, line in enumerate(shown) if "so far" in line)
    return [line for line in shown[last:] if line]


@pytest.mark.parametrize("columns", [40, *WIDTHS])
@pytest.mark.parametrize("grid", ["quick", "fig2", "readings"])
def test_the_live_display_keeps_its_numbers(grid: str, columns: int) -> None:
    lines = live(grid, columns)
    assert max(map(len, lines)) <= columns
    text = "\n".join(lines)
    assert f"0/{len(grids.load(grid).cells())} cells" in text
    for number in ("123", "2.345", "1.23e-05", "4.56e-07"):
        assert len(re.findall(rf"(?<![\w.]){re.escape(number)}(?![\w.])", text)) >= 5, text
    assert "…" not in text


def test_the_live_display_shows_what_varies_and_as_many_cells_as_there_is_room_for() -> None:
    lines = live("fig2", 80)
    heads = " ".join(lines[1:3]).split()
    assert {"method", "alpha0", "beta0", "iteration", "loss", "alpha", "beta"} <= set(heads)
    assert "seed" not in heads
    assert lines[-1] == f"... and {185 - progress.MAX_ROWS} more"
    assert live("fig2", 80, rows=10)[-1] == f"... and {185 - 6} more"


@pytest.mark.parametrize("columns", [40, *WIDTHS])
def test_the_live_display_shows_what_the_methods_record(tmp_path: Path, columns: int) -> None:
    every = swept.grid_of(tmp_path, swept.MIXED).cells()
    values = {
        "maml": {"beta": 0.5},
        "reptile": {"eps": 0.25},
        "meta-sgd": {"beta": 0.75, "alpha_lowest": 3.0},
    }
    with terminal(columns) as screen:
        display = progress.Display(Printer(), every, 30)
        display.begin(len(every), 0, 2)
        rows = [{"iteration": 7, "train_loss": 2.0, "alpha": 0.1} | values[cell.method] for cell in every]
        display.progress([Progress(cell=cell, row=row) for cell, row in zip(every, rows, strict=True)])
        display._live.refresh()
        display.end()
    shown = " ".join(screen.lines)
    for number in ("0.5", "0.25", "0.75"):
        assert re.search(rf"(?<![\w.]){re.escape(number)}(?![\w.])", shown), shown
    assert not re.search("accuracy|lowest", shown)
    assert max(map(len, screen.lines)) <= columns


def test_a_failed_cell_says_why_on_lines_that_fit(tiny: str, results: Path) -> None:
    (one, *_) = cells(tiny)
    message = "RuntimeError: " + "no memory " * 12 + "[/red] \x1b[31m"
    content = record.dump(record.make(one, "failed", [], {}, message))
    with terminal(80) as screen:
        display = progress.Display(Printer(), cells(tiny), 5)
        display.begin(3, 0, 1)
        display.record(Store(results).put(content), grids.load(tiny).question)
        display.end()
    assert "\x1b[31m" not in screen.raw
    begin = next(place for place, line in enumerate(screen.lines) if line.startswith("[1/3] FAILED"))
    words = " ".join(line.strip() for line in screen.lines[begin : begin + 3])
    assert message.replace("\x1b", "\\x1b") in words
    assert max(map(len, screen.lines)) <= 80


def test_what_was_done_to_save_memory_is_said_once(tiny: str, results: Path) -> None:
    every = cells(tiny)[:3]
    with terminal(80) as screen:
        display = progress.Display(Printer(), every, 5)
        display.begin(3, 0, 1)
        for one, told in zip(every, ({}, *[{"pairs_at_once": 7, "split_from": 3}] * 2), strict=True):
            ended = record.make(one, "failed", [], told, "for another reason")
            display.record(ended, grids.load(tiny).question)
        display.end()
    said = " ".join(screen.lines)
    assert said.count("to save memory, 7 tasks of a pack's cells are computed at a time") == 1
    assert said.count("to save memory, the 3 cells of a pack train in parts, one after the other") == 1
    assert said.index("to save memory") > said.index("[2/3]")


def test_on_a_dumb_terminal_each_line_has_the_time_left(
    tiny: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(0, 10_000, 4))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(seconds)))
    every = cells(tiny)
    with terminal(80) as screen:
        monkeypatch.setenv("TERM", "dumb")
        display = progress.Display(Printer(), every, 5)
        display.begin(3, 0, 1)
        for iteration in (1, 2):
            row = Row(iteration=iteration, alpha=0.1, beta=0.1, train_loss=2.0, train_accuracy=0.5)
            display.progress([Progress(cell=every[0], row=row)])
        ended = Store(results).put(made(every[0], "budget", [1.5] * 5))
        display.record(ended, grids.load(tiny).question)
        display.end()
    assert "\x1b" not in screen.raw
    lines = [line for line in screen.lines if line]
    assert lines[2] == "at most 52 s left"  # 3 + 5 + 5 iterations, 4 s each
    assert lines[3] == "[1/3] not reached in 5  maml alpha0=0.1  (about 20 s left)"  # 10, 2 s each
