"""Files and folders that are there whole or not at all, whatever the system refuses."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.common import files
from harness.common.errors import NotWritten, reason
from harness.common.files import check_writable, whole_file, whole_files, whole_folder, write_whole


def test_write_whole_is_whole_when_the_writer_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("before")

    def breaks(temporary: Path) -> None:
        temporary.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, breaks)
    assert path.read_text() == "before"
    write_whole(path, lambda temporary: temporary.write_text("after"))
    assert path.read_text() == "after"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    place = tmp_path / "new" / "folder"
    for name in ("first", "second"):
        with whole_folder(place) as made:
            (made / name).touch()
        assert [path.name for path in place.iterdir()] == [name]
    assert [path.name for path in place.parent.iterdir()] == ["folder"]


def test_a_folder_is_not_lost_when_the_new_one_cannot_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "folder"
    with whole_folder(place) as made:
        (made / "before").touch()
    rename = Path.rename

    def fails(source: Path, target: Path) -> Path:
        if target == place:
            raise OSError("no")
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(NotWritten, match="no; the one that was there is now"), whole_folder(place) as made:
        (made / "after").touch()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["before"]


def test_a_folder_comes_back_when_the_new_one_cannot_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "folder"
    with whole_folder(place) as made:
        (made / "before").touch()
    rename = Path.rename

    def fails(source: Path, target: Path) -> Path:
        if target == place and not source.name.endswith("-old"):
            raise full()
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", fails)
    with (
        pytest.raises(NotWritten, match="folder: not written: the disk is full"),
        whole_folder(place) as made,
    ):
        (made / "after").touch()
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == [
        "folder",
        "folder/before",
    ]


@pytest.mark.parametrize(("at", "name"), [(1, "before"), (2, "before"), (3, "before"), (4, "after")], ids=str)
def test_an_interrupted_exchange_leaves_one_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, name: str
) -> None:
    """Before and after each of the two renames."""
    place = tmp_path / "folder"
    with whole_folder(place) as made:
        (made / "before").touch()
    rename, moments = Path.rename, iter(range(1, 100))

    def interrupted(source: Path, target: Path) -> Path:
        if next(moments) == at:
            raise KeyboardInterrupt
        rename(source, target)
        if next(moments) == at:
            raise KeyboardInterrupt
        return target

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), whole_folder(place) as made:
        (made / "after").touch()
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == [
        "folder",
        f"folder/{name}",
    ]


def test_a_folder_stays_as_it_was_when_its_writer_fails(tmp_path: Path) -> None:
    place = tmp_path / "folder"
    with whole_folder(place) as made:
        (made / "before").touch()
    with pytest.raises(NotWritten, match="there is a folder in its place"), whole_folder(place) as made:
        made.write_text("no file can be written in a folder's place")
    assert [path.name for path in place.iterdir()] == ["before"]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(("umask", "file", "folder"), [(0o022, 0o644, 0o755), (0o007, 0o660, 0o770)])
def test_the_umask_is_kept(tmp_path: Path, umask: int, file: int, folder: int) -> None:
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "above" / "file", lambda temporary: temporary.write_text(""))
        with whole_folder(tmp_path / "folder") as made:
            (made / "inside").touch()
    finally:
        os.umask(before)
    modes = {
        path.relative_to(tmp_path).as_posix(): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")
    }
    assert modes == {"above": folder, "above/file": file, "folder": folder, "folder/inside": file}


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(NotWritten, match=r"file: not written: there is a folder in its place$"):
        write_whole(tmp_path / "file", lambda temporary: temporary.write_text("x"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "here").write_text("kept")
    for write in (whole_file(tmp_path / "here" / "file"), whole_folder(tmp_path / "here")):
        with pytest.raises(NotWritten, match="there is a file where a folder is needed"), write:
            pass
    assert (tmp_path / "here").read_text() == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_folder_behind_a_link_is_replaced_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    with whole_folder(tmp_path / "link") as made:
        (made / "new").touch()
    assert (tmp_path / "link").is_symlink()
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["new"]


@contextlib.contextmanager
def small_files() -> Iterator[None]:
    """No file may be larger than 4 KiB in here."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_that_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")
    with small_files(), pytest.raises(NotWritten, match="larger than is allowed here"):
        write_whole(tmp_path / "file", lambda temporary: temporary.write_bytes(bytes(5000)))
    assert (tmp_path / "file").read_text() == "before"


