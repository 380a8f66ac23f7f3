"""Trains a pack of cells together until each one ends, and hands over each record as its cell ends.

Run a span of iterations, extend each cell's trajectory by its rows, validate the cells that ended, hand over
their records. The device works through a whole span before the host looks at it (pack.py), and each
trajectory says where in the span its cell ended (trajectory.py), so all counts are exact.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor

from harness.cell import Cell, Question
from harness.methods import METHODS
from harness.methods.base import Adapted, State
from harness.records import Progress, Record, Row, provenance
from harness.records.checkpoint import WITH_WEIGHTS, About
from harness.records.passages import lowest_sustained
from harness.records.schema import judged
from harness.training import checkpoint, memory, replay
from harness.training.checkpoint import Checkpoint
from harness.training.pack import SPAN, Moment, Pack
from harness.training.trajectory import Trajectory

Result = TypeVar("Result")
Observe = Callable[[list[Progress]], None]
"""Called after every iteration with the progress of each cell of the pack. It may raise to stop the run."""


@dataclass(frozen=True, kw_only=True)
class Keep:
    """What is kept of cells in training."""

    take: Callable[[Checkpoint], None]
    """Takes a checkpoint: of the cells in training, or of one that has ended, before its record comes."""
    every_s: float
    """Seconds between two of the cells in training."""
    weights: bool = False
    """Whether the weights of runs that end are kept."""


def train(
    cells: Sequence[Cell],
    question: Question,
    device: str = "cpu",
    observe: Observe | None = None,
    chunk: int | None = None,
    span: int | None = None,
    start: Checkpoint | None = None,
    keep: Keep | None = None,
) -> Iterator[Record]:
    """Train `cells` from iteration 1 until each one ends; yield their records as they end.

    cells: such as go into one pack (cell.alike). chunk: how many (cell, task) pairs go through the network at
    once; span: how many iterations before the host reads; None: as suits the device. start: where they go on;
    on the same device, in the same pack and with as many threads, to the same records bit for bit.

    Where memory does not suffice, fewer pairs go through at once, and then fewer cells: halves of the pack
    train one after the other. What failed is done again from the last state, so that records are the same up
    to rounding, and they say so: see Header.provenance.

    Raises ValueError for a mixed pack, checkpoint.Unfit for a start that is not theirs; errors from torch are
    passed on.
    """
    if start is not None:
        start = start.taken_up()
    waiting: list[tuple[Sequence[Cell], Checkpoint | None]] = [(cells, start)]
    split_from = None
    while waiting:
        some, at = waiting.pop(0)
        too_many = yield from _train(some, question, device, observe, chunk, span, at, keep, split_from)
        if too_many is not None:
            left, at = too_many
            split_from, middle = len(cells), (len(left) + 1) // 2
            halves = left[:middle], left[middle:]
            waiting[:0] = [(half, at and at.of(half)) for half in halves]


def _train(
    cells: Sequence[Cell],
    question: Question,
    device: str,
    observe: Observe | None,
    chunk: int | None,
    span: int | None,
    start: Checkpoint | None,
    keep: Keep | None,
    split_from: int | None,
) -> Generator[Record, None, tuple[Sequence[Cell], Checkpoint | None] | None]:
    """See `train`. Returns the cells that are left and where they go on, if memory does not suffice for so
    many. split_from: how many the pack had before that was known; None: it has not been split."""
    try:
        pack = Pack(cells, torch.device(device), chunk)
    except Exception as error:
        if len(cells) > 1 and memory.is_lack(error):
            return cells, start
        raise
    training = [Trajectory(cell, question) for cell in cells]
    first, size = 1, len(cells)
    continued: tuple[int, ...] = ()
    if start is not None:
        first, continued = start.about.iteration, start.about.continued
        size = size if split_from else start.about.pack_size
        pack.state = checkpoint.filled(pack.state, start.state)
        for trajectory, known, seconds in zip(training, start.rows, start.about.seconds, strict=True):
            if trajectory.resume(known, seconds):
                raise checkpoint.Unfit(f"{trajectory.cell.cell_id} ends before iteration {first}")
    origin = (
        provenance.of_run(device, pack_size=size)
        | ({"compiled": True} if pack.compiled else {})
        | ({"split_from": split_from} if split_from else {})
        | provenance.of_cell(cells[0], pack.problem.digest)
        | ({"continued": list(continued)} if continued else {})
    )
    span = span or (1 if device == "cpu" else SPAN)
    kept_at: float | None = None
    while training:
        started = time.perf_counter()
        iterations = _next(range(first, first), span, question)
        following = _next(iterations, span, question) if span > 1 else range(0)
        before = pack.state
        try:
            moments, rows = _fitting(pack, partial(_worked_through, pack, cells[0], iterations, following))
            for trajectory, new in zip(training, rows, strict=True):
                trajectory.extend(new)
            _fitting(pack, partial(_validate_last_rows, training, pack, moments))
        except Exception as error:
            if len(training) == 1 or not memory.is_lack(error):
                raise
            left = _checkpoint(training, before, first, size, continued)
            return left.about.cells, left
        seconds = time.perf_counter() - started
        kept_at = started if kept_at is None else kept_at

        if keep and keep.weights:
            for one in _ended(training, moments, size, continued):
                keep.take(one)
        del before, moments, rows  # so that the states of two spans are never in memory together
        parts = {"pairs_at_once": pack.engine.chunk} if pack.in_parts else {}
        yield from _hand_over(training, iterations, seconds, parts | origin, observe)
        remaining = [i for i, trajectory in enumerate(training) if trajectory.end is None]
        pack.keep(remaining)
        training = [training[i] for i in remaining]
        first = iterations.stop
        if keep and training and started + seconds - kept_at >= keep.every_s:
            keep.take(_checkpoint(training, pack.state, first, size, continued))
            kept_at = started + seconds
    return None


def _fitting(pack: Pack, compute: Callable[[], Result]) -> Result:
    """What it computes; as long as memory does not suffice, again from the same state, with half as many
    (cell, task) pairs at once. Raises the error of one pair."""
    while True:
        before = pack.state
        try:
            return compute()
        except Exception as error:
            if not memory.is_lack(error):
                raise
            lacking = error.with_traceback(None)  # a traceback holds on to the memory of what failed
            lacking.__context__ = None
        pack.state = before
        if not pack.shrink():
            raise lacking


def _worked_through(
    pack: Pack, cell: Cell, iterations: range, following: range
) -> tuple[list[Moment], list[list[Row]]]:
    """A span, and its rows. following: the span after it, drawn while the device works; empty: none is."""
    moments = pack.advance(iterations)
    if following:
        pack.draw_ahead(following)
    return moments, _rows(cell, moments)


def _next(iterations: range, span: int, question: Question) -> range:
    """The span after these iterations; empty after the last one."""
    return range(iterations.stop, min(iterations.stop + span, question.max_iterations + 1))


def _ended(
    training: Sequence[Trajectory], moments: Sequence[Moment], size: int, continued: tuple[int, ...]
) -> Iterator[Checkpoint]:
    """The weights of the cells that ended in this span: those that each one's last row is of."""
    states = {moment.iteration: moment.state for moment in moments}
    for i, one in enumerate(training):
        if one.end in WITH_WEIGHTS:
            last = len(one.rows)
            state = replay.each(lambda tensor, at=i: tensor[at : at + 1], states[last])  # type: ignore[misc]
            yield _checkpoint([one], state, last, size, continued, ended=True)


