"""What a problem is: a distribution of tasks, a loss, metrics. This file needs no torch at import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np

from harness.common import plugins
from harness.common.errors import UserError
from harness.common.frozen import Frozen
from harness.common.registry import Registry
from harness.problems.networks import NETWORKS, built
from harness.problems.streams import Stream

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Split = Literal["train", "validation", "test"]
TEST_BLOCK = 50
"""Tasks of a meta-test that are drawn at a time: so the first do not depend on how many are asked for."""


class Tasks(NamedTuple):
    """Tasks as a problem draws them: numpy arrays or torch tensors, on the CPU."""

    support: Any
    """Inputs to adapt to, [tasks, n, ...]."""
    support_targets: Any
    """[tasks, n, ...]; whole numbers for classes."""
    query: Any
    """Inputs that the adapted network is judged by, [tasks, m, ...]."""
    query_targets: Any
    """[tasks, m, ...]"""


class Curves(NamedTuple):
    """The functions that some tasks are about, of one number each: for a figure."""

    x: np.ndarray
    """[m]"""
    y: np.ndarray
    """[tasks, m]"""


class Batch(NamedTuple):
    """Tasks on their device, for one cell or for several: [cells or 1, tasks, n, ...] each. One for all cells
    of a seed is enough."""

    support: Tensor
    query: Tensor
    support_targets: Tensor
    query_targets: Tensor


class Problem:
    """A distribution of tasks, a loss and metrics, under one protocol. Subclass it to bring your own.

    An object is made for a protocol whenever its tasks or its loss are needed; making one must be cheap.
    """

    name: ClassVar[str]
    """As written in grids and columns."""
    title: ClassVar[str]
    """As written in figures."""
    Fields: ClassVar[type[Frozen]] = Frozen
    """The fields that it adds to a protocol: a pydantic model, each field with a default."""
    preset: ClassVar[Mapping[str, Any]] = {}
    """Fields of the protocol that this problem wants otherwise by default: `{"meta_batch": 25}`."""
    network: ClassVar[str]
    """The network by default."""
    unit: ClassVar[str] = ""
    """Of the loss: `nats`; empty: none."""
    metrics: ClassVar[tuple[str, ...]] = ()
    """Names of what `measure` returns beside the loss."""

    def __init__(self, protocol: Any) -> None:
        """protocol: a harness.cell.Protocol with the fields of this problem."""
        self.protocol = protocol

    def tasks(self, seed: int, split: Split, iteration: int) -> Tasks:
        """The tasks of an iteration, `self.count(split)` of them: a function of its arguments and the
        protocol.

        Every cell of a seed gets the same. Draw them from `self.stream(seed, split, iteration)`, task by
        task, so that a larger meta-batch begins with the tasks of a smaller one. The validation tasks are
        those of seed 0 and iteration 0, for all cells; those of a meta-test are those of seed 0 and
        iterations 0, 1, ...
        """
        raise NotImplementedError

    def shape(self) -> tuple[tuple[int, ...], int]:
        """The shape of one input, and the number of outputs of the network."""
        raise NotImplementedError

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss of one task, a scalar: the mean over its examples. Called inside torch.func transforms."""
        raise NotImplementedError

    def measure(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, ...]:
        """The metrics of one task, a scalar each, in the order of `metrics`."""
        return ()

    @property
    def chance(self) -> float | None:
        """The loss at chance: no predictor that has not seen the task has a lower expected one. None: not
        known."""
        return None

    @property
    def scale(self) -> float:
        """What the loss is multiplied by in both loops. The recorded loss is not."""
        return 1

    @property
    def digest(self) -> str | None:
        """SHA-256 of its data; None: it is drawn, not read."""
        return None

    def check(self) -> None:
        """UserError if the protocol cannot be trained: data are missing, say. Called before anything
        trains."""

    def curves(self, seed: int, split: Split, iteration: int) -> Curves | None:
        """The true functions of `tasks`, from one number to one number, at points to draw them by; None: it
        has none that could be drawn."""
        return None

    def tested_on(self) -> str:
        """What the tasks of a meta-test are made of, in words; empty: like all others, of random numbers of
        their own. UserError: there are none to be made."""
        return ""

    def count(self, split: Split) -> int:
        """How many tasks."""
        if split == "test":
            return TEST_BLOCK
        return self.protocol.meta_batch if split == "train" else self.protocol.validation_tasks

    def stream(self, seed: int, split: Split, iteration: int) -> Stream:
        """The random numbers of these tasks."""
        return Stream(seed, split, iteration)

    def batch(
        self,
        seeds: Sequence[int],
        split: Split,
        iteration: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> Batch:
        """The tasks of several seeds on the device: [seeds, tasks, n, ...]; numbers that are not whole as
        dtype."""
        import torch

        drawn = [self.tasks(seed, split, iteration) for seed in seeds]

        def of(name: str) -> Tensor:
            whole = torch.stack([torch.as_tensor(np.asarray(getattr(one, name))) for one in drawn])
            return sent(whole.to(dtype if whole.is_floating_point() else torch.int64), device)

        return Batch(*(of(name) for name in Batch._fields))

    def numbers(self, seeds: Sequence[int], split: Split, iterations: Sequence[int]) -> Tensor | None:
        """Whole numbers [iterations, seeds, ...] on the CPU that say which tasks are meant, for `made`; None:
        there are none, and `batch` makes the tasks. They are few where a batch is large, and a GPU makes the
        tasks from them as a part of an iteration."""
        return None

    def made(self, numbers: Tensor, dtype: torch.dtype) -> Batch:
        """The tasks that the `numbers` [seeds, ...] of one iteration mean, on their device, as `batch` gives
        them. Nothing is read from the device."""
        raise NotImplementedError


def sent(numbers: Tensor, device: torch.device) -> Tensor:
    """To the device; a GPU fetches them from pinned memory, so that the host need not wait for it."""
    if device.type == "cuda":
        return numbers.pin_memory().to(device, non_blocking=True)
    return numbers.to(device)


PROBLEMS: Registry[type[Problem]] = Registry("problem")


def problem_of(protocol: Any) -> Problem:
    """The problem of a protocol."""
    return PROBLEMS[protocol.problem](protocol)


def check(protocol: Any) -> None:
    """UserError: the problem of a protocol cannot be trained, or not by a network of harness's own that was
    chosen for it; or what a plug-in says of it raises."""
    with _said(protocol):
        problem = problem_of(protocol)
        problem.check()
        _ = problem.chance
        if plugins.is_ours(NETWORKS.module(protocol.network)):  # a user's is tried, which takes torch
            built(protocol, *problem.shape())


def tested_on(protocol: Any) -> str:
    """See Problem.tested_on. UserError, too: what a plug-in says of it raises."""
    with _said(protocol):
        return str(problem_of(protocol).tested_on())


@contextmanager
def _said(protocol: Any) -> Iterator[None]:
    """What a plug-in raises is a UserError that names it."""
    module = PROBLEMS.module(protocol.problem)
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if plugins.is_ours(module):
            raise
        why = plugins.explain(error, plugins.file_of(module))
        raise UserError(f"{plugins.within(module)}problem '{protocol.problem}': {why}") from error