def test_of_several_files_none_is_older_than_another(tmp_path: Path) -> None:
    """Whichever fails: what was there before is removed, with what was made from it."""
    paths = [tmp_path / name for name in ("first", "second")]
    figure = tmp_path / "figure"

    def write() -> None:
        with whole_files(paths, made_from=[figure]) as temporaries:
            for temporary in temporaries:
                temporary.write_text("after")

    for failing in paths:
        for path in (*paths, figure):
            path.write_text("before")
        failing.unlink()
        failing.mkdir()
        with pytest.raises(NotWritten, match=rf"{failing}: .*; missing now: first, second, figure$"):
            write()
        assert list(tmp_path.iterdir()) == [failing]
        failing.rmdir()


def test_what_cannot_be_removed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that is read-only, as its owner finds it."""
    (tmp_path / "file").write_text("before")

    def refuses(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", refuses)
    monkeypatch.setattr(Path, "unlink", refuses)
    with (
        pytest.raises(NotWritten, match=r"no permission; missing now: figure; still there, but older: file$"),
        whole_files([tmp_path / "file"], made_from=[tmp_path / "figure"]),
    ):
        pass


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("no")], ids=["interrupted", "refused"])
def test_files_stay_as_they_were_when_their_writer_fails(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / "file").write_text("before")
    with pytest.raises(type(error)), whole_files([tmp_path / "file"]):
        raise error
    assert (tmp_path / "file").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_that_is_read_meanwhile_is_not_the_one_that_is_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="input"), whole_file(tmp_path / "file"):
        (tmp_path / "input").read_text()


def test_a_folder_that_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "probe").write_text("a user's own")
    check_writable(tmp_path)
    check_writable(tmp_path / "new")
    assert (tmp_path / "probe").read_text() == "a user's own"
    with pytest.raises(NotWritten, match="there is a file where a folder is needed"):
        check_writable(tmp_path / "probe")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "probe"]


def test_the_words_of_the_system() -> None:
    assert reason(full()) == "the disk is full"
    assert reason(OSError(errno.EIO, "x")) == os.strerror(errno.EIO)
    assert reason(OSError("131072 requested and 0 written")) == "131072 requested and 0 written"
    assert reason(NotWritten(Path("file"), full())) == "the disk is full"


def folder(path: Path) -> None:
    path.mkdir()


def fifo(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def nowhere(path: Path) -> None:
    path.symlink_to("nothing")


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        here = Path.cwd()
        os.chdir(path.parent)  # its address must be short
        one.bind(path.name)
        os.chdir(here)


ODD = {
    "a folder": folder,
    "a pipe (FIFO)": fifo,
    "a link that leads back to itself": loop,
    "a link to nothing": nowhere,
    "a device": device,
    "a socket": listening,
}
"""Makes at a path what is no file, by what it is called."""


@pytest.mark.parametrize("kind", ODD)
def test_only_files_are_opened(tmp_path: Path, kind: str) -> None:
    ODD[kind](tmp_path / "odd")
    with pytest.raises(files.NotAFile) as error:
        files.opened(tmp_path / "odd")
    assert (error.value.strerror, error.value.filename) == (kind, str(tmp_path / "odd"))


def test_a_file_is_opened_and_a_link_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        with files.opened(tmp_path / name) as file:
            assert file.read() == b"content"
    with pytest.raises(FileNotFoundError):
        files.opened(tmp_path / "nothing")


def test_the_files_of_a_figure(tmp_path: Path) -> None:
    base = tmp_path / "fig2.v1"
    assert [path.name for path in files.figures(base)] == ["fig2.v1.png", "fig2.v1.svg", "fig2.v1.pdf"]
    own = ["fig2.v1-column-2.svg", "fig2.v1-column-12.pdf", "fig2.v1-column.png"]
    for name in (*own, "fig2.v1.png", "fig2.v1-column.txt", "fig2.v1-column-a.png", "fig2xv1-column.png"):
        (tmp_path / name).touch()
    assert {path.name for path in files.in_columns(base)} == set(own)