def _checkpoint(
    training: Sequence[Trajectory],
    state: State,
    iteration: int,
    size: int,
    continued: tuple[int, ...],
    ended: bool = False,
) -> Checkpoint:
    """Of these cells before an iteration. The rows of one that ended are in its record."""
    about = About(
        cells=tuple(one.cell for one in training),
        iteration=iteration,
        ended=ended,
        lowest=tuple(_lowest(one.rows[: iteration - 1]) for one in training),
        seconds=tuple(one.seconds for one in training),
        pack_size=size,
        continued=continued,
        sources=provenance.sources_of(training[0].cell),
    )
    rows = () if ended else tuple(one.rows[: iteration - 1] for one in training)
    return Checkpoint(about=about, state=checkpoint.named(state), rows=rows)


def _lowest(rows: Sequence[Row]) -> float | None:
    lowest = lowest_sustained([row["train_loss"] for row in rows])
    return lowest if lowest < float("inf") else None


def _rows(cell: Cell, moments: Sequence[Moment]) -> list[list[Row]]:
    """The rows of a span, [cells][iterations], read from the device in one go. cell: any of the pack."""
    names, columns = judged(cell), list(METHODS[cell.method].columns)
    of_moments = [one.double() for moment in moments for one in _numbers(moment)]
    numbers = torch.stack(of_moments, 1).unflatten(1, (len(moments), -1)).tolist()
    validated = [_scores(moment.validation).tolist() if moment.validation else None for moment in moments]
    return [
        [
            {"iteration": moment.iteration}
            | dict(zip([*columns, *_of("train", names)], values, strict=True))
            | dict(zip(_of("val", names), scores[at] if scores else [None] * len(names), strict=True))
            for moment, values, scores in zip(moments, of_cell, validated, strict=True)
        ]
        for at, of_cell in enumerate(numbers)
    ]


