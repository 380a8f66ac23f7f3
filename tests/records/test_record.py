"""Records: the round trip, damage of every kind is found, and which questions a record answers."""

from __future__ import annotations

import io
import json
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness import records
from harness.cell import Cell, Question, protocol_of
from harness.records import DamagedRecord, Header, Record, Row, schema

CELL = Cell(
    protocol=protocol_of(dataset="glyphs", n_way=5),
    method="alpha-maml",
    hyper={"alpha0": 0.1, "beta0": 1e-3, "alpha_hyperlr": 0.1, "beta_hyperlr": 1e-6},
    seed=3,
)
COLUMNS = schema.record(CELL)
ORIGIN = {"wall_seconds": 1.5, "device": "cpu (some processor)", "versions": {"torch": "2", "commit": None}}


def record(ending: str = "budget", losses: list[float] | None = None, error: str | None = None) -> Record:
    """A record with these training losses, validated at every fifth row; the last row has no update."""
    losses = [3 / i for i in range(1, 31)] if losses is None else losses
    rows = [
        Row(
            iteration=i,
            alpha=0.1 * i,
            beta=0.01 if i < len(losses) else None,
            train_loss=loss,
            train_accuracy=0.5,
            **({"val_loss": 1.0, "val_accuracy": 0.25} if i % 5 == 0 else {}),
        )
        for i, loss in enumerate(losses, 1)
    ]
    return records.make(CELL, ending, rows, ORIGIN, error)


WHOLE = record()
BYTES = records.dump(WHOLE)


@pytest.mark.parametrize(
    "made",
    [
        WHOLE,
        record("diverged", [1.0, math.nan]),
        record("diverged", [1.0] * 12 + [math.inf]),
        record("failed", [], "RuntimeError: 'quoted', ünicode (step, line 3)"),
    ],
    ids=["budget", "nan", "inf", "failed"],
)
@pytest.mark.parametrize("kind", ["bytes", "path"])
def test_round_trip(made: Record, kind: str, tmp_path: Path) -> None:
    source: Any = records.dump(made)
    if kind == "path":
        path = tmp_path / "seed=1" / "record.parquet"  # no column may be made of a folder's name
        path.parent.mkdir()
        path.write_bytes(source)
        source = path
    loaded = records.load(source, CELL.cell_id)
    assert loaded.header == records.load_header(source, CELL.cell_id) == made.header
    assert str(loaded.rows.to_pydict()) == str(made.rows.to_pydict())  # as text nan equals nan
    assert loaded.header.cell.hyper == CELL.hyper


def test_the_same_record_is_the_same_bytes() -> None:
    assert records.dump(record()) == records.dump(record()) == records.dump(records.load(BYTES))


def test_lowest_sustained_is_in_the_header() -> None:
    assert record(losses=[2.0] * 9).header.lowest_sustained is None
    assert record(losses=[2.0] * 9 + [1.0]).header.lowest_sustained == pytest.approx(1.9)
    assert record("diverged", [2.0] * 10 + [math.nan]).header.lowest_sustained == 2.0


def test_every_column_carries_its_meaning_and_unit() -> None:
    found = pq.read_schema(io.BytesIO(BYTES))
    assert found.names == list(COLUMNS)
    for field in found:
        column = COLUMNS[field.name]
        assert field.type == column.type
        assert field.metadata[b"meaning"].decode() == column.meaning != ""
        assert field.metadata[b"unit"].decode() == column.unit


@pytest.mark.parametrize("length", [0, 1, 4, 11, len(BYTES) // 3, len(BYTES) - 8, len(BYTES) - 1])
@pytest.mark.parametrize("read", [records.load, records.load_header])
def test_a_torn_file(read: Any, length: int) -> None:
    with pytest.raises(DamagedRecord, match="truncated, or not a parquet"):
        read(BYTES[:length])


def end_of_pages(name: str) -> int:
    """Where the pages of a column end in the file."""
    column = pq.read_metadata(io.BytesIO(BYTES)).row_group(0).column(list(COLUMNS).index(name))
    return (column.dictionary_page_offset or column.data_page_offset) + column.total_compressed_size


def flipped(at: int, bit: int = 0) -> bytes:
    torn = bytearray(BYTES)
    torn[at] ^= 1 << bit
    return bytes(torn)


def test_a_flipped_bit_never_gives_another_record() -> None:
    """Anywhere in the file: found, or of no effect but on the text of the provenance."""
    chance = random.Random(0)
    found = 0
    for at in chance.sample(range(len(BYTES)), 1000):
        try:
            loaded = records.load(flipped(at, chance.randrange(8)))
        except DamagedRecord:
            found += 1
            continue
        assert loaded.rows.equals(WHOLE.rows), at
        assert replace(loaded.header, provenance={}) == replace(WHOLE.header, provenance={}), at
    assert found > 500


def test_a_flipped_bit_in_the_data_is_found_by_its_checksum() -> None:
    for name in COLUMNS:
        torn = flipped(end_of_pages(name) - 3)
        assert records.load_header(torn) == WHOLE.header  # the header is whole
        with pytest.raises(DamagedRecord):
            records.load(torn)


def rewritten(change: Any = None, table: pa.Table | None = None) -> bytes:
    """The same record with another header (a function of its JSON's dict) or with other rows."""
    fields = json.loads(pq.read_schema(io.BytesIO(BYTES)).metadata[b"harness.record"])
    fields = change(fields) if change else fields
    metadata = {b"harness.record": json.dumps(fields).encode()}
    buffer = io.BytesIO()
    pq.write_table((WHOLE.rows if table is None else table).replace_schema_metadata(metadata), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("read", [records.load, records.load_header])
@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda f: f | {"schema": 0}, "schema version 0; the current one is 1"),
        (lambda f: f | {"cell_id": "0" * 16}, f"its cell_id is '{'0' * 16}'; its cell's own"),
        (lambda f: f | {"cell": f["cell"] | {"seed": 4}}, "its cell_id is"),
        (lambda f: f | {"cell": f["cell"] | {"method": "nobodys"}}, "its method is 'nobodys'; this"),
        (lambda f: f | {"cell": None}, "its cell is None"),
        (lambda f: f | {"surprise": 1}, "its header has surprise"),
        (lambda f: {k: v for k, v in f.items() if k != "ending"}, "its header lacks ending"),
        (lambda f: f | {"ending": "endured"}, "its ending is 'endured'"),
        (lambda f: [f], "not a record of this project"),
        (lambda f: None, "not a record of this project"),
        (lambda f: {}, "not a record of this project"),
    ],
    ids=["version", "id", "seed", "method", "no cell", "more", "less", "ending", "list", "null", "empty"],
)
def test_a_header_that_is_not_ours(read: Any, change: Any, match: str) -> None:
    with pytest.raises(DamagedRecord, match=match):
        read(rewritten(change))


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (WHOLE.rows.slice(0, 29), "its rows"),
        (WHOLE.rows.drop_columns(["val_loss"]), "its columns"),
        (WHOLE.rows.rename_columns([*WHOLE.rows.column_names[:-1], "val_acuracy"]), "its columns"),
        (WHOLE.rows.slice(1).append_column("x", [[1] * 29]), "its columns"),
    ],
    ids=["fewer rows", "a column less", "another name", "a column more"],
)
def test_rows_that_are_not_the_headers(table: pa.Table, match: str) -> None:
    with pytest.raises(DamagedRecord, match=match):
        records.load(rewritten(table=table))


