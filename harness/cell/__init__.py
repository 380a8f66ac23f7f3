"""What is measured: a protocol, a cell (one point under it) with its id, and the question asked of a cell.

Everything here is frozen and strict: an unknown field or a value out of range is refused when the object is
built. A default never changes: a cell's id leaves out the fields that have the default they were introduced
with, so that new fields orphan no record. Another reading sets a field, not its default.
"""

from harness.cell.point import Cell, Point, Question, alike, cell, is_cell_id, point_of
from harness.cell.protocol import (
    FAMILIES,
    PRESETS,
    Named,
    Protocol,
    label,
    label_beside,
    labels,
    model_of,
    preset_of,
    presets,
    protocol_of,
    with_tuples,
)

__all__ = [
    "FAMILIES",
    "PRESETS",
    "Cell",
    "Named",
    "Point",
    "Protocol",
    "Question",
    "alike",
    "cell",
    "is_cell_id",
    "label",
    "label_beside",
    "labels",
    "model_of",
    "point_of",
    "preset_of",
    "presets",
    "protocol_of",
    "with_tuples",
]
