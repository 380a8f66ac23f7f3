"""Grids: strict YAML -> ordered, unique cells. And the filters that pick some of them.

A grid file names a protocol or several readings of one, blocks of cells, seeds, one question and the
figure. The file's format is the JSON of a Grid too, which the results keep in their metadata.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from harness.cell import PRESETS, Cell, Named, Protocol, Question, cell, labels
from harness.common import places
from harness.common.errors import UserError
from harness.common.frozen import Frozen
from harness.grids import figure, strictyaml
from harness.grids.figure import Figure, Heatmap, Line, Trajectories, describe, listed
from harness.grids.selection import parse_seeds, select_shard, shard, where
from harness.grids.strictyaml import Path_, Problem, show, suggest
from harness.methods import METHODS

__all__ = [
    "Block",
    "Grid",
    "Heatmap",
    "Trajectories",
    "datasets",
    "from_json",
    "load",
    "names",
    "parse_seeds",
    "resolve",
    "select_shard",
    "shard",
    "where",
]

RESERVED = ("store", "reference", "bench")
"""Folders of results/ that no grid may take."""
SHARED = ("dataset", "n_way")
"""Of the protocol: the same in all readings of a grid, for its target means something else otherwise."""
MOST = 100_000
"""Cells of a seed: more is taken for a slip."""

Values = Annotated[tuple[float, ...], BeforeValidator(listed), Field(min_length=1)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class Block(Frozen):
    """The cells of one method: the cross product of its lists, with `paired` ones read side by side."""

    # The other keys are the method's hyper-parameters; which those are, the validators know.
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Values] = Field(init=False)

    method: str
    paired: dict[str, Values] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            strictyaml.refuse(_key_problems(data))
        return data

    @model_validator(mode="after")
    def _values(self) -> Block:
        strictyaml.refuse(_value_problems(self))
        return self

    @property
    def crossed(self) -> dict[str, tuple[float, ...]]:
        """The lists outside `paired`, in the method's field order."""
        given = self.__pydantic_extra__
        return {name: given[name] for name in METHODS[self.method].Hyper.model_fields if name in given}

    @property
    def size(self) -> int:
        """Number of cells of one seed."""
        rows = len(next(iter(self.paired.values()), (0,)))
        return rows * math.prod(len(values) for values in self.crossed.values())

    def points(self) -> Iterator[dict[str, float]]:
        """The hyper-parameters of each cell: `paired` outermost, then the method's field order."""
        names, lists = (*self.paired, *self.crossed), tuple(self.crossed.values())
        rows = zip(*self.paired.values(), strict=True) if self.paired else [()]
        for row in rows:
            for values in itertools.product(*lists):
                yield dict(zip(names, (*row, *values), strict=True))


def _key_problems(data: dict[str, Any]) -> Iterator[Problem]:
    """Of a block as it was written: its method, and keys that the method lacks or needs."""
    if "method" not in data:
        slips = [key for key in data if suggest(key, ["method"]).startswith("did")]
        yield from (Problem((key,), "unknown key; did you mean method?") for key in slips)
        yield Problem(("method",), strictyaml.MISSING)
        return
    method = data["method"]
    if not isinstance(method, str) or method not in METHODS:
        yield Problem(("method",), f"{show(method)} is no method; {suggest(method, METHODS)}")
        return
    fields = METHODS[method].Hyper.model_fields
    paired = data["paired"] if isinstance(data.get("paired"), dict) else {}
    given: dict[str, Path_] = {}
    outside: list[tuple[str, Path_]] = [(key, (key,)) for key in data if key not in ("method", "paired")]
    for key, at in outside + [(key, ("paired", key)) for key in paired]:
        if key not in fields:
            others = ["paired"] if len(at) == 1 else []
            yield Problem(at, f"{method} has no {key}; {suggest(key, [*fields, *others])}")
        if key in given:
            yield Problem(at, "given beside paired too", given[key])
        given[key] = at
    for name, field in fields.items():
        if field.is_required() and name not in given:
            yield Problem((name,), strictyaml.MISSING)


