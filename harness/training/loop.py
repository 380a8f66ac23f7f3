"""Trains a pack of cells together until each one ends, and hands over each record as its cell ends.

A pack is any number of cells of one protocol and one method. Everything that moves has the cells as its
first axis; a cell that ends leaves it. What a cell gives does not depend on the pack beyond rounding.

A device goes through a span of iterations without waiting for the host: nothing is read before the span's
end. Then the host finds out where each cell ended. States are never overwritten, so an end in the middle of
a span costs only the iterations after it: they are left out, and the counts are exact.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import NamedTuple

import torch
from torch import Tensor

from harness import records
from harness.cell import Cell, Protocol, Question
from harness.methods import METHODS, optimizers
from harness.methods.base import Method, Optimize, Outer, State, columns
from harness.problems import datasets, episodes
from harness.problems.episodes import Images
from harness.problems.network import initial
from harness.records import COLUMNS, Progress, Record, Row, provenance
from harness.records.passages import WINDOW, running_mean
from harness.training import replay
from harness.training.conv4.metagradient import Score, meta_gradient, score

CACHED_NUMBERS = 4 * 20 * 14 * 14 * 64
"""Size of a map that goes through a CPU fastest: a larger one leaves its cache, a smaller one costs calls."""
SPAN = 10
"""Iterations that a GPU goes through before the host reads."""
MEASURED = ("stopped", "budget")
"""The endings whose last row has a validation loss."""

LAUNCH = {"cuda": replay.graphed}
"""By type of device: how an iteration is launched where that is not operator by operator."""

Observe = Callable[[list[Progress]], None]
"""Told after every iteration where each cell of the pack stands. It may raise to stop the run."""


class Run(NamedTuple):
    """A cell that trains: what it has shown so far."""

    cell: Cell
    rows: list[Row]
    seconds: list[float]
    """Its share of the time of each iteration: the time over the cells that trained in it."""


class Moment(NamedTuple):
    """An iteration as the device knows it: the state before its update, and what came of it."""

    iteration: int
    state: State
    loss: Tensor
    accuracy: Tensor
    beta: Tensor
    """[cells, 1], that of its update."""
    held_out: Score | None
    """Where the protocol asks for it in every cell."""


class End(NamedTuple):
    """Where in a span a cell's last row is, that row, and how it ended there; None: it goes on."""

    at: int
    row: Row
    ending: str | None


def train(
    cells: Sequence[Cell],
    question: Question,
    device: str = "cpu",
    observe: Observe | None = None,
    groups: int | None = None,
    span: int | None = None,
) -> Iterator[Record]:
    """Train `cells` from iteration 1 until each one ends; yield their records as they end.

    cells: of one protocol and one method. groups: how many (cell, task) pairs go through the network at
    once; span: how many iterations before the host reads; None: as suits the device. Raises ValueError for
    a mixed pack; errors of torch go through.
    """
    if len({(cell.protocol, cell.method) for cell in cells}) != 1:
        raise ValueError("a pack has one protocol and one method")
    pack = _Pack(cells, torch.device(device), groups)
    runs = [Run(cell, [], []) for cell in cells]
    span = span or (1 if device == "cpu" else SPAN)
    origin = provenance.of_run(device, pack_size=len(cells)) | {"dataset_sha256": pack.data_sha256}
    done = 0
    while runs:
        started = time.perf_counter()
        iterations = range(done + 1, min(done + span, question.max_iterations) + 1)
        moments = pack.through(iterations, [run.cell.seed for run in runs])
        rows = _rows(moments)
        ends = [_end(run.rows, [row[i] for row in rows], question) for i, run in enumerate(runs)]
        bare = [i for i, (_, row, how) in enumerate(ends) if how in MEASURED and row.val_loss is None]
        pairs = pack.validate([(moments[ends[i].at], i) for i in bare])
        for i, end in enumerate(ends):
            rows[end.at][i] = end.row
        for i, (val_loss, val_accuracy) in zip(bare, pairs, strict=True):
            rows[ends[i].at][i] = replace(ends[i].row, val_loss=val_loss, val_accuracy=val_accuracy)
        seconds = (time.perf_counter() - started) / len(iterations)

        for at, row in enumerate(rows):
            there = [i for i, end in enumerate(ends) if at <= end.at]
            for i in there:
                runs[i].rows.append(row[i])
                runs[i].seconds.append(seconds / len(there))
            for i in there:
                if ends[i].at == at and (ending := ends[i].ending):
                    facts = origin | provenance.now(sum(runs[i].seconds))
                    yield records.make(runs[i].cell, ending, runs[i].rows, facts)
            if observe:  # after the yields: it may stop the run
                observe([Progress(cell=runs[i].cell, row=row[i]) for i in there])
        done = iterations[-1]
        keep = [i for i, end in enumerate(ends) if end.ending is None]
        pack.keep(keep, len(runs))
        runs = [runs[i] for i in keep]


