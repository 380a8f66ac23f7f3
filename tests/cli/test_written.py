"""What cannot be written is exit code 1 and a line that says what is missing; nothing old passes for new."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness import grids
from harness.common import places
from harness.records import publishing
from harness.records.store import Store
from tests.cli.conftest import Run, Said, cells
from tests.common.test_files import ODD, small_files
from tests.records.test_tables import made


def fill(results: Path, tiny: str) -> None:
    for cell in cells(tiny):
        Store(results).put(made(cell, "budget", [1.5] * 5))


@pytest.fixture
def published(tiny: str, tmp_path: Path, reference_folder: Path) -> Path:
    fill(tmp_path / "elsewhere", tiny)
    return publishing.publish(grids.load(tiny), tmp_path / "elsewhere")


def is_not_written(said: Said, path: Path, reason: str = "there is a folder in its place") -> None:
    assert said.code == 1
    assert re.fullmatch(rf"harness: {path}: not written: {reason}[^\n]*\n", said.err), said.err


NAMES = ["trials.parquet", "trajectories.parquet", "tiny.png", "tiny.svg", "tiny.pdf"]


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize("name", NAMES)
def test_a_folder_in_the_place_of_what_plot_makes(harness: Run, tiny: str, results: Path, name: str) -> None:
    fill(results, tiny)
    assert harness("plot", tiny).code == 0
    folder = results / "tiny"
    (folder / name).unlink()
    (folder / name).mkdir()
    said = harness("plot", tiny)
    is_not_written(said, folder / name)
    figures = name in NAMES[2:]
    missing = NAMES[2:] if figures else NAMES
    assert f"missing now: {', '.join(missing)}" in said.err
    left = {path.name for path in folder.iterdir() if path.is_file()}
    assert left == ({*NAMES[:2]} if figures else set())


@pytest.mark.usefixtures("published")
def test_a_folder_in_the_place_of_what_others_make(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny)
    folder = results / "tiny"
    for words, name in (
        (("plot", "tiny"), "tiny.svg"),
        (("compare", tiny), "compare.parquet"),
        (("compare", tiny), "compare.png"),
    ):
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir(parents=True)
        is_not_written(harness(*words), folder / name)
        (folder / name).rmdir()
        assert harness(*words).code == 0


def test_a_file_that_does_not_fit(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny)
    with small_files():
        said = harness("plot", tiny)
    is_not_written(said, results / "tiny" / "t[a-z]+.parquet", "the file would be larger")
    assert list((results / "tiny").iterdir()) == []


def test_publish_where_there_is_a_file(harness: Run, tiny: str, results: Path) -> None:
    fill(results, tiny)
    places.REFERENCE.write_text("a file")
    said = harness("publish", tiny)
    is_not_written(said, places.REFERENCE / "tiny", "there is a file where a folder is needed")


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("kind", ODD)
def test_restore_sets_aside_what_is_in_the_way(harness: Run, tiny: str, results: Path, kind: str) -> None:
    """Then it goes on."""
    (results / "store").mkdir(parents=True)
    first, *_ = cells(tiny)
    ODD[kind](results / "store" / f"{first.cell_id}.parquet")
    said = harness("restore", "tiny")
    assert said.out == f"tiny: 3 records put into {results / 'store'}\n"
    assert len(list((results / "store" / "aside").iterdir())) == 1
    assert (
        harness("restore", "tiny")
        .out.strip()
        .endswith(f"0 records put into {results / 'store'}, 3 were there already")
    )


def spoilt(results: Path, kind: str, tiny: str) -> str:
    """One of the records, spoilt; its cell id."""
    path = results / "store" / f"{cells(tiny)[1].cell_id}.parquet"
    content = path.read_bytes()
    path.unlink()
    if kind in ODD:
        ODD[kind](path)
    else:
        path.write_bytes(content[:-9] if kind == "torn" else b"")
    return path.stem


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize("kind", [*ODD, "torn", "empty"])
def test_no_command_stops_at_a_spoilt_record(harness: Run, tiny: str, results: Path, kind: str) -> None:
    fill(results, tiny)
    cell_id = spoilt(results, kind, tiny)
    (results / "store" / "no record.parquet").mkdir()
    said = harness("plot", tiny)
    assert said.code == 0, said.err
    assert f"tiny: record {cell_id} left out, damaged: " in said.out
    assert "1 more damaged file, of no cell that is drawn: no record" in said.out
    for words in (("status", tiny), ("status",), ("grids", tiny, "--cells"), ("plot",)):
        said = harness(*words)
        assert said.code == 0, said.err
    said = harness("show", cell_id)
    assert said.code == 2
    assert said.err.startswith(f"harness: cell {cell_id}: ")
    assert said.err.count("\n") == 1


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("name", ["trials.parquet", "trajectories.parquet"])
def test_no_command_stops_at_spoilt_tables(
    harness: Run, tiny: str, results: Path, name: str, kind: str
) -> None:
    """All but those that need them go on; `plot` makes them again, unless there is a folder in the way."""
    fill(results, tiny)
    assert harness("plot", tiny).code == 0
    (results / "tiny" / name).unlink()
    ODD[kind](results / "tiny" / name)
    assert harness("status").code == 0
    said = harness("plot", tiny)
    if kind == "a folder":
        is_not_written(said, results / "tiny" / name)
    else:
        assert said.code == 0, said.err
        assert (results / "tiny" / name).is_file()


@pytest.mark.parametrize("kind", [kind for kind in ODD if kind != "a folder"])
@pytest.mark.parametrize("command", ["plot", "status", "show", "compare"])
def test_what_is_no_store_is_one_line(
    harness: Run, tiny: str, results: Path, command: str, kind: str
) -> None:
    results.mkdir()
    ODD[kind](results / "store")
    said = harness(command, "0af8" if command == "show" else tiny)
    assert said.code == 2
    assert re.fullmatch(r"harness: [^\n]*store[^\n]*\n", said.err), said.err


def test_two_files_of_one_name(harness: Run, tiny: str, results: Path, tmp_path: Path) -> None:
    """One's tables are not overwritten by the other, as long as it is there and says something else."""
    fill(results, tiny)
    assert harness("plot", tiny).code == 0
    drawn = (results / "tiny" / "tiny.svg").read_text()
    other = tmp_path / "other" / "tiny.yaml"
    other.parent.mkdir()
    other.write_text(Path(tiny).read_text())
    assert harness("plot", str(other)).code == 0  # the same grid
    assert harness("plot", tiny).code == 0
    other.write_text(Path(tiny).read_text().replace("Tiny", "Other"))
    said = harness("plot", str(other))
    assert said.code == 2
    assert said.err == (
        f"harness: {results / 'tiny'}: holds the tables of {tiny}; rename one of the two files, or choose "
        "another folder with RESULTS=...\n"
    )
    assert (results / "tiny" / "tiny.svg").read_text() == drawn
    said = harness("plot", tiny, str(other))
    assert said.code == 2
    assert "both would be results/tiny; rename one" in said.err
    Path(tiny).write_text(Path(tiny).read_text().replace("Tiny", "Mine"))  # edited: it may be drawn again
    assert harness("plot", tiny).code == 0
    assert "Mine" in (results / "tiny" / "tiny.svg").read_text()
    Path(tiny).unlink()
    assert harness("plot", str(other)).code == 0
    assert "Other" in (results / "tiny" / "tiny.svg").read_text()
