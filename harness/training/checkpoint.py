"""A checkpoint in training: from the states of a pack to arrays, and back to where it goes on."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from harness import records
from harness.cell import Cell
from harness.common.errors import UserError
from harness.common.text import one_line
from harness.methods.base import State
from harness.problems import problem_of
from harness.problems.networks import built
from harness.records import Row, checkpoint, schema
from harness.records.checkpoint import About, Damaged, Source
from harness.training import replay


class Unfit(ValueError):
    """A start that cells cannot go on from: why, in words."""


Named = dict[str, Tensor]
"""The tensors of a State by name, `weights`, `optimizer.0` ..., with the cells as their first axis."""
_ROWS = "rows."


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Cells of a pack before an iteration."""

    about: About
    state: Named
    """On the CPU."""
    rows: tuple[list[Row], ...]
    """Of each cell: those before the iteration. Empty for weights, whose record has them."""

    def of(self, cells: Sequence[Cell]) -> Checkpoint:
        """These of its cells, in this order. KeyError: it lacks one."""
        places = {cell.cell_id: i for i, cell in enumerate(self.about.cells)}
        at = [places[cell.cell_id] for cell in cells]
        some = replace(
            self.about,
            cells=tuple(cells),
            lowest=tuple(self.about.lowest[i] for i in at),
            seconds=tuple(self.about.seconds[i] for i in at),
        )
        state = {name: tensor[at] for name, tensor in self.state.items()}
        return Checkpoint(about=some, state=state, rows=tuple(self.rows[i] for i in at))

    def taken_up(self) -> Checkpoint:
        """The same, by a run that goes on from it, which its records will say."""
        continued = (*self.about.continued, self.about.iteration)
        return replace(self, about=replace(self.about, continued=continued))


def dump(one: Checkpoint) -> bytes:
    """The bytes of its file."""
    arrays = {name: tensor.numpy() for name, tensor in one.state.items()}
    for i, (cell, rows) in enumerate(zip(one.about.cells, one.rows, strict=bool(one.rows))):
        arrays[f"{_ROWS}{i}"] = np.frombuffer(_parquet(cell, rows), np.uint8)
    return checkpoint.dump(one.about, arrays)


def load(content: bytes) -> Checkpoint:
    """The way back. Raises checkpoint.Damaged, checkpoint.NotLoaded."""
    about, arrays = checkpoint.load(content)
    state = {name: torch.from_numpy(one) for name, one in arrays.items() if not name.startswith(_ROWS)}
    if any(tensor.shape[:1] != (len(about.cells),) for tensor in state.values()):
        raise Damaged("its arrays are not of its cells")
    kept = [arrays.get(f"{_ROWS}{i}") for i in range(len(about.cells))]
    try:
        tables = [pq.read_table(pa.BufferReader(one.tobytes())) for one in kept if one is not None]
    except (pa.ArrowException, OSError) as error:
        raise Damaged(f"its rows cannot be read ({one_line(str(error), 80)})") from None
    rows = tuple(table.to_pylist() for table in tables)
    if not about.ended and len(rows) < len(kept):
        raise Damaged("it lacks rows")
    return Checkpoint(about=about, state=state, rows=rows)


def _parquet(cell: Cell, rows: Sequence[Row]) -> bytes:
    columns = schema.record(cell)
    arrays = [pa.array([row[name] for row in rows], column.type) for name, column in columns.items()]
    buffer = io.BytesIO()
    pq.write_table(pa.table(arrays, names=list(columns)), buffer, compression="zstd")
    return buffer.getvalue()


def joined(sources: Sequence[Source], cells: Sequence[Cell]) -> Checkpoint | None:
    """Where these cells go on, from the files that have them between them; None: they have to begin."""
    if not sources:
        return None
    try:
        parts = [_whole(*source) for source in sources]
        return reduce(_beside, parts).of(cells)
    except (Damaged, checkpoint.NotLoaded, records.DamagedRecord, KeyError, RuntimeError):
        return None


def _whole(content: bytes, record: bytes | None) -> Checkpoint:
    """With its rows: those of weights are in the record, whose last row lacks what only an update gives."""
    one = load(content)
    if record is None:
        return one
    rows = records.load(record).rows.slice(0, one.about.iteration - 1).to_pylist()
    return replace(one, about=replace(one.about, ended=False), rows=(rows,))


def _beside(one: Checkpoint, other: Checkpoint) -> Checkpoint:
    about = replace(
        one.about,
        cells=one.about.cells + other.about.cells,
        lowest=one.about.lowest + other.about.lowest,
        seconds=one.about.seconds + other.about.seconds,
        pack_size=one.about.pack_size + other.about.pack_size,
        continued=tuple(sorted({*one.about.continued, *other.about.continued})),
    )
    state = {name: torch.cat([tensor, other.state[name]]) for name, tensor in one.state.items()}
    return Checkpoint(about=about, state=state, rows=one.rows + other.rows)


def named(state: State) -> Named:
    """The tensors of a state by name, on the CPU."""
    return {name: tensor.detach().cpu() for name, tensor in replay.named(state).items()}


def filled(start: State, tensors: Named) -> State:
    """A state like `start`, which tells the structure, with these tensors. Raises Unfit."""
    places = replay.named(start)
    for name, place in places.items():
        if name not in tensors or tensors[name].shape != place.shape:
            has = list(tensors[name].shape) if name in tensors else "nothing"
            raise Unfit(f"the checkpoint has {has} for {name}, where {list(place.shape)} is needed")
    values = iter([tensors[name].to(place) for name, place in places.items()])
    return replay.each(lambda _: next(values), start)


def state_of(content: bytes, cell: Cell) -> State:
    """The state of a cell at the end of its run, before the update after the last row: tensors [1, ...] on
    the CPU. content: the file of its weights. UserError: it is not that, or is damaged."""
    name = f"the weights of {cell.cell_id}"
    try:
        one = load(content)
        state = State(**{part: _tree(one.state, part) for part in State._fields})
    except (Damaged, checkpoint.NotLoaded) as error:
        raise UserError(
            f"{name}: cannot be read: {error}; remove their file, and a sweep trains it again"
        ) from None
    except KeyError as error:
        raise UserError(f"{name}: cannot be read: there is no {error}") from None
    if [kept.cell_id for kept in one.about.cells] != [cell.cell_id]:
        raise UserError(f"{name}: they are those of {one.about.cells[0].cell_id}")
    size = sum(built(cell.protocol, *problem_of(cell.protocol).shape()).layout.sizes)
    if state.weights.shape != (1, size):
        has, network = state.weights.shape[-1], cell.protocol.network
        raise UserError(f"{name}: they are {has} numbers; its network, {network}, has {size}")
    return state


def _tree(tensors: Named, name: str) -> replay.Tree:
    """The tree that `named` took apart. KeyError: a tensor is missing."""
    if name in tensors:
        return tensors[name]
    below = dict.fromkeys(
        key.removeprefix(f"{name}.").split(".")[0] for key in tensors if key.startswith(f"{name}.")
    )
    if not below and name not in ("optimizer", "memory"):
        raise KeyError(name)
    parts = {key: _tree(tensors, f"{name}.{key}") for key in below}
    return tuple(parts[str(i)] for i in range(len(parts))) if all(map(str.isdecimal, parts)) else parts
