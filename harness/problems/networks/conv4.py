"""Conv-4 (Finn et al. 2017; Alpha-MAML, Appendix A) as one flat vector: its parts and their initial values.

`layers` times [conv 3 x 3, stride 2, padding 1, no bias -> batch norm with batch statistics -> ReLU],
mean over height and width, linear head. The weights of a network are one flat vector, the adapted ones
first, so that an update is one operation for all of them and a pack of networks is one matrix.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from harness.common.errors import UserError
from harness.common.frozen import LARGEST, SMALLEST, Frozen
from harness.problems.networks.base import Built, Layout, Network, Part
from harness.problems.perturbation import perturbed
from harness.problems.streams import Purpose, uniform

if TYPE_CHECKING:
    from torch import Tensor


MAX_FILTERS = 10_000
"""The memory that a cell may need bounds them together with everything else."""


class Fields(Frozen):
    """What it adds to a protocol. The defaults are those of `paper-adam`."""

    layers: int = Field(4, ge=1, le=6, description="convolutions, each halving height and width")
    filters: int = Field(64, ge=1, le=MAX_FILTERS, description="of each convolution")
    norm_scale: bool = Field(False, description="batch norm has a scale beside its shift")
    norm_adapted: bool = Field(False, description="the inner loop moves shift and scale too")
    norm_eps: float = Field(1e-5, ge=SMALLEST, le=LARGEST)
    head_init: Literal["linear", "xavier", "normal", "small"] = Field(
        "linear", description="torch.nn.Linear's U(+-1/sqrt(fan in)), Xavier uniform, N(0, 1), N(0, 0.01^2)"
    )


@lru_cache
def layout(setting: Any, inputs: int = 1, outputs: int | None = None) -> Layout:
    """Convolutions and head are adapted; batch norm only if the setting says so.

    setting: a protocol with Fields. inputs: channels of an image. outputs: None is one for each class, n_way.
    """
    outputs = setting.n_way if outputs is None else outputs
    channels = [inputs] + [setting.filters] * setting.layers
    weights = [
        Part(name=f"conv{i}", shape=(9 * channels[i], channels[i + 1]))  # rows: (row, column, input channel)
        for i in range(setting.layers)
    ]
    weights += [
        Part(name="head", shape=(channels[-1], outputs)),
        Part(name="bias", shape=(outputs,)),
    ]
    kinds = ("shift", "scale") if setting.norm_scale else ("shift",)
    norms = [
        Part(name=f"{kind}{i}", shape=(setting.filters,)) for kind in kinds for i in range(setting.layers)
    ]
    if setting.norm_adapted:
        return Layout(adapted=(*weights, *norms), others=(), head=HEAD)
    return Layout(adapted=tuple(weights), others=tuple(norms), head=HEAD)


SIDE = 28
"""Height and width of the paper's images, pixels."""


