"""The problem that all programs of the bench solve: one meta-gradient of the same weights and images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness.cell import Protocol
from harness.problems import datasets, episodes
from harness.problems.episodes import Images
from harness.problems.network import initial
from harness.training import loop
from harness.training.conv4.metagradient import meta_gradient

PAPER = Protocol(dataset="glyphs", norm_scale=True, norm_adapted=True)
"""`paper-adam` with batch norm as the libraries have it: scale and shift, both adapted. Glyphs need no
download and cost what Omniglot costs."""

SMALL = Protocol(**PAPER.model_dump() | {"n_way": 5, "meta_batch": 2, "filters": 8})
"""The same in small, to see that everything runs; its times say nothing."""

ALPHA = 0.1


class Problem(NamedTuple):
    """What a program is given."""

    protocol: Protocol
    weights: Tensor
    """[cells, P], as harness.problems.network lays them out; the peers take one cell."""
    images: Images
    """[1, tasks, n, 28, 28, 1] each: all cells see the same tasks."""
    alpha: float = ALPHA

    @property
    def device(self) -> torch.device:
        """Where all of it lies."""
        return self.weights.device


class Program(NamedTuple):
    """A program that is ready: `step` does what is timed, `answer` reads what it returned, not timed.

    An answer is the mean query loss (nats) and the meta-gradient [P], of the first cell, in float64.
    """

    step: Callable[[], Any]
    answer: Callable[[Any], tuple[float, Tensor]]


Prepare = Callable[[Problem], Program]
"""Builds what a program builds once, before its first iteration."""


def make(
    protocol: Protocol, dtype: torch.dtype = torch.float32, device: str = "cpu", cells: int = 1
) -> Problem:
    """The first meta-batch of seed 0 and the initial weights of seeds 0, 1, ..., one a cell."""
    where = torch.device(device)
    pictures = torch.tensor(datasets.load(protocol.dataset, protocol.resize).images, device=where)
    drawn = episodes.training(protocol, seed=0, iteration=1)
    support, query = episodes.gather(drawn, pictures, protocol.k_shot, dtype)
    weights = torch.stack([torch.from_numpy(initial(protocol, seed)) for seed in range(cells)])
    return Problem(protocol, weights.to(where, dtype), Images(support.unsqueeze(0), query.unsqueeze(0)))


def ours(problem: Problem) -> Program:
    """This project's meta-gradient, as the engine calls it; all cells at once."""
    alpha = problem.weights.new_full((len(problem.weights), 1), problem.alpha, dtype=torch.float64)
    groups = loop.default_groups(problem.protocol, problem.device)
    return Program(
        step=lambda: meta_gradient(problem.protocol, problem.weights, alpha, problem.images, groups),
        answer=lambda outer: (float(outer.loss[0]), outer.gradient[0].double()),
    )
