"""The checkpoints of a results folder: the states of cells in training, and the weights that runs have ended
with. See checkpoint.py for what is in a file."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.cell import Cell, Question
from harness.common import places
from harness.common.errors import NotWritten, UserError
from harness.common.files import clear_leftovers, write_whole
from harness.records.checkpoint import (
    WITH_WEIGHTS,
    About,
    Damaged,
    NotLoaded,
    Source,
    about_of,
    digest_of,
    load,
    read_about,
)
from harness.records.record import DamagedRecord, ForeignRecord, Header
from harness.records.store import Scan, Store

EVERY_S = 300.0
"""Seconds between two checkpoints of a pack: what a kill costs at most."""
LIMIT = 2 << 30
"""Bytes that the checkpoints and weights of a results folder may take together."""
SUFFIX = ".safetensors"


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where a cell can go on."""

    path: Path
    """Of a checkpoint that has the cell."""
    iteration: int
    """The next one."""
    place: int
    """Of the cell among those of the checkpoint."""
    ended: bool
    """Whether the checkpoint is the weights of a run that had ended."""


class Checkpoints:
    """The checkpoints and weights of a store. Reading needs no lock; the sweep that holds it writes."""

    def __init__(self, store: Store, limit: int = LIMIT) -> None:
        """limit: bytes that all of them may take; 0: none is written."""
        self.store, self.limit = store, limit
        self.in_training, self.weights = store.folder / "checkpoints", store.folder / "weights"
        self._left: dict[Path, tuple[About, set[str]]] = {}
        """Of the files of cells in training: the ids of those that may yet go on from there."""

    def weights_of(self, cell_id: str) -> Path:
        """The file of a run's weights."""
        return self.weights / f"{cell_id}{SUFFIX}"

    @property
    def used(self) -> int:
        """Bytes that all files take, those of killed writers too."""
        return sum(_size(path) for folder in (self.in_training, self.weights) for path in _files(folder))

    @property
    def counts(self) -> tuple[int, int]:
        """Files of cells in training, and of weights."""
        folders = (self.in_training, self.weights)
        one, other = (sum(path.name.endswith(SUFFIX) for path in _files(folder)) for folder in folders)
        return one, other

    def lacks_weights(self, header: Header) -> bool:
        """Whether a run has ended with weights, and they are not here."""
        if header.ending not in WITH_WEIGHTS:
            return False
        try:
            return read_about(self.weights_of(header.cell.cell_id)).iteration != header.iterations
        except (Damaged, NotLoaded, OSError):
            return True

    def tidy(self, scan: Scan, cells: Collection[str]) -> dict[Path, str]:
        """Before a sweep of these cells: remove what nobody needs any more, as a record of each of its cells
        is there, and temporary files. Returns what cannot be gone on from, and why."""
        unfit: dict[Path, str] = {}
        for folder in (self.in_training, self.weights):
            clear_leftovers(folder)
            for path in _files(folder):
                try:  # of weights, which may be many, the header tells enough
                    about = read_about(path) if folder == self.weights else load(path.read_bytes())[0]
                except Damaged as error:
                    unfit[path] = str(error)
                except (NotLoaded, OSError):
                    continue
                else:
                    ids = {cell.cell_id for cell in about.cells}
                    if not about.is_current and ids & {*cells}:
                        unfit[path] = "made by another version of the arithmetic or of a plug-in"
                    elif not about.ended:
                        past = {i for i in ids if _is_past(scan.headers.get(i), about)}
                        self._left[path] = about, ids - past
        self._drop_what_nobody_needs()
        return unfit

    def starts(self, cells: Iterable[Cell], question: Question) -> dict[str, Start]:
        """By cell id: where cells can go on, each from its latest state. Those that cannot are left out."""
        wanted = {cell.cell_id for cell in cells}
        found: dict[str, Start] = {}
        for path in _files(self.in_training):
            for cell_id, one in self._leading(path, question).items():
                if cell_id in wanted and (cell_id not in found or found[cell_id].iteration < one.iteration):
                    found[cell_id] = one
        for cell_id in wanted - found.keys():
            path = self.weights_of(cell_id)
            if path.exists() and (led := self._leading(path, question)) and self._has_rows(cell_id):
                found |= led
        return found

    def _leading(self, path: Path, question: Question) -> dict[str, Start]:
        """The cells of a checkpoint whose runs come past it."""
        try:
            about = read_about(path)
        except (Damaged, NotLoaded, OSError):
            return {}
        if not about.is_current:
            return {}
        return {
            cell.cell_id: Start(path=path, iteration=about.iteration, place=i, ended=about.ended)
            for i, cell in enumerate(about.cells)
            if about.leads_to(i, question)
        }

    def _has_rows(self, cell_id: str) -> bool:
        """Whether the record of a run that ended with weights is theirs, with every row."""
        try:
            record = self.store.read(cell_id)
        except (DamagedRecord, ForeignRecord, OSError):
            return False
        before = record.rows.slice(0, record.header.iterations - 1)
        thinned = any(before[name].null_count for name in before.column_names if name[:4] != "val_")
        return not self.lacks_weights(record.header) and not thinned

    def sources(self, pack: Sequence[Cell], question: Question) -> list[Source]:
        """What a pack needs to go on; empty: its cells have to begin, or have not come equally far."""
        starts = self.starts(pack, question)
        if len(starts) < len(pack) or len({start.iteration for start in starts.values()}) > 1:
            return []
        paths = dict.fromkeys(start.path for start in starts.values())
        try:
            return [(path.read_bytes(), self._record(path)) for path in paths]
        except OSError:
            return []

    def _record(self, path: Path) -> bytes | None:
        if path.parent != self.weights:
            return None
        return (self.store.folder / f"{path.stem}.parquet").read_bytes()

    def put(self, content: bytes) -> bool:
        """Write a checkpoint; of cells in training, it takes the place of older ones. False: there is no room
        for it within the limit, and what was there stays. NotWritten."""
        about = about_of(content)
        ids = {cell.cell_id for cell in about.cells}
        folder, name = self.weights, about.cells[0].cell_id
        if not about.ended:
            pack = hashlib.sha256("".join(sorted(ids)).encode()).hexdigest()[:16]
            folder, name = self.in_training, f"{pack}-{about.iteration}"
        path = folder / f"{name}{SUFFIX}"
        older = self._older(about, ids)
        freed = sum(map(_size, {path, *(one for one, left in older.items() if not left)}))
        if self.used - freed + len(content) > self.limit:
            return False
        write_whole(path, lambda temporary: temporary.write_bytes(content))
        if not about.ended:
            for one, left in older.items():
                self._left[one] = self._left[one][0], left
            self._left[path] = about, ids
            self._drop_what_nobody_needs()
        return True

    def _older(self, about: About, ids: set[str]) -> dict[Path, set[str]]:
        """Of the files of cells in training that have not come further: which cells still need them once
        these have another."""
        if about.ended:
            return {}
        return {
            path: left - ids
            for path, (other, left) in self._left.items()
            if other.iteration <= about.iteration
        }

    def ended(self, header: Header) -> None:
        """A cell's record was written: the checkpoint that led to it goes."""
        for about, ids in self._left.values():
            if _is_past(header, about):
                ids.discard(header.cell.cell_id)
        self._drop_what_nobody_needs()

    def _drop_what_nobody_needs(self) -> None:
        for path in [path for path, (_, ids) in self._left.items() if not ids]:
            del self._left[path]
            with suppress(OSError):
                path.unlink()

    def set_aside(self, path: Path) -> Path:
        """Move a file that nothing can go on from to where damaged records are. NotWritten."""
        aside = self.store.folder / "aside"
        number = 0
        while (target := aside / f"{path.stem[:80]}.{number}{SUFFIX}").exists():
            number += 1
        try:
            aside.mkdir(exist_ok=True)
            path.rename(target)
        except OSError as error:
            raise NotWritten(target, error) from error
        return target


def weights(results: Path, cell_id: str) -> bytes:
    """The file of the weights that a cell's run ended with. UserError: there is none."""
    path = Checkpoints(Store(results)).weights_of(cell_id)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UserError(
            f"{cell_id}: its weights are not kept; write keep_weights: true in its grid, and "
            f"{places.typed('sweep')} trains it again"
        ) from None


def kept_weights(results: Path) -> dict[str, str]:
    """The weights that are kept in a results folder: cell id -> a digest of them."""
    found: dict[str, str] = {}
    for path in _files(Checkpoints(Store(results)).weights):
        with suppress(Damaged, OSError):
            found[path.name.removesuffix(SUFFIX)] = digest_of(path)
    return found


def _is_past(header: Header | None, about: About) -> bool:
    """Whether a cell's record has all that a run from the checkpoint would need first."""
    return header is not None and header.ending != "failed" and header.iterations >= about.iteration - 1


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.is_dir())
    except OSError:
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
