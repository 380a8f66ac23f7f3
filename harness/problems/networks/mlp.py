"""A multilayer perceptron, as in MAML's regression (Finn et al. 2017, section 5.1: two layers of 40,
ReLU)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import pairwise
from math import prod, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from harness.common.frozen import Frozen
from harness.problems.networks.base import Built, Layout, Network, Part
from harness.problems.streams import Purpose, uniform

if TYPE_CHECKING:
    from torch import Tensor


class Fields(Frozen):
    """What it adds to a protocol."""

    layers: int = Field(2, ge=0, le=100, description="hidden layers")
    width: int = Field(40, ge=1, le=100_000, description="units of a hidden layer")


class MLP(Built):
    """`layers` times [linear -> ReLU], then linear."""

    loops = False

    def __init__(self, sizes: list[int]) -> None:
        """sizes: inputs, hidden units of each layer, outputs."""
        pairs = list(pairwise(sizes))
        parts = [
            Part(name=f"layer{i}.{kind}", shape=shape)
            for i, (fan_in, fan_out) in enumerate(pairs)
            for kind, shape in (("weight", (fan_out, fan_in)), ("bias", (fan_out,)))
        ]
        last = len(pairs) - 1
        head = frozenset((f"layer{last}.weight", f"layer{last}.bias"))
        self.layout = Layout(adapted=tuple(parts), others=(), head=head)
        self._sizes = sizes

    def initial(self, seed: int) -> list[NDArray[np.float64]]:
        """See Built. As torch.nn.Linear: all U(+-1/sqrt(fan in)); each part by its name."""
        return [
            (2 * uniform(seed, Purpose.WEIGHTS, _place(part.name), *part.shape) - 1)
            / sqrt(self._sizes[int(part.name.split(".")[0].removeprefix("layer"))])
            for part in self.layout.parts
        ]

    def apply(self, weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """Inputs [n, ...] -> outputs [n, outputs]."""
        x, last = inputs.flatten(1), len(self._sizes) - 2
        for i in range(last + 1):
            x = x @ weights[f"layer{i}.weight"].mT + weights[f"layer{i}.bias"]
            x = x.relu() if i < last else x
        return x


def _place(name: str) -> int:
    """Where a part's values are in the stream of weights: beyond those that are numbered."""
    return 2**32 + int.from_bytes(hashlib.sha256(name.encode()).digest()[:6])


class MLPNetwork(Network):
    """See the head of this file."""

    name = "mlp"
    Fields = Fields
    pack = 64

    def built(self, protocol: Any, shape: tuple[int, ...], outputs: int) -> MLP:
        """See Network."""
        return MLP([prod(shape), *[protocol.width] * protocol.layers, outputs])
