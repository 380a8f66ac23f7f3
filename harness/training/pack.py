"""A pack on its device: any number of cells of one protocol and one method that train together.

Everything that changes has the cells as its first axis; a cell that ends leaves the pack. A cell's results do
not depend on its pack, except for rounding.

A device works through a span of iterations without waiting for the host: nothing is read before the span's
end. States are never overwritten, so a cell that turns out to have ended in the middle of a span costs only
the iterations after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import torch
from torch import Tensor

from harness.cell import Cell, Protocol
from harness.methods import METHODS, optimizers
from harness.methods.base import MetaGradient, Method, Optimize, State, columns
from harness.problems import datasets, episodes
from harness.problems.episodes import Batch
from harness.problems.network import initial
from harness.training import replay
from harness.training.conv4 import Score, meta_gradient, score

CACHED_NUMBERS = 4 * 20 * 14 * 14 * 64
"""Numbers in the largest map with which a CPU is fastest: more do not fit its cache, fewer need more
calls."""

LAUNCH = {"cuda": replay.graphed}
"""By type of device: how an iteration is launched, where not operator by operator."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """An iteration on the device: the state before its update, and what came out of it."""

    iteration: int
    state: State
    loss: Tensor
    """[cells], as in MetaGradient."""
    accuracy: Tensor
    """[cells], as in MetaGradient."""
    beta: Tensor
    """[cells, 1], the rate of its update."""
    validation: Score | None
    """Of the weights before the update, in the iterations in which the protocol asks for it."""


class Pack:
    """The cells on their device: their state, and everything that their iterations need."""

    def __init__(self, cells: Sequence[Cell], device: torch.device, chunk: int | None = None) -> None:
        """chunk: how many (cell, task) pairs go through the network at once; None: as suits the device.
        Raises ValueError for cells of different protocols or methods."""
        if len({(cell.protocol, cell.method) for cell in cells}) != 1:
            raise ValueError("a pack has one protocol and one method")
        self.protocol, self.device = cells[0].protocol, device
        self.seeds = [cell.seed for cell in cells]
        self.chunk = chunk or default_chunk(self.protocol, device)
        self.dtype = dtype_of(self.protocol)
        _set_precision(self.protocol)
        self.images, self.data_sha256 = images_of(self.protocol.dataset, self.protocol.resize, device)
        self.held_out = self._batch([episodes.validation(self.protocol, self.protocol.validation_tasks)])
        self.hyper = {
            name: torch.tensor(values, dtype=torch.float64, device=device).unsqueeze(1)
            for name, values in columns([cell.hyper for cell in cells]).items()
        }
        first = [initial(self.protocol, cell.seed, self.protocol.perturbation) for cell in cells]
        weights = torch.stack([torch.from_numpy(one) for one in first]).to(device, self.dtype)
        method = METHODS[cells[0].method]
        optimize, optimizer = optimizers.start(self.protocol, weights)
        state = State(weights, self.hyper["alpha0"], self.hyper["beta0"], optimizer)
        self.state = method.start(state, self.hyper)
        # A plain function, not a method: a reference cycle would keep the pack's memory in use for longer.
        update = partial(_update, self.protocol, method, optimize, self.chunk)
        self._update = LAUNCH.get(device.type, lambda function: function)(update)

    def advance(self, iterations: range) -> list[Moment]:
        """Train through these iterations, the next ones of all cells. Nothing is read from the device."""
        unique = sorted(set(self.seeds))
        of_cell = torch.tensor([unique.index(seed) for seed in self.seeds], device=self.device)
        moments = []
        for iteration in iterations:
            batch = self._batch([episodes.training(self.protocol, seed, iteration) for seed in unique])
            if len(unique) > 1:
                batch = Batch(*(images[of_cell] for images in batch))
            before = self.state
            self.state, meta = self._update(before, batch, self.hyper)
            validate = iteration == 1 or iteration % self.protocol.validation_every == 0
            moments.append(
                Moment(
                    iteration=iteration,
                    state=before,
                    loss=meta.loss,
                    accuracy=meta.accuracy,
                    beta=self.state.beta,
                    validation=self.score(before.weights, before.alpha) if validate else None,
                )
            )
        return moments

    def score(self, weights: Tensor, alpha: Tensor) -> Score:
        """Loss and accuracy on the held-out tasks. weights: [cells, P], alpha: [cells, 1] or [cells, A]; they
        need not be those of the pack."""
        return score(self.protocol, weights, alpha, self.held_out, self.chunk)

    def keep(self, cells: list[int]) -> None:
        """Go on with these cells alone, given by their positions in the pack."""
        if len(cells) < len(self.seeds):
            self.seeds = [self.seeds[i] for i in cells]
            at = torch.tensor(cells, dtype=torch.long, device=self.device)
            self.state, self.hyper = replay.each(lambda tensor: tensor[at], (self.state, self.hyper))

    def _batch(self, of: Sequence[episodes.Episodes]) -> Batch:
        gathered = [episodes.gather(one, self.images, self.protocol.k_shot, self.dtype) for one in of]
        return Batch(*(torch.stack(images) for images in zip(*gathered, strict=True)))


def _update(
    protocol: Protocol,
    method: Method,
    optimize: Optimize,
    chunk: int,
    state: State,
    batch: Batch,
    hyper: dict[str, Tensor],
) -> tuple[State, MetaGradient]:
    """One iteration: the state after its update, and what the update was made of."""
    meta = meta_gradient(protocol, state.weights, state.alpha, batch, chunk)
    return method.step(state, meta, hyper, optimize, protocol), meta


def default_chunk(protocol: Protocol, device: torch.device) -> int:
    """How many (cell, task) pairs go through the network at once.

    On a CPU, as many as keep a layer's largest map in the cache (four of the paper's tasks). On a GPU, as
    many as fill a third of its free memory.
    """
    if device.type == "cpu":
        return max(1, CACHED_NUMBERS // protocol.largest_map)
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, free // 3 // (protocol.held * protocol.width))


def dtype_of(protocol: Protocol) -> torch.dtype:
    """What weights and images are kept in. TF32 is a way to multiply float32."""
    return torch.float64 if protocol.precision == "float64" else torch.float32


@lru_cache(maxsize=2)
def images_of(dataset: str, resize: str, device: torch.device) -> tuple[Tensor, str]:
    """The data set on the device (uint8 [characters, drawers, 28, 28]) and its digest, loaded once per
    process."""
    data = datasets.load(dataset, resize)
    return torch.tensor(data.images, device=device), data.sha256


def _set_precision(protocol: Protocol) -> None:
    """Products of float32 matrices in full float32, or in TF32 where the protocol says so (GPU only)."""
    torch.set_float32_matmul_precision("high" if protocol.precision == "tf32" else "highest")
