"""The problem (Protocol), one point to measure (Cell), and its only key (cell_id).

Everything here is frozen and strict: an unknown field or a value out of range is refused when the
object is built. A default never changes: a cell's id leaves out the fields that have the default they
were introduced with, so that new fields orphan no record. Another reading is another value.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, model_validator

from harness.methods import METHODS, Hyper

CHARACTERS = 1623
"""Characters of Omniglot; the other data sets stand in for it and have as many."""
DRAWERS = 20
"""Drawings of each character."""
SIDE = 28
"""Height and width of an image, pixels."""


class Frozen(BaseModel):
    """Base of all configuration: immutable, no unknown keys, no inf or nan, True is no number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_bool_as_number(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for name in [name for name, value in data.items() if isinstance(value, bool)]:
                field, value = cls.model_fields.get(name), data[name]
                if field is not None and field.annotation in (int, float):
                    raise ValueError(f"{name}: {str(value).lower()} is no number")
        return data


class Named(Frozen):
    """Configuration with a name that is worked out from its fields, once."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values: checked like a new object, and with a name of its own."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**fields | dict(update or {}))


class Protocol(Named):
    """Everything that defines the problem except what is swept. The defaults are `paper-adam`."""

    dataset: str = Field("omniglot", description="omniglot or glyphs")
    resize: Literal["lanczos", "nearest"] = Field(
        "lanczos", description="105 to 28 pixels: Lanczos on grey levels, or nearest as in the original MAML"
    )
    split_seed: int = Field(0, ge=0, lt=2**63, description="which characters train")
    train_characters: int = Field(1200, ge=1, le=CHARACTERS)
    validation_characters: int = Field(423, ge=1, le=CHARACTERS)
    rotate: bool = Field(True, description="one rotation by a multiple of 90 degrees per class and task")
    n_way: int = Field(20, ge=2, description="classes of a task")
    k_shot: int = Field(1, ge=1, lt=DRAWERS, description="support images of a class")
    k_query: int = Field(1, ge=1, lt=DRAWERS, description="query images of a class")
    meta_batch: int = Field(16, ge=1, description="tasks of a meta-batch")
    inner_steps: int = Field(1, ge=1, description="gradient steps of the inner loop")
    first_order: bool = Field(False, description="leave the second derivatives out (FOMAML)")
    layers: int = Field(4, ge=1, le=6, description="convolutions, each halving height and width")
    filters: int = Field(64, ge=1, description="of each convolution")
    norm_scale: bool = Field(False, description="batch norm has a scale beside its shift")
    norm_adapted: bool = Field(False, description="the inner loop moves shift and scale too")
    norm_eps: float = Field(1e-5, gt=0)
    head_init: Literal["linear", "xavier", "normal", "small"] = Field(
        "linear", description="torch.nn.Linear's U(+-1/sqrt(fan in)), Xavier uniform, N(0, 1), N(0, 0.01^2)"
    )
    loss_scale: Literal["mean", "sum_over_shots"] = Field(
        "mean", description="mean cross entropy, or n_way times it in both loops as in the original MAML"
    )
    task_reduction: Literal["mean", "sum"] = Field("mean", description="of the meta-loss over tasks")
    meta_optimizer: Literal["adam", "sgd"] = "adam"
    beta_rule: Literal["update", "raw"] = Field(
        "update", description="beta's hypergradient: current meta-gradient . previous update, or . gradient"
    )
    validation_tasks: int = Field(32, ge=1, description="fixed episodes of the held-out characters")
    validation_every: int = Field(25, ge=1, description="iterations from one validation to the next")
    precision: Literal["float32", "tf32", "float64"] = "float32"
    perturbation: int = Field(
        0, ge=0, lt=2**32, description="which draw of a relative noise of 1e-7 on the first weights; 0: none"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Protocol:
        if self.k_shot + self.k_query > DRAWERS:
            raise ValueError(f"k_shot + k_query is {self.k_shot + self.k_query}; a character has {DRAWERS}")
        if self.train_characters + self.validation_characters > CHARACTERS:
            raise ValueError(f"train_characters + validation_characters is more than {CHARACTERS}")
        if self.n_way > min(self.train_characters, self.validation_characters):
            raise ValueError(f"n_way is {self.n_way}, more than the characters of a split")
        return self

    @property
    def chance_loss(self) -> float:
        """ln n_way, nats: no classifier that is not adapted has a lower expected loss."""
        return math.log(self.n_way)

    @cached_property
    def label(self) -> str:
        """The preset it is nearest to and what differs; the data set apart. `paper-adam, k_shot=5`."""
        mine = self.model_dump(exclude={"dataset"})
        best = min(PRESETS, key=lambda name: len(_differences(mine, PRESETS[name])))
        return ", ".join([best, *(f"{k}={v}" for k, v in _differences(mine, PRESETS[best]).items())])


def _differences(mine: dict[str, Any], preset: Protocol) -> dict[str, Any]:
    return {k: v for k, v in mine.items() if v != getattr(preset, k)}


PRESETS: dict[str, Protocol] = {
    "paper-adam": Protocol(),
    "paper-sgd": Protocol(task_reduction="sum", meta_optimizer="sgd"),
}
"""The two readings of the paper: the original MAML's meta-optimizer and mean; Algorithm 2 to the letter."""


class Cell(Named):
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
                raise ValueError(f"method: '{data.get('method')}' is none of {', '.join(METHODS)}")
            return {**data, "hyper": METHODS[data["method"]].Hyper(**data["hyper"])}
        return data

    @cached_property
    def cell_id(self) -> str:
        """The first 16 hex digits of the SHA-256 of the cell's canonical JSON."""
        text = f'{_but_seed(self.protocol, self.method, self.hyper)},"seed":{self.seed}}}'
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def describe(self) -> str:
        """One line for people: `alpha-maml alpha0=0.1 beta0=0.001 ... seed=0`."""
        rates = " ".join(f"{name}={value:g}" for name, value in self.hyper.model_dump().items())
        return f"{self.method} {rates} seed={self.seed}"


@lru_cache(maxsize=4096, typed=True)
def _but_seed(protocol: Protocol, method: str, hyper: Hyper) -> str:
    """The canonical JSON of a cell up to its last key: all seeds of a point share it."""
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
    """The cell, made and hashed once: a large store and the grids over it name the same ones many times."""
    return Cell(protocol=protocol, method=method, hyper=hyper, seed=seed)


class Question(Frozen):
    """What a grid asks of each of its cells."""

    target_loss: float | None = Field(None, gt=0, description="nats; null: run to the budget")
    max_iterations: int = Field(ge=1, description="the budget")
