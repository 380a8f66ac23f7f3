"""A pack on its device: any number of cells of one protocol and one method that train together.

Everything that changes has the cells as its first axis; a cell that ends leaves the pack. A cell's results do
not depend on its pack, except for rounding.

A device works through a span of iterations without waiting for the host: nothing is read before the span's
end. States are never overwritten, so a cell that turns out to have ended in the middle of a span costs only
the iterations after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.cell import Cell, Protocol, alike
from harness.methods import METHODS, Values
from harness.methods.base import Adapted, Method, Optimize, State
from harness.methods.optimizers import optimizer_of
from harness.problems import Batch, Problem, problem_of
from harness.problems.base import sent
from harness.problems.networks import Built, built
from harness.problems.networks.conv4 import at_once, held
from harness.problems.perturbation import perturbed
from harness.training import conv4, memory, precision, replay
from harness.training.autodiff import PAIRS, LoopedEngine, MappedEngine
from harness.training.engine import Engine, mask_of

SPAN = 10
"""Iterations that a GPU works through before the host reads their results."""
STATES = SPAN + 3
"""States of a pack in a GPU's memory: those of a span, the next one, and two of a CUDA graph's own."""
LAUNCH = {"cuda": replay.graphed}
"""By type of device: how an iteration is launched, where not operator by operator."""


Tasks = Batch | Tensor
"""Of the seeds of a pack: a batch, or the numbers that a batch is made from, see Problem.numbers."""


class Seen(NamedTuple):
    """What an iteration tells, see Moment."""

    loss: Tensor
    metrics: tuple[Tensor, ...]
    recorded: tuple[Tensor, ...]


class _Ahead(NamedTuple):
    """Tasks that were drawn before their turn."""

    iterations: range
    seeds: list[int]
    tasks: list[Tasks]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """An iteration on the device: the state before its update, and what came out of it."""

    iteration: int
    state: State
    loss: Tensor
    """[cells], as in MetaGradient."""
    metrics: tuple[Tensor, ...]
    """[cells] each, as in MetaGradient."""
    recorded: tuple[Tensor, ...]
    """[cells] each: what the method records, see Method.record."""
    validation: Adapted | None
    """Of the weights before the update, in the iterations in which the protocol asks for it."""


class Pack:
    """The cells on their device: their state, and everything that their iterations need."""

    def __init__(self, cells: Sequence[Cell], device: torch.device, chunk: int | None = None) -> None:
        """chunk: how many (cell, task) pairs go through the network at once; None: as suits the device.
        Raises ValueError for cells that cannot be packed together (see `alike`)."""
        if len({alike(cell) for cell in cells}) != 1:
            raise ValueError("a pack has one protocol and one method, and its cells differ in numbers alone")
        self.protocol, self.device = cells[0].protocol, device
        self.seeds = [cell.seed for cell in cells]
        self.dtype = dtype_of(self.protocol)
        precision.check(self.protocol, device.type)
        precision.use(self.protocol)
        self.method = METHODS[cells[0].method]
        self.problem = problem_of(self.protocol)
        network = built(self.protocol, *self.problem.shape())
        network.to(device, self.dtype)
        self.held_out = self.problem.batch([0], "validation", 0, device, self.dtype)
        numbers, self.fixed = _hypers(cells)
        self.numbers = {name: value.to(device) for name, value in numbers.items()}
        weights = initial(network, self.protocol, self.seeds).to(device, self.dtype)
        optimizer = optimizer_of(self.protocol)
        self._match()
        self.state = self.method.start(weights, self.hyper, optimizer, network.layout, self.protocol)
        self.engine = engine_of(self.protocol, self.problem, network, self.method, device)
        self._ahead: _Ahead | None = None
        self.in_parts = False
        """Whether the pack is computed in parts because it would take too much memory at once."""
        kept = STATES * memory.size(replay.leaves(self.state))
        if len(cells) > 1 and not memory.fits(kept, device):
            raise torch.OutOfMemoryError(f"the states of {len(cells)} cells take {kept / 1e9:.1f} GB")
        self.engine.chunk = chunk or self._chunk(kept)
        self._optimize = optimizer.step
        self._launch()

    def _launch(self) -> None:
        """Have iterations launched as suits the device; what was recorded before goes."""
        # A plain function, not a method: a reference cycle would keep the pack's memory in use for longer.
        parts = self.protocol, self.problem, self.method, self.engine, self._optimize, self.fixed
        update, kind = partial(_update, *parts), self.device.type
        # A user's network may do what no graph can hold.
        self._update = LAUNCH[kind](update) if self._known and kind in LAUNCH else update

    @property
    def compiled(self) -> bool:
        """Whether operators that were compiled from C compute it."""
        return self._known and conv4.compiled(self.protocol, self.state.weights)

    @property
    def _known(self) -> bool:
        return isinstance(self.engine, conv4.Conv4Engine)

    def shrink(self) -> bool:
        """Compute half as many (cell, task) pairs at once from now on. False: it is one already."""
        tasks = max(self.protocol.meta_batch, self.protocol.validation_tasks)
        pairs = min(self.engine.chunk, len(self.seeds) * tasks)
        if pairs == 1 or isinstance(self.engine, LoopedEngine):
            return False
        self.engine.chunk, self.in_parts = pairs // 2, True
        self._ahead = None
        self._launch()
        memory.let_go(self.device)
        return True

    def _chunk(self, kept: int) -> int:
        """How many (cell, task) pairs are computed at once. kept: bytes of the states beside them."""
        pairs = len(self.seeds) * self.protocol.meta_batch
        if isinstance(self.engine, conv4.Conv4Engine):
            fit = default_chunk(self.protocol, self.device, kept)
            self.in_parts = self.device.type != "cpu" and fit < pairs  # on a CPU it is for its cache
            return fit
        if isinstance(self.engine, LoopedEngine):
            return len(self.seeds)  # one pair at a time, whatever there is

        def one_pair() -> None:
            state, numbers = replay.each(lambda tensor: tensor[:1], (self.state, self.numbers))
            task = Batch(*(part[:, :1] for part in self.held_out))
            hyper = numbers | self.fixed
            steps = self.method.steps(hyper, self.protocol)
            self.engine.adapted(state.weights, state.alpha, task, steps)  # as in validation
            self.method.meta_gradient(self.engine, state, task, hyper, self.protocol)

        try:
            peak = memory.peak(one_pair, self.device)
        except RuntimeError as error:
            if memory.is_lack(error):
                raise
            # torch.func cannot map it: it branches on its values, say, or is an LSTM
            mapped = self.engine
            self.engine = LoopedEngine(self.protocol, self.problem, mapped.network, mapped.mask)
            one_pair()
            return len(self.seeds)
        fit = max(1, memory.room(self.device, kept) // max(1, peak))
        wanted = min(PAIRS, pairs) if self.device.type == "cpu" else pairs
        self.in_parts = fit < wanted
        return min(fit, PAIRS) if self.device.type == "cpu" else fit

    @property
    def hyper(self) -> Values:
        """The hyper-parameters of its cells."""
        return self.numbers | self.fixed

    def advance(self, iterations: range) -> list[Moment]:
        """Train through these iterations, the next ones of all cells. Nothing is read from the device."""
        moments = []
        for iteration, tasks in zip(iterations, self._drawn(iterations), strict=True):
            before = self.state
            self.state, seen = self._update(before, tasks, self._of_cell, self.numbers)
            validate = iteration == 1 or iteration % self.protocol.validation_every == 0
            validation = self.score(before) if validate else None
            moments.append(Moment(iteration=iteration, state=before, validation=validation, **seen._asdict()))
        return moments

    def draw_ahead(self, iterations: range) -> None:
        """Draw the tasks of the next call of `advance`: meanwhile the device works through the last one's."""
        with suppress(Exception):  # what cannot be drawn is drawn again in its turn, and raises then
            self._ahead = _Ahead(iterations, self._seeds, self._draw(iterations))

    def _drawn(self, iterations: range) -> list[Tasks]:
        """The tasks of each iteration."""
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead.iterations != iterations:
            return self._draw(iterations)
        if ahead.seeds == self._seeds:
            return ahead.tasks
        left = torch.tensor([ahead.seeds.index(seed) for seed in self._seeds], device=self.device)
        return [replay.each(lambda tensor: tensor[left], tasks) for tasks in ahead.tasks]

    def _draw(self, iterations: range) -> list[Tasks]:
        numbers = self.problem.numbers(self._seeds, "train", iterations)
        if numbers is not None:
            return list(sent(numbers, self.device))
        batch = self.problem.batch
        return [batch(self._seeds, "train", at, self.device, self.dtype) for at in iterations]

    def _match(self) -> None:
        """Which seeds there are, and which of them each cell has."""
        self._seeds = sorted(set(self.seeds))
        of_cell = [self._seeds.index(seed) for seed in self.seeds]
        alike = len(self._seeds) == 1 or of_cell == [*range(len(of_cell))]
        self._of_cell = () if alike else (torch.tensor(of_cell, device=self.device),)

    def score(self, state: State) -> Adapted:
        """Loss and metrics on the held-out tasks. state: of any cells of the pack."""
        steps = self.method.steps(self.hyper, self.protocol)
        return self.engine.adapted(state.weights, state.alpha, self.held_out, steps)

    def keep(self, cells: list[int]) -> None:
        """Go on with these cells alone, given by their positions in the pack."""
        if len(cells) < len(self.seeds):
            self.seeds = [self.seeds[i] for i in cells]
            at = torch.tensor(cells, dtype=torch.long, device=self.device)
            self.state, self.numbers = replay.each(lambda tensor: tensor[at], (self.state, self.numbers))
            self._match()


