"""The checkpoints of a results folder: the states of cells in training, and the weights that runs have ended
with. See checkpoint.py for what is in a file."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.cell import Cell, Question
from harness.common.errors import NotAFile, NotWritten, UserError, reason
from harness.common.files import clear_leftovers, opened, write_whole
from harness.records.checkpoint import (
    WITH_WEIGHTS,
    About,
    Damaged,
    NotLoaded,
    Source,
    about_of,
    load,
    read_about,
)
from harness.records.passages import sustained_passage
from harness.records.record import NUMERICS, DamagedRecord, ForeignRecord, Header
from harness.records.store import Scan, Store

EVERY_S = 300.0
"""Seconds between two checkpoints of a pack: what a kill costs at most."""
LIMIT = 2 << 30
"""Bytes that the checkpoints and weights of a results folder may take together."""
SUFFIX = ".safetensors"
TRIES, WAIT_S = 5, 0.2
"""How often a checkpoint is looked for that a newer one has just replaced, and seconds between."""
_ASIDE = "aside"


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

    def weights_at(self, cell_id: str, iteration: int) -> Path:
        """The file of the weights that a run ended with in an iteration."""
        return self.weights / f"{cell_id}-{iteration}{SUFFIX}"

    def weights_of(self, cell_id: str) -> dict[int, Path]:
        """By iteration, in order: those that runs of a cell ended with. A cell has several where it was asked
        for several budgets."""
        found = {}
        for path in self.weights.glob(f"{cell_id}-*{SUFFIX}"):
            iteration = path.name.removesuffix(SUFFIX).rpartition("-")[2]
            if iteration.isdecimal():
                found[int(iteration)] = path
        return dict(sorted(found.items()))

    @property
    def used(self) -> int:
        """Bytes that all files take, those of killed writers and those that were set aside too."""
        aside = self.store.folder / _ASIDE
        files = [path for folder in (self.in_training, self.weights) for path in _files(folder, "")]
        return sum(map(_size, [*files, *_files(aside)]))

    @property
    def counts(self) -> tuple[int, int]:
        """Files of cells in training, and of weights."""
        return len(_files(self.in_training)), len(_files(self.weights))

    def ends_at(self, header: Header, question: Question) -> int | None:
        """The iteration whose weights the run of a cell for a question ends with, by its record, which
        answers it; None: it has none, since it diverged. The record may be of a longer run."""
        iterations = min(header.iterations, question.max_iterations)
        if question.target_loss is not None:
            losses = self.store.read(header.cell.cell_id).rows["train_loss"].to_numpy()
            passage = sustained_passage(losses[:iterations], question.target_loss)
            if passage is not None:
                return passage
        ended = header.ending in WITH_WEIGHTS or iterations < header.iterations
        return iterations if ended else None

    def lacks_weights(self, header: Header, question: Question) -> bool:
        """Whether a run for this question has ended with weights, and they are not here."""
        try:
            iteration = self.ends_at(header, question)
            if iteration is None:
                return False
            return read_about(self.weights_at(header.cell.cell_id, iteration)).iteration != iteration
        except (Damaged, NotLoaded, DamagedRecord, ForeignRecord, OSError):
            return True

    def tidy(self, scan: Scan, cells: Collection[str]) -> dict[Path, str]:
        """Before a sweep of these cells: remove temporary files, and what was superseded by records that came
        after it. Returns what cannot be gone on from, and why."""
        unfit: dict[Path, str] = {}
        for folder in (self.in_training, self.weights):
            clear_leftovers(folder)
            for path in _files(folder):
                try:  # of weights, which may be many, the header tells enough
                    about = read_about(path) if folder == self.weights else load(_content(path))[0]
                except Damaged as error:
                    unfit[path] = str(error)
                except NotAFile as error:
                    unfit[path] = f"not a checkpoint but {error.reason}"
                except (NotLoaded, OSError):
                    continue
                else:
                    ids = {cell.cell_id for cell in about.cells}
                    if not about.is_current and ids & {*cells}:
                        unfit[path] = "made by another version of the arithmetic or of a plug-in"
                    elif not about.ended:
                        past = {i for i in ids - {*cells} if self._is_past(scan.headers.get(i), about, path)}
                        self._left[path] = about, ids - past
        self._drop_what_nobody_needs()
        return unfit

    def _is_past(self, header: Header | None, about: About, path: Path) -> bool:
        """Whether a cell's record came after the checkpoint and has all that a run from it would need."""
        if header is None or not _leads_beyond(header, about):
            return False
        try:
            return self._record(header.cell.cell_id).stat().st_mtime_ns >= path.stat().st_mtime_ns
        except OSError:
            return False

    def starts(self, cells: Iterable[Cell], question: Question) -> dict[str, Start]:
        """By cell id: where cells can go on, each from its latest state. Those that cannot are left out."""
        wanted = {cell.cell_id for cell in cells}
        found: dict[str, Start] = {}
        for path in _files(self.in_training):
            for cell_id, one in self._leading(path, question).items():
                if cell_id in wanted and (cell_id not in found or found[cell_id].iteration < one.iteration):
                    found[cell_id] = one
        for cell_id in wanted - found.keys():
            for iteration, path in reversed(self.weights_of(cell_id).items()):
                if (led := self._leading(path, question)) and self._has_rows(cell_id, iteration - 1):
                    found |= led
                    break
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

    def _has_rows(self, cell_id: str, count: int) -> bool:
        """Whether the cell's record has the first rows whole: of one from compact tables some are null."""
        try:
            record = self.store.read(cell_id)
        except (DamagedRecord, ForeignRecord, OSError):
            return False
        rows = record.rows.slice(0, count)
        thinned = any(rows[name].null_count for name in rows.column_names if name[:4] != "val_")
        return len(rows) == count and not thinned and record.header.numerics == NUMERICS

    def sources(self, pack: Sequence[Cell], question: Question) -> list[Source]:
        """What a pack needs to go on; empty: its cells have to begin, or have not come equally far."""
        for _ in range(TRIES):
            starts = self.starts(pack, question)
            if len(starts) < len(pack) or len({start.iteration for start in starts.values()}) > 1:
                return []
            paths = {start.path: cell_id for cell_id, start in starts.items()}
            try:
                return [
                    (_content(path), _content(self._record(cell_id)) if starts[cell_id].ended else None)
                    for path, cell_id in paths.items()
                ]
            except OSError:  # a newer one has just taken its place
                time.sleep(WAIT_S)
        return []

    def _record(self, cell_id: str) -> Path:
        return self.store.folder / f"{cell_id}.parquet"

    def put(self, content: bytes) -> bool:
        """Write a checkpoint; of cells in training, it takes the place of older ones. False: there is no room
        for it within the limit, beside what is there, and that stays. Raises NotWritten, Damaged,
        NotLoaded."""
        about = about_of(content)
        ids = {cell.cell_id for cell in about.cells}
        path = self.weights_at(about.cells[0].cell_id, about.iteration)
        if not about.ended:
            pack = hashlib.sha256("".join(sorted(ids)).encode()).hexdigest()[:16]
            path = self.in_training / f"{pack}-{about.iteration}{SUFFIX}"
        if self.used + len(content) > self.limit:
            return False
        write_whole(path, lambda temporary: temporary.write_bytes(content))
        if not about.ended:
            for other, left in self._left.values():
                if other.iteration <= about.iteration:
                    left.difference_update(ids)
            self._left[path] = about, ids
            self._drop_what_nobody_needs()
        return True

    def ended(self, header: Header, has_weights: bool = True) -> None:
        """A cell's record was written: the checkpoint that led to it goes; if its weights could not be kept,
        it stays, for them."""
        for path, (about, ids) in self._left.items():
            if _leads_beyond(header, about) and header.cell.cell_id in ids:
                if has_weights:
                    ids.discard(header.cell.cell_id)
                else:
                    with suppress(OSError):
                        path.touch()  # it counts as newer than the record
        self._drop_what_nobody_needs()

    def _drop_what_nobody_needs(self) -> None:
        for path in [path for path, (_, ids) in self._left.items() if not ids]:
            del self._left[path]
            with suppress(OSError):
                path.unlink()

    def set_aside(self, path: Path) -> Path:
        """Move a file that nothing can go on from to where damaged records are. NotWritten."""
        aside = self.store.folder / _ASIDE
        number = 0
        while os.path.lexists(target := aside / f"{path.stem[:80]}.{number}{SUFFIX}"):
            number += 1
        try:
            aside.mkdir(exist_ok=True)
            path.rename(target)
        except OSError as error:
            raise NotWritten(target, error) from error
        return target


def weights(path: Path) -> bytes:
    """A file of weights. UserError: it cannot be read."""
    try:
        return _content(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {reason(error)}") from None


def _leads_beyond(header: Header, about: About) -> bool:
    """Whether a cell's record has all the rows that a checkpoint has."""
    return header.ending != "failed" and header.iterations >= about.iteration - 1


def _content(path: Path) -> bytes:
    with opened(path) as file:
        return file.readall()


def _files(folder: Path, suffix: str = SUFFIX) -> list[Path]:
    """What is named so, whatever it is."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(suffix))
    except OSError:
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
