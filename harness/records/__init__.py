"""What a run leaves behind: its record, the store of all records, a grid's tables, the reference records."""

from harness.records.record import (
    NUMERICS,
    DamagedRecord,
    ForeignRecord,
    Header,
    Progress,
    Record,
    Row,
    dump,
    load,
    load_header,
    make,
)

__all__ = [
    "NUMERICS",
    "DamagedRecord",
    "ForeignRecord",
    "Header",
    "Progress",
    "Record",
    "Row",
    "dump",
    "load",
    "load_header",
    "make",
]
