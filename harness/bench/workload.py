"""The work that all programs of the bench do: one meta-gradient of the same weights and images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from harness.cell import Protocol, protocol_of
from harness.problems import datasets, episodes
from harness.problems.episodes import Images
from harness.problems.few_shot import images_of
from harness.problems.networks.conv4 import initial
from harness.training.conv4 import meta_gradient
from harness.training.pack import default_chunk

PAPER = protocol_of(dataset="glyphs", norm_scale=True, norm_adapted=True)
"""`paper-adam` with batch norm as in the libraries: scale and shift, both adapted. Glyphs need no download
and take as long as Omniglot."""

SMALL = protocol_of(**PAPER.model_dump() | {"n_way": 5, "meta_batch": 2, "filters": 8})
"""A small version, to see that everything runs; its times mean nothing."""

ALPHA = 0.1


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What a program is given."""

    protocol: Protocol
    weights: Tensor
    """[cells, P], as harness.problems.networks.conv4 lays them out; the peers take one cell."""
    batch: Images
    """[1, tasks, n, 28, 28, 1] each: all cells see the same tasks."""
    alpha: float = ALPHA

    @property
    def device(self) -> torch.device:
        """The device of all its tensors."""
        return self.weights.device


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program that is ready to run. `step` does what is timed; `answer` reads what it returned, untimed.

    An answer is the mean query loss (nats) and the meta-gradient [P] of the first cell, in float64.
    """

    step: Callable[[], Any]
    answer: Callable[[Any], tuple[float, Tensor]]


Prepare = Callable[[Workload], Program]
"""Builds what a program needs only once, before its first iteration."""


def make(
    protocol: Protocol, dtype: torch.dtype = torch.float32, device: str = "cpu", cells: int = 1
) -> Workload:
    """The first meta-batch of seed 0 and the initial weights of seeds 0, 1, ..., one seed per cell."""
    where = torch.device(device)
    images = images_of(datasets.load(protocol.dataset, protocol.resize), where)
    drawn = episodes.training(protocol, seed=0, iteration=1)
    batch = episodes.gather(drawn, images, protocol.k_shot, dtype)
    weights = torch.stack([torch.from_numpy(initial(protocol, seed)) for seed in range(cells)])
    return Workload(
        protocol=protocol,
        weights=weights.to(where, dtype),
        batch=Images(*(part.unsqueeze(0) for part in batch)),
    )


def ours(work: Workload) -> Program:
    """This project's meta-gradient, as training calls it; all cells at once."""
    alpha = work.weights.new_full((len(work.weights), 1), work.alpha, dtype=torch.float64)
    chunk = default_chunk(work.protocol, work.device)
    return Program(
        step=lambda: meta_gradient(work.protocol, work.weights, alpha, work.batch, chunk),
        answer=lambda meta: (float(meta.loss[0]), meta.gradient[0].double()),
    )
