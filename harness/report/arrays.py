"""Numbers as the page carries them: arrays one after another in one compressed block of text."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

TYPES = ("u1", "u2", "u4", "f4", "f8")
"""Of arrays, as numpy names them; the page has a typed array for each."""
MANTISSA = 11
"""Bits of a fraction that `rounded` keeps: a relative error of at most 1 in 4,096."""


class Block:
    """Arrays to be written into a page. Each is known by a small dictionary, which JavaScript reads."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._end = 0

    def exact(self, values: NDArray[Any]) -> dict[str, Any]:
        """Add an array [n] of numbers, in the smallest of TYPES that loses nothing. NaN stays NaN."""
        kind = _smallest(values)
        plain = np.ascontiguousarray(values, f"<{kind}")
        # The first bytes of all numbers before their second: like stands by like, and packs well.
        planes = plain.view(np.uint8).reshape(plain.size, plain.itemsize).T.tobytes()
        self._parts.append(planes)
        self._end += len(planes)
        return {"type": kind, "at": self._end - len(planes), "length": plain.size}

    def texts(self, values: Sequence[str | None]) -> dict[str, Any]:
        """Add texts: those that differ, and which of them each is. None is -1."""
        known: dict[str | None, int] = {}
        codes = [0 if text is None else known.setdefault(text, len(known)) + 1 for text in values]
        return {"texts": [*known], "codes": self.exact(np.array(codes, np.int64))}

    def written(self) -> str:
        """The whole block: gzip, then base64; the same arrays, the same text."""
        packed = gzip.compress(b"".join(self._parts), compresslevel=9, mtime=0)
        return base64.b64encode(packed).decode("ascii")


def _smallest(values: NDArray[Any]) -> str:
    if values.dtype.kind in "iub":
        least, most = (int(values.min()), int(values.max())) if values.size else (0, 0)
        for kind in TYPES[:3]:
            if least >= 0 and most <= np.iinfo(kind).max:
                return kind
        return "f8"
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    return "f4" if np.array_equal(narrow, values, equal_nan=True) else "f8"


def rounded(values: NDArray[Any]) -> NDArray[np.float64]:
    """Numbers good enough to draw: with MANTISSA bits of fraction, of which a float32 needs no more."""
    dropped = 52 - MANTISSA
    bits = np.asarray(values, np.float64).view(np.uint64)
    half, mask = np.uint64(1 << (dropped - 1)), np.uint64((2**64 - 1) << dropped & (2**64 - 1))
    near = ((bits + half) & mask).view(np.float64)
    return np.where(np.isfinite(values), near, values)
