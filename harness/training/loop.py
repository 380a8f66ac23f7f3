"""Trains a pack of cells together until each one ends, and hands over each record as its cell ends.

Run a span of iterations, extend each cell's trajectory by its rows, validate the cells that ended, hand over
their records. The device works through a whole span before the host looks at it (pack.py), and each
trajectory says where in the span its cell ended (trajectory.py), so all counts are exact.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from harness.cell import Cell, Question
from harness.records import Progress, Record, Row, provenance
from harness.training.pack import Moment, Pack
from harness.training.trajectory import Trajectory

SPAN = 10
"""Iterations that a GPU works through before the host reads their results."""

Observe = Callable[[list[Progress]], None]
"""Called after every iteration with the progress of each cell of the pack. It may raise to stop the run."""


def train(
    cells: Sequence[Cell],
    question: Question,
    device: str = "cpu",
    observe: Observe | None = None,
    chunk: int | None = None,
    span: int | None = None,
) -> Iterator[Record]:
    """Train `cells` from iteration 1 until each one ends; yield their records as they end.

    cells: of one protocol and one method. chunk: how many (cell, task) pairs go through the network at
    once; span: how many iterations before the host reads; None: as suits the device. Raises ValueError for
    a mixed pack; errors from torch are passed on.
    """
    pack = Pack(cells, torch.device(device), chunk)
    training = [Trajectory(cell, question) for cell in cells]
    origin = provenance.of_run(device, pack_size=len(cells)) | {"dataset_sha256": pack.data_sha256}
    span = span or (1 if device == "cpu" else SPAN)
    first = 1
    while training:
        started = time.perf_counter()
        iterations = range(first, min(first + span - 1, question.max_iterations) + 1)
        moments = pack.advance(iterations)
        for trajectory, rows in zip(training, _rows(moments), strict=True):
            trajectory.extend(rows)
        _validate_last_rows(training, pack, moments)
        seconds = time.perf_counter() - started

        yield from _hand_over(training, iterations, seconds, origin, observe)
        remaining = [i for i, trajectory in enumerate(training) if trajectory.end is None]
        pack.keep(remaining)
        training = [training[i] for i in remaining]
        first = iterations.stop


def _rows(moments: Sequence[Moment]) -> list[list[Row]]:
    """The rows of a span, [cells][iterations], read from the device in one go."""
    numbers = torch.stack([_numbers(moment) for moment in moments], 1).tolist()
    not_validated = [(None, None)] * len(numbers)
    validations = [
        torch.stack(moment.validation, 1).tolist() if moment.validation else not_validated
        for moment in moments
    ]
    return [
        [
            Row(
                iteration=moment.iteration,
                alpha=alpha,
                beta=beta,
                train_loss=loss,
                train_accuracy=accuracy,
                val_loss=validation[cell][0],
                val_accuracy=validation[cell][1],
            )
            for moment, validation, (alpha, beta, loss, accuracy) in zip(
                moments, validations, of_cell, strict=True
            )
        ]
        for cell, of_cell in enumerate(numbers)
    ]


def _numbers(moment: Moment) -> Tensor:
    """[cells, 4]: alpha, beta, loss and accuracy."""
    alpha, beta = moment.state.alpha.mean(1), moment.beta.mean(1)
    return torch.stack([alpha, beta, moment.loss, moment.accuracy], 1)


def _validate_last_rows(training: Sequence[Trajectory], pack: Pack, moments: Sequence[Moment]) -> None:
    """Validate the cells that ended in this span, each with the weights of its last iteration, in one
    call."""
    states = {moment.iteration: moment.state for moment in moments}
    last = [
        (i, states[len(trajectory.rows)])
        for i, trajectory in enumerate(training)
        if trajectory.lacks_validation
    ]
    if not last:
        return
    weights = torch.stack([state.weights[i] for i, state in last])
    alpha = torch.stack([state.alpha[i] for i, state in last])
    scores = torch.stack(pack.score(weights, alpha), 1).tolist()
    for (i, _), (loss, accuracy) in zip(last, scores, strict=True):
        training[i].validated(loss, accuracy)


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
