"""Trains a pack of cells together until each one ends, and hands over each record as its cell ends.

A pack is any number of cells of one protocol and one method. Everything that moves has the cells as its
first axis; a cell that ends leaves it. What a cell gives does not depend on the pack beyond rounding.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness import datasets, episodes, optimizers, provenance, records
from harness.analysis.passages import WINDOW, running_mean
from harness.episodes import Images
from harness.metagradient import meta_gradient, score
from harness.methods import METHODS
from harness.methods.base import State, columns
from harness.network import initial
from harness.protocol import Cell, Protocol, Question
from harness.records import Progress, Record, Row

CACHED_NUMBERS = 2 * 20 * 14 * 14 * 64
"""Size of a map that still fits in a CPU's cache, together with what is made of it."""

Observe = Callable[[list[Progress]], None]
"""Told after every iteration where each cell of the pack stands. It may raise to stop the run."""


class Run(NamedTuple):
    """A cell that trains: what it has shown so far."""

    cell: Cell
    rows: list[Row]
    seconds: list[float]
    """Its share of the time of each iteration: the time over the cells that trained in it."""


def train(
    cells: Sequence[Cell],
    question: Question,
    device: str = "cpu",
    observe: Observe | None = None,
    groups: int | None = None,
) -> Iterator[Record]:
    """Train `cells` from iteration 1 until each one ends; yield their records as they end.

    cells: of one protocol and one method. groups: how many (cell, task) pairs go through the network at
    once; None: as suits the device. Raises ValueError for a mixed pack; errors of torch go through.
    """
    (protocol, method_name), *others = {(cell.protocol, cell.method) for cell in cells}
    if others:
        raise ValueError("a pack has one protocol and one method")
    method = METHODS[method_name]
    where = torch.device(device)
    _set_precision(protocol)
    dtype = torch.float64 if protocol.precision == "float64" else torch.float32
    pictures, data_sha256 = _pictures(protocol.dataset, protocol.resize, where)
    groups = groups or default_groups(protocol, where)
    origin = provenance.of_run(device, pack_size=len(cells)) | {"dataset_sha256": data_sha256}

    def finished(run: Run, ending: str) -> Record:
        return records.make(run.cell, ending, run.rows, origin | provenance.now(sum(run.seconds)))

    def images(of: Sequence[episodes.Episodes]) -> Images:
        parts = [episodes.gather(one, pictures, protocol.k_shot, dtype) for one in of]
        return Images(*(torch.stack(images) for images in zip(*parts, strict=True)))

    held_out = images([episodes.validation(protocol)])
    runs = [Run(cell, [], []) for cell in cells]
    hyper = {
        name: torch.tensor(values, dtype=torch.float64, device=where).unsqueeze(1)
        for name, values in columns([cell.hyper for cell in cells]).items()
    }
    weights = torch.stack([torch.from_numpy(initial(protocol, cell.seed)) for cell in cells])
    weights = weights.to(where, dtype)
    optimize, optimizer = optimizers.start(protocol, weights)
    state = State(weights, hyper["alpha0"], hyper["beta0"], optimizer)
    state = method.start(state, hyper)

    for iteration in range(1, question.max_iterations + 1):
        started = time.perf_counter()
        seeds = sorted({run.cell.seed for run in runs})
        batch = images([episodes.training(protocol, seed, iteration) for seed in seeds])
        if len(seeds) > 1:
            place = torch.tensor([seeds.index(run.cell.seed) for run in runs], device=where)
            batch = Images(*(part[place] for part in batch))
        outer = meta_gradient(protocol, state.weights, state.alpha, batch, groups)
        losses, accuracies = outer.loss.tolist(), outer.accuracy.tolist()
        alphas = state.alpha.mean(1).tolist()
        endings = [
            _ending([row.train_loss for row in run.rows[-WINDOW + 1 :]] + [loss], iteration, question)
            for run, loss in zip(runs, losses, strict=True)
        ]

        validated: list[tuple[float | None, float | None]] = [(None, None)] * len(runs)
        regular = iteration == 1 or iteration % protocol.validation_every == 0
        measured = [i for i, end in enumerate(endings) if end != "diverged" and (regular or end is not None)]
        if measured:
            at = torch.tensor(measured, device=where)
            result = score(protocol, state.weights[at], state.alpha[at], held_out, groups)
            for i, *pair in zip(measured, result.loss.tolist(), result.accuracy.tolist(), strict=True):
                validated[i] = (pair[0], pair[1])

        going = [i for i, end in enumerate(endings) if end is None]
        betas: list[float | None] = [None] * len(runs)
        if going:
            state, outer, hyper = _take((state, outer, hyper), going, len(runs), where)
            state = method.step(state, outer, hyper, optimize, protocol)
            for i, beta in zip(going, state.beta.mean(1).tolist(), strict=True):
                betas[i] = beta
                endings[i] = None if math.isfinite(beta) else "diverged"
            still = [at for at, i in enumerate(going) if endings[i] is None]
            state, hyper = _take((state, hyper), still, len(going), where)

        share = (time.perf_counter() - started) / len(runs)
        for i, run in enumerate(runs):
            run.rows.append(Row(iteration, alphas[i], betas[i], losses[i], accuracies[i], *validated[i]))
            run.seconds.append(share)
        for run, end in zip(runs, endings, strict=True):
            if end is not None:
                yield finished(run, end)
        if observe:  # after the yields: it may stop the run
            observe([Progress(run.cell, run.rows[-1]) for run in runs])
        runs = [run for run, end in zip(runs, endings, strict=True) if end is None]
        if not runs:
            return


