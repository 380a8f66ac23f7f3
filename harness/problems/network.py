"""Conv-4 (Finn et al. 2017; Alpha-MAML, Appendix A) as one flat vector: its parts and their initial values.

`layers` times [conv 3 x 3, stride 2, padding 1, no bias -> batch norm with batch statistics -> ReLU],
mean over height and width, linear head. The weights of a network are one flat vector, the adapted ones
first, so that an update is one operation for all of them and a pack of networks is one matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from harness.problems.perturbation import perturbed
from harness.problems.setting import Setting
from harness.problems.streams import Purpose, uniform


@dataclass(frozen=True, kw_only=True)
class Part:
    """A tensor within the flat vector."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the flat vector is divided. P = all entries, A = those that the inner loop moves."""

    adapted: tuple[Part, ...]
    others: tuple[Part, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """All of them, in their order in the flat vector."""
        return (*self.adapted, *self.others)

    @property
    def sizes(self) -> list[int]:
        """The number of entries in each part."""
        return [prod(part.shape) for part in self.parts]

    @property
    def adapted_size(self) -> int:
        """The number of entries that the inner loop moves, A."""
        return sum(prod(part.shape) for part in self.adapted)


@lru_cache
def layout(setting: Setting) -> Layout:
    """Convolutions and head are adapted; batch norm only if the setting says so."""
    channels = [1] + [setting.filters] * setting.layers
    weights = [
        Part(name=f"conv{i}", shape=(9 * channels[i], channels[i + 1]))  # rows: (row, column, input channel)
        for i in range(setting.layers)
    ]
    weights += [
        Part(name="head", shape=(channels[-1], setting.n_way)),
        Part(name="bias", shape=(setting.n_way,)),
    ]
    kinds = ("shift", "scale") if setting.norm_scale else ("shift",)
    norms = [
        Part(name=f"{kind}{i}", shape=(setting.filters,)) for kind in kinds for i in range(setting.layers)
    ]
    if setting.norm_adapted:
        return Layout(adapted=(*weights, *norms), others=())
    return Layout(adapted=tuple(weights), others=tuple(norms))


def initial(setting: Setting, seed: int, perturbation: int = 0) -> NDArray[np.float64]:
    """The flat vector [P] before iteration 1: a function of the seed, the network and the perturbation."""
    drawn = [_initial(setting, seed, at, part) for at, part in enumerate(layout(setting).parts)]
    return np.concatenate([values.ravel() for values in perturbed(drawn, perturbation, seed)])


def _initial(setting: Setting, seed: int, at: int, part: Part) -> NDArray[np.float64]:
    kind = part.name.rstrip("0123456789")
    if kind in ("bias", "shift"):
        return np.zeros(part.shape)
    if kind == "scale":
        return np.ones(part.shape)
    fan_in, fan_out = part.shape
    draws = uniform(seed, Purpose.WEIGHTS, at, *part.shape)
    if kind == "conv":  # Xavier uniform; a filter's fan out is 9 * filters
        return (2 * draws - 1) * sqrt(6 / (fan_in + 9 * fan_out))
    match setting.head_init:
        case "linear":  # what torch.nn.Linear does: U(-1 / sqrt(fan in), 1 / sqrt(fan in))
            return (2 * draws - 1) / sqrt(fan_in)
        case "xavier":
            return (2 * draws - 1) * sqrt(6 / (fan_in + fan_out))
        case "normal":
            return ndtri(draws)
        case "small":
            return 0.01 * ndtri(draws)
