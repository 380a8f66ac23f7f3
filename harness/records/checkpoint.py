"""A checkpoint: the state of cells in training, or the weights that a run has ended with, as one file.

It has the format of safetensors: arrays by name, and a header that says of which cells and which iteration. A
digest in it tells whether it is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.cell import Cell, Question
from harness.common.errors import NotAFile
from harness.common.files import opened
from harness.common.text import one_line
from harness.records import provenance
from harness.records.record import NUMERICS, not_loaded

WITH_WEIGHTS = ("stopped", "budget")
"""The endings of runs whose weights are of use."""
Source = tuple[bytes, bytes | None]
"""A checkpoint's file; and for the weights of a run that had ended its record, which has the rows."""
Arrays = dict[str, NDArray[Any]]
_KEY, _SCHEMA = "harness.checkpoint", 1
_MOST_HEADER = 1 << 26
"""Bytes of a header: that of a pack of 200 cells has a hundredth of it."""


class Damaged(Exception):
    """A file that is no whole checkpoint: the reason, in a few words."""


class NotLoaded(Exception):
    """A checkpoint of what is not loaded: whole, as far as one can tell. What it is of, in a few words."""


@dataclass(frozen=True, kw_only=True)
class About:
    """What a checkpoint says of itself. The arrays have its cells as their first axis."""

    cells: tuple[Cell, ...]
    iteration: int
    """The next one: one more than the updates that are in the weights."""
    ended: bool
    """Whether its run is over, after this iteration; else its cells are in training."""
    lowest: tuple[float | None, ...]
    """The lowest sustained loss of each cell so far, see passages.lowest_sustained."""
    seconds: tuple[float, ...]
    """Each cell's share of the time of training."""
    pack_size: int
    """Cells that the pack began with."""
    continued: tuple[int, ...] = ()
    """The iterations at which the run was taken up again."""
    numerics: int = NUMERICS
    sources: Mapping[str, str] = field(default_factory=dict)
    """The digests of the sources of plug-ins, see provenance.sources_of."""

    def leads_to(self, at: int, question: Question) -> bool:
        """Whether a run of its cell number `at` for `question` comes past here."""
        lowest = self.lowest[at]
        if self.iteration > question.max_iterations:
            return False
        return question.target_loss is None or lowest is None or lowest > question.target_loss

    @property
    def is_current(self) -> bool:
        """Whether today's arithmetic and plug-ins would have made it."""
        return self.numerics == NUMERICS and self.sources == provenance.sources_of(self.cells[0])


def dump(about: About, arrays: Arrays) -> bytes:
    """A checkpoint as the bytes of its file."""
    from safetensors.numpy import save

    fields = vars(about) | {"cells": [cell.model_dump(mode="json") for cell in about.cells]}
    text = json.dumps({"schema": _SCHEMA} | fields)
    header = json.dumps({"about": text, "sha256": _digest(text, arrays)})
    return save({name: np.ascontiguousarray(one) for name, one in arrays.items()}, {_KEY: header})


def load(content: bytes) -> tuple[About, Arrays]:
    """The whole of it, its digest checked. Raises Damaged, NotLoaded."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as arrays_of

    text, digest = _header(content)
    try:
        arrays = arrays_of(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise Damaged(f"truncated, or no such file ({one_line(str(error), 80)})") from None
    if _digest(text, arrays) != digest:
        raise Damaged("its content does not match its digest")
    return _about(text), arrays


def about_of(content: bytes) -> About:
    """The header of a file's bytes alone. Raises Damaged, NotLoaded."""
    return _about(_header(content)[0])


def read_about(path: Path) -> About:
    """The header alone. Raises Damaged, NotLoaded, OSError."""
    return _about(_header(_start(path))[0])


def digest_of(path: Path) -> str:
    """The digest that a file has of its content. Raises Damaged, OSError."""
    return _header(_start(path))[1]


def _start(path: Path) -> bytes:
    """The file as far as its header goes. Raises Damaged, too, if it is shorter or longer than the header
    says."""
    try:
        with opened(path) as file:
            length = file.read(8)
            start = length + file.read(min(_MOST_HEADER, int.from_bytes(length, "little")))
            if len(start) + _data(start) != os.fstat(file.fileno()).st_size:
                raise Damaged("truncated, or not a checkpoint")
            return start
    except NotAFile as error:
        raise Damaged(f"not a checkpoint but {error.reason}") from None


def _data(start: bytes) -> int:
    """Bytes of the arrays, which follow the header."""
    try:
        places = json.loads(start[8:])
        return max((one["data_offsets"][1] for name, one in places.items() if name[:2] != "__"), default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise Damaged("truncated, or not a checkpoint") from None


def _header(content: bytes) -> tuple[str, str]:
    """What it says of itself, as JSON, and the digest. In safetensors, the length of the header comes first,
    8 bytes."""
    try:
        length = int.from_bytes(content[:8], "little")
        ours = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][_KEY])
        return ours["about"], ours["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Damaged("truncated, or not a checkpoint") from None


def _about(text: str) -> About:
    try:
        fields = json.loads(text)
        if fields.pop("schema") != _SCHEMA:
            raise Damaged("of another version of this project")
        for cell in fields["cells"]:
            if (foreign := not_loaded(cell)) is not None:
                raise NotLoaded(foreign)
        cells = tuple(Cell(**cell) for cell in fields["cells"])
        tuples = {name: tuple(fields[name]) for name in ("lowest", "seconds", "continued")}
        about = About(**fields | tuples | {"cells": cells})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Damaged(f"its header cannot be read ({one_line(str(error), 80)})") from None
    if not _is_sound(about):
        raise Damaged("its header has values that no checkpoint has")
    return about


def _is_sound(about: About) -> bool:
    """Whether it has the types and sizes that a checkpoint has."""
    whole = (about.iteration, about.pack_size, about.numerics, *about.continued)
    numbers = (*about.seconds, *(one for one in about.lowest if one is not None))
    return (
        all(type(one) is int and one >= 1 for one in whole)
        and all(type(one) in (int, float) for one in numbers)
        and type(about.ended) is bool
        and isinstance(about.sources, dict)
        and len(about.lowest) == len(about.seconds) == len(about.cells) >= 1
        and (len(about.cells) == 1 or not about.ended)
    )


def _digest(text: str, arrays: Arrays) -> str:
    digest = hashlib.sha256(text.encode())
    for name, one in sorted(arrays.items()):
        digest.update(f"{name} {one.dtype.str} {one.shape}".encode())
        digest.update(np.ascontiguousarray(one).data if one.size else b"")
    return digest.hexdigest()
