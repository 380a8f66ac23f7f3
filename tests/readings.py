"""For tables made by hand: the columns of the paper's tables, and what a protocol is in them."""

from __future__ import annotations

import json

from harness.cell import cell, protocol_of
from harness.methods import METHODS
from harness.records import schema

_PAPERS = [
    cell(protocol_of(), name, METHODS[name].Hyper(**dict.fromkeys(METHODS[name].Hyper.model_fields, 0.1)), 0)
    for name in ("maml", "alpha-maml")
]
TRIALS, TRAJECTORIES = schema.trials(_PAPERS), schema.trajectories(_PAPERS)


def reading(label: str) -> dict[str, str]:
    """`paper-adam, k_shot=5` as the columns protocol, preset and changes; numbers as numbers."""
    preset, *changes = label.split(", ")
    pairs = (change.split("=") for change in changes)
    values = {name: int(value) if value.isdigit() else value for name, value in pairs}
    return {"protocol": label, "preset": preset, "changes": json.dumps(values, sort_keys=True)}