def _value_problems(block: Block) -> Iterator[Problem]:
    """Of a block whose keys and types are right: lengths, and what the method says of its values."""
    longest = max(block.paired, key=lambda name: len(block.paired[name]), default="")
    for name, values in block.paired.items():
        if (n := len(values)) != (most := len(block.paired[longest])):
            yield Problem(("paired", name), f"has {n} values, {longest} has {most}; pairs need equally many")
            return
    if block.size > MOST:
        yield Problem((), f"{block.size:,} cells; {MOST:,} is the most")
        return
    seen: set[Path_] = set()
    for point in block.points():
        try:
            METHODS[block.method].Hyper(**point)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                at = _origin(block, point, detail["loc"])
                if at not in seen:
                    yield Problem(at, strictyaml.words(detail))
                seen.add(at)


def _origin(block: Block, point: dict[str, float], loc: Path_) -> Path_:
    """Where in the block the value stands that a method's model refused."""
    if not loc or (name := str(loc[0])) not in point:
        return ()
    if name in block.paired:
        return ("paired", name, block.paired[name].index(point[name]))
    return (name, block.crossed[name].index(point[name]))


class Grid(Question):
    """What a file of sweeps/ says: which cells, what is asked of them, and how to draw the answers."""

    model_config = ConfigDict(serialize_by_alias=True)

    name: str = Field(description="the file's, without .yaml")
    folder: str = Field(description="of results/: the name, or name-dataset when the data set was replaced")
    title: Line = Field(description="of its figures")
    figure: Figure
    protocol: Protocol
    preset: str = Field(
        default_factory=lambda data: data["protocol"].preset, description="whose names its protocols go by"
    )
    readings: tuple[Protocol, ...] = Field((), description="of the protocol, in its place; none: it alone")
    seeds: Annotated[tuple[Seed, ...], BeforeValidator(listed), Field(min_length=1)] = (0,)
    blocks: tuple[Block, ...] = Field(alias="cells", min_length=1)

    @property
    def question(self) -> Question:
        """What is asked of each cell."""
        return Question(target_loss=self.target_loss, max_iterations=self.max_iterations)

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """Those that the cells are run under: the readings, or the protocol alone."""
        return self.readings or (self.protocol,)

    @cached_property
    def label(self) -> str:
        """`paper-adam`; with readings `paper-adam; k_shot=5; meta_batch=8`."""
        return "; ".join(labels([self.named(protocol) for protocol in self.protocols]))

    def named(self, protocol: Protocol) -> Named:
        """A protocol as the tables keep it, beside the grid's preset."""
        return self.preset, protocol.changes(self.preset)

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
    def _whole(self) -> Grid:
        strictyaml.refuse(_reading_problems(self))
        strictyaml.refuse(_twice(self))
        one_seed = self.cells((0,))
        strictyaml.refuse(figure.figure_problems(self.figure, self.target_loss, one_seed, self.preset))
        return self


def _reading_problems(grid: Grid) -> Iterator[Problem]:
    """Readings that are there twice, or of another problem."""
    for i, reading in enumerate(grid.readings):
        if (first := grid.readings.index(reading)) < i:
            yield Problem(("readings", i), f"{reading.label} is there twice", ("readings", first))
        for key in SHARED:
            if (own := getattr(reading, key)) != (shared := getattr(grid.protocol, key)):
                text = f"{show(own)}; a grid's readings share one {key}, here {show(shared)}"
                yield Problem(("readings", i, key), text)


def _twice(grid: Grid) -> Iterator[Problem]:
    """Seeds and cells that are there twice."""
    for i, seed in enumerate(grid.seeds):
        if (first := grid.seeds.index(seed)) < i:
            yield Problem(("seeds", i), f"{seed} is there twice", ("seeds", first))
    seen: dict[str, int] = {}
    for i, block in enumerate(grid.blocks):
        for one in grid.model_copy(update={"blocks": (block,), "readings": ()}).cells((0,)):
            before = seen.get(one.cell_id)
            if before is not None:
                first_at = None if before == i else ("cells", before)
                yield Problem(("cells", i), f"{describe(one)} is there twice", first_at)
            seen.setdefault(one.cell_id, i)


def datasets() -> tuple[str, ...]:
    """The data sets by name."""
    from harness.problems.datasets import LOADERS  # late: it loads numpy and matplotlib

    return tuple(LOADERS)


def names() -> list[str]:
    """The grids of sweeps/."""
    return sorted(path.stem for path in places.SWEEPS.glob("*.yaml"))