class _Pack:
    """The cells on their device: their state, and all that their iterations need."""

    def __init__(self, cells: Sequence[Cell], device: torch.device, groups: int | None) -> None:
        self.protocol, self.device = cells[0].protocol, device
        self.method = METHODS[cells[0].method]
        self.dtype = torch.float64 if self.protocol.precision == "float64" else torch.float32
        _set_precision(self.protocol)
        self.pictures, self.data_sha256 = _pictures(self.protocol.dataset, self.protocol.resize, device)
        self.groups = groups or default_groups(self.protocol, device)
        self.held_out = self.images([episodes.validation(self.protocol, self.protocol.validation_tasks)])
        self.hyper = {
            name: torch.tensor(values, dtype=torch.float64, device=device).unsqueeze(1)
            for name, values in columns([cell.hyper for cell in cells]).items()
        }
        weights = torch.stack(
            [
                torch.from_numpy(initial(self.protocol, cell.seed, self.protocol.perturbation))
                for cell in cells
            ]
        )
        weights = weights.to(device, self.dtype)
        self.optimize, optimizer = optimizers.start(self.protocol, weights)
        state = State(weights, self.hyper["alpha0"], self.hyper["beta0"], optimizer)
        self.state = self.method.start(state, self.hyper)
        # A function of its own, no method: a pack in a cycle would keep its graphs and memory for long.
        advance = partial(_advance, self.protocol, self.method, self.optimize, self.groups)
        self.advance = LAUNCH.get(device.type, lambda function: function)(advance)

    def images(self, of: Sequence[episodes.Episodes]) -> Images:
        parts = [episodes.gather(one, self.pictures, self.protocol.k_shot, self.dtype) for one in of]
        return Images(*(torch.stack(images) for images in zip(*parts, strict=True)))

    def through(self, iterations: range, seeds: Sequence[int]) -> list[Moment]:
        """Train through these iterations, cell by cell with these seeds."""
        moments = []
        unique = sorted(set(seeds))
        place = torch.tensor([unique.index(seed) for seed in seeds], device=self.device)
        for iteration in iterations:
            batch = self.images([episodes.training(self.protocol, seed, iteration) for seed in unique])
            if len(unique) > 1:
                batch = Images(*(part[place] for part in batch))
            before = self.state
            self.state, outer = self.advance(before, batch, self.hyper)
            regular = iteration == 1 or iteration % self.protocol.validation_every == 0
            held_out = self.score(before.weights, before.alpha) if regular else None
            moments.append(Moment(iteration, before, outer.loss, outer.accuracy, self.state.beta, held_out))
        return moments

    def score(self, weights: Tensor, alpha: Tensor) -> Score:
        return score(self.protocol, weights, alpha, self.held_out, self.groups)

    def validate(self, ends: Sequence[tuple[Moment, int]]) -> list[tuple[float, float]]:
        """Loss and accuracy on the held-out tasks of these cells, each at its own moment."""
        if not ends:
            return []
        weights = torch.stack([moment.state.weights[i] for moment, i in ends])
        alpha = torch.stack([moment.state.alpha[i] for moment, i in ends])
        return list(zip(*(part.tolist() for part in self.score(weights, alpha)), strict=True))

    def keep(self, cells: list[int], of: int) -> None:
        """Go on with these cells alone."""
        if len(cells) < of:
            at = torch.tensor(cells, dtype=torch.long, device=self.device)
            self.state, self.hyper = replay.each(lambda part: part[at], (self.state, self.hyper))


