"""What is measured: a protocol, a cell (one point under it) with its id, and the question asked of a cell.

Everything here is frozen and strict: an unknown field or a value out of range is refused when the
object is built. A default never changes: a cell's id leaves out the fields that have the default they
were introduced with, so that new fields orphan no record. Another reading sets a field, not its default.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

from pydantic import Field, SerializeAsAny, model_validator

from harness.common.frozen import LARGEST, Frozen, Identified
from harness.common.text import number
from harness.methods import METHODS, Hyper, Options
from harness.problems.perturbation import Perturbation
from harness.problems.setting import MAX_BYTES, MAX_ITERATIONS, Measuring, Setting, memory


class Protocol(Perturbation, Measuring, Options, Setting, Identified):
    """Everything that defines a run except what is swept. The defaults are `paper-adam`.

    Its base classes hold the setting that all methods share, the options of individual methods, how a run is
    measured, and the yardstick. Its canonical JSON is flat: a field may move between them without changing an
    id.
    """

    @model_validator(mode="after")
    def _affordable(self) -> Protocol:
        if sum((parts := memory(self, self)).values()) > MAX_BYTES:
            largest = max(parts, key=lambda part: parts[part])
            raise ValueError(
                f"a cell needs about {self.gigabytes:,.0f} GB of memory, most of it for {largest}; at most "
                f"{MAX_BYTES / 1e9:,.0f} are allowed"
            )
        return self

    @property
    def gigabytes(self) -> float:
        """Memory that a cell needs in training, roughly."""
        return sum(memory(self, self).values()) / 1e9

    @cached_property
    def preset(self) -> str:
        """The nearest preset, the one with the fewest fields to change; on a tie the first in PRESETS."""
        return min(PRESETS, key=lambda name: len(self.changes(name)))

    def named(self, preset: str) -> Named:
        """As the tables of a grid with this preset keep it: beside the nearest preset of its family."""
        family = next((names for names in FAMILIES if preset in names), (preset,))
        nearest = min(family, key=lambda name: len(self.changes(name)))
        return nearest, self.changes(nearest)

    def changes(self, preset: str) -> dict[str, Any]:
        """The fields in which it differs from a preset, except for the data set: `{"k_shot": 5}`."""
        other = PRESETS[preset]
        mine = self.model_dump(exclude={"dataset"})
        return {name: value for name, value in mine.items() if value != getattr(other, name)}

    @cached_property
    def label(self) -> str:
        """For people: its nearest preset and what differs, `paper-adam, k_shot=5`."""
        return label(self.preset, self.changes(self.preset))


Named = tuple[str, Mapping[str, Any]]
"""A protocol as the tables keep it: the name of a preset, and the fields that differ from it."""


def label(preset: str, changes: Mapping[str, Any]) -> str:
    """A protocol in words. For people: no code reads it."""
    return ", ".join([preset, *_words(changes)])


@lru_cache(maxsize=4096)
def label_beside(preset: str, protocol: Protocol) -> str:
    """A protocol in the words of a grid with this preset. Kept: each cell of a grid asks for it."""
    return label(*protocol.named(preset))


def _words(changes: Mapping[str, Any]) -> list[str]:
    """In the order of the protocol's fields."""
    places = {name: at for at, name in enumerate(Protocol.model_fields)}
    ordered = sorted(changes, key=lambda name: places.get(name, len(places)))
    return [f"{name}={changes[name]}" for name in ordered]


def labels(protocols: Sequence[Named]) -> list[str]:
    """Each protocol in words, without what it shares with the first of them.

    >>> labels([("paper-adam", {}), ("paper-adam", {"k_shot": 5})])
    ['paper-adam', 'k_shot=5']
    """
    return [_beside(protocols[0], protocol) for protocol in protocols]


def _beside(first: Named, protocol: Named) -> str:
    preset, changes = protocol
    more = {name: value for name, value in changes.items() if (name, value) not in first[1].items()}
    if preset != first[0] or not more or len(more) + len(first[1]) != len(changes):
        return label(preset, changes)
    return ", ".join(_words(more))


PRESETS: dict[str, Protocol] = {
    "paper-adam": Protocol(),
    "paper-sgd": Protocol(task_reduction="sum", meta_optimizer="sgd"),
}
"""The two readings of the paper: the original MAML's meta-optimizer and mean; Algorithm 2 to the letter."""

FAMILIES = (("paper-adam", "paper-sgd"),)
"""Presets that name each other's readings. A later one stands alone, so that it renames no table."""


class Cell(Identified):
    """One point to measure. Its record is found by `cell_id` and by nothing else."""

    protocol: Protocol
    method: str
    hyper: SerializeAsAny[Hyper]
    seed: int = Field(ge=0, lt=2**63)

    @model_validator(mode="before")
    @classmethod
    def _type_hyper(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("hyper"), dict):
            if data.get("method") not in METHODS:
                raise ValueError(
                    f"method: '{data.get('method')}' is not a method; known: {', '.join(METHODS)}"
                )
            return {**data, "hyper": METHODS[data["method"]].Hyper(**data["hyper"])}
        return data

    @cached_property
    def cell_id(self) -> str:
        """The first 16 hex digits of the SHA-256 of the cell's canonical JSON."""
        text = f'{_json_before_seed(self.protocol, self.method, self.hyper)},"seed":{self.seed}}}'
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def describe(self) -> str:
        """One line for people: `alpha-maml alpha0=0.1 beta0=0.001 ... seed=0`."""
        return f"{self.describe_point()} seed={self.seed}"

    def describe_point(self) -> str:
        """The same without the seed."""
        values = self.hyper.model_dump().items()
        return " ".join([self.method, *(f"{name}={number(value)}" for name, value in values)])


def is_cell_id(text: str) -> bool:
    """Whether it has the form of a cell's id."""
    return re.fullmatch(r"[0-9a-f]{16}", text) is not None


@lru_cache(maxsize=4096, typed=True)
def _json_before_seed(protocol: Protocol, method: str, hyper: Hyper) -> str:
    """The canonical JSON of a cell up to its last key, the seed: all seeds of a point share it."""
    text = json.dumps(
        {
            "protocol": protocol.model_dump(exclude_defaults=True),
            "method": method,
            "hyper": hyper.model_dump(exclude_defaults=True),
        },
        sort_keys=True,
        separators=(",", ":"),
        allow_nan=False,
    )
    return text[:-1]


@lru_cache(maxsize=1 << 16, typed=True)
def cell(protocol: Protocol, method: str, hyper: Hyper, seed: int) -> Cell:
    """The cell, made and hashed once: a large store and the grids it serves name the same cells many
    times."""
    return Cell(protocol=protocol, method=method, hyper=hyper, seed=seed)


class Question(Frozen):
    """What a grid asks of each of its cells."""

    target_loss: float | None = Field(None, gt=0, le=LARGEST, description="nats; null: run to the budget")
    max_iterations: int = Field(ge=1, le=MAX_ITERATIONS, description="the budget")
