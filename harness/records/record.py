"""One cell's record: its configuration, how it ended, its whole trajectory, and where it came from.

A record is one parquet file: one row per iteration, and JSON in the file's metadata for the rest. The files
are the truth of a sweep; everything else is computed from them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError
from pydantic_core import from_json  # several times as fast as json's

from harness.cell import Cell, Protocol, Question, protocol_of, with_tuples
from harness.cell import cell as cell_of
from harness.common import plugins
from harness.common.errors import NotAFile, UserError
from harness.common.files import last_bytes, opened
from harness.common.registry import Registry
from harness.common.text import one_line
from harness.methods import METHODS, Hyper
from harness.problems import PROBLEMS, few_shot
from harness.problems.datasets import DATASETS
from harness.problems.networks import NETWORKS
from harness.records import checks, compact, footer, schema
from harness.records.passages import lowest_sustained
from harness.records.provenance import changed

NUMERICS = 2
"""Version of the arithmetic. Raised when the same cell would give other numbers; cells with older records
then run again."""

_KEY = b"harness.record"


class DamagedRecord(Exception):
    """A file, or what is in its place, that is not a whole record of this schema: the reason, in a few
    words."""


class ForeignRecord(Exception):
    """A record of something that is not loaded: whole, as far as one can tell. What it is of, in a few
    words."""


MISMATCH = "its rows do not match its header"


Row = dict[str, Any]
"""One iteration of one cell, by the names of schema.record. None: not measured, or nothing there."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a cell in training is."""

    cell: Cell
    row: Row


@dataclass(frozen=True, kw_only=True)
class Header:
    """All of a record except its rows: enough to tell whether it answers a question."""

    cell: Cell
    ending: str
    error: str | None
    iterations: int
    lowest_sustained: float | None
    """See passages.lowest_sustained; None with fewer than 10 losses."""
    numerics: int
    provenance: dict[str, Any]
    """wall_seconds, device, threads, pack_size, pairs_at_once (of a pack that was computed in parts),
    split_from (of a pack whose cells did not train together for lack of memory: how many they were),
    versions with the commit, dataset_sha256, plugins, finished (UTC). What there is nothing of is left
    out."""

    def answers(self, question: Question) -> bool:
        """Whether this record has everything that a run for `question` would give."""
        return self.why_not(question) is None

    def why_not(self, question: Question) -> str | None:
        """Why the cell must run (again) for `question`; None if it need not."""
        if self.ending == "failed":
            return self.error or "failed"
        if self.numerics != NUMERICS:
            return f"made by numerics version {self.numerics}; the current one is {NUMERICS}"
        if self.ending == "diverged" or self.iterations >= question.max_iterations:
            return None
        if question.target_loss is None:
            return f"ran {self.iterations} of {question.max_iterations} iterations"
        if self.lowest_sustained is not None and self.lowest_sustained <= question.target_loss:
            return None
        return (
            f"stopped at iteration {self.iterations}, before a sustained passage of {question.target_loss:g}"
        )


@dataclass(frozen=True, kw_only=True)
class Record:
    """A header and its trajectory (Arrow table with the columns of schema.record)."""

    header: Header
    rows: pa.Table


def make(
    cell: Cell, ending: str, rows: Sequence[Row], provenance: dict[str, Any], error: str | None = None
) -> Record:
    """The record of a run that has ended. `ending`: one of schema.ENDINGS."""
    columns = schema.record(cell)
    arrays = [pa.array([row.get(name) for row in rows], column.type) for name, column in columns.items()]
    return of_table(cell, ending, pa.table(arrays, schema=schema.arrow_of_record(cell)), provenance, error)


def of_table(
    cell: Cell, ending: str, rows: pa.Table, provenance: dict[str, Any], error: str | None = None
) -> Record:
    """The same from its rows as a table with these columns. pa.ArrowInvalid: these are not its columns."""
    columns = schema.record(cell)
    table = rows.select(list(columns)).cast(schema.arrow_of_record(cell)).replace_schema_metadata(None)
    header = Header(
        cell=cell,
        ending=ending,
        error=checks.clean(error),
        iterations=len(table),
        lowest_sustained=_lowest(table),
        numerics=NUMERICS,
        provenance=checks.clean(provenance),
    )
    return Record(header=header, rows=table)


