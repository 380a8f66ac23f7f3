"""Trains a pack of cells together until each one ends, and hands over each record as its cell ends.

Run a span of iterations, extend each cell's trajectory by its rows, validate the cells that ended, hand over
their records: the device works through a whole span before the host looks at it (pack.py), and each
trajectory tells where in the span its cell ended (trajectory.py), so that all counts are exact.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from harness.cell import Cell, Question
from harness.records import Progress, Record, Row, provenance
from harness.training.pack import Moment, Pack
from harness.training.trajectory import Trajectory

SPAN = 10
"""Iterations that a GPU goes through before the host reads."""

Observe = Callable[[list[Progress]], None]
"""Told after every iteration where each cell of the pack stands. It may raise to stop the run."""


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
    a mixed pack; errors of torch go through.
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
        going_on = [i for i, trajectory in enumerate(training) if trajectory.end is None]
        pack.keep(going_on)
        training = [training[i] for i in going_on]
        first = iterations.stop


def _rows(moments: Sequence[Moment]) -> list[list[Row]]:
    """The rows of a span, [cells][iterations], read from the device in one go."""
    numbers = torch.stack(
        [torch.stack([m.state.alpha.mean(1), m.beta.mean(1), m.loss, m.accuracy], 1) for m in moments], 1
    ).tolist()
    validations = [m.validation and torch.stack(m.validation, 1).tolist() for m in moments]
    return [
        [
            Row(
                iteration=moment.iteration,
                alpha=alpha,
                beta=beta,
                train_loss=loss,
                train_accuracy=accuracy,
                val_loss=validation[cell][0] if validation else None,
                val_accuracy=validation[cell][1] if validation else None,
            )
            for moment, (alpha, beta, loss, accuracy), validation in zip(
                moments, of_cell, validations, strict=True
            )
        ]
        for cell, of_cell in enumerate(numbers)
    ]


def _validate_last_rows(training: Sequence[Trajectory], pack: Pack, moments: Sequence[Moment]) -> None:
    """Those that cells ended with in this span, each by the state of its own iteration, in one call."""
    at = {moment.iteration: moment.state for moment in moments}
    ended = [(i, trajectory) for i, trajectory in enumerate(training) if trajectory.lacks_validation]
    if not ended:
        return
    states = [at[trajectory.rows[-1].iteration] for _, trajectory in ended]
    weights = torch.stack([state.weights[i] for state, (i, _) in zip(states, ended, strict=True)])
    alpha = torch.stack([state.alpha[i] for state, (i, _) in zip(states, ended, strict=True)])
    losses, accuracies = (numbers.tolist() for numbers in pack.score(weights, alpha))
    for (_, trajectory), loss, accuracy in zip(ended, losses, accuracies, strict=True):
        trajectory.validated(loss, accuracy)


def _hand_over(
    training: Sequence[Trajectory],
    iterations: range,
    seconds: float,
    origin: dict[str, Any],
    observe: Observe | None,
) -> Iterator[Record]:
    """Go through a span that took `seconds` as if it were read iteration by iteration: share its time out,
    yield the records of the cells that end, and tell the observer."""
    for iteration in iterations:
        present = [trajectory for trajectory in training if len(trajectory.rows) >= iteration]
        for trajectory in present:
            trajectory.seconds += seconds / len(iterations) / len(present)
        for trajectory in present:
            if trajectory.end and len(trajectory.rows) == iteration:
                yield trajectory.record(origin)
        if observe:  # after the yields: it may stop the run
            observe([Progress(cell=one.cell, row=one.rows[iteration - 1]) for one in present])