@pytest.mark.parametrize("read", [records.load, records.load_header])
def test_files_of_others(read: Any, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.parquet"
    pq.write_table(pa.table({"a": [1]}), foreign)
    with pytest.raises(DamagedRecord, match="not a record of this project"):
        read(foreign)
    (tmp_path / "text.parquet").write_text("no parquet at all, but a long enough text")
    with pytest.raises(DamagedRecord, match="truncated, or not a parquet"):
        read(tmp_path / "text.parquet")
    with pytest.raises(DamagedRecord, match=f"it holds cell {CELL.cell_id}"):
        read(BYTES, "f" * 16)  # a renamed file
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nothing.parquet")


def header(ending: str, iterations: int, lowest: float | None = None, **fields: Any) -> Header:
    return replace(WHOLE.header, ending=ending, iterations=iterations, lowest_sustained=lowest, **fields)


STOPPED, SPENT = header("stopped", 40, 2.4), header("budget", 100, 2.6)


@pytest.mark.parametrize(
    ("of", "target", "budget", "why_not"),
    [
        (STOPPED, 2.5, 100, None),  # the very question
        (STOPPED, 2.99, 100, None),  # a higher target is free
        (STOPPED, 2.4, 100, None),  # exactly what it reached
        (STOPPED, 2.3, 100, "stopped at iteration 40, before a sustained passage of 2.3"),
        (STOPPED, None, 100, "ran 40 of 100 iterations"),
        (STOPPED, None, 40, None),
        (STOPPED, 2.3, 40, None),  # all of the budget is there
        (STOPPED, 2.5, 5000, None),  # reached before any budget ends
        (SPENT, 2.5, 100, None),
        (SPENT, 2.5, 99, None),
        (SPENT, 2.5, 101, "stopped at iteration 100, before a sustained passage of 2.5"),
        (SPENT, 2.7, 101, None),
        (SPENT, None, 100, None),
        (SPENT, None, 101, "ran 100 of 101 iterations"),
        (header("budget", 9), 2.5, 10, "stopped at iteration 9, before a sustained passage of 2.5"),
        (header("diverged", 7), 2.5, 100, None),  # it would diverge again
        (header("diverged", 7), None, 5000, None),
        (header("failed", 0, error="no memory"), 2.5, 100, "no memory"),
        (header("failed", 100, 1.0, error="no memory"), 2.5, 100, "no memory"),
        (
            replace(STOPPED, numerics=0),
            2.5,
            100,
            f"made by numerics version 0; the current one is {records.NUMERICS}",
        ),
        (
            header("diverged", 7, numerics=0),
            2.5,
            100,
            f"made by numerics version 0; the current one is {records.NUMERICS}",
        ),
    ],
)
def test_answers(of: Header, target: float | None, budget: int, why_not: str | None) -> None:
    question = Question(target_loss=target, max_iterations=budget)
    assert of.why_not(question) == why_not
    assert of.answers(question) == (why_not is None)


def test_a_protocol_seen_before_does_not_let_another_type_pass() -> None:
    """True equals 1, and 1.0 equals 1: the memory of checked protocols tells them apart."""
    records.load_header(records.dump(WHOLE))
    table = WHOLE.rows
    fields = json.loads(pq.read_metadata(io.BytesIO(BYTES)).metadata[b"harness.record"])
    fields["cell"]["protocol"]["k_shot"] = True
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({b"harness.record": json.dumps(fields)}), buffer)
    with pytest.raises(DamagedRecord, match="cannot be read"):
        records.load_header(buffer.getvalue())
