"""How the cells of a command are told apart: by what varies among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.cell import Cell, Protocol, labels
from harness.common.text import written

METHOD, SEED, READING = "method", "seed", "reading"


@dataclass(frozen=True, kw_only=True)
class Names:
    """Short names of cells."""

    varying: tuple[str, ...]
    """The method, hyper-parameters, the seed, the reading of the protocol: those with several values."""
    shared: str
    """What all cells have in common, in words: `method=maml seed=0`; maybe nothing."""
    words: frozenset[str]
    """Hyper-parameters that are choices or flags."""
    readings: dict[Protocol, str]
    """Each protocol in words, without what it shares with the first."""

    def values(self, cell: Cell) -> list[str]:
        """The cell's values of what varies; empty: it has none."""
        values = _values(cell) | {READING: self.readings[cell.protocol]}
        return [values.get(name, "") for name in self.varying]

    def of(self, cell: Cell) -> str:
        """`alpha-maml alpha0=0.1 seed=3  k_shot=5`: what varies; if nothing does, the whole point."""
        words, reading = [], ""
        for name, value in zip(self.varying, self.values(cell), strict=True):
            if name == READING:
                reading = f"  {value}"
            elif value:
                words.append(value if name == METHOD else f"{name}={value}")
        return " ".join(words) + reading if self.varying else cell.describe_point()

    @property
    def numbers(self) -> set[str]:
        """What varies and is a number."""
        return {*self.varying} - {METHOD, READING, *self.words}


def names(cells: Sequence[Cell]) -> Names:
    """Names for these cells."""
    if not cells:
        return Names(varying=(), shared="", words=frozenset(), readings={})
    protocols = list(dict.fromkeys(cell.protocol for cell in cells))
    known: dict[str, set[str]] = {}
    for cell in cells:
        for name, value in _values(cell).items():
            known.setdefault(name, set()).add(value)
    known[SEED] = known.pop(SEED)  # the last
    preset = protocols[0].preset
    return Names(
        varying=(
            *(name for name, values in known.items() if len(values) > 1),
            *([READING] if len(protocols) > 1 else []),
        ),
        shared=" ".join(f"{name}={value}" for name, (value, *more) in known.items() if not more),
        words=frozenset(
            name
            for cell in cells
            for name, value in cell.hyper.model_dump().items()
            if isinstance(value, str | bool)
        ),
        readings=dict(zip(protocols, labels([one.named(preset) for one in protocols]), strict=True)),
    )


def _values(cell: Cell) -> dict[str, str]:
    hyper = {name: written(value) for name, value in cell.hyper.model_dump().items()}
    return {METHOD: cell.method} | hyper | {SEED: str(cell.seed)}
