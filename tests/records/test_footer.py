"""The short way to a header: the same bytes as pyarrow gives, and None where it cannot say."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness import records
from harness.records import footer
from tests.records.test_record import BYTES, WHOLE, record

KEY = b"some.key"


def written(metadata: dict[bytes, bytes]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata(metadata), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("length", [0, 1, 127, 128, 300, 2000])
def test_a_value_is_the_one_that_pyarrow_reads(length: int) -> None:
    content = written({b"before": b"x", KEY: b"v" * length, b"behind": b"y"})
    assert pq.read_metadata(io.BytesIO(content)).metadata[KEY] == b"v" * length
    assert footer.value_of(KEY, content[-footer.TAIL :], len(content)) == b"v" * length


@pytest.mark.parametrize(
    "content",
    [
        b"",
        written({b"another": b"v"}),
        written({KEY: b"v"})[:-1],
        written({KEY: b"v" * footer.TAIL}),
        b"PAR1" + KEY + b"\x18\x80\x80" + (len(KEY) + 3).to_bytes(4, "little") + b"PAR1",
        b"PAR1" + KEY + b"\x18\x05v" + (len(KEY) + 3).to_bytes(4, "little") + b"PAR1",
        KEY + b"\x18\x01v" + (1).to_bytes(4, "little") + b"PAR1",
    ],
    ids=[
        "empty",
        "no such key",
        "torn",
        "longer than is looked at",
        "a length without end",
        "cut off",
        "outside",
    ],
)
def test_what_it_does_not_find(content: bytes) -> None:
    assert footer.value_of(KEY, content[-footer.TAIL :], len(content)) is None


def test_a_header_is_read_without_the_whole_footer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And with the whole footer where the quick way fails: if it is longer than the part that was read."""
    path = tmp_path / "record.parquet"
    path.write_bytes(BYTES)
    read_metadata, calls = pq.read_metadata, []
    monkeypatch.setattr(pq, "read_metadata", lambda *a: calls.append(a) or read_metadata(*a))
    assert records.load_header(path) == WHOLE.header
    assert not calls
    monkeypatch.setattr("harness.records.footer.TAIL", 64)
    assert records.load_header(path) == records.load_header(BYTES) == WHOLE.header
    assert len(calls) == 2


def test_a_message_that_looks_like_a_header_is_not_one() -> None:
    made = record("failed", [], 'harness.record\x18\x05{"a":1}')
    assert records.load_header(records.dump(made)) == made.header
