"""One value of a parquet file's metadata, straight from the file's last bytes.

pyarrow parses the whole footer and takes ten times as long, which a user notices when a command reads the
headers of thousands of records. https://parquet.apache.org/docs/file-format/ has the format.
"""

from __future__ import annotations

TAIL = 1 << 13
"""Bytes at the end of a file that hold a footer of ordinary size."""
_MAGIC = b"PAR1"
_AFTER = 4 + len(_MAGIC)
"""Bytes after the footer: its length and the magic number."""
_BINARY = b"\x18"
"""Between a key and its value: Thrift's compact protocol says that a string follows."""


def value_of(key: bytes, tail: bytes, size: int) -> bytes | None:
    """The value of `key` in the metadata of a file, from its last TAIL bytes and its size in bytes.

    None if it is not found where pyarrow writes it, whatever the reason: pyarrow then says what is wrong.
    """
    length = int.from_bytes(tail[-_AFTER : -len(_MAGIC)], "little")
    if not tail.endswith(_MAGIC) or length > size - _AFTER - len(_MAGIC):
        return None
    footer = tail[max(0, len(tail) - _AFTER - length) : -_AFTER]
    _, separator, rest = footer.partition(key + _BINARY)
    return _first_string(rest) if separator else None


def _first_string(content: bytes) -> bytes | None:
    """The string at the beginning, after its length as a varint; None if it is longer than the content."""
    length = shift = 0
    for start, byte in enumerate(content, 1):
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return content[start : start + length] if start + length <= len(content) else None
    return None
