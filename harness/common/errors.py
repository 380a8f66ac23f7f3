"""The errors that a command ends with in one line: those of the user, and those of the disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any


class UserError(Exception):
    """A mistake in a grid, the data, a device or a folder: one line that says where, what, and what would
    be right. The commands print it and end with exit code 2, before anything trains."""


class NotWritten(OSError):
    """A file or folder that the system refuses to write: one line that says which, why, and what is missing
    now. The commands print it and end with exit code 1."""

    def __init__(self, path: Path, error: OSError, left: str = "") -> None:
        self.reason = reason(error)
        """Why, in a few words."""
        self.left = left
        """What is missing, or older than it should be; empty: nothing more than the path."""
        super().__init__(error.errno, self.reason, str(path))

    def __str__(self) -> str:
        return f"{self.filename}: not written: {self.reason}" + (f"; {self.left}" if self.left else "")

    def __reduce__(self) -> tuple[Any, ...]:
        """As another process is told of it."""
        return NotWritten, (Path(self.filename), OSError(self.errno, self.reason), self.left)

    def leaving(self, left: str) -> NotWritten:
        """The same with what it leaves behind."""
        return NotWritten(Path(self.filename), self, "; ".join(filter(None, (self.left, left))))


class NotAFile(OSError):
    """What is there is not a file, or too large a one: `reason` says what it is."""

    def __init__(self, path: Path, kind: str) -> None:
        self.reason = kind
        super().__init__(errno.EINVAL, kind, str(path))


def reason(error: OSError) -> str:
    """What the system refused, in a few words: `the disk is full`."""
    if isinstance(error, NotWritten | NotAFile):
        return error.reason
    if error.errno is None:  # as of numpy, which tells how much it wrote
        return " ".join(str(error).split())[:80] or type(error).__name__
    return _WORDS.get(error.errno) or os.strerror(error.errno)


_WORDS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would be larger than is allowed here",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
    errno.EISDIR: "there is a folder in its place",
    errno.ENOTEMPTY: "there is a folder in its place",
    errno.ENOTDIR: "there is a file where a folder is needed",
    errno.EEXIST: "there is a file where a folder is needed",
    errno.ELOOP: "a link there leads back to itself",
    errno.ENOENT: "there is no such file or folder",
}
