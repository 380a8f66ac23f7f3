"""Sinusoid regression (Finn et al. 2017, section 5.1): learn y = A sin(x - phase) from a few points."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from harness.common.frozen import Frozen
from harness.problems.base import Curves, Problem, Split, Tasks
from harness.problems.streams import Stream

if TYPE_CHECKING:
    from torch import Tensor


class Fields(Frozen):
    """What it adds to a protocol. The defaults are those of the paper's 10-shot experiment."""

    k_shot: int = Field(10, ge=1, le=100_000, description="support points of a task")
    k_query: int = Field(10, ge=1, le=100_000, description="query points of a task")


class Sinusoid(Problem):
    """A uniform in (0.1, 5), phase in (0, pi), x in (-5, 5); mean squared error."""

    name = "sinusoid"
    title = "Sinusoid regression"
    Fields = Fields
    preset: ClassVar = {"meta_batch": 25}
    network = "mlp"

    def tasks(self, seed: int, split: Split, iteration: int) -> Tasks:
        """See Problem. Points and their values, [tasks, n, 1] each."""
        stream, tasks = self.stream(seed, split, iteration), self.count(split)
        k, points = self.protocol.k_shot, self.protocol.k_shot + self.protocol.k_query
        amplitude, phase = _drawn(stream, tasks)
        x = stream.uniform(tasks, points, 1, low=-5.0, high=5.0)
        y = amplitude * np.sin(x - phase)
        return Tasks(x[:, :k], y[:, :k], x[:, k:], y[:, k:])

    def curves(self, seed: int, split: Split, iteration: int) -> Curves:
        """See Problem."""
        amplitude, phase = _drawn(self.stream(seed, split, iteration), self.count(split))
        x = np.linspace(-5.0, 5.0, 101)
        return Curves(x, amplitude[..., 0] * np.sin(x - phase[..., 0]))

    def shape(self) -> tuple[tuple[int, ...], int]:
        """A number in, a number out."""
        return (1,), 1

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean squared error."""
        return (outputs - targets).square().mean()


def _drawn(stream: Stream, tasks: int) -> tuple[np.ndarray, np.ndarray]:
    """Amplitude and phase of each task, [tasks, 1, 1]: its first two draws."""
    amplitude = stream.uniform(tasks, 1, 1, low=0.1, high=5.0)
    return amplitude, stream.uniform(tasks, 1, 1, low=0.0, high=np.pi)