def load(name_or_path: str, *, dataset: str | None = None) -> Grid:
    """The grid sweeps/<name>.yaml, or that of any file that ends in .yaml or .yml.

    `dataset` replaces that of the protocol (None: it stays). Raises UserError: one line, with the file's.
    """
    if dataset is not None and dataset not in datasets():
        raise UserError(f"data set '{dataset}': unknown; {suggest(dataset, datasets())}")
    if name_or_path.endswith((".yaml", ".yml")):
        path, shown = Path(name_or_path), name_or_path
    elif name_or_path in names():
        path, shown = places.SWEEPS / f"{name_or_path}.yaml", f"sweeps/{name_or_path}.yaml"
    else:
        known = suggest(name_or_path, names())
        raise UserError(f"grid '{name_or_path}': unknown; {known} (or a path that ends in .yaml)")
    _check_name(path)
    return resolve(strictyaml.read(path, shown), path.stem, dataset)


def _check_name(path: Path) -> None:
    """The name becomes a folder of results/: it must be fit for one, and nobody else's."""
    taken = {name for grid in names() for name in (grid, *(f"{grid}-{d}" for d in datasets()))}
    ours = path.resolve().parent == places.SWEEPS.resolve() and path.suffix == ".yaml"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]*", path.stem):
        raise UserError(f"{path}: rename it: letters, digits and _ . + - make a folder's name")
    if path.stem.lower() in {*RESERVED, *({} if ours else {name.lower() for name in taken})}:
        raise UserError(f"{path}: rename it: the folder results/{path.stem} is another's")


def resolve(document: strictyaml.Document, name: str, dataset: str | None = None) -> Grid:
    """The grid that a file says, its preset written out. Raises UserError."""
    data = document.data
    if not isinstance(data, dict):
        raise strictyaml.report(document, [Problem((), f"{show(data)} is no mapping of keys to values")])
    known = _known(data, ())
    found = [Problem((key,), f"unknown key; {suggest(key, known)}") for key in _OURS if key in data]
    protocol, preset, folder = data.get("protocol", {}), "paper-adam", name
    if isinstance(protocol, dict):
        preset = protocol.get("preset", "paper-adam")
        if not isinstance(preset, str) or preset not in PRESETS:
            text = f"{show(preset)} is no preset; {suggest(preset, PRESETS)}"
            found.append(Problem(("protocol", "preset"), text))
            preset = "paper-adam"
        own = protocol.get("dataset", PRESETS[preset].dataset)
        if isinstance(own, str) and own not in datasets():
            text = f"'{own}' is no data set; {suggest(own, datasets())}"
            found.append(Problem(("protocol", "dataset"), text))
        given = {key: value for key, value in protocol.items() if key != "preset"}
        protocol = {**PRESETS[preset].model_dump(), **given, "dataset": dataset or own}
        folder = name if dataset in (None, own) else f"{name}-{dataset}"
    try:
        whole = {**data, "protocol": protocol, "preset": preset, "name": name, "folder": folder}
        if "readings" in data:
            whole["readings"] = _readings(data["readings"], protocol)
        grid = Grid.model_validate(whole, strict=True)
    except ValidationError as error:
        found += strictyaml.problems(error, document, lambda path: _known(data, path))
    if found:
        raise strictyaml.report(document, found)
    return grid


def _readings(changes: Any, protocol: Any) -> Any:
    """The changes of a protocol as protocols, written out. What is wrong with either is left to the model."""
    try:
        base = Protocol.model_validate(protocol, strict=True).model_dump()
    except ValidationError:
        base = {}  # refused at its own place, and not in each reading once more
    if not isinstance(changes, tuple):
        return changes
    return tuple({**base, **change} if isinstance(change, dict) else change for change in changes)


def from_json(text: str) -> Grid:
    """The grid from its own JSON, as the results keep it. Raises UserError."""
    try:
        return Grid.model_validate_json(text)
    except ValidationError as error:
        raise UserError(f"the grid kept with the results: {strictyaml.words(error.errors()[0])}") from None


_OURS = ("name", "folder", "preset")
"""Fields of a Grid that its file does not give."""


def _known(data: dict[str, Any], path: Path_) -> list[str]:
    """The keys that a file may have at this path."""
    if not path:
        return [f.alias or name for name, f in Grid.model_fields.items() if name not in _OURS]
    if path == ("protocol",):
        return ["preset", *Protocol.model_fields]
    if path[0] == "readings":
        return list(Protocol.model_fields)
    if path == ("figure",):
        return list((Trajectories if data["figure"]["kind"] == "trajectories" else Heatmap).model_fields)
    return list(figure.Column.model_fields)
