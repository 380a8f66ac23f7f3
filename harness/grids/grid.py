"""A grid: ordered, unique cells, one question, and how its answers are drawn.

It has a protocol or several readings of one, blocks of cells, seeds, the question and the figure. Its JSON,
which the results keep in their metadata, has the same format as its file (file.py).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationInfo,
    field_validator,
    model_validator,
)

from harness.cell import Cell, Named, Point, Protocol, Question, cell, labels, point_of, protocol_of
from harness.common.errors import UserError
from harness.common.files import FIGURES
from harness.grids import figure, mistakes
from harness.grids.block import Block
from harness.grids.figure import Figure, Line
from harness.grids.matching import listed
from harness.grids.meta_test import MetaTest
from harness.grids.meta_test import refusal as refusal_of_test
from harness.grids.mistakes import Mistake, show
from harness.methods import METHODS, Hyper, refusal
from harness.methods.base import Kind, kind_of
from harness.problems.setting import MAX_ITERATIONS

RESERVED = (
    *("store", "reference", "bench"),
    *(f"{name}.{kind}" for name in ("claims", "bench") for kind in ("json", "md", *FIGURES)),
)
"""Folders and files of results/ whose names no grid may take."""
MAX_CELLS, MAX_ROWS = 50_000, 10**9
"""Of all seeds and readings together, and of all their iterations; more is taken to be a mistake."""
SHARED = ("problem", "dataset", "n_way")
"""Fields of the protocol that all readings of a grid share: otherwise its target would mean several
things."""

Seed = Annotated[int, Field(ge=0, lt=2**63)]


class Grid(Question):
    """What a file of sweeps/ says: which cells, what is asked of them, and how to draw the answers."""

    model_config = ConfigDict(serialize_by_alias=True)

    name: str = Field(description="the file's, without .yaml")
    folder: str = Field(description="in results/: the name, or name-dataset when the data set was replaced")
    file: str | None = Field(
        None, exclude=True, description="the path of its file; None: one of sweeps/, or not known"
    )
    title: Line = Field(description="of its figures")
    figure: Figure
    plugins: Annotated[tuple[Line, ...], BeforeValidator(listed)] = Field(
        (), max_length=100, description="files beside this one, or modules, that bring what it names"
    )
    protocol: SerializeAsAny[Protocol]
    preset: str = Field(
        default_factory=lambda data: data["protocol"].preset,
        description="what its protocols are described by",
    )
    readings: tuple[SerializeAsAny[Protocol], ...] = Field(
        (), max_length=1000, description="run in place of the protocol; none: the protocol alone"
    )
    seeds: Annotated[tuple[Seed, ...], BeforeValidator(listed), Field(min_length=1)] = (0,)
    blocks: tuple[Block, ...] = Field(alias="cells", min_length=1)
    keep_weights: bool = Field(
        False, description="keep the weights of every run; one without them counts as missing"
    )
    meta_test: MetaTest | None = Field(
        None, description="test the weights on tasks that nobody trained on; they are kept"
    )

    @property
    def keeps_weights(self) -> bool:
        """Whether the weights of its runs are kept."""
        return self.keep_weights or self.meta_test is not None

    @property
    def question(self) -> Question:
        """What is asked of each cell."""
        return Question(target_loss=self.target_loss, max_iterations=self.max_iterations)

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """Those that the cells run under: the readings, or the protocol alone."""
        return self.readings or (self.protocol,)

    @cached_property
    def label(self) -> str:
        """`paper-adam`; with readings `paper-adam; k_shot=5; meta_batch=8`."""
        return "; ".join(labels([self.named(protocol) for protocol in self.protocols]))

    def named(self, protocol: Protocol) -> Named:
        """A protocol as the tables keep it."""
        return protocol.named(self.preset)

    def cells(self, seeds: Iterable[int] | None = None) -> tuple[Cell, ...]:
        """All cells, each once: seed by seed (None: the grid's seeds), reading by reading, block by block."""
        wanted = dict.fromkeys(self.seeds if seeds is None else seeds)
        points = self.points
        return tuple(one.cell(seed) for seed in wanted for one in points)

    @property
    def points(self) -> tuple[Point, ...]:
        """Its cells of any one seed, in their order."""
        return tuple(
            point_of(protocol, block.method, hyper)
            for protocol in self.protocols
            for block in self.blocks
            for hyper in block.hypers
        )

    @property
    def size(self) -> int:
        """The number of its cells of one seed and reading."""
        return sum(len(block.hypers) for block in self.blocks)

    def check_size(self, seeds: int) -> None:
        """UserError if the grid may not have as many seeds: it would be too large."""
        for _, text in _too_large(self.size, len(self.protocols), seeds, self.max_iterations):
            raise UserError(f"{self.name}: {text}")

    @model_validator(mode="before")
    @classmethod
    def _bounded(cls, data: Any) -> Any:
        """Before anything is multiplied out."""
        if isinstance(data, dict):
            mistakes.refuse(_size_mistakes(data))
        return data

    @field_validator("protocol", mode="before")
    @classmethod
    def _type_protocol(cls, value: Any) -> Any:
        return protocol_of(**value) if isinstance(value, Mapping) else value

    @field_validator("readings", mode="before")
    @classmethod
    def _type_readings(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        return tuple(protocol_of(**one) if isinstance(one, Mapping) else one for one in value)

    @model_validator(mode="after")
    def _checked(self, info: ValidationInfo) -> Grid:
        mistakes.refuse(_method_mistakes(self, info.context or {}))
        mistakes.refuse(_meta_test_mistakes(self))
        mistakes.refuse(_reading_mistakes(self))
        mistakes.refuse(_repeats(self))
        one_seed = self.cells((0,))
        mistakes.refuse(figure.figure_mistakes(self.figure, self.target_loss, one_seed, self.preset))
        return self


def _size_mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    """In a grid as it was written, where anything may be wrong: that it is too large."""
    seeds, readings = (max(1, _length(data.get(key))) for key in ("seeds", "readings"))
    cells = sum(_written_cells(block) for block in listed(data.get("cells")))
    iterations = data.get("max_iterations")
    if not isinstance(iterations, int) or iterations > MAX_ITERATIONS:
        iterations = 0  # refused at its own place
    for key, text in _too_large(cells, readings, seeds, iterations):
        yield Mistake((key,), text)


def _written_cells(block: Any) -> int:
    """The cells of a block of one seed; 0 for what is no block."""
    if not isinstance(block, dict) or not _is_method(block.get("method")):
        return 0
    paired = block["paired"] if isinstance(block.get("paired"), dict) else {}
    fields = METHODS[block["method"]].Hyper.model_fields
    rows = max(map(_length, paired.values()), default=1)
    return rows * math.prod(_length(block[name]) for name in fields if name in block)


def _is_method(name: Any) -> bool:
    return isinstance(name, str) and name in METHODS


def _length(value: Any) -> int:
    return len(listed(value))


def _too_large(cells: int, readings: int, seeds: int, iterations: int) -> Iterator[tuple[str, str]]:
    """The key of a grid's file that asks for too much, and how much. cells: of one seed and reading."""
    factors = {"cells": cells, "readings": readings, "seeds": seeds}
    written = " x ".join(f"{n:,} {name}" for name, n in factors.items() if name == "cells" or n > 1)
    total = math.prod(factors.values())
    if total > MAX_CELLS:
        product = f" are {total:,}" if total > cells else ""
        largest = max(factors, key=lambda name: factors[name])
        yield largest, f"{written}{product}; at most {MAX_CELLS:,} are allowed"
    elif total * iterations > MAX_ROWS:
        text = f"{written} x {iterations:,} iterations are {total * iterations:,} rows"
        yield "max_iterations", f"{text}; at most {MAX_ROWS:,} are allowed"


def _method_mistakes(grid: Grid, written: Mapping[str, Any]) -> Iterator[Mistake]:
    """Methods that cannot be run under a protocol, or that no table can hold together. written: `protocol`
    and `readings` as the grid's file has them; empty: there is no file."""
    protocol, readings = written.get("protocol", {}), written.get("readings", ())
    kinds: dict[str, tuple[str, Kind | None]] = {}
    for i, block in enumerate(grid.blocks):
        for at, whole in enumerate(grid.protocols):
            change = readings[at] if grid.readings and readings else {}
            if refused := refusal(block.method, whole, {*protocol, *change}):
                field, text = refused
                yield Mistake(("readings", at, field) if field in change else ("protocol", field), text)
                return
        for name, info in METHODS[block.method].Hyper.model_fields.items():
            its = kind_of(info)
            other, kind = kinds.setdefault(name, (block.method, its))
            if kind != its:
                text = f"its {name} is a {its}, that of {other} a {kind}; no column can hold both"
                yield Mistake(("cells", i, "method"), text)
                return


def _meta_test_mistakes(grid: Grid) -> Iterator[Mistake]:
    """A meta-test of more steps than a method has rates for."""
    for protocol, block in itertools.product(grid.protocols, grid.blocks):
        if grid.meta_test is not None and (why := refusal_of_test(grid.meta_test, block.method, protocol)):
            yield Mistake(("meta_test", "steps"), why)
            return


def _reading_mistakes(grid: Grid) -> Iterator[Mistake]:
    """Readings that are listed twice, or whose target would mean something else."""
    first: dict[Protocol, int] = {}
    for i, reading in enumerate(grid.readings):
        if (before := first.setdefault(reading, i)) < i:
            yield Mistake(("readings", i), f"{reading.label} is listed twice", ("readings", before))
        for key in SHARED:
            value, shared = getattr(reading, key, None), getattr(grid.protocol, key, None)
            if value != shared:
                yield Mistake(("readings", i, key), unshared(key, value, shared))


def unshared(key: str, value: Any, shared: Any) -> str:
    """What is wrong with a reading that has another problem or data set than its grid."""
    return f"{show(value)}; a grid's readings share one {key}, here {show(shared)}"


def _repeats(grid: Grid) -> Iterator[Mistake]:
    """Seeds and cells that are listed twice; of each block, the first of these."""
    first_seed: dict[int, int] = {}
    for i, seed in enumerate(grid.seeds):
        if (before := first_seed.setdefault(seed, i)) < i:
            yield Mistake(("seeds", i), f"{seed} is listed twice", ("seeds", before))
    first_block: dict[tuple[str, Hyper], int] = {}
    for i, block in enumerate(grid.blocks):
        inside: set[Hyper] = set()
        for hyper in block.hypers:
            before = first_block.setdefault((block.method, hyper), i)
            if before < i or hyper in inside:
                first_at = None if before == i else ("cells", before)
                what = cell(grid.protocol, block.method, hyper, 0).describe_point()
                yield Mistake(("cells", i), f"{what} is listed twice", first_at)
                break
            inside.add(hyper)
