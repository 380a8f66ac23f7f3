"""The store: records whole or not at all, one sweep at a time, and what it does when the disk refuses."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import records
from harness.cell import Cell
from harness.common.errors import NotWritten, UserError
from harness.records.store import Scan, Store
from tests.common.test_files import ODD
from tests.records.test_record import BYTES, CELL, WHOLE, record

FAILED = records.dump(record("failed", [], "no memory"))
LONGER = records.dump(record(losses=[3 / i for i in range(1, 61)]))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


def files(store: Store) -> list[str]:
    return sorted(path.name for path in store.folder.iterdir())


def test_put_scan_read(store: Store) -> None:
    assert store.scan() == Scan(headers={}, damaged={})
    other = Cell.model_validate(CELL.model_dump() | {"seed": 4})
    second = records.make(other, "failed", [], {}, "no memory")
    for content in (BYTES, records.dump(second)):
        store.put(content)
    scan = store.scan()
    assert scan.headers == {CELL.cell_id: WHOLE.header, other.cell_id: second.header}
    assert list(scan.headers) == sorted(scan.headers)
    assert not scan.damaged
    assert store.read(CELL.cell_id).rows.equals(WHOLE.rows)
    assert files(store) == sorted(f"{i}.parquet" for i in scan.headers)


def test_what_is_damaged_is_named_and_the_rest_is_there(store: Store) -> None:
    store.put(BYTES)
    (store.folder / "0123456789abcdef.parquet").write_bytes(BYTES[:100])
    (store.folder / "fedcba9876543210.parquet").write_bytes(BYTES)  # renamed
    scan = store.scan()
    assert list(scan.headers) == [CELL.cell_id]
    assert "truncated" in scan.damaged["0123456789abcdef"]
    assert f"it holds cell {CELL.cell_id}" in scan.damaged["fedcba9876543210"]


def test_read_without_a_record(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        store.read(CELL.cell_id)


def test_a_record_that_goes_while_the_store_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(BYTES)

    def gone(path: Path, cell_id: str) -> records.Header:
        path.unlink()
        return load_header(path, cell_id)

    load_header = records.load_header
    monkeypatch.setattr("harness.records.record.load_header", gone)
    assert store.scan() == Scan(headers={}, damaged={})


def test_a_later_record_replaces_an_earlier_one_but_a_failure_does_not(store: Store) -> None:
    store.put(FAILED)
    assert store.read(CELL.cell_id).header.ending == "failed"
    store.put(BYTES)
    assert store.read(CELL.cell_id).header.iterations == 30
    store.put(LONGER)
    assert store.read(CELL.cell_id).header.iterations == 60
    assert store.put(FAILED).header.ending == "failed"  # it is what was given, but not what is kept
    assert store.read(CELL.cell_id).header.iterations == 60
    (store.folder / f"{CELL.cell_id}.parquet").write_bytes(b"torn")
    store.put(FAILED)
    assert store.read(CELL.cell_id).header.ending == "failed"


def test_what_is_not_a_record_is_not_stored(store: Store) -> None:
    with pytest.raises(records.DamagedRecord):
        store.put(BYTES[:-1])
    assert not store.folder.exists()


@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_a_full_disk_leaves_what_was_there(store: Store, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(BYTES)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, step, full)
        with pytest.raises(NotWritten, match="the disk is full"):
            store.put(LONGER)
    assert files(store) == [f"{CELL.cell_id}.parquet"]  # and no temporary file
    assert store.read(CELL.cell_id).header.iterations == 30


def test_set_aside_keeps_every_file(store: Store) -> None:
    for content in (b"torn", b"torn again"):
        store.put(BYTES)
        (store.folder / f"{CELL.cell_id}.parquet").write_bytes(content)
        assert store.set_aside(CELL.cell_id).read_bytes() == content
        assert store.scan() == Scan(headers={}, damaged={})
    assert len(list((store.folder / "aside").iterdir())) == 2


HOLD = """
import pathlib, sys
from harness.records.store import Store
with Store(pathlib.Path(sys.argv[1])).lock():"""
WAIT = HOLD + "\n    print('held', flush=True); sys.stdin.read()"


def test_a_second_sweep_is_refused_with_the_name_of_the_first(store: Store) -> None:
    command = [sys.executable, "-c", WAIT, str(store.folder.parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        store.put(BYTES)  # another cell's record could be copied in: reading and writing need no lock
        leftover = store.folder / "of-the-other.tmp"
        leftover.touch()
        with (
            pytest.raises(UserError, match=rf"process {other.pid} on .* is running a sweep.*RESULTS="),
            store.lock(),
        ):
            pass
        assert leftover.exists()
        assert store.held()
        other.communicate()
    assert not store.held()
    with store.lock():
        assert store.held()


def test_a_killed_sweep_holds_nothing(store: Store) -> None:
    code = HOLD + "\n    import os; os._exit(9)"
    subprocess.run([sys.executable, "-c", code, str(store.folder.parent)], check=False)
    assert (store.folder / "lock.txt").exists()  # it had no time to tidy up
    with store.lock():
        assert f"process {os.getpid()} " in (store.folder / "lock.txt").read_text()


def test_the_lock_is_given_back_after_an_error(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.lock():
        raise ZeroDivisionError
    assert not (store.folder / "lock.txt").exists()
    with store.lock():
        pass


def test_leftovers_are_cleared_under_the_lock(store: Store) -> None:
    store.put(BYTES)
    (store.folder / f"{CELL.cell_id}.0123456789ab.tmp").write_bytes(BYTES[:50])
    store.scan()
    assert len(files(store)) == 2
    with store.lock():
        assert not list(store.folder.glob("*.tmp"))
    assert store.read(CELL.cell_id).rows.equals(WHOLE.rows)


def a_file_in_its_place(results: Path) -> None:
    results.write_text("not a folder")


def a_file_above(results: Path) -> None:
    results.mkdir()
    (results / "store").write_text("not a folder")


@pytest.mark.parametrize("spoil", [a_file_in_its_place, a_file_above])
def test_no_place_to_write(store: Store, spoil: Callable[[Path], None]) -> None:
    results = store.folder.parent
    spoil(results)
    with (
        pytest.raises(UserError, match=r"results: results cannot be written there \(.*RESULTS=") as error,
        store.lock(),
    ):
        pass
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match=r"store: not a folder of records"):
        store.scan()  # not the same as a store without records


@pytest.mark.parametrize("kind", ["a link to nothing", "a link that leads back to itself", "a pipe (FIFO)"])
def test_what_is_no_store(store: Store, kind: str) -> None:
    store.folder.parent.mkdir()
    ODD[kind](store.folder)
    with pytest.raises(UserError, match=r"store: [^\n]*$"):
        store.scan()
    with pytest.raises(UserError, match=r"results cannot be written there \([^\n]*$"), store.lock():
        pass


def test_a_store_behind_a_link(store: Store, tmp_path: Path) -> None:
    """And records behind links: merged without being copied."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "one.parquet").write_bytes(BYTES)
    store.folder.parent.mkdir()
    store.folder.symlink_to(tmp_path / "elsewhere")
    (store.folder / f"{CELL.cell_id}.parquet").symlink_to(tmp_path / "one.parquet")
    assert store.scan() == Scan(headers={CELL.cell_id: WHOLE.header}, damaged={})
    store.put(LONGER)
    assert store.read(CELL.cell_id).header.iterations == 60
    assert (tmp_path / "one.parquet").read_bytes() == BYTES  # what a link leads to belongs to someone else


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_file_is_damaged_and_set_aside(store: Store, kind: str) -> None:
    other = "0123456789abcdef"
    store.put(BYTES)
    ODD[kind](store.folder / f"{other}.parquet")
    scan = store.scan()
    assert list(scan.headers) == [CELL.cell_id]
    assert scan.damaged == {other: f"not a record but {kind}"}
    with pytest.raises(records.DamagedRecord, match="not a record but"):
        store.read(other)
    assert os.path.lexists(store.set_aside(other))
    assert store.scan().damaged == {}


