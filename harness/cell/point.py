"""A cell, one point under a protocol, with its id; and the question that is asked of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from copy import copy
from functools import cached_property, lru_cache
from typing import Any

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from harness.cell.protocol import Protocol, is_ours, protocol_of
from harness.common.frozen import LARGEST, Frozen, Identified
from harness.common.text import written
from harness.methods import METHODS, Hyper, refusal
from harness.problems.setting import MAX_ITERATIONS


class Cell(Identified):
    """One point to measure. Its record is found by `cell_id` and by nothing else."""

    protocol: SerializeAsAny[Protocol]
    method: str
    hyper: SerializeAsAny[Hyper]
    seed: int = Field(ge=0, lt=2**63)

    @model_validator(mode="before")
    @classmethod
    def _type_hyper(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("hyper"), dict):
            if data.get("method") not in METHODS:
                raise ValueError(
                    f"method: '{data.get('method')}' is not a method; known: {', '.join(METHODS.known())}"
                )
            return {**data, "hyper": METHODS[data["method"]].Hyper(**data["hyper"])}
        return data

    @field_validator("protocol", mode="before")
    @classmethod
    def _type_protocol(cls, value: Any) -> Any:
        return protocol_of(**value) if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _agree(self) -> Cell:
        if refused := refusal(self.method, self.protocol):
            raise ValueError(refused[1])
        return self

    def __reduce__(self) -> Any:
        """As its protocol."""
        return _cell_again, (self.model_dump_json(),)

    @cached_property
    def point(self) -> Point:
        """All of it but the seed."""
        return point_of(self.protocol, self.method, self.hyper)

    @cached_property
    def cell_id(self) -> str:
        """The first 16 hex digits of the SHA-256 of the cell's canonical JSON."""
        text = f'{self.point.json_before_seed},"seed":{self.seed}}}'
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def describe(self) -> str:
        """One line for people: `alpha-maml alpha0=0.1 beta0=0.001 ... seed=0`."""
        return f"{self.describe_point()} seed={self.seed}"

    def describe_point(self) -> str:
        """The same without the seed."""
        values = self.hyper.model_dump().items()
        return " ".join([self.method, *(f"{name}={written(value)}" for name, value in values)])


def alike(cell: Cell) -> tuple[Any, ...]:
    """Cells of one pack are equal in this: protocol, method, and all hyper-parameters but the numbers with a
    fraction."""
    fixed = {name: value for name, value in cell.hyper.model_dump().items() if not isinstance(value, float)}
    return cell.protocol, cell.method, tuple(fixed.items())


def _cell_again(text: str) -> Cell:
    return Cell.model_validate_json(text)


def is_cell_id(text: str) -> bool:
    """Whether it has the form of a cell's id."""
    return re.fullmatch(r"[0-9a-f]{16}", text) is not None


class Point:
    """A cell but for its seed: all seeds of a point are checked together, and share all but the end of what
    their ids are made of. Its hash is made once."""

    def __init__(self, protocol: Protocol, method: str, hyper: Hyper) -> None:
        self._fields: dict[str, Any] = {"protocol": protocol, "method": method, "hyper": hyper}
        self._checked = Cell(
            **self._fields, seed=0
        )  # its id is never asked for: cells are copies of it, and would inherit it
        self._cells: dict[int, Cell] = {}
        self._hash = hash((protocol, method, hyper))

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Point) and self._fields == other._fields)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def json_before_seed(self) -> str:
        """The canonical JSON of its cells up to their last key, the seed."""
        hyper = self._checked.hyper
        text = json.dumps(
            {
                "protocol": self._checked.protocol.identity,
                "method": self._checked.method,
                "hyper": hyper.model_dump(exclude_defaults=is_ours(type(hyper))),
            },
            sort_keys=True,
            separators=(",", ":"),
            allow_nan=False,
        )
        return text[:-1]

    def cell(self, seed: int) -> Cell:
        """The cell, made once."""
        if (known := self._cells.get(seed)) is not None and type(seed) is int:
            return known
        if type(seed) is not int or not 0 <= seed < 2**63:
            return Cell(**self._fields, seed=seed)  # which says what is wrong
        if len(self._cells) >= _SEEDS:
            self._cells.clear()
        made = self._cells[seed] = copy(self._checked)
        vars(made).update(seed=seed, point=self)
        return made


_SEEDS = 4096
"""Cells of a point that are kept."""


@lru_cache(maxsize=1 << 14, typed=True)  # more than all grids of sweeps/ have: else none would be found again
def point_of(protocol: Protocol, method: str, hyper: Hyper) -> Point:
    """Made once: a large store and the grids it serves name the same cells many times."""
    return Point(protocol, method, hyper)


def cell(protocol: Protocol, method: str, hyper: Hyper, seed: int) -> Cell:
    """The cell, made and hashed once."""
    return point_of(protocol, method, hyper).cell(seed)


class Question(Frozen):
    """What a grid asks of each of its cells."""

    target_loss: float | None = Field(
        None, gt=0, le=LARGEST, description="of the training loss; null: run to the budget"
    )
    max_iterations: int = Field(ge=1, le=MAX_ITERATIONS, description="the budget")
