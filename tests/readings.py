"""A protocol's three columns in a table made by hand."""

from __future__ import annotations

import json


def reading(label: str) -> dict[str, str]:
    """`paper-adam, k_shot=5` as the columns protocol, preset and changes; numbers as numbers."""
    preset, *changes = label.split(", ")
    pairs = (change.split("=") for change in changes)
    values = {name: int(value) if value.isdigit() else value for name, value in pairs}
    return {"protocol": label, "preset": preset, "changes": json.dumps(values, sort_keys=True)}