def default_groups(protocol: Protocol, device: torch.device) -> int:
    """How many (cell, task) pairs go through the network at once.

    On a CPU so many that a layer's largest map stays in the cache (two of the paper's tasks). On a GPU as
    many as fill half of its free memory.
    """
    images = protocol.n_way * max(protocol.k_shot, protocol.k_query)
    largest = images * 14 * 14 * protocol.filters  # numbers in the first layer's map
    if device.type == "cpu":
        return max(1, CACHED_NUMBERS // largest)
    width = 8 if protocol.precision == "float64" else 4  # bytes
    held = 32 * protocol.inner_steps * largest * width
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, free // 2 // held)


def _ending(recent: list[float], iteration: int, question: Question) -> str | None:
    """How a cell ends with these last losses (its newest last, at most WINDOW); None: it goes on."""
    if not math.isfinite(recent[-1]):
        return "diverged"
    target = question.target_loss
    if target is not None and len(recent) == WINDOW and running_mean(recent)[-1] <= target:
        return "stopped"
    return "budget" if iteration == question.max_iterations else None


def _take(tree: Any, keep: list[int], of: int, device: torch.device) -> Any:
    """The same tree of tensors with only these cells."""
    if len(keep) == of:
        return tree
    return _index(tree, torch.tensor(keep, dtype=torch.long, device=device))


def _index(tree: Any, at: Tensor) -> Any:
    if isinstance(tree, Tensor):
        return tree[at]
    if isinstance(tree, dict):
        return {key: _index(value, at) for key, value in tree.items()}
    parts = [_index(part, at) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)


@lru_cache(maxsize=2)
def _pictures(dataset: str, resize: str, device: torch.device) -> tuple[Tensor, str]:
    """The data set on the device (uint8 [characters, drawers, 28, 28]) and its digest, once a process."""
    data = datasets.load(dataset, resize)
    return torch.tensor(data.images, device=device), data.sha256


def _set_precision(protocol: Protocol) -> None:
    """Products of float32 matrices in full float32, or in TF32 where the protocol says so (GPU only)."""
    torch.set_float32_matmul_precision("high" if protocol.precision == "tf32" else "highest")
