"""The store: results/store/<cell id>.parquet, each file one whole record. The truth of every sweep.

Files are written under a temporary name, flushed to the disk and renamed, so a record is there whole or
not at all. Copying the files of another store into this one merges the two.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from filelock import FileLock, Timeout

from harness.cell import Protocol
from harness.common.errors import UserError
from harness.common.files import write_whole
from harness.methods import Hyper
from harness.records import record as records
from harness.records.record import DamagedRecord, Header, Record

_SUFFIX = ".parquet"
_ASIDE = "aside"


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What is in a store."""

    headers: dict[str, Header]
    """By cell id."""
    damaged: dict[str, str]
    """Cell id (or file stem) -> what is wrong with its file."""

    @cached_property
    def seeds(self) -> dict[tuple[Protocol, str, Hyper], list[int]]:
        """Protocol, method and hyper-parameters -> the seeds of their records."""
        seeds: dict[tuple[Protocol, str, Hyper], list[int]] = {}
        for cell in (header.cell for header in self.headers.values()):
            seeds.setdefault((cell.protocol, cell.method, cell.hyper), []).append(cell.seed)
        return seeds


class Store:
    """The records under `<results>/store`. Reading needs no lock; one sweep at a time writes."""

    def __init__(self, results: Path) -> None:
        self.folder = results / "store"

    def scan(self) -> Scan:
        """The headers of all records, in the order of their ids."""
        paths = self.folder.glob(f"*{_SUFFIX}") if self.folder.is_dir() else []
        headers: dict[str, Header] = {}
        damaged: dict[str, str] = {}
        for path in sorted(paths, key=lambda path: path.name):
            try:
                headers[path.stem] = records.load_header(path, path.stem)
            except DamagedRecord as error:
                damaged[path.stem] = str(error)
            except FileNotFoundError:  # a sweep has just set it aside
                pass
        return Scan(headers=headers, damaged=damaged)

    def read(self, cell_id: str) -> Record:
        """The whole record. Raises DamagedRecord, FileNotFoundError."""
        return records.load(self._path(cell_id), cell_id)

    def put(self, content: bytes) -> Record:
        """Write a record (`record.dump`) and return it. A failed run never replaces one that did not fail.

        Raises OSError if it cannot be written, because the disk is full say; what was there stays untouched.
        """
        record = records.load(content)
        path = self._path(record.header.cell.cell_id)
        if record.header.ending == "failed" and path.exists():
            with contextlib.suppress(DamagedRecord):
                if records.load_header(path).ending != "failed":
                    return record
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda temporary: temporary.write_bytes(content))
        return record

    def set_aside(self, stem: str) -> Path:
        """Move a damaged file to store/aside/, where no sweep looks. Returns its new path."""
        aside = self.folder / _ASIDE
        aside.mkdir(exist_ok=True)
        number = sum(1 for _ in aside.glob(f"{stem}.*"))
        target = aside / f"{stem}.{number}{_SUFFIX}"
        self._path(stem).rename(target)
        return target

    def clear_leftovers(self) -> None:
        """Remove the temporary files of a writer that was killed. Call it only while holding the lock."""
        for path in self.folder.glob("*.tmp"):
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the store for one sweep. UserError if another sweep holds it or the folder is not writable."""
        note = self.folder / "lock.txt"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock", timeout=0)
            lock.acquire()
            note.write_text(f"process {os.getpid()} on {os.uname().nodename}\n", "utf-8")
        except Timeout:
            who = note.read_text("utf-8").strip() if note.exists() else "another process"
            raise UserError(
                f"{self.folder.parent}: {who} is running a sweep in this folder; "
                "wait for it, or choose another folder with RESULTS=..."
            ) from None
        except OSError as error:
            raise UserError(
                f"{self.folder.parent}: results cannot be written there ({error.strerror}); "
                "free space, change its permissions, or choose another folder with RESULTS=..."
            ) from None
        try:
            self.clear_leftovers()
            yield
        finally:
            note.unlink(missing_ok=True)
            lock.release()

    def _path(self, cell_id: str) -> Path:
        return self.folder / f"{cell_id}{_SUFFIX}"