def largest_map(protocol: Any) -> int:
    """Numbers in the largest map of a task's images: the first layer's."""
    images = protocol.n_way * max(protocol.k_shot, protocol.k_query)
    return images * (SIDE // 2) ** 2 * protocol.filters


CACHED_NUMBERS = 4 * 20 * 14 * 14 * 64
"""Numbers in the largest map with which a CPU is fastest: more do not fit its cache, fewer need more
calls."""


def at_once(protocol: Any) -> int:
    """How many (cell, task) pairs keep a layer's largest map in a CPU's cache: four of the paper's tasks."""
    return max(1, CACHED_NUMBERS // largest_map(protocol))


def held(protocol: Any) -> int:
    """Numbers of maps that the second derivatives of a task need at a time, roughly."""
    return 32 * protocol.inner_steps * largest_map(protocol)


HEAD = frozenset(("head", "bias"))


def initial(setting: Any, seed: int, perturbation: int = 0) -> NDArray[np.float64]:
    """The flat vector [P] for images of one channel before iteration 1: a function of the seed, the network
    and the perturbation."""
    drawn = Conv4(setting, layout(setting)).initial(seed)
    return np.concatenate([values.ravel() for values in perturbed(drawn, perturbation, seed)])


class Conv4(Built):
    """The network in torch's own operators: the plain version of training/conv4."""

    loops = True

    def __init__(self, setting: Any, of: Layout) -> None:
        self.setting, self.layout = setting, of

    def initial(self, seed: int) -> list[NDArray[np.float64]]:
        """See Built. Each part by its position."""
        return [_initial(self.setting, seed, at, part) for at, part in enumerate(self.layout.parts)]

    def apply(self, weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """Images [n, channels, height, width] -> scores [n, outputs]."""
        from torch.nn import functional as F

        x = inputs
        for i in range(self.setting.layers):
            kernel = weights[f"conv{i}"].unflatten(0, (3, 3, -1)).permute(3, 2, 0, 1)
            x = F.conv2d(x, kernel, stride=2, padding=1)
            shift = weights[f"shift{i}"]
            scale = weights.get(f"scale{i}", shift.new_ones(shift.shape))  # None has no second derivative
            x = F.relu(F.batch_norm(x, None, None, scale, shift, training=True, eps=self.setting.norm_eps))
        return x.mean((2, 3)) @ weights["head"] + weights["bias"]

    def in_torch(self, name: str, values: Tensor) -> tuple[str, Tensor]:
        """See Built: of `features`, a Sequential of convolution, batch norm and ReLU for each layer, and of
        `head`, a Linear."""
        kind, layer = name.rstrip("0123456789"), name.lstrip("abcdefghijklmnopqrstuvwxyz")
        match kind:
            case "head":
                return "head.weight", values.mT
            case "bias":
                return "head.bias", values
            case "conv":
                kernel = values.unflatten(0, (3, 3, -1)).permute(3, 2, 0, 1)
                return f"features.{3 * int(layer)}.weight", kernel
            case _:
                return _norm(int(layer), "weight" if kind == "scale" else "bias"), values

    @property
    def constants(self) -> Mapping[str, Tensor]:
        """See Built: torch's batch norm has a scale beside its shift, here 1."""
        import torch

        if self.setting.norm_scale:
            return {}
        return {_norm(i, "weight"): torch.ones(self.setting.filters) for i in range(self.setting.layers)}


class Conv4Network(Network):
    """See the head of this file."""

    name = "conv4"
    Fields = Fields

    def together(self, protocol: Any) -> int:
        """See Network. Twice as many as go through the network at once: where one cell fills the cache, it
        trains alone."""
        if protocol.problem != "few-shot":
            return 1
        return max(1, 2 * at_once(protocol) // protocol.meta_batch)

    def memory(self, protocol: Any) -> dict[str, int]:
        """See Network. Estimates for the problem and the images of the paper, task by task: the factors,
        what a number costs with its gradients, copies and patches, are from a few runs."""
        if protocol.problem != "few-shot":
            return {}
        tasks = protocol.meta_batch, protocol.validation_tasks
        pools = protocol.train_characters, protocol.validation_characters
        images = protocol.n_way * (protocol.k_shot + protocol.k_query)
        weights = protocol.filters * (9 + 9 * protocol.filters * (protocol.layers - 1) + protocol.n_way)
        words = (many * (pool + 21 * protocol.n_way) for many, pool in zip(tasks, pools, strict=True))
        return {
            "filters, inner_steps, n_way and shots": held(protocol) * protocol.number_bytes,
            "filters and layers": 20 * weights * protocol.number_bytes,
            "meta_batch, validation_tasks, n_way and shots": (
                3 * SIDE**2 * images * sum(tasks) * protocol.number_bytes + 3 * 8 * max(words)
            ),
        }

    def built(self, protocol: Any, shape: tuple[int, ...], outputs: int) -> Conv4:
        """See Network. UserError: the inputs are no images."""
        if len(shape) != 3:
            raise UserError(
                f"network conv4: takes images [channels, height, width], not inputs of shape {shape}"
            )
        return Conv4(protocol, layout(protocol, shape[0], outputs))


def _norm(layer: int, kind: str) -> str:
    """A parameter of a layer's batch norm in torch."""
    return f"features.{3 * layer + 1}.{kind}"


def _initial(setting: Any, seed: int, at: int, part: Part) -> NDArray[np.float64]:
    kind = part.name.rstrip("0123456789")
    if kind in ("bias", "shift"):
        return np.zeros(part.shape)
    if kind == "scale":
        return np.ones(part.shape)
    from scipy.special import ndtri  # late: it is slow to import

    fan_in, fan_out = part.shape
    draws = uniform(seed, Purpose.WEIGHTS, at, *part.shape)
    if kind == "conv":  # Xavier uniform; a filter's fan out is 9 * filters
        return (2 * draws - 1) * sqrt(6 / (fan_in + 9 * fan_out))
    match setting.head_init:  # one of Fields
        case "linear":  # what torch.nn.Linear does: U(-1 / sqrt(fan in), 1 / sqrt(fan in))
            return (2 * draws - 1) / sqrt(fan_in)
        case "xavier":
            return (2 * draws - 1) * sqrt(6 / (fan_in + fan_out))
        case "normal":
            return ndtri(draws)
        case _:
            return 0.01 * ndtri(draws)