def _advance(
    protocol: Protocol,
    method: Method,
    optimize: Optimize,
    groups: int,
    state: State,
    batch: Images,
    hyper: dict[str, Tensor],
) -> tuple[State, Outer]:
    """One iteration: the state after its update, and what the update was made of."""
    outer = meta_gradient(protocol, state.weights, state.alpha, batch, groups)
    return method.step(state, outer, hyper, optimize, protocol), outer


def default_groups(protocol: Protocol, device: torch.device) -> int:
    """How many (cell, task) pairs go through the network at once.

    On a CPU so many that a layer's largest map stays in the cache (four of the paper's tasks). On a GPU as
    many as fill a third of its free memory.
    """
    images = protocol.n_way * max(protocol.k_shot, protocol.k_query)
    largest = images * 14 * 14 * protocol.filters  # numbers in the first layer's map
    if device.type == "cpu":
        return max(1, CACHED_NUMBERS // largest)
    width = 8 if protocol.precision == "float64" else 4  # bytes
    held = 32 * protocol.inner_steps * largest * width
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, free // 3 // held)


def _rows(moments: Sequence[Moment]) -> list[list[Row]]:
    """The rows of a span, [iterations][cells], read from the device in one go."""
    numbers = torch.stack(
        [torch.stack([m.state.alpha.mean(1), m.beta.mean(1), m.loss, m.accuracy], 1) for m in moments]
    ).tolist()
    held_out = {m.iteration: torch.stack(m.held_out, 1).tolist() for m in moments if m.held_out}
    nothing = [(None, None)] * len(moments[0].loss)
    return [
        [
            Row(**dict(zip(COLUMNS, (m.iteration, *four, *pair), strict=True)))
            for four, pair in zip(cells, held_out.get(m.iteration, nothing), strict=True)
        ]
        for m, cells in zip(moments, numbers, strict=True)
    ]


def _end(before: Sequence[Row], span: Sequence[Row], question: Question) -> End:
    """Where a cell with these rows, and those of the span, ends. A row without an update has no beta."""
    losses = [row.train_loss for row in before[-WINDOW + 1 :]]
    for at, row in enumerate(span):
        losses.append(row.train_loss)
        if not math.isfinite(row.train_loss):
            return End(at, replace(row, beta=None, val_loss=None, val_accuracy=None), "diverged")
        target = question.target_loss
        if target is not None and len(losses) >= WINDOW and running_mean(losses[-WINDOW:])[-1] <= target:
            return End(at, replace(row, beta=None), "stopped")
        if row.iteration == question.max_iterations:
            return End(at, replace(row, beta=None), "budget")
        if row.beta is None or not math.isfinite(row.beta):
            return End(at, row, "diverged")
    return End(len(span) - 1, span[-1], None)


@lru_cache(maxsize=2)
def _pictures(dataset: str, resize: str, device: torch.device) -> tuple[Tensor, str]:
    """The data set on the device (uint8 [characters, drawers, 28, 28]) and its digest, once a process."""
    data = datasets.load(dataset, resize)
    return torch.tensor(data.images, device=device), data.sha256


def _set_precision(protocol: Protocol) -> None:
    """Products of float32 matrices in full float32, or in TF32 where the protocol says so (GPU only)."""
    torch.set_float32_matmul_precision("high" if protocol.precision == "tf32" else "highest")
