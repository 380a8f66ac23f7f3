"""The networks, losses and tasks as the peers use them: torch.nn, weights from our flat vector, gradients
back into one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from harness.bench.workload import Workload
from harness.cell import Protocol
from harness.problems.networks import Built, Layout
from harness.problems.networks.module import Module

LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"few-shot": cross_entropy, "sinusoid": mse_loss}
"""By the problem's name."""


class Conv4(nn.Module):
    """The paper's network as one would write it in torch: images [n, 1, 28, 28] -> scores [n, n_way]."""

    def __init__(self, protocol: Protocol) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for channels in [1] + [protocol.filters] * (protocol.layers - 1):
            blocks += [
                nn.Conv2d(channels, protocol.filters, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(protocol.filters, protocol.norm_eps, track_running_stats=False),
                nn.ReLU(),
            ]
        self.features = nn.Sequential(*blocks)
        self.head = nn.Linear(protocol.filters, protocol.n_way)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).mean((2, 3)))


def _perceptron(layout: Layout) -> nn.Module:
    """harness.problems.networks.mlp as one would write it in torch, under the names of our parameters."""
    shapes = [part.shape for part in layout.parts if len(part.shape) == 2]
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (fan_out, fan_in) in enumerate(shapes):
        layers[f"layer{i}"] = nn.Linear(fan_in, fan_out)
        if i < len(shapes) - 1:
            layers[f"relu{i}"] = nn.ReLU()
    return nn.Sequential(layers)


def network(work: Workload) -> nn.Module:
    """The torch network with the weights of the first cell. One that a user brings is itself."""
    ours = work.network
    if isinstance(ours, Module):
        net = deepcopy(ours.module)
    else:
        net = Conv4(work.protocol) if work.protocol.network == "conv4" else _perceptron(ours.layout)
    net.to(work.device, work.weights.dtype)
    named = ours.layout.named(work.weights[0])
    parts = dict(ours.in_torch(name, values) for name, values in named.items())
    net.load_state_dict({**ours.constants, **parts})
    return net


def gradient(ours: Built, net: nn.Module) -> Tensor:
    """The parameters' `.grad` as our flat vector [P], float64."""
    names = [ours.in_torch(part.name, torch.zeros(part.shape))[0] for part in ours.layout.parts]
    gradients = [net.get_parameter(name).grad for name in names]
    return torch.cat([_to_ours(net, one.double()) for one in gradients if one is not None])


def _to_ours(net: nn.Module, tensor: Tensor) -> Tensor:
    """Flat, in our order: for Conv4 from kernels [out, in, 3, 3] and a head [out, in]."""
    if isinstance(net, Conv4):
        tensor = tensor.permute({4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}[tensor.ndim])
    return tensor.reshape(-1)


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task as the libraries take it: inputs [n, ...] and their targets [n, ...]."""

    support: Tensor
    support_targets: Tensor
    query: Tensor
    query_targets: Tensor


def tasks(work: Workload, memory: torch.memory_format) -> list[Task]:
    """The tasks of the workload, one by one, images in this memory format."""

    def laid_out(inputs: Tensor) -> Tensor:
        return inputs.contiguous(memory_format=memory if inputs.ndim == 4 else torch.contiguous_format)

    return [
        Task(
            support=laid_out(support),
            support_targets=support_targets,
            query=laid_out(query),
            query_targets=query_targets,
        )
        for support, query, support_targets, query_targets in zip(
            *(part[0] for part in work.batch), strict=True
        )
    ]
