"""Records that were spoilt on purpose: found damaged, whatever is in them, and no command stops at one."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness import records
from harness.common import registry
from harness.records import DamagedRecord, ForeignRecord, checks
from tests.records.test_record import BYTES, CELL, WHOLE, record, rewritten

READ: tuple[Callable[[bytes], Any], ...] = (records.load, records.load_header)

WHOLE_JSON = json.loads(pq.read_metadata(io.BytesIO(BYTES)).metadata[b"harness.record"])
ORIGIN = {
    "wall_seconds": 1.5,
    "device": "cpu (some processor)",
    "threads": 1,
    "pack_size": 2,
    "versions": {"torch": "2", "commit": None},
    "dataset_sha256": "f" * 64,
    "finished": "2026-01-02T03:04:05+00:00",
}
VALUES: dict[str, Any] = {
    "null": None,
    "word": "three",
    "empty": "",
    "number": 1.5,
    "whole number": 7,
    "negative": -1,
    "huge": 10**4000,
    "more than 64 bits": 2**64,
    "true": True,
    "list": [1],
    "object": {"a": {"b": {"c": 1}}},
    "nan": float("nan"),
    "inf": float("inf"),
}
FITTING = {
    ("error",): {"null", "word", "empty"},
    ("lowest_sustained",): {"null", "number"},  # as far as the header alone can tell: see below
    ("numerics",): {"whole number"},  # of an older or newer version of the arithmetic
    ("cell", "protocol", "rotate"): {"true"},
    ("provenance", "wall_seconds"): {"number", "whole number"},
    ("provenance", "device"): {"word", "empty"},
    ("provenance", "threads"): {"whole number"},
    ("provenance", "pack_size"): {"whole number"},
    ("provenance", "dataset_sha256"): {"word", "empty"},
    ("provenance", "versions", "torch"): {"null", "word", "empty"},
    ("provenance", "versions", "commit"): {"null", "word", "empty"},
}
"""The values that a record could have there."""
NAMED = [("cell", "method"), *(("cell", "protocol", name) for name in ("problem", "network", "dataset"))]
"""What a plug-in may bring: another word there is of something that is not loaded."""


def places(fields: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of a header, however deep."""
    for name, value in fields.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from places(value, (*above, name))


def changed(fields: dict[str, Any], place: tuple[str, ...], value: Any) -> dict[str, Any]:
    name, *below = place
    return fields | {name: changed(fields[name], tuple(below), value) if below else value}


FIELDS = WHOLE_JSON | {"provenance": ORIGIN}
PLACES = list(places(FIELDS))


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("place", PLACES, ids=".".join)
def test_a_field_of_another_type(place: tuple[str, ...], name: str) -> None:
    """Found damaged, with a reason on one line; or, if it fits, read as it is."""
    content = rewritten(lambda _: changed(FIELDS, place, VALUES[name]))
    if name in FITTING.get(place, ()):
        assert records.load_header(content).cell == CELL
        return
    of_others = place in NAMED and name == "word"
    for read in READ:
        with pytest.raises(ForeignRecord if of_others else DamagedRecord) as error:
            read(content)
        assert str(error.value).isprintable()
        assert len(str(error.value)) < 150


def test_whatever_fits_is_checked_with_the_rows() -> None:
    for value in (None, 0.1, 0.12):
        with pytest.raises(DamagedRecord, match="its rows do not match its header"):
            records.load(rewritten(lambda fields, value=value: fields | {"lowest_sustained": value}))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"ending": "stopped", "lowest_sustained": None}, "lowest_sustained None after 30"),
        (
            {"ending": "stopped", "iterations": 3, "lowest_sustained": 1.0},
            r"lowest_sustained 1\.0 after 3 iterations",
        ),
        ({"iterations": 9}, r"lowest_sustained 0\.\d+ after 9"),
        ({"iterations": 10**9}, "its iterations is 1000000000"),
        ({"schema": True}, "schema version True"),
        ({"schema": 1.0}, "schema version 1.0"),
        ({"provenance": {f"n{i}": 1 for i in range(101)}}, "its provenance"),
        ({"provenance": {"finished": "yesterday"}}, "its finished is 'yesterday'"),
    ],
)
def test_fields_that_do_not_go_together(change: dict[str, Any], match: str) -> None:
    for read in READ:
        with pytest.raises(DamagedRecord, match=match):
            read(rewritten(lambda fields: fields | change))


