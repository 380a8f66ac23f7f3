"""The weights that a run ended with, as other programs take them: a torch.nn.Module loads them by name."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.cell import Cell
from harness.methods.base import State
from harness.problems import problem_of
from harness.problems.networks import Built, built

RATE = "rate."
"""Begins the name of the inner rates of a parameter, where there is more than one rate."""


def exported(cell: Cell, state: State) -> dict[str, Tensor]:
    """The meta-learned parameters by name, in the shapes of a torch.nn.Module of the cell's network, with
    what else its state_dict has. And the inner rates of each parameter, `rate.<name>`, where the method has
    more than one: a number or one for each weight; where each step has its own, the steps are the first axis.

    state: of the cell alone, tensors [1, ...].
    """
    network = built(cell.protocol, *problem_of(cell.protocol).shape())
    named = network.layout.named(state.weights[0])
    parts = dict(network.in_torch(name, values) for name, values in named.items())
    dtype = state.weights.dtype
    constants = {
        name: one.to(dtype) if one.is_floating_point() else one for name, one in network.constants.items()
    }
    whole = parts | constants | _rates(network, state.alpha[0])
    return {
        name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in whole.items()
    }


def _rates(network: Built, alpha: Tensor) -> dict[str, Tensor]:
    """alpha: [n] or [steps, n]."""
    layout = network.layout
    if alpha.shape[-1] == 1:
        return {} if alpha.numel() == 1 else {f"{RATE}all": alpha[..., 0]}
    if alpha.shape[-1] == len(layout.adapted):
        names = [network.in_torch(part.name, torch.zeros(part.shape))[0] for part in layout.adapted]
        return {f"{RATE}{name}": alpha[..., i] for i, name in enumerate(names)}
    found = {}
    for part, piece in zip(layout.adapted, alpha.split(layout.sizes[: len(layout.adapted)], -1), strict=True):
        each = [network.in_torch(part.name, one) for one in piece.reshape(-1, *part.shape)]
        values = torch.stack([one for _, one in each])
        found[f"{RATE}{each[0][0]}"] = values if alpha.dim() > 1 else values[0]
    return found


def single_rate(state: State) -> float | None:
    """The inner rate, where there is one for all parameters and steps; None: there are more."""
    return state.alpha.item() if state.alpha.numel() == 1 else None
