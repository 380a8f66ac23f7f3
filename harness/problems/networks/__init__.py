"""The networks by name: built in, or a torch.nn.Module of a user's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from harness.common.errors import UserError
from harness.problems.networks.base import NETWORKS, Built, Layout, Network, Part
from harness.problems.networks.conv4 import Conv4Network
from harness.problems.networks.mlp import MLPNetwork
from harness.problems.networks.module import Build, ModuleNetwork

for _network in (Conv4Network(), MLPNetwork()):
    NETWORKS.add(_network.name, _network, type(_network).__module__)

__all__ = ["NETWORKS", "Built", "Layout", "Network", "Part", "built", "network"]


def network(name: Any, head: Sequence[str] | None = None) -> Callable[[Build], Build]:
    """Decorator: make a network known that a class or function builds from (inputs, outputs).

    inputs: the shape of one input, such as (3, 84, 84); outputs: how many numbers it is to return for each.
    name: a text. Its further parameters become fields of the protocol. head: see ModuleNetwork. UserError:
    the name is taken, or the parameters cannot be fields.
    """

    if callable(name):
        raise UserError("harness.network takes a name: write @harness.network('my-network')")

    def add(build: Build) -> Build:
        NETWORKS.add(name, ModuleNetwork(name, build, head), build.__module__)
        return build

    return add


def built(protocol: Any, shape: tuple[int, ...], outputs: int) -> Built:
    """The network of a protocol for these inputs and outputs. UserError: it cannot be built."""
    return NETWORKS[protocol.network].built(protocol, shape, outputs)
