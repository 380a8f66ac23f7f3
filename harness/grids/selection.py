"""Picking some of a grid's cells: by value, by shard, by seed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from harness.cell import Cell
from harness.common.errors import UserError
from harness.grids import mistakes, strictyaml
from harness.grids.figure import matches, row_of
from harness.methods import METHODS

MAX_SEEDS = 100_000
"""In one range; more is taken to be a mistake."""


def where(text: str) -> Callable[[Cell], bool]:
    """The filter `alpha0=1e-4,method=maml`. A key may have several values: `seed=0,seed=1` selects both.

    As in a figure's `where`, a key that a cell's method does not have is ignored: `alpha_hyperlr=1e-1` also
    selects MAML. Raises UserError for a key or a value that no cell can have.
    """
    wanted: dict[str, tuple[int | float | str, ...]] = {}
    for part in text.split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (key and equals and value):
            raise UserError(f"where '{text}': '{part}' is not of the form key=value")
        wanted[key] = (*wanted.get(key, ()), _value(key, value))
    return lambda cell: matches(wanted, row_of(cell, cell.protocol.preset))


def _value(key: str, value: str) -> int | float | str:
    hyper_parameters = [name for method in METHODS.values() for name in method.Hyper.model_fields]
    known = list(dict.fromkeys(["method", "seed", *hyper_parameters]))
    if key not in known:
        raise UserError(f"where: '{key}' is not a column; {mistakes.suggest(key, known)}")
    if key == "method":
        if value not in METHODS:
            raise UserError(f"where: method: '{value}' is not a method; {mistakes.suggest(value, METHODS)}")
        return value
    if key == "seed":
        return _seed(value, f"where: seed: '{value}' is not a seed; write a whole number >= 0")
    try:
        number = strictyaml.scalar(value)
    except ValueError:
        number = None
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise UserError(f"where: {key}: '{value}' is not a number")
    return number


def shard(text: str) -> tuple[int, int]:
    """`2/3`: the second of three shards. Raises UserError unless 1 <= i <= n."""
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text.strip())
    i, n = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= i <= n:
        raise UserError(f"shard '{text}': write i/n with 1 <= i <= n, such as 1/4")
    return i, n


def select_shard(cells: Iterable[Cell], text: str) -> tuple[Cell, ...]:
    """The cells of shard `i/n`, in their order. Cells are dealt out by their ids, so that the n shards of a
    set of cells are disjoint, of equal size give or take one, and the same on every machine."""
    i, n = shard(text)
    cells = tuple(cells)
    mine = set(sorted({cell.cell_id for cell in cells})[i - 1 :: n])
    return tuple(cell for cell in cells if cell.cell_id in mine)


def parse_seeds(text: str) -> tuple[int, ...]:
    """`0,2,5-7` is (0, 2, 5, 6, 7). Raises UserError, also for a seed given twice."""
    wrong = f"seeds '{text}': write whole numbers >= 0 and ranges, such as 0,2,5-7"
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        start = _seed(first, wrong)
        stop = _seed(last, wrong) if dash else start
        if stop < start or stop - start >= MAX_SEEDS:
            raise UserError(wrong)
        seeds += range(start, stop + 1)
    if twice := [seed for i, seed in enumerate(seeds) if seed in seeds[:i]]:
        raise UserError(f"seeds '{text}': {twice[0]} is listed twice")
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
        raise UserError(wrong)
    return int(text)
