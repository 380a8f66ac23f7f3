"""The store: results/store/<cell id>.parquet, each file one whole record. The truth of every sweep.

Files are written under a temporary name, flushed to the disk and renamed, so a record is there whole or
not at all. Copying the files of another store into this one merges the two.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from harness.cell import Point
from harness.common.errors import NotWritten, UserError, reason
from harness.common.files import clear_leftovers, opened, write_whole
from harness.common.machine import undisturbed
from harness.common.text import one_line
from harness.records import record as records
from harness.records.record import DamagedRecord, ForeignRecord, Header, Record

_SUFFIX = ".parquet"
_ASIDE = "aside"
UNREADABLE = "no permission to read it"
"""Of a record, another user's say: it is left out, but it is not damaged, and no sweep sets it aside."""
_HELD = (errno.EAGAIN, errno.EACCES)
"""What flock says where another process has the lock."""
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)
"""What it says where the file system cannot lock, as some on networks."""


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What is in a store."""

    headers: dict[str, Header]
    """By cell id."""
    damaged: dict[str, str]
    """Cell id (or file stem) -> what is wrong with its file."""
    foreign: dict[str, str] = field(default_factory=dict)
    """Cell id -> what its record is of and is not loaded: `method sign`. Nothing is wrong with it."""

    @cached_property
    def seeds(self) -> dict[Point, list[int]]:
        """The seeds of the records of each point."""
        seeds: dict[Point, list[int]] = {}
        for cell in (header.cell for header in self.headers.values()):
            seeds.setdefault(cell.point, []).append(cell.seed)
        return seeds


class Store:
    """The records under `<results>/store`. Reading needs no lock; one sweep at a time writes."""

    def __init__(self, results: Path) -> None:
        self.folder = results / "store"

    def scan(self) -> Scan:
        """The headers of all records, in the order of their ids. A store that is not there has none.

        UserError: something else is in its place. OSError: it cannot be read.
        """
        with undisturbed():
            return self._scan()

    def _scan(self) -> Scan:
        headers: dict[str, Header] = {}
        damaged: dict[str, str] = {}
        foreign: dict[str, str] = {}
        for path in self._paths():
            stem = path.name.removesuffix(_SUFFIX)
            try:
                headers[stem] = records.load_header(path, stem)
            except DamagedRecord as error:
                damaged[stem] = str(error)
            except ForeignRecord as error:
                foreign[stem] = str(error)
            except PermissionError:
                damaged[stem] = UNREADABLE
            except FileNotFoundError:  # a sweep has just set it aside
                pass
        return Scan(headers=headers, damaged=damaged, foreign=foreign)

    def _paths(self) -> list[Path]:
        """All that is named as a record is, whatever it is, in the order of the names."""
        try:
            found = [path for path in self.folder.iterdir() if path.name.endswith(_SUFFIX)]
            return sorted(found, key=lambda path: path.name)
        except FileNotFoundError:
            if not self.folder.is_symlink():
                return []
            raise UserError(f"{self.folder}: a link to nothing; remove it or mend it") from None
        except OSError as error:
            if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                raise
            raise UserError(f"{self.folder}: not a folder of records ({reason(error)})") from None

    def read(self, cell_id: str) -> Record:
        """The whole record. Raises DamagedRecord, ForeignRecord, FileNotFoundError."""
        return records.load(self._path(cell_id), cell_id)

    def put(self, content: bytes, longer_stays: bool = False) -> Record:
        """Write a record (`record.dump`) and return it. A failed run never replaces one that did not fail;
        longer_stays: nor does a run a longer one of the same arithmetic and plug-ins.

        Raises NotWritten if the system refuses; what was there stays untouched.
        """
        record = records.load(content)
        path = self._path(record.header.cell.cell_id)
        with contextlib.suppress(DamagedRecord, ForeignRecord, OSError):  # none yet, or none that counts
            old = records.load_header(path)
            if _failed_alone(record.header, old) or (longer_stays and _is_longer(old, record.header)):
                return record
        write_whole(path, lambda temporary: temporary.write_bytes(content))
        return record

    def set_aside(self, stem: str) -> Path:
        """Move what is damaged, whatever it is, to store/aside/, where no sweep looks. Returns its new path.

        Raises NotWritten; FileNotFoundError if it is gone.
        """
        aside = self.folder / _ASIDE
        try:
            aside.mkdir(exist_ok=True)
        except OSError as error:
            raise NotWritten(aside, error) from error
        number = 0
        while os.path.lexists(target := aside / f"{stem[:80]}.{number}{_SUFFIX}"):
            number += 1
        try:
            self._path(stem).rename(target)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise NotWritten(target, error) from error
        return target

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the store for one sweep. UserError if another sweep holds it or the folder is not writable.

        The system gives the lock back when the process ends, however it ends. `lock.txt` says who holds it.
        """
        results, path, note = self.folder.parent, self.folder / ".lock", self.folder / "lock.txt"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise _no_place(results, error) from None
        try:
            _lock(descriptor)
            write_whole(note, lambda file: file.write_text(_signature(), "utf-8"))
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, NotWritten) or error.errno not in {*_HELD, *_NO_LOCKS}:
                raise _no_place(results, error) from None
            if error.errno in _HELD:
                raise UserError(f"{results}: {self._holder()}") from None
            raise UserError(
                f"{results}: its file system has no locks ({os.strerror(error.errno)}), and without them two "
                "sweeps could write at once; choose a folder on another disk with RESULTS=..."
            ) from None
        try:
            clear_leftovers(self.folder)
            yield
        finally:
            with contextlib.suppress(OSError):
                note.unlink()
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a process that was forked meanwhile may have it open too
            os.close(descriptor)

    def held(self) -> bool:
        """Whether a sweep holds the lock now. Nothing is made to find out."""
        try:
            with opened(self.folder / ".lock") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return False
        except OSError as error:
            return error.errno in _HELD

    def _holder(self) -> str:
        """Who holds the lock, and what to do about it."""
        try:
            with opened(self.folder / "lock.txt") as file:
                who = one_line(file.read(1000).decode(errors="replace"), 200)
        except OSError:
            who = ""
        advice = "wait for it, or choose another folder with RESULTS=..."
        if who and f" on {os.uname().nodename} (" not in who:
            advice += f"; if that machine is gone, delete {self.folder / '.lock'}"
        return f"{who or 'another process'} is running a sweep in this folder; {advice}"

    def _path(self, cell_id: str) -> Path:
        return self.folder / f"{cell_id}{_SUFFIX}"


def _failed_alone(new: Header, old: Header) -> bool:
    return new.ending == "failed" and old.ending != "failed"


def _is_longer(old: Header, new: Header) -> bool:
    """Whether a record has more than another of its cell, made by the same arithmetic and plug-ins."""
    made = [(one.numerics, one.provenance.get("plugins")) for one in (new, old)]
    return made[0] == made[1] and old.ending != "failed" and old.iterations > new.iterations


def _lock(descriptor: int) -> None:
    """Take the lock, or raise OSError. It is tried for a moment: `held` takes it too, to see if it can."""
    for _ in range(9):
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _HELD:
                raise
            time.sleep(0.02)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _signature() -> str:
    """Of this process: `process 17 on node3 (since 2026-01-02 03:04:05 UTC)`."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"process {os.getpid()} on {os.uname().nodename} (since {now})\n"


def _no_place(results: Path, error: OSError) -> UserError:
    what = f"{error.filename}: {reason(error)}" if error.filename else reason(error)
    return UserError(
        f"{results}: results cannot be written there ({what}); free space, change its permissions, or choose "
        "another folder with RESULTS=..."
    )
