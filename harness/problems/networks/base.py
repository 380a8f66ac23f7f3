"""A network as named parameters and a pure function of them, and as one flat vector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from harness.common.frozen import Frozen
from harness.common.registry import Registry

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Part:
    """A named parameter: a tensor within the flat vector."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the flat vector is divided. P = all entries, A = those that the inner loop may move."""

    adapted: tuple[Part, ...]
    others: tuple[Part, ...]
    head: frozenset[str]
    """Names of the parameters of the last layer."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """All of them, in their order in the flat vector."""
        return (*self.adapted, *self.others)

    @cached_property
    def sizes(self) -> list[int]:
        """The number of entries in each part."""
        return [prod(part.shape) for part in self.parts]

    @cached_property
    def adapted_size(self) -> int:
        """The number of entries that the inner loop may move, A."""
        return sum(prod(part.shape) for part in self.adapted)

    def per_weight(self, of_parts: Tensor) -> Tensor:
        """A number for each adapted part, [..., parts], as one for each of its entries, [..., A]. What has
        one for each entry already is returned as it is."""
        import torch

        if of_parts.shape[-1] == self.adapted_size:
            return of_parts
        lead, sizes = of_parts.shape[:-1], self.sizes[: len(self.adapted)]
        parts = zip(of_parts.split(1, -1), sizes, strict=True)
        return torch.cat([one.expand(*lead, size) for one, size in parts], -1)

    def per_part(self, entries: Tensor) -> Tensor:
        """The sum over the entries of each adapted part, in float64: [..., A] -> [..., parts]."""
        import torch

        pieces = entries.double().split(self.sizes[: len(self.adapted)], -1)
        return torch.stack([piece.sum(-1) for piece in pieces], -1)

    def named(self, flat: Tensor) -> dict[str, Tensor]:
        """The parts of flat vectors [..., P], each [..., *shape]."""
        pieces = flat.split(self.sizes, -1)
        return {part.name: _shaped(piece, part.shape) for part, piece in zip(self.parts, pieces, strict=True)}


def _shaped(piece: Tensor, shape: tuple[int, ...]) -> Tensor:
    """[..., entries] -> [..., *shape]; a parameter may be a single number, of shape ()."""
    if not shape:
        return piece.squeeze(-1)
    return piece if shape == (piece.shape[-1],) else piece.unflatten(-1, shape)


class Built:
    """A network for inputs of one shape."""

    layout: Layout
    loops: bool
    """Whether a CPU is faster with one task after another than with all at once: it convolves."""
    kept: Mapping[str, Tensor] = MappingProxyType({})
    """What it has beside its weights, by name: it stays as it is."""

    def initial(self, seed: int) -> list[NDArray[np.float64]]:
        """The values of each part before iteration 1, in the layout's order: a function of the seed."""
        raise NotImplementedError

    def apply(self, weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """The outputs [n, outputs] for inputs [n, ...] of one task."""
        raise NotImplementedError

    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move what it keeps beside its weights."""

    def in_torch(self, name: str, values: Tensor) -> tuple[str, Tensor]:
        """A parameter as a torch.nn.Module of this network has it, in name and shape."""
        return name, values

    @property
    def constants(self) -> Mapping[str, Tensor]:
        """What else such a module has, in its state_dict."""
        return self.kept


class Network:
    """A network by its name, for any protocol."""

    name: ClassVar[str]
    Fields: type[Frozen] = Frozen
    """The fields that it adds to a protocol: a pydantic model, each field with a default."""
    pack: int = 1
    """Most cells that a CPU trains together: more than 1 is faster where a network is so small that calling
    torch takes longer than the arithmetic."""

    def together(self, protocol: Any) -> int:
        """The same under a protocol."""
        return self.pack

    def memory(self, protocol: Any) -> dict[str, int]:
        """Bytes that a cell needs in training on a CPU, under the fields that they grow with; empty: not
        known."""
        return {}

    def built(self, protocol: Any, shape: tuple[int, ...], outputs: int) -> Built:
        """The network for inputs of this shape and this many outputs. UserError: it cannot be built."""
        raise NotImplementedError


NETWORKS: Registry[Network] = Registry("network")