def dump(record: Record) -> bytes:
    """The record as the bytes of its parquet file, pages checksummed."""
    header = vars(record.header) | {
        "schema": schema.VERSION,
        "cell_id": record.header.cell.cell_id,
        "cell": record.header.cell.model_dump(mode="json"),
    }
    metadata = dict(record.rows.schema.metadata or {}) | {_KEY: json.dumps(header).encode()}
    buffer = io.BytesIO()
    table = record.rows.replace_schema_metadata(metadata)
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    return buffer.getvalue()


def load(source: Path | bytes, cell_id: str | None = None) -> Record:
    """Read a whole record from a path or bytes, every page checked.

    Raises DamagedRecord if it is not whole, of another schema, or not the record of `cell_id`;
    ForeignRecord if what it is of is not loaded; OSError if it cannot be opened.
    """
    try:
        with _opened(source) as file, pq.ParquetFile(file, page_checksum_verification=True) as whole:
            header = _header((whole.metadata.metadata or {}).get(_KEY), cell_id)
            if not whole.schema_arrow.equals(schema.arrow_of_record(header.cell)):
                made_by = ", ".join(changed(header.cell, header.provenance))
                of_others = f"are those of another version of {made_by}"
                raise DamagedRecord(f"its columns {of_others if made_by else 'are not those of a record'}")
            if whole.metadata.num_rows != header.iterations:  # a damaged number could claim all memory
                raise DamagedRecord(MISMATCH)
            table = whole.read(use_threads=False)  # so few rows: threads would cost more than they gain
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(error) from error
    if not _fit(table, header):
        raise DamagedRecord(MISMATCH)
    return Record(header=header, rows=table)


def load_header(source: Path | bytes, cell_id: str | None = None) -> Header:
    """Read the header alone, from the file's last bytes. Raises as `load` does."""
    try:
        tail, size = (
            (source[-footer.TAIL :], len(source))
            if isinstance(source, bytes)
            else last_bytes(source, footer.TAIL, checks.MAX_BYTES)
        )
        text = footer.value_of(_KEY, tail, size)
        if text is None:
            with _opened(source) as file:
                text = (pq.read_metadata(file).metadata or {}).get(_KEY)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(error) from error
    return _header(text, cell_id)


def _fit(rows: pa.Table, header: Header) -> bool:
    """Whether these are the rows of a record with this header: iterations 1, 2, ..., none left empty but
    those that a compact table leaves out."""
    of_update = {name for name, own in METHODS[header.cell.method].columns.items() if own.of_update}
    always = [
        name
        for name in rows.column_names
        if name not in compact.WHOLE and name not in of_update and not name.startswith("val_")
    ]
    numbers = np.arange(1, header.iterations + 1)
    return (
        not any(rows[name].null_count for name in compact.WHOLE)
        and all(compact.is_thinned(rows[name].is_null().to_numpy()) for name in always)
        and np.array_equal(rows["iteration"].to_numpy(), numbers)
        and _lowest(rows) == header.lowest_sustained
    )


def _lowest(rows: pa.Table) -> float | None:
    lowest = lowest_sustained(rows["train_loss"].to_numpy())
    return lowest if lowest < float("inf") else None


def _opened(source: Path | bytes) -> IO[bytes]:
    return io.BytesIO(source) if isinstance(source, bytes) else opened(source, checks.MAX_BYTES)


def _damaged(error: Exception) -> DamagedRecord:
    """What is wrong with the content, or in the place of the file. Another error of the system, such as a
    missing file or permission, is raised as it is."""
    if isinstance(error, NotAFile):
        return DamagedRecord(f"not a record but {error.reason}")
    if isinstance(error, OSError) and error.errno is not None:
        raise error
    return DamagedRecord(f"truncated, or not a parquet file ({one_line(str(error), 80)})")


@lru_cache(maxsize=256, typed=True)
def _protocol(**values: Any) -> Protocol:
    """Cached: a sweep has few protocols, and checking one takes longer than everything else in a header."""
    return protocol_of(**values)


@lru_cache(maxsize=4096, typed=True)
def _hyper(method: str, **values: Any) -> Hyper:
    """Cached too: each point of a grid comes once for each seed."""
    if method not in METHODS:
        raise ValueError(f"its method is {checks.shown(method)}; this installation has {', '.join(METHODS)}")
    return METHODS[method].Hyper(**values)