def test_another_harness_may_say_more_of_where_a_record_comes_from() -> None:
    more = {
        "host": "node3",
        "cores": 8,
        "tuned": True,
        "memory_gib": 15.5,
        "libraries": {"mkl": "1"},
        "x": None,
    }
    header = records.load_header(rewritten(lambda fields: fields | {"provenance": ORIGIN | more}))
    assert header.provenance == ORIGIN | more


def test_text_is_one_clean_line() -> None:
    """Written or read: no colour, no bell, no second line gets from a record to a terminal."""
    hostile = "no\x1b[31m memory\r\n\x07left\u202e" + "!" * 1000
    made = record("failed", [], hostile)
    origin = {"bell\a": 1, "device": hostile, "versions": {"torch": hostile}}
    spoilt = {"ending": "failed", "error": hostile, "provenance": origin}
    read = records.load_header(rewritten(lambda fields: fields | spoilt))
    assert list(read.provenance) == ["bell\\x07", "device", "versions"]
    for text in (
        made.header.error,
        read.error,
        read.provenance["device"],
        read.provenance["versions"]["torch"],
    ):
        assert text is not None
        assert text.startswith(r"no\x1b[31m memory \x07left\u202e!!!")
        assert text.isprintable()
        assert len(text) <= 500


def test_a_run_of_more_seconds_than_a_table_could_hold_exactly() -> None:
    spoilt = {"provenance": {"wall_seconds": 2**53 + 1}}
    with pytest.raises(DamagedRecord, match="wall_seconds"):
        records.load_header(rewritten(lambda fields: fields | spoilt))


LONG = b'{"cell_id": 1, "schema": 1' + b"0" * 9000 + b"}"


@pytest.mark.parametrize(
    "text",
    [b"[" * 100_000, b'{"schema":"\\ud800"}', b"\xff\xfe", b'{"schema":1}{', b"1e999", LONG],
    ids=["deep", "half a letter", "no text", "two", "infinite", "long"],
)
def test_no_json(text: bytes) -> None:
    buffer = io.BytesIO()
    pq.write_table(WHOLE.rows.replace_schema_metadata({b"harness.record": text}), buffer)
    for read in READ:
        with pytest.raises(DamagedRecord):
            read(buffer.getvalue())


def other_rows(name: str, values: Any) -> pa.Table:
    at = WHOLE.rows.column_names.index(name)
    field = WHOLE.rows.schema.field(name)
    return WHOLE.rows.set_column(at, field, pa.array(values, field.type))


@pytest.mark.parametrize(
    "rows",
    [
        other_rows("iteration", np.arange(30)),
        other_rows("iteration", [1] * 30),
        other_rows("iteration", [None, *range(2, 31)]),
        other_rows("alpha", [None] * 30),
        other_rows("train_accuracy", [0.5] * 29 + [None]),
        other_rows("train_loss", [*[3 / i for i in range(1, 30)], None]),
    ],
    ids=["from 0", "all the same", "none", "no alpha", "no accuracy", "no loss"],
)
def test_rows_that_no_run_gives(rows: pa.Table) -> None:
    with pytest.raises(DamagedRecord, match="its rows do not match its header"):
        records.load(rewritten(table=rows))


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "record.parquet"
    with path.open("wb") as file:
        file.truncate(checks.MAX_BYTES + 1)
        file.seek(-len(BYTES), 2)
        file.write(BYTES)
    for read in READ:
        with pytest.raises(DamagedRecord, match="not a record but a file of more than 256 MiB"):
            read(path)  # type: ignore[arg-type]


@pytest.mark.parametrize("place", NAMED, ids=".".join)
def test_what_an_installed_package_offers_and_cannot_load_is_not_loaded(
    place: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        registry, "_offered", lambda group: {"three": (EntryPoint("three", "no.such", group),)}
    )
    for read in READ:
        with pytest.raises(ForeignRecord, match=r"three$"):
            read(rewritten(lambda _: changed(FIELDS, place, "three")))
