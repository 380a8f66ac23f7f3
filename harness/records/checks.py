"""Whether what a file says of itself can be a record's header: nothing is trusted, as stores are merged by
copying.

Here are the types and bounds of everything but the cell, which checks itself. A command reads the headers of
thousands of records, so this is plain code.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

from harness.common.text import one_line
from harness.records import schema
from harness.records.passages import WINDOW

MAX_BYTES = 1 << 28
"""Of a file: a record of a million iterations has a quarter of it."""
_LARGEST = 2**63 - 1
_ENTRIES = 100
"""Entries of the provenance, or of one of its mappings."""


def wrong(header: dict[str, Any]) -> str | None:
    """The first field with a value that no record has, in words; None: all are as they are written.

    `header`: the fields of record.Header but the cell.
    """
    ending, iterations, lowest = header["ending"], header["iterations"], header["lowest_sustained"]
    if ending not in schema.ENDINGS:
        return _words("ending", ending)
    if type(iterations) is not int or not 0 <= iterations <= schema.MAX_ITERATIONS:
        return _words("iterations", iterations)
    if lowest is not None and not (type(lowest) is float and math.isfinite(lowest)):
        return _words("lowest_sustained", lowest)
    if not _is_count(header["numerics"]):
        return _words("numerics", header["numerics"])
    if not (header["error"] is None or type(header["error"]) is str):
        return _words("error", header["error"])
    if (lowest is not None and iterations < WINDOW) or (ending == "stopped" and lowest is None):
        return f"lowest_sustained {lowest} after {iterations} iterations"
    return _wrong_origin(header["provenance"])


def wrong_names(fields: Any, names: frozenset[str], what: str) -> str | None:
    """What a mapping has beside these names, or lacks, in words; None: it has them all and no other."""
    if type(fields) is not dict:
        return f"its {what} is {shown(fields)}"
    if fields.keys() == names:
        return None
    more = [name for name in fields if name not in names]
    return one_line(
        f"its {what} has {more[0]}" if more else f"its {what} lacks {min(names - fields.keys())}", 80
    )


def _wrong_origin(origin: Any) -> str | None:
    """The same for the provenance. An entry may be missing; one that is not known may be plain data."""
    if type(origin) is not dict or len(origin) > _ENTRIES:
        return _words("provenance", origin)
    for name, value in origin.items():
        if not _IS.get(name, _is_data)(value):
            return _words(name, value)
    return None


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST


def _is_duration(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1e12


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_time(value: Any) -> bool:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


def _are_versions(value: Any) -> bool:
    return (
        type(value) is dict and len(value) <= _ENTRIES and _TEXT_OR_NONE.issuperset(map(type, value.values()))
    )


_TEXT_OR_NONE = frozenset((str, type(None)))


def _is_data(value: Any, depth: int = 1) -> bool:
    """None, a truth value, a number or a text, or a list of such, or a mapping to such."""
    if type(value) in (dict, list) and depth:
        parts = value.values() if type(value) is dict else value
        return len(value) <= _ENTRIES and all(_is_data(one, depth - 1) for one in parts)
    return value is None or type(value) in (bool, str) or _is_number(value)


def _is_number(value: Any) -> bool:
    return (type(value) is int and abs(value) <= _LARGEST) or (type(value) is float and math.isfinite(value))


_IS: dict[str, Callable[[Any], bool]] = {
    "wall_seconds": _is_duration,
    "device": _is_text,
    "threads": _is_count,
    "pack_size": _is_count,
    "pairs_at_once": _is_count,
    "split_from": _is_count,
    "versions": _are_versions,
    "dataset_sha256": _is_text,
    "plugins": _are_versions,
    "finished": _is_time,
}
"""What is known of a provenance."""


def _words(name: str, value: Any) -> str:
    return one_line(f"its {name} is {shown(value)}", 80)


def shown(value: Any) -> str:
    """A value of a file for a message: short, on one line."""
    return "too large a number" if type(value) is int and abs(value) > _LARGEST else one_line(repr(value), 60)


def clean(value: Any) -> Any:
    """The same data, each name and text in it as one short line: see text.one_line."""
    if type(value) is str:
        return one_line(value)
    if type(value) is list:
        return [clean(one) for one in value]
    return {one_line(name): clean(one) for name, one in value.items()} if type(value) is dict else value


def is_clean(text: bytes) -> bool:
    """Whether data are clean by the look of their JSON: nothing in it is escaped, and it is short."""
    return len(text) < _SHORT and text.isascii() and b"\\" not in text and b"\x7f" not in text


_SHORT = 4000
"""Bytes of a header: most have a third of it."""