def _update(
    protocol: Protocol,
    problem: Problem,
    method: Method,
    engine: Engine,
    optimize: Optimize,
    fixed: Values,
    state: State,
    tasks: Tasks,
    of_cell: tuple[Tensor, ...],
    numbers: dict[str, Tensor],
) -> tuple[State, Seen]:
    """One iteration: the state after its update, and what it tells. of_cell: which of the tasks' seeds each
    cell has; none: there is but one, or each has its own."""
    batch = tasks if isinstance(tasks, Batch) else problem.made(tasks, dtype_of(protocol))
    for places in of_cell:
        batch = Batch(*(part[places] for part in batch))
    hyper = {**numbers, **fixed}
    meta = method.meta_gradient(engine, state, batch, hyper, protocol)
    after = method.step(state, meta, hyper, optimize, protocol)
    return after, Seen(meta.loss, meta.metrics, tuple(method.record(state, after)))


def _hypers(cells: Sequence[Cell]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The hyper-parameters of a pack: numbers [cells, 1] float64, and the others, which its cells share."""
    rows = [cell.hyper.model_dump() for cell in cells]
    numbers = {
        name: torch.tensor([row[name] for row in rows], dtype=torch.float64).unsqueeze(1)
        for name, value in rows[0].items()
        if isinstance(value, float)
    }
    return numbers, {name: value for name, value in rows[0].items() if name not in numbers}


def initial(network: Built, protocol: Protocol, seeds: Sequence[int]) -> Tensor:
    """The weights [cells, P] before iteration 1, float64 on the CPU."""
    of_seed = {}
    for seed in dict.fromkeys(seeds):
        parts = perturbed(network.initial(seed), protocol.perturbation, seed)
        of_seed[seed] = torch.from_numpy(np.concatenate([values.ravel() for values in parts]))
    return torch.stack([of_seed[seed] for seed in seeds])


def engine_of(
    protocol: Protocol, problem: Problem, network: Built, method: Method, device: torch.device
) -> Engine:
    """The engine for a protocol: the fast path if it knows the problem and the network, else autodiff. One
    (cell, task) pair at once, until more are asked for."""
    mask = mask_of(method, network, device)
    if conv4.knows(protocol, problem.shape()[0]):
        return conv4.Conv4Engine(protocol, problem, network, mask)
    if network.loops and device.type == "cpu":
        return LoopedEngine(protocol, problem, network, mask)
    return MappedEngine(protocol, problem, network, mask)


def default_chunk(protocol: Protocol, device: torch.device, kept: int = 0) -> int:
    """How many (cell, task) pairs go through Conv-4 at once.

    On a CPU, as many as its cache holds. On a GPU, as many as its memory has room for beside `kept` bytes.
    """
    if device.type == "cpu":
        return at_once(protocol)
    return max(1, memory.room(device, kept) // (held(protocol) * protocol.number_bytes))


def dtype_of(protocol: Protocol) -> torch.dtype:
    """What weights and images are kept in. TF32 is a way to multiply float32."""
    return torch.float64 if protocol.precision == "float64" else torch.float32
