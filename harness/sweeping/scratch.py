"""A folder for the temporary files of one sweep. It goes with the sweep, or else when the next one begins."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness.common.files import opened

PREFIX = "harness-"
_LOCK = ".lock"


@contextlib.contextmanager
def folder(parent: Path) -> Iterator[Path]:
    """An empty folder in `parent`, deleted at the end. A lock beside it tells others that it is in use: what
    killed sweeps have left is deleted first. Raises OSError if it cannot be made."""
    clear(parent)
    with _locked(parent) as lock:
        made = lock.with_suffix("")
        made.mkdir(mode=0o700)
        try:
            yield made
        finally:
            try:
                shutil.rmtree(made, ignore_errors=True)
            except KeyboardInterrupt:  # a second signal: it takes no longer than that
                shutil.rmtree(made, ignore_errors=True)
                raise


def clear(parent: Path) -> None:
    """Delete the folders whose sweeps are gone, which the kernel tells by their locks."""
    for path in parent.glob(f"{PREFIX}*{_LOCK}"):
        with contextlib.suppress(OSError), opened(path) as lock:
            if path.lstat().st_uid == os.getuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path.with_suffix(""), ignore_errors=True)
                path.unlink()


@contextlib.contextmanager
def _locked(parent: Path) -> Iterator[Path]:
    """A lock file of our own, held for the block and then deleted."""
    while True:
        handle, name = tempfile.mkstemp(prefix=PREFIX, suffix=_LOCK, dir=parent)
        path = Path(name)
        with contextlib.suppress(OSError):  # no locks here: then nobody else can take it either
            fcntl.flock(handle, fcntl.LOCK_EX)
        if path.exists():
            break
        os.close(handle)  # between its making and its locking, `clear` of another sweep took it
    try:
        yield path
    finally:
        if not path.with_suffix("").exists():  # else the next sweep finds the folder by its lock
            path.unlink(missing_ok=True)
        os.close(handle)