def _of(split: str, names: Sequence[str]) -> list[str]:
    return [f"{split}_{name}" for name in names]


def _numbers(moment: Moment) -> list[Tensor]:
    """[cells] each: what the method records, loss and metrics."""
    return [*moment.recorded, moment.loss, *moment.metrics]


def _scores(of: Adapted) -> Tensor:
    """[cells, 1 + metrics]"""
    return torch.stack([of.loss, *of.metrics], 1)


def _validate_last_rows(training: Sequence[Trajectory], pack: Pack, moments: Sequence[Moment]) -> None:
    """Validate the cells that ended in this span, each with the weights of its last iteration, in one
    call."""
    states = {moment.iteration: moment.state for moment in moments}
    last = [
        (i, states[len(trajectory.rows)])
        for i, trajectory in enumerate(training)
        if trajectory.lacks_validation
    ]
    if last:
        scores = _scores(pack.score(_of_cells(last))).tolist()
        for (i, _), values in zip(last, scores, strict=True):
            training[i].validated(values)


def _of_cells(some: Sequence[tuple[int, State]]) -> State:
    """One state of several cells: each one's part of a state."""
    leaves = zip(*(replay.leaves(state) for _, state in some), strict=True)
    places = [i for i, _ in some]
    stacked = iter([torch.stack([one[i] for one, i in zip(same, places, strict=True)]) for same in leaves])
    return replay.each(lambda _: next(stacked), some[0][1])


def _hand_over(
    training: Sequence[Trajectory],
    iterations: range,
    seconds: float,
    origin: dict[str, Any],
    observe: Observe | None,
) -> Iterator[Record]:
    """Go through a span that took `seconds` as if it had been read iteration by iteration: share out the
    time, yield the records of the cells that end, and tell the observer."""
    for iteration in iterations:
        trained = [trajectory for trajectory in training if len(trajectory.rows) >= iteration]
        for trajectory in trained:
            trajectory.seconds += seconds / len(iterations) / len(trained)
        for trajectory in trained:
            if trajectory.end and len(trajectory.rows) == iteration:
                yield trajectory.record(origin)
        if observe:  # after the yields: it may stop the run
            observe([Progress(cell=one.cell, row=one.rows[iteration - 1]) for one in trained])