def test_a_failure_does_not_stop_at_what_is_no_file(store: Store) -> None:
    store.folder.mkdir(parents=True)
    os.mkfifo(store.folder / f"{CELL.cell_id}.parquet")
    store.put(FAILED)
    assert store.read(CELL.cell_id).header.ending == "failed"


def test_set_aside_with_a_name_that_is_a_pattern(store: Store) -> None:
    store.folder.mkdir(parents=True)
    for _ in range(2):
        (store.folder / "[ab]*.parquet").write_text("x")
        store.set_aside("[ab]*")
    assert len(list((store.folder / "aside").iterdir())) == 2


def test_no_folder_to_set_aside(store: Store) -> None:
    store.put(BYTES)
    (store.folder / "aside").write_text("a file")
    with pytest.raises(NotWritten, match=r"aside: not written: there is a file where a folder is needed"):
        store.set_aside(CELL.cell_id)
    assert files(store) == [f"{CELL.cell_id}.parquet", "aside"]


def test_a_record_that_may_not_be_read_is_not_damaged(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As another user's: it is neither set aside nor trained again."""
    store.put(BYTES)

    def refuses(path: Path, flags: int) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "open", refuses)
    assert store.scan().damaged == {CELL.cell_id: "no permission to read it"}


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOLCK, r"its file system has no locks \(No locks available\).*RESULTS="),
        (errno.ENOTSUP, "its file system has no locks"),
        (errno.ENOSYS, "its file system has no locks"),
        (errno.EINVAL, "its file system has no locks"),
        (errno.EAGAIN, "another process is running a sweep"),
        (errno.EACCES, "another process is running a sweep"),
        (errno.EIO, r"results cannot be written there \(Input/output error\)"),
    ],
    ids=lambda value: errno.errorcode[value] if isinstance(value, int) else "",
)
def test_what_the_file_system_says_of_a_lock(
    store: Store, number: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(descriptor: int, what: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuses)
    with pytest.raises(UserError, match=f"^{store.folder.parent}: {message}"), store.lock():
        pass


@pytest.mark.parametrize(
    ("note", "who"),
    [
        (
            "process 17 on elsewhere (since 2026-01-02 03:04:05 UTC)\n",
            "process 17 on elsewhere (since 2026-01-02",
        ),
        ("pro\x1b[31mcess\n17" * 50, r"pro\x1b[31mcess 17pro"),
        (None, "another process"),
    ],
    ids=["of another machine", "hostile", "none"],
)
def test_a_lock_that_another_machine_left(store: Store, note: str | None, who: str) -> None:
    with store.lock():
        path = store.folder / "lock.txt"
        path.unlink()
        if note is not None:
            path.write_text(note)
        with pytest.raises(UserError) as error, store.lock():
            pass
    said = str(error.value)
    assert said.startswith(f"{store.folder.parent}: {who}")
    assert said.isprintable()
    gone = f"if that machine is gone, delete {store.folder / '.lock'}"
    assert said.endswith(gone) == (note is not None)


def test_to_ask_for_the_lock_leaves_nothing_behind(store: Store) -> None:
    assert not store.held()
    assert not store.folder.exists()
    store.folder.mkdir(parents=True)
    os.mkfifo(store.folder / ".lock")
    assert not store.held()
    assert files(store) == [".lock"]


def test_a_lock_that_is_a_folder(store: Store) -> None:
    for name in (".lock", "lock.txt"):
        (store.folder / name).mkdir(parents=True)
        with (
            pytest.raises(UserError, match=rf"written there \(.*{name}: there is a folder in its place\)"),
            store.lock(),
        ):
            pass
        (store.folder / name).rmdir()


def test_a_note_that_is_a_pipe_is_replaced(store: Store) -> None:
    store.folder.mkdir(parents=True)
    os.mkfifo(store.folder / "lock.txt")
    (store.folder / "of a folder.tmp").mkdir()
    with store.lock():
        assert (store.folder / "lock.txt").is_file()
    assert files(store) == [".lock", "of a folder.tmp"]
