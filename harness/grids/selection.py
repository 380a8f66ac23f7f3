"""Picking some of a grid's cells: by value, by shard, by seed."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from harness.cell import Cell
from harness.common.text import one_line
from harness.grids import mistakes, strictyaml
from harness.grids.grid import MAX_CELLS, Grid
from harness.grids.matching import matches, row_of
from harness.grids.mistakes import show
from harness.grids.strictyaml import refusal
from harness.methods import METHODS, Hyper, Method
from harness.methods.base import kind_of

Value = int | float | str | bool


def where(text: str) -> Callable[[Cell], bool]:
    """The filter `alpha0=1e-4,method=maml`. A key may have several values: `seed=0,seed=1` selects both.

    As in a figure's `where`, a key that a cell's method does not have is ignored: `alpha_hyperlr=1e-1` also
    selects MAML (`where_note` says so). Raises UserError for a key or a value that no cell can have.
    """
    wanted = _wanted(text)
    return lambda cell: matches(wanted, row_of(cell, cell.protocol.preset))


def where_note(text: str, selected: Iterable[Cell]) -> str | None:
    """What the filter `text` selected beside what it names, in a line: cells whose method lacks one of its
    keys. None: nothing, or the filter names methods too. Raises UserError as `where` does."""
    wanted = _wanted(text)
    counts = Counter(cell.method for cell in selected)
    lacks = {method: _lacking(method, wanted) for method in counts}
    complete = [method for method in counts if not lacks[method]]
    if "method" in wanted or len(complete) == len(counts):
        return None
    parts = [
        f"{METHODS[method].title} has no {' or '.join(keys)}, so {counts[method]} of its cells "
        f"{'is' if counts[method] == 1 else 'are'} selected too"
        for method, keys in lacks.items()
        if keys
    ]
    named = ",".join(f"method={method}" for method in complete)
    advice = f"add {named} to leave them out" if named else "no other cell matches"
    return one_line(f"where {show(text)}: {'; '.join(parts)}; {advice}")


def _lacking(method: str, keys: Iterable[str]) -> list[str]:
    return [key for key in keys if key not in ("method", "seed", *METHODS[method].Hyper.model_fields)]


def _wanted(text: str) -> Mapping[str, Collection[Value]]:
    """The filter's keys, each with the values that it allows."""
    wanted: dict[str, set[Value]] = {}
    for part in text.split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (key and equals and value):
            raise refusal(f"where {show(text)}: {show(part)} is not of the form key=value")
        wanted.setdefault(key, set()).add(_value(key, value))
    return wanted


def _value(key: str, value: str) -> Value:
    hyper_parameters = [name for method in METHODS.values() for name in method.Hyper.model_fields]
    known = list(dict.fromkeys(["method", "seed", *hyper_parameters]))
    if key not in known:
        raise refusal(f"where: {show(key)} is not a column; {mistakes.suggest(key, known)}")
    if key == "method":
        if value not in METHODS:
            near = mistakes.suggest(value, METHODS.known())
            raise refusal(f"where: method: {show(value)} is not a method; {near}")
        return value
    if key == "seed":
        return _seed(value, f"where: seed: {show(value)} is not a seed; write a whole number >= 0")
    refused: list[str] = []
    for method in METHODS.values():
        if key in method.Hyper.model_fields:
            try:
                return hyper_parameter(method, key, value)
            except ValueError as error:
                refused.append(str(error))
    raise refusal(f"where: {key}: {refused[0]}")


def hyper_parameter(method: Method, name: str, text: str) -> Value:
    """A method's hyper-parameter as it is written on a command line: `1e-3`, `5`, `true`, `raw`.

    ValueError: what is wrong with it; UserError: the method has no such hyper-parameter.
    """
    fields = method.Hyper.model_fields
    if name not in fields:
        raise refusal(f"{method.name} has no {show(name)}; {mistakes.suggest(name, fields)}")
    kind = kind_of(fields[name])
    value = text if kind == "choice" else strictyaml.scalar(text)
    if kind in ("number", "whole number") and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ValueError(f"{show(text)} is not a number")
    try:
        return _adapter(method.Hyper, name).validate_python(value)
    except ValidationError as error:
        raise ValueError(mistakes.words(error.errors(include_url=False)[0])) from None


@lru_cache
def _adapter(model: type[Hyper], name: str) -> TypeAdapter[Any]:
    """What checks one hyper-parameter alone."""
    field = model.model_fields[name]
    config = ConfigDict(strict=True, allow_inf_nan=False)
    checked: Any = Annotated[field.annotation, *field.metadata, Field()]
    return TypeAdapter(checked, config=config)


def shard(text: str) -> tuple[int, int]:
    """`2/3`: the second of three shards. Raises UserError unless 1 <= i <= n <= MAX_CELLS."""
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text.strip())
    i, n = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= i <= n <= MAX_CELLS:
        raise refusal(f"shard {show(text)}: write i/n with 1 <= i <= n <= {MAX_CELLS}, such as 1/4")
    return i, n


def select_shard(cells: Iterable[Cell], text: str) -> tuple[Cell, ...]:
    """The cells of shard `i/n`, in their order. Cells are dealt out by their ids, so that the n shards of a
    set of cells are disjoint, of equal size give or take one, and the same on every machine."""
    i, n = shard(text)
    cells = tuple(cells)
    mine = set(sorted({cell.cell_id for cell in cells})[i - 1 :: n])
    return tuple(cell for cell in cells if cell.cell_id in mine)


def parse_seeds(text: str, asked: Iterable[Grid] = ()) -> tuple[int, ...]:
    """`0,2,5-7` is (0, 2, 5, 6, 7). asked: the grids that will have these seeds in place of their own.

    Raises UserError, also for a seed given twice, and for so many that a grid would be too large.
    """
    wrong = f"seeds {show(text)}: write whole numbers >= 0 (and < 2^63) and ranges, such as 0,2,5-7"
    ranges: list[range] = []
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        start = _seed(first, wrong)
        stop = _seed(last, wrong) if dash else start
        if stop < start:
            raise refusal(wrong)
        ranges.append(range(start, stop + 1))
    if (count := sum(one.stop - one.start for one in ranges)) > MAX_CELLS:
        raise refusal(f"seeds {show(text)}: {count:,} seeds; at most {MAX_CELLS:,} are allowed")
    seeds: dict[int, None] = {}
    for seed in itertools.chain.from_iterable(ranges):
        if seed in seeds:
            raise refusal(f"seeds {show(text)}: {seed} is listed twice")
        seeds[seed] = None
    for grid in asked:
        grid.check_size(len(seeds))
    return tuple(seeds)


def seed_ranges(seeds: Sequence[int]) -> str:
    """`0-4,7` for (0, 1, 2, 3, 4, 7): what parse_seeds reads."""
    ranges: list[list[int]] = []
    for seed in sorted(seeds):
        if ranges and seed == ranges[-1][-1] + 1:
            ranges[-1].append(seed)
        else:
            ranges.append([seed])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in ranges)


def _seed(text: str, wrong: str) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", text) or int(text) >= 2**63:
        raise refusal(wrong)
    return int(text)
