"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Have `write` fill a temporary file that then becomes `path`: see whole_file."""
    with whole_file(path) as temporary:
        write(temporary)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary file to fill; it is flushed to the disk and becomes `path` if the block ends without an
    error.

    Whatever goes wrong, `path` holds either its old content or the new one, complete. The temporary file
    is in the same folder and its name ends in .tmp.
    """
    handle, name = tempfile.mkstemp(suffix=".tmp", prefix=f"{path.stem}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A temporary folder to fill beside `path`; it replaces `path` if the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".making-", dir=path.parent))
    old = made.with_name(f"{made.name}-old")
    try:
        yield made
        made.chmod(0o755)
        if path.exists():
            path.rename(old)
        made.rename(path)
        shutil.rmtree(old, ignore_errors=True)  # only now: until then it is the only complete folder
    finally:
        shutil.rmtree(made, ignore_errors=True)
