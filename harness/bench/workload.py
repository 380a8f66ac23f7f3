"""The work that all programs of the bench do: one meta-gradient of the same weights and tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness.cell import Cell, Protocol, protocol_of
from harness.methods import METHODS, maml
from harness.methods.base import State
from harness.problems import Batch, problem_of
from harness.problems.networks import Built, built
from harness.training.pack import Pack, dtype_of, initial

PAPER = protocol_of(dataset="glyphs", norm_scale=True, norm_adapted=True)
"""`paper-adam` with batch norm as in the libraries: scale and shift, both adapted. Glyphs need no download
and take as long as Omniglot."""

SMALL = protocol_of(**PAPER.model_dump() | {"n_way": 5, "meta_batch": 2, "filters": 8})
"""A small version, to see that everything runs; its times mean nothing."""

ALPHA = 0.1
METHOD = maml.MAML.name


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What a program is given."""

    protocol: Protocol
    weights: Tensor
    """[cells, P], as the network's layout has them; the peers take one cell."""
    batch: Batch
    """[1, tasks, n, ...] each: all cells see the same tasks."""
    alpha: float = ALPHA

    @property
    def device(self) -> torch.device:
        """The device of all its tensors."""
        return self.weights.device

    @property
    def network(self) -> Built:
        """The protocol's network, made anew."""
        return built(self.protocol, *problem_of(self.protocol).shape())

    def cell(self, which: int) -> Workload:
        """The work of one of its cells."""
        return replace(self, weights=self.weights[which : which + 1])


class Answer(NamedTuple):
    """What a program computes, for each of its cells, in float64."""

    loss: Tensor
    """[cells] the mean query loss."""
    gradient: Tensor
    """[cells, P] the meta-gradient."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program that is ready to run. `step` does what is timed; `answer` reads what it returned, untimed."""

    step: Callable[[], Any]
    answer: Callable[[Any], Answer]


Prepare = Callable[[Workload], Program]
"""Builds what a program needs only once, before its first iteration."""


def make(protocol: Protocol, device: str = "cpu", cells: int = 1) -> Workload:
    """The first meta-batch of seed 0 and the initial weights of seeds 0, 1, ..., one seed per cell, in the
    protocol's precision."""
    where, dtype = torch.device(device), dtype_of(protocol)
    problem = problem_of(protocol)
    weights = initial(built(protocol, *problem.shape()), protocol, range(cells))
    return Workload(
        protocol=protocol,
        weights=weights.to(where, dtype),
        batch=problem.batch([0], "train", 1, where, dtype),
    )


def ours(work: Workload) -> Program:
    """This project's meta-gradient, by the engine that training has; all cells at once."""
    method, hyper = METHODS[METHOD], maml.Hyper(alpha0=work.alpha, beta0=1e-3)
    cells = range(len(work.weights))
    pack = Pack(
        [Cell(protocol=work.protocol, method=METHOD, hyper=hyper, seed=n) for n in cells], work.device
    )
    engine, hypers = pack.engine, pack.hyper
    state = State(work.weights, hypers["alpha0"], hypers["beta0"], ())
    return Program(
        step=lambda: method.meta_gradient(engine, state, work.batch, hypers, work.protocol),
        answer=lambda meta: Answer(meta.loss.double(), meta.gradient.double()),
    )
