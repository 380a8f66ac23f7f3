"""What goes wrong in a sweep, and what is kept: cells that fail, disks, odd files, errors, signals."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from harness.common.errors import NotWritten, UserError
from harness.common.files import whole_file
from harness.records import Record, tables
from harness.records.store import Store
from harness.sweeping import serial, work
from harness.sweeping.sweep import sweep
from tests.sweeping.tiny import Silent, request, run


def test_a_failed_cell_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = work.loop.train
    victim = request(tmp_path).cells()[1].cell_id

    def broken(pack: tuple, *arguments: object, **options: object) -> object:
        if pack[0].cell_id == victim:
            raise RuntimeError("a fault\nof two lines")
        return train(pack, *arguments, **options)

    monkeypatch.setattr(work.loop, "train", broken)
    result, _ = run(request(tmp_path))
    assert result.ran == 3
    assert list(result.failed) == [victim]
    assert "a fault of two lines" in result.failed[victim]
    trials = tables.read(request(tmp_path).folder).trials.set_index("cell_id")
    assert trials.loc[victim, "outcome"] == "failed"
    monkeypatch.undo()
    result, display = run(request(tmp_path))
    assert (display.plan, result.failed) == ((3, 2), {})


def test_a_torn_record_is_set_aside_and_run_again(tmp_path: Path) -> None:
    asked = request(tmp_path)
    run(asked)
    torn, flipped, _ = (asked.store.folder / f"{cell.cell_id}.parquet" for cell in asked.cells())
    whole = torn.read_bytes()
    torn.write_bytes(whole[: len(whole) // 2])
    content = bytearray(flipped.read_bytes())
    content[30] ^= 0xFF  # within a page: only its checksum tells
    flipped.write_bytes(content)
    result, display = run(asked)
    assert result.ran == 2
    assert len(display.notes) == 2
    assert all("set aside" in note for note in display.notes)
    assert len(list((asked.store.folder / "aside").iterdir())) == 2
    assert run(asked)[0].ran == 0
    assert tables.read(asked.folder).trials["outcome"].notna().all()


def test_a_full_disk_ends_the_sweep_and_loses_nothing_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, put = request(tmp_path), Store.put
    calls: list[bytes] = []

    def full(store: Store, content: bytes, **more: bool) -> Record:
        calls.append(content)
        if len(calls) >= 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return put(store, content, **more)

    monkeypatch.setattr(Store, "put", full)
    result, display = run(asked)
    assert result.unsaved == 1
    assert "the disk is full" in display.notes[0]
    assert len(calls) == 3  # the second record, once more at the end; the third cell never started
    monkeypatch.undo()
    result, display = run(asked)
    assert display.plan == (3, 1)


def test_a_runner_that_gives_up_leaves_its_cells_to_be_run(tmp_path: Path) -> None:
    result, _ = run(request(tmp_path), lambda *arguments: None)
    assert (result.ran, result.left, result.failed, result.interrupted) == (0, 3, {}, False)


def test_why_cells_were_left_is_what_the_runner_says(tmp_path: Path) -> None:
    result, _ = run(request(tmp_path), lambda *arguments: "Ray has a cold")
    assert (result.left, result.why_left) == (3, "Ray has a cold")


def test_a_sweep_that_keeps_nothing_leaves_tables_as_they_are(tmp_path: Path) -> None:
    """Seeds that were asked for and not run add no rows."""
    run(request(tmp_path))
    before = (request(tmp_path).folder / "trials.parquet").read_bytes()
    drawn: list[Path] = []
    result = sweep(request(tmp_path, seeds=(2, 3)), lambda *arguments: None, Silent(), draw=drawn.append)
    assert result.left == 6
    assert (request(tmp_path).folder / "trials.parquet").read_bytes() == before
    assert not drawn

    def one(packs, *arguments: object) -> None:  # of seed 2 or 3
        serial.run(packs[:1], *arguments)

    run(request(tmp_path, seeds=(2, 3)), one)
    trials = tables.read(request(tmp_path).folder).trials
    assert len(trials) == 6
    assert trials.groupby("seed")["outcome"].count().tolist() == [3, 1]


def test_a_sweep_that_keeps_nothing_makes_no_empty_tables(tmp_path: Path) -> None:
    run(request(tmp_path), lambda *arguments: None)
    assert not list(request(tmp_path).folder.iterdir())


def test_tables_that_cannot_be_written_are_no_success(tmp_path: Path) -> None:
    (request(tmp_path).folder / "trials.parquet").mkdir(parents=True)
    result, _ = run(request(tmp_path))
    assert result.ran == 3
    assert result.unwritten is not None
    assert "trials.parquet" in result.unwritten


def test_figures_that_cannot_be_written_are_no_success(tmp_path: Path) -> None:
    def draw(folder: Path) -> None:
        with whole_file(folder / "none" / "tiny.png"):
            pass

    (request(tmp_path).folder / "none").mkdir(parents=True)
    (request(tmp_path).folder / "none" / "tiny.png").mkdir()
    result = sweep(request(tmp_path), serial.run, Silent(), draw=draw)
    assert "tiny.png" in (result.unwritten or "")


def test_after_an_unexpected_error_there_are_tables_of_what_was_kept(tmp_path: Path) -> None:
    def breaks(packs, *arguments: object) -> None:
        serial.run(packs[:1], *arguments)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(request(tmp_path), breaks)
    assert tables.read(request(tmp_path).folder).trials["outcome"].count() == 1


def test_a_second_signal_stops_at_once_without_tables(tmp_path: Path) -> None:
    def stopped(packs, *arguments: object) -> None:
        serial.run(packs[:1], *arguments)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(request(tmp_path), stopped)
    assert not list(request(tmp_path).folder.iterdir())
    assert len(request(tmp_path).store.scan().headers) == 1


def test_what_is_no_record_is_set_aside_and_damage_elsewhere_is_left_out(tmp_path: Path) -> None:
    asked = request(tmp_path)
    run(asked)
    _, alpha, _ = asked.cells()
    (asked.store.folder / "notes.parquet").write_text("mine")
    (asked.store.folder / "more.parquet").mkdir()
    (asked.store.folder / f"{alpha.cell_id}.parquet").write_bytes(b"torn")
    result, display = run(request(tmp_path, where="method=maml"))
    assert result.ran == 0
    assert list(result.left_out) == [alpha.cell_id]
    assert [note.split(":")[0] for note in display.notes] == [
        "record more set aside as more.0.parquet",
        "record notes set aside as notes.0.parquet",
    ]
    result, display = run(asked)
    assert (result.ran, result.left_out) == (1, {})
    assert display.notes[0].endswith("its cell is run again")


def test_what_a_killed_sweep_left_unfinished_goes_and_a_users_files_stay(tmp_path: Path) -> None:
    folder = request(tmp_path).folder
    folder.mkdir(parents=True)
    for name in ("trials.0123456789ab.tmp", "probe", "mine.tmp"):
        (folder / name).write_text("")
    with whole_file(folder / "plot.png") as unfinished:  # of a `plot` that runs now
        run(request(tmp_path))
        names = {path.name for path in folder.iterdir()}
    assert {"probe", "mine.tmp", unfinished.name} < names
    assert "trials.0123456789ab.tmp" not in names


def test_a_record_that_may_not_be_read_is_neither_moved_nor_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(tmp_path)
    run(asked)
    names = sorted(path.name for path in asked.store.folder.iterdir())
    monkeypatch.setattr("harness.records.record.load_header", refuses)
    with pytest.raises(
        UserError, match=r"no permission to read 3 records of these cells, such as .*parquet; make"
    ):
        run(asked)
    assert sorted(path.name for path in asked.store.folder.iterdir()) == names


def refuses(path: Path, stem: str) -> None:
    raise PermissionError(errno.EACCES, "no", str(path))


def test_an_odd_entry_with_the_longest_of_names_is_set_aside_too(tmp_path: Path) -> None:
    asked = request(tmp_path)
    asked.store.folder.mkdir(parents=True)
    (asked.store.folder / f"{'a' * 247}.parquet").write_text("mine")
    assert run(asked)[0].ran == 3
    assert [path.name for path in (asked.store.folder / "aside").iterdir()] == [f"{'a' * 80}.0.parquet"]


def test_a_disk_that_is_full_for_a_moment_is_no_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, put = request(tmp_path), Store.put
    calls: list[bytes] = []

    def full_once(store: Store, content: bytes, **more: bool) -> Record:
        calls.append(content)
        if len(calls) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return put(store, content, **more)

    monkeypatch.setattr(Store, "put", full_once)
    result, _ = run(asked)
    assert (result.ran, result.left, result.unsaved, result.interrupted) == (1, 2, 0, False)
    assert result.why_left == "records could not be written"
    assert tables.read(asked.folder).trials["outcome"].count() == 1


def test_a_damaged_record_is_run_again_although_the_figure_cannot_be_written(tmp_path: Path) -> None:
    asked = request(tmp_path)
    run(asked)
    (torn, *_) = (asked.store.folder / f"{cell.cell_id}.parquet" for cell in asked.cells())
    content = bytearray(torn.read_bytes())
    content[30] ^= 0xFF  # within a page: only reading its rows tells
    torn.write_bytes(content)

    def draw(folder: Path) -> None:
        raise NotWritten(folder / "tiny.png", OSError(errno.ENOSPC, "full"))

    result = sweep(asked, serial.run, Silent(), draw=draw)
    assert result.ran == 1
    assert "tiny.png" in (result.unwritten or "")
