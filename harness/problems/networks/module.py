"""A torch.nn.Module of a user's own as a network, by torch.func.functional_call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import create_model

from harness.common import plugins
from harness.common.errors import UserError
from harness.common.frozen import Frozen
from harness.problems.networks.base import Built, Layout, Network, Part

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Build = Callable[..., "nn.Module"]
"""(inputs, outputs, **fields) -> module: the shape of an input, the number of outputs, the network's
fields."""


class ModuleNetwork(Network):
    """A network that a function or a class builds: `build(inputs, outputs)`, with the protocol's fields for
    its other parameters."""

    def __init__(self, name: str, build: Build, head: Sequence[str] | None = None) -> None:
        """head: the names of the last layer's parameters; None: those of the last submodule that has any.

        UserError: a parameter of `build` after the first two has no default.
        """
        self.name = name  # type: ignore[misc]
        self.build, self.head = build, head
        self.Fields = _fields(name, build)

    def built(self, protocol: Any, shape: tuple[int, ...], outputs: int) -> Module:
        """See Network."""
        options = {name: getattr(protocol, name) for name in self.Fields.model_fields}

        def build() -> nn.Module:
            try:
                return self.build(shape, outputs, **options)
            except UserError:
                raise
            except Exception as error:
                where = plugins.file_of(self.build.__module__)
                why = plugins.explain(error, *([where] if where else []))
                raise UserError(f"network '{self.name}': it cannot be built: {why}") from error

        return Module(self.name, build, self.head)


class Module(Built):
    """A module as named parameters and a function of them. Parameters that need no gradient, and buffers,
    stay as seed 0 makes them, for all cells."""

    def __init__(self, name: str, build: Callable[[], nn.Module], head: Sequence[str] | None) -> None:
        self.name, self._build = name, build
        self.module = self._constructed(0)
        self._refuse()
        named = {n: p for n, p in self.module.named_parameters() if p.requires_grad}
        parts = tuple(Part(name=n, shape=tuple(p.shape)) for n, p in named.items())
        if not parts:
            raise UserError(f"network '{name}': it has no parameters to train")
        self.layout = Layout(adapted=parts, others=(), head=self._head(head))
        self.loops = _convolves(self.module)  # which a CPU does one after another
        self.kept = {n: t.detach() for n, t in self._tensors() if n not in named}

    def initial(self, seed: int) -> list[NDArray[np.float64]]:
        """See Built. As the module's own constructor makes them."""
        made = dict(self._constructed(seed).named_parameters())
        return [made[part.name].detach().double().numpy() for part in self.layout.parts]

    def apply(self, weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """See Built."""
        from torch.func import functional_call
        from torch.nn.attention import SDPBackend, sdpa_kernel

        with sdpa_kernel(SDPBackend.MATH):  # attention with a second derivative
            return functional_call(self.module, {**weights, **self.kept}, (inputs,))

    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """See Built."""
        self.module.to(device)
        self.kept = {
            n: t.to(device, dtype if t.is_floating_point() else t.dtype) for n, t in self.kept.items()
        }

    def _constructed(self, seed: int) -> nn.Module:
        import torch
        from torch import nn

        with _seeded(seed), torch.device("cpu"):
            module = self._build()
        if not isinstance(module, nn.Module):
            raise UserError(f"network '{self.name}': it gives {type(module).__name__}, not a torch.nn.Module")
        return module

    def _refuse(self) -> None:
        """UserError: layers of which no pure function of the weights can be made."""
        from torch.nn.modules.dropout import _DropoutNd
        from torch.nn.parameter import is_lazy

        lazy = [n for n, t in self._tensors() if is_lazy(t)]
        if lazy:
            raise UserError(
                f"network '{self.name}': {lazy[0]} has no shape before the first input; take it from `inputs`"
            )
        if unreal := [n for n, t in self._tensors() if t.is_complex()]:
            raise UserError(f"network '{self.name}': {unreal[0]} is complex; use real numbers")
        for place, layer in self.module.named_modules():
            what = f"network '{self.name}': {place or 'it'} ({type(layer).__name__})"
            if getattr(layer, "running_mean", None) is not None:
                raise UserError(f"{what} keeps running statistics; write track_running_stats=False")
            if isinstance(layer, _DropoutNd) and layer.p > 0 and layer.training:
                raise UserError(
                    f"{what} drops at random; leave it out: a loss must be a function of the weights"
                )

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        yield from self.module.named_parameters()
        yield from self.module.named_buffers()

    def _head(self, names: Sequence[str] | None) -> frozenset[str]:
        called = {id(p): n for n, p in self.module.named_parameters()}  # tied ones have one name
        own = [[called[id(p)] for p in one.parameters(recurse=False)] for one in self.module.modules()]
        last = [found for found in own if found][-1]
        head = frozenset(last if names is None else names)
        if unknown := head - dict(self.module.named_parameters()).keys():
            raise UserError(f"network '{self.name}': head: it has no parameter {min(unknown)}")
        return head


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """torch's generator of the CPU starts from the seed, and is as before afterwards."""
    import torch

    before = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(before)


def _convolves(module: nn.Module) -> bool:
    from torch.nn.modules.conv import _ConvNd

    return any(isinstance(one, _ConvNd) for one in module.modules())


def _fields(name: str, build: Build) -> type[Frozen]:
    """The parameters of `build` after the first two, as fields of a protocol."""
    try:
        parameters = list(inspect.signature(build).parameters.values())[2:]
        hints = get_type_hints(build.__init__ if inspect.isclass(build) else build)
    except (NameError, TypeError, ValueError) as error:
        raise UserError(f"network '{name}': its parameters cannot be read ({error})") from None
    fields: dict[str, Any] = {}
    for one in parameters:
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            continue
        if one.default is one.empty:
            raise UserError(
                f"network '{name}': its parameter {one.name} needs a default: all after the first two do"
            )
        fields[one.name] = (hints.get(one.name, type(one.default)), one.default)
    return create_model(f"{name} fields", __base__=Frozen, **fields)
