"""A block of cells in a grid's file: one method, and lists of its hyper-parameters."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from harness.common.frozen import Frozen
from harness.grids import mistakes
from harness.grids.matching import listed
from harness.grids.mistakes import Mistake, show, suggest
from harness.grids.strictyaml import Place
from harness.methods import METHODS, Hyper

Value = int | float | str | bool


def _value(value: Any) -> Value:
    """As it is written: the method's model says what it may be."""
    if isinstance(value, Value):
        return value
    raise ValueError(f"{show(value)} is not a value")


Values = Annotated[
    tuple[Annotated[Value, PlainValidator(_value)], ...], BeforeValidator(listed), Field(min_length=1)
]


class Block(Frozen):
    """The cells of one method: the cross product of its lists, with the `paired` ones read side by side."""

    # The other keys are the method's hyper-parameters; the validators check them.
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Values] = Field(init=False)

    method: str
    paired: dict[str, Values] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            mistakes.refuse(_key_mistakes(data))
        return data

    @model_validator(mode="after")
    def _values(self) -> Block:
        mistakes.refuse(_value_mistakes(self))
        return self

    @property
    def crossed(self) -> dict[str, tuple[Value, ...]]:
        """The lists outside `paired`, in the method's field order."""
        given = self.__pydantic_extra__
        return {name: given[name] for name in METHODS[self.method].Hyper.model_fields if name in given}

    @cached_property
    def hypers(self) -> tuple[Hyper, ...]:
        """The hyper-parameters of each cell of one seed, in the promised order."""
        model = METHODS[self.method].Hyper
        return tuple(model(**point) for point in self.points())

    def points(self) -> Iterator[dict[str, Value]]:
        """The hyper-parameters of each cell: `paired` outermost, then the method's field order."""
        names, lists = (*self.paired, *self.crossed), tuple(self.crossed.values())
        rows = zip(*self.paired.values(), strict=True) if self.paired else [()]
        for row in rows:
            for values in itertools.product(*lists):
                yield dict(zip(names, (*row, *values), strict=True))


def _key_mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    """In a block as it was written: its method, keys that the method does not have, keys that are missing."""
    if "method" not in data:
        misspelt = [key for key in data if mistakes.similar(key, ["method"])]
        yield from (Mistake((key,), "unknown key; did you mean method?") for key in misspelt)
        yield Mistake(("method",), mistakes.MISSING)
        return
    method = data["method"]
    if not isinstance(method, str) or method not in METHODS:
        yield Mistake(("method",), f"{show(method)} is not a method; {suggest(method, METHODS.known())}")
        return
    fields = METHODS[method].Hyper.model_fields
    paired = data["paired"] if isinstance(data.get("paired"), dict) else {}
    given: dict[str, Place] = {}
    outside: list[tuple[str, Place]] = [(key, (key,)) for key in data if key not in ("method", "paired")]
    for key, at in outside + [(key, ("paired", key)) for key in paired]:
        if key not in fields:
            others = ["paired"] if len(at) == 1 else []
            yield Mistake(at, f"{method} has no {key}; {suggest(key, [*fields, *others])}")
        if key in given:
            yield Mistake(at, "given twice, inside paired and outside it", given[key])
        given[key] = at
    for name, field in fields.items():
        if field.is_required() and name not in given:
            yield Mistake((name,), mistakes.MISSING)


def _value_mistakes(block: Block) -> Iterator[Mistake]:
    """In a block whose keys and types are right: lengths, and values that the method refuses."""
    longest = max(block.paired, key=lambda name: len(block.paired[name]), default="")
    for name, values in block.paired.items():
        if (n := len(values)) != (most := len(block.paired[longest])):
            text = f"has length {n}, {longest} has {most}; paired lists must have the same length"
            yield Mistake(("paired", name), text)
            return
    try:
        _ = block.hypers
    except ValidationError as error:
        refused = dict(_refused_values(block))
        # None alone: the method refuses some of them together.
        refused = refused or {(): mistakes.words(error.errors(include_url=False)[0])}
        yield from (Mistake(place, text) for place, text in refused.items())


def _refused_values(block: Block) -> Iterator[tuple[Place, str]]:
    """Where the method refuses a value, and why. Each value is tried once, beside the first of the others."""
    first = next(block.points())
    rows = [dict(zip(block.paired, row, strict=True)) for row in zip(*block.paired.values(), strict=True)]
    alone = [{name: value} for name, values in block.crossed.items() for value in values]
    for tried in (*rows, *alone):
        try:
            METHODS[block.method].Hyper(**first | tried)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                yield _origin(block, first | tried, detail["loc"]), mistakes.words(detail)


def _origin(block: Block, point: dict[str, Value], loc: Place) -> Place:
    """Where in the block the value is that a method's model refused."""
    if not loc or (name := str(loc[0])) not in point:
        return ()
    if name in block.paired:
        return ("paired", name, _index(block.paired[name], point[name]))
    return (name, _index(block.crossed[name], point[name]))


def _index(values: tuple[Value, ...], value: Value) -> int:
    """Where it is among them; true is not 1."""
    return next(i for i, one in enumerate(values) if one == value and type(one) is type(value))