for _kept in (_protocol, _hyper):
    plugins.when_forgotten(lambda _, kept=_kept: kept.cache_clear())  # type: ignore[misc]


def _cell(protocol: dict[str, Any], method: str, hyper: dict[str, Any], seed: int) -> Cell:
    if type(seed) is not int:
        raise TypeError(f"its seed is {checks.shown(seed)}")
    if type(protocol) is not dict:
        raise TypeError(f"its protocol is {checks.shown(protocol)}")
    return cell_of(_protocol(**with_tuples(protocol)), method, _hyper(method, **hyper), seed)


_CELL = frozenset(Cell.model_fields)
_FIELDS = frozenset((*Header.__dataclass_fields__, "schema", "cell_id"))


def _header(text: bytes | None, cell_id: str | None) -> Header:
    text = text or b""
    try:
        fields = from_json(text, allow_inf_nan=False)
        version = fields["schema"]
    except (KeyError, TypeError, ValueError):
        raise DamagedRecord("not a record of this project") from None
    if type(version) is not int or version != schema.VERSION:
        raise DamagedRecord(f"schema version {checks.shown(version)}; the current one is {schema.VERSION}")
    mistake = (
        checks.wrong_names(fields, _FIELDS, "header")
        or checks.wrong_names(fields["cell"], _CELL, "cell")
        or checks.wrong(fields)
    )
    if mistake:
        raise DamagedRecord(mistake)
    try:
        cell = _cell(**fields["cell"])
    except (TypeError, ValueError, UserError) as error:
        if (unread := _unread(fields, error)) is error:
            raise
        raise unread from error
    known = fields if checks.is_clean(text) else checks.clean(fields)
    own_id = known.pop("cell_id")
    del known["schema"]
    header = Header(**known | {"cell": cell})
    if header.cell.cell_id != own_id:
        if by_plugins := fields["provenance"].get("plugins"):
            raise ForeignRecord(f"{_listed(by_plugins)} as it was, with other fields")
        raise DamagedRecord(f"its cell_id is {checks.shown(own_id)}; its cell's own is {cell.cell_id}")
    if cell_id not in (None, own_id):
        raise DamagedRecord(f"it holds cell {own_id}")
    return header


def _unread(fields: dict[str, Any], error: Exception) -> Exception:
    """What a record is whose cell cannot be made."""
    if (foreign := not_loaded(fields["cell"])) is not None:
        return ForeignRecord(foreign)
    if isinstance(error, UserError):
        return error
    if by_plugins := fields["provenance"].get("plugins"):
        return ForeignRecord(f"{_listed(by_plugins)} as it was ({_say(error)})")
    return DamagedRecord(f"its cell cannot be read ({_say(error)})")


def not_loaded(cell: Mapping[str, Any]) -> str | None:
    """The part of a cell, as JSON has it, that is not loaded: `method sign`; None: all are, or it is no
    cell."""
    protocol = cell["protocol"] if isinstance(cell["protocol"], dict) else {}
    problem = protocol.get("problem", "few-shot")
    named: list[tuple[Registry[Any], Any]] = [
        (METHODS, cell["method"]),
        (PROBLEMS, problem),
        (NETWORKS, protocol.get("network")),
    ]
    if isinstance(problem, str) and problem in PROBLEMS and _has_images(problem):
        named.append((DATASETS, protocol.get("dataset")))
    for known, name in named:
        if isinstance(name, str) and name and one_line(name, 100) == name and name not in known:
            return f"{known.kind} {name}"
        try:
            _ = known[name] if isinstance(name, str) and name in known else None
        except UserError:  # of a package that cannot be loaded
            return f"{known.kind} {name}"
    return None


def _has_images(problem: str) -> bool:
    try:
        return issubclass(PROBLEMS[problem].Fields, few_shot.Fields)
    except UserError:
        return False


def _listed(by_plugins: Any) -> str:
    return ", ".join(map(str, by_plugins)) if isinstance(by_plugins, dict) else "a plug-in"


def _say(error: Exception) -> str:
    """What a header lacks or has too much, on one line."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False)[0]
        return one_line(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", 80)
    return one_line(str(error), 80)
