"""A grid: ordered, unique cells, one question, and how its answers are drawn.

It has a protocol or several readings of one, blocks of cells, seeds, the question and the figure. Its JSON,
which the results keep in their metadata, has the same format as its file (file.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from harness.cell import Cell, Named, Protocol, Question, cell, labels
from harness.grids import figure, mistakes
from harness.grids.block import Block
from harness.grids.figure import Figure, Line, listed
from harness.grids.mistakes import Mistake, show
from harness.methods import METHODS

RESERVED = ("store", "reference", "bench")
"""Folders of results/ that no grid may take."""
SHARED = ("dataset", "n_way")
"""Fields of the protocol that all readings of a grid share: otherwise its target would mean several
things."""

Seed = Annotated[int, Field(ge=0, lt=2**63)]


class Grid(Question):
    """What a file of sweeps/ says: which cells, what is asked of them, and how to draw the answers."""

    model_config = ConfigDict(serialize_by_alias=True)

    name: str = Field(description="the file's, without .yaml")
    folder: str = Field(description="in results/: the name, or name-dataset when the data set was replaced")
    title: Line = Field(description="of its figures")
    figure: Figure
    protocol: Protocol
    preset: str = Field(
        default_factory=lambda data: data["protocol"].preset,
        description="what its protocols are described by",
    )
    readings: tuple[Protocol, ...] = Field(
        (), description="run in place of the protocol; none: the protocol alone"
    )
    seeds: Annotated[tuple[Seed, ...], BeforeValidator(listed), Field(min_length=1)] = (0,)
    blocks: tuple[Block, ...] = Field(alias="cells", min_length=1)

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
        points = [
            (block.method, METHODS[block.method].Hyper(**point))
            for block in self.blocks
            for point in block.points()
        ]
        return tuple(
            cell(protocol, method, hyper, seed)
            for seed in dict.fromkeys(self.seeds if seeds is None else seeds)
            for protocol in self.protocols
            for method, hyper in points
        )

    @model_validator(mode="after")
    def _checked(self) -> Grid:
        mistakes.refuse(_reading_mistakes(self))
        mistakes.refuse(_repeats(self))
        one_seed = self.cells((0,))
        mistakes.refuse(figure.figure_mistakes(self.figure, self.target_loss, one_seed, self.preset))
        return self


def _reading_mistakes(grid: Grid) -> Iterator[Mistake]:
    """Readings that are listed twice, or whose target would mean something else."""
    for i, reading in enumerate(grid.readings):
        if (first := grid.readings.index(reading)) < i:
            yield Mistake(("readings", i), f"{reading.label} is listed twice", ("readings", first))
        for key in SHARED:
            if (value := getattr(reading, key)) != (shared := getattr(grid.protocol, key)):
                text = f"{show(value)}; a grid's readings share one {key}, here {show(shared)}"
                yield Mistake(("readings", i, key), text)


def _repeats(grid: Grid) -> Iterator[Mistake]:
    """Seeds and cells that are listed twice."""
    for i, seed in enumerate(grid.seeds):
        if (first := grid.seeds.index(seed)) < i:
            yield Mistake(("seeds", i), f"{seed} is listed twice", ("seeds", first))
    seen: dict[str, int] = {}
    for i, block in enumerate(grid.blocks):
        for repeat in grid.model_copy(update={"blocks": (block,), "readings": ()}).cells((0,)):
            before = seen.get(repeat.cell_id)
            if before is not None:
                first_at = None if before == i else ("cells", before)
                yield Mistake(("cells", i), f"{repeat.describe_point()} is listed twice", first_at)
            seen.setdefault(repeat.cell_id, i)
