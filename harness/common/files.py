"""Files and folders that are written whole or not at all, and files that are read without waiting."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from harness.common.errors import NotAFile, NotWritten

FIGURES = ("png", "svg", "pdf")
"""The kinds of file that each figure is written as."""
COLUMN = "-column"
"""Ends the names of figures that are as wide as a paper's column."""


def figures(base: Path) -> list[Path]:
    """The files of a figure that is named without a suffix."""
    return [base.with_name(f"{base.name}.{kind}") for kind in FIGURES]


def in_columns(base: Path) -> list[Path]:
    """The files that there are of its version for a paper's column, whose parts after the first have
    numbers."""
    known = re.compile(rf"{re.escape(base.name + COLUMN)}(-\d+)?\.({'|'.join(FIGURES)})")
    return sorted(path for path in base.parent.glob("*") if known.fullmatch(path.name))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Have `write` fill a temporary file that then becomes `path`: see whole_file."""
    with whole_file(path) as temporary:
        write(temporary)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary file to fill; it is flushed to the disk and becomes `path` if the block ends without an
    error. The folders above it are made, and the umask is kept.

    Whatever goes wrong, `path` holds either its old content or the new one, complete. The temporary file
    is in the same folder and its name ends in .tmp. Raises NotWritten if the system refuses.
    """
    with _refused(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _beside(path, ".tmp")
        mark = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    try:
        with contextlib.suppress(OSError):  # where there are no locks, nobody clears anything
            fcntl.flock(mark, fcntl.LOCK_EX)
        with _refused(path, temporary):
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    finally:
        os.close(mark)
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def whole_files(paths: Sequence[Path], made_from: Sequence[Path] = ()) -> Iterator[list[Path]]:
    """Temporary files to fill, one for each of `paths`, which they become together at the end: see
    whole_file.

    If the system refuses one of them, none of the older ones may pass for new: they are removed, and so are
    the files `made_from` them. NotWritten says what is missing, and what could not be removed.
    """
    try:
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(whole_file(path)) for path in paths]
    except NotWritten as error:
        raise error.leaving(_removed([*paths, *made_from])) from error


def _removed(paths: Sequence[Path]) -> str:
    """Remove these files; what that leaves, in words."""
    for path in paths:
        with contextlib.suppress(OSError):  # a folder in the file's place, a folder that is read-only
            path.unlink()
    older = [path.name for path in paths if path.is_file()]
    missing = [path.name for path in paths if path.name not in older]
    left = (("missing now", missing), ("still there, but older", older))
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in left if names)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A temporary folder to fill beside `path`; it replaces `path` if the block ends without an error. See
    whole_file."""
    path = path.resolve()  # the folder that a link leads to, not the link
    with _refused(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        made = _beside(path.with_name(".making"), "")
        made.mkdir()
    old = made.with_name(f"{made.name}-old")
    try:
        with _refused(path, made):
            yield made
            _exchange(path, made, old)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _exchange(path: Path, made: Path, old: Path) -> None:
    """Put `made` in the place of `path`, which waits under the name `old` meanwhile."""
    if not path.exists():
        made.rename(path)
        return
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(made))
    try:
        path.rename(old)
        made.rename(path)
    except BaseException as error:  # an interruption too, before, between or after the two
        try:
            if not path.exists():
                old.rename(path)
        except OSError as refusal:
            why = error if isinstance(error, OSError) else refusal
            raise NotWritten(path, why, f"the one that was there is now {old}") from error
        raise
    finally:
        if path.exists():  # until then, the old one is the only complete folder
            shutil.rmtree(old, ignore_errors=True)


def clear_leftovers(folder: Path) -> None:
    """Remove the temporary files of writers that were killed, and no others: a living one holds a lock."""
    for path in folder.glob("*.tmp"):
        if re.search(_NAME, path.name):
            with contextlib.suppress(OSError), opened(path) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def check_writable(folder: Path) -> None:
    """Make and remove a file in `folder`, under a name that nothing else has. Raises NotWritten."""
    with _refused(folder):
        folder.mkdir(parents=True, exist_ok=True)
        probe = _beside(folder / "probe", ".tmp")
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        probe.unlink()


_NAME = r"\.[0-9a-f]{12}\.tmp$"


def _beside(path: Path, suffix: str) -> Path:
    """A new name in the same folder, of a length that every file system takes."""
    return path.with_name(f"{path.stem[:80]}.{secrets.token_hex(6)}{suffix}")


@contextlib.contextmanager
def _refused(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """An error of the system about `path` or about its temporary file or folder becomes NotWritten. One about
    another file, which was read meanwhile, is raised as it is."""
    try:
        yield
    except NotWritten:
        raise
    except OSError as error:
        about = error.filename
        if temporary is None or about is None or Path(os.fsdecode(about)).is_relative_to(temporary):
            raise NotWritten(path, error) from error
        raise


def opened(path: Path, most: int | None = None) -> io.FileIO:
    """A file, or the one that a link leads to, open for reading. It never waits, as for a FIFO.

    most: bytes; None: any number. Raises NotAFile if it is larger, or if something else is there, a link
    without an end or a target included; otherwise OSError as the system does.
    """
    return io.FileIO(_descriptor(path, most)[0])


def last_bytes(path: Path, count: int, most: int | None = None) -> tuple[bytes, int]:
    """The last `count` bytes of a file, or all if it has no more, and its size. Raises as `opened` does."""
    descriptor, size = _descriptor(path, most)
    try:
        return os.pread(descriptor, count, max(0, size - count)), size
    finally:
        os.close(descriptor)


def _descriptor(path: Path, most: int | None) -> tuple[int, int]:
    """Of the open file, and its size in bytes."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise NotAFile(path, _NO_FILE[error.errno]) from None
        if error.errno == errno.ENOENT and path.is_symlink():
            raise NotAFile(path, "a link to nothing") from None
        raise
    about = os.fstat(descriptor)
    if stat.S_ISREG(about.st_mode) and (most is None or about.st_size <= most):
        return descriptor, about.st_size
    os.close(descriptor)
    large = f"a file of more than {(most or 0) >> 20} MiB"
    raise NotAFile(path, next((kind for test, kind in _KINDS if test(about.st_mode)), large))


_NO_FILE = {errno.ELOOP: "a link that leads back to itself", errno.ENXIO: "a socket"}
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe (FIFO)"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
