"""The network as the peers use it: torch.nn, weights from our flat vector, gradients back into one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from harness.bench.workload import Workload
from harness.cell import Protocol
from harness.problems import episodes
from harness.problems.networks.conv4 import layout


class Conv4(nn.Module):
    """The network as one would write it in torch: images [n, 1, 28, 28] -> scores [n, n_way]."""

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


def _parameter(net: nn.Module, name: str) -> nn.Parameter:
    """The parameter that holds a part of our flat vector."""
    kind, layer = name.rstrip("0123456789"), name.lstrip("abcdefghijklmnopqrstuvwxyz")
    match kind:
        case "head" | "bias":
            path = f"head.{'weight' if kind == 'head' else 'bias'}"
        case "conv":
            path = f"features.{3 * int(layer)}.weight"
        case _:
            path = f"features.{3 * int(layer) + 1}.{'weight' if kind == 'scale' else 'bias'}"
    return net.get_parameter(path)


def _from_ours(flat: Tensor, like: Tensor) -> Tensor:
    """A part of our vector in torch's shape: kernels [out, in, 3, 3], the head [out, in]."""
    if like.ndim == 4:
        return flat.view(3, 3, like.shape[1], like.shape[0]).permute(3, 2, 0, 1)
    return flat.view(like.shape[::-1]).T if like.ndim == 2 else flat


def _to_ours(tensor: Tensor) -> Tensor:
    """The inverse of _from_ours, flat."""
    order = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}[tensor.ndim]
    return tensor.permute(order).reshape(-1)


def network(protocol: Protocol, flat: Tensor) -> Conv4:
    """The torch network with the weights [P] of ours."""
    net = Conv4(protocol).to(flat.device, flat.dtype)
    ours = layout(protocol)
    with torch.no_grad():
        for part, piece in zip(ours.parts, flat.split(ours.sizes), strict=True):
            parameter = _parameter(net, part.name)
            parameter.copy_(_from_ours(piece, parameter))
    return net


def gradient(protocol: Protocol, net: nn.Module) -> Tensor:
    """The parameters' `.grad` as our flat vector [P], float64."""
    gradients = [_parameter(net, part.name).grad for part in layout(protocol).parts]
    return torch.cat([_to_ours(one.double()) for one in gradients if one is not None])


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task as the libraries take it: images [n, 1, 28, 28] and their labels [n]."""

    support: Tensor
    support_labels: Tensor
    query: Tensor
    query_labels: Tensor


def tasks(work: Workload, memory: torch.memory_format) -> list[Task]:
    """The tasks of the workload, one by one, in this memory format."""

    def images(ours: Tensor) -> Tensor:
        return ours.permute(0, 3, 1, 2).contiguous(memory_format=memory)

    def labels(ours: Tensor) -> Tensor:
        return episodes.labels(work.protocol.n_way, len(ours), ours.device)

    return [
        Task(
            support=images(support),
            support_labels=labels(support),
            query=images(query),
            query_labels=labels(query),
        )
        for support, query in zip(work.batch.support[0], work.batch.query[0], strict=True)
    ]
