"""Meta-optimizers as pure functions: (state, meta-gradient [cells, P]) -> (state, direction [cells, P]).

The update is weights - beta * direction; the learning rate stays outside, where the methods move it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from harness.methods.base import Optimizer

DECAY_1, DECAY_2, EPS = 0.9, 0.999, 1e-8


def sgd(state: tuple[Tensor, ...], gradient: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
    """Plain gradient descent. No state."""
    return state, gradient


def adam(state: tuple[Tensor, ...], gradient: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
    """Adam (Kingma and Ba 2015, Algorithm 1, bias-corrected), eps added as in torch.optim.Adam.

    State: first and second moment [cells, P], and the count of updates made [cells, 1] (float64).
    """
    first, second, count = state
    count = count + 1
    first = torch.lerp(first, gradient, 1 - DECAY_1)
    second = torch.addcmul(DECAY_2 * second, gradient, gradient, value=1 - DECAY_2)
    unbias_1 = (1 - DECAY_1**count).to(gradient.dtype)
    unbias_2 = (1 - DECAY_2**count).sqrt().to(gradient.dtype)
    direction = first / unbias_1 / (second.sqrt() / unbias_2 + EPS)
    return (first, second, count), direction


def optimizer_of(protocol: Any) -> Optimizer:
    """The protocol's meta-optimizer."""
    return Optimizer(lambda moved: (), sgd) if protocol.meta_optimizer == "sgd" else Optimizer(_start, adam)


def _start(moved: Tensor) -> tuple[Tensor, ...]:
    zeros = torch.zeros_like(moved)
    return zeros, zeros, moved.new_zeros(len(moved), 1, dtype=torch.float64)
