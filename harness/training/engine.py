"""The inner loop and its derivatives: what a method asks for, whatever computes it.

Two engines, which give the same numbers: autodiff.py for any network, and conv4/ for the paper's, by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

from harness.cell import Protocol
from harness.common.errors import UserError
from harness.methods.base import Adapted, MetaGradient, Method
from harness.problems import Batch, Problem
from harness.problems.networks import Built

Result = TypeVar("Result", MetaGradient, Adapted)


class Engine:
    """See methods.base.Engine. A subclass computes; here the cells of a pack are split where memory asks for
    it, what the method does not adapt gets rate 0, and parameters share a rate."""

    def __init__(
        self, protocol: Protocol, problem: Problem, network: Built, mask: Tensor | None = None, chunk: int = 1
    ) -> None:
        """mask: [A] 1 for what the method adapts, else 0; None: all. chunk: how many (cell, task) pairs are
        computed at once."""
        self.protocol, self.problem, self.network = protocol, problem, network
        self.mask, self.chunk = mask, chunk
        self._kept: dict[Any, Any] = {}

    def meta_gradient(
        self,
        weights: Tensor,
        rates: Tensor,
        batch: Batch,
        steps: int,
        first_order: bool,
        squares: bool = False,
    ) -> MetaGradient:
        """Adapt to each task by `steps` steps, and differentiate the query loss.

        UserError: the rates have another shape than State.alpha may have.
        """

        def some(weights: Tensor, rates: Tensor, batch: Batch) -> MetaGradient:
            each = self._each(rates, steps)
            meta = self._meta_gradient(weights, each, batch, steps, first_order, squares)
            by_rates, *others = (
                self._by_shared(one, rates.shape[-1]) for one in (meta.by_rates, *meta.squares)
            )
            return meta._replace(by_rates=by_rates, squares=tuple(others))

        return self._in_parts(some, weights, rates, batch)

    def adapted(self, weights: Tensor, rates: Tensor, batch: Batch, steps: int) -> Adapted:
        """Adapt to each task, without a derivative. UserError: as in `meta_gradient`."""

        def some(weights: Tensor, rates: Tensor, batch: Batch) -> Adapted:
            return self._adapted(weights, self._each(rates, steps), batch, steps)

        return self._in_parts(some, weights, rates, batch)

    def unadapted(self, weights: Tensor, batch: Batch) -> Adapted:
        """The query loss of the weights as they are: after 0 steps, whose gradients may be anything."""

        def some(weights: Tensor, rates: Tensor, batch: Batch) -> Adapted:
            return self._adapted(weights, rates, batch, 0)._replace(weights=weights)

        return self._in_parts(some, weights, weights.new_zeros(len(weights), 1), batch)

    def _meta_gradient(
        self,
        weights: Tensor,
        rates: Tensor,
        batch: Batch,
        steps: int,
        first_order: bool,
        squares: bool,
    ) -> MetaGradient:
        """rates: [cells, 1 or A] or [cells, steps, 1 or A]; by_rates and squares: [cells, A] or
        [cells, steps, A]."""
        raise NotImplementedError

    def _adapted(self, weights: Tensor, rates: Tensor, batch: Batch, steps: int) -> Adapted:
        """Rates as in _meta_gradient."""
        raise NotImplementedError

    def _each(self, rates: Tensor, steps: int) -> Tensor:
        """Rates as a method has them -> [..., 1 or A], 0 for what it does not adapt."""
        if not isinstance(steps, int) or steps < 1:
            raise UserError(f"{steps!r} steps of the inner loop: give a whole number, at least 1")
        layout = self.network.layout
        shared = (1, len(layout.adapted), layout.adapted_size)
        if rates.shape[1:-1] not in ((), (steps,)) or rates.dim() < 2 or rates.shape[-1] not in shared:
            raise UserError(
                f"inner rates of shape {list(rates.shape)}: give [cells, n], or [cells, {steps}, n] for "
                f"{steps} steps, with n one of {', '.join(map(str, shared))}"
            )
        if rates.shape[-1] != 1:
            rates = layout.per_weight(rates)
        return rates if self.mask is None else rates * self.mask

    def _by_shared(self, by_rates: Tensor, rates: int) -> Tensor:
        """[..., A] -> [..., rates]: summed over the parameters that share a rate."""
        if self.mask is not None:
            by_rates = by_rates * self.mask
        if rates == 1:
            return by_rates.double().sum(-1, keepdim=True)
        return self.network.layout.per_part(by_rates) if rates < by_rates.shape[-1] else by_rates

    def _in_parts(
        self,
        compute: Callable[[Tensor, Tensor, Batch], Result],
        weights: Tensor,
        rates: Tensor,
        batch: Batch,
    ) -> Result:
        """At most `chunk` cells at a time."""
        cells = len(weights)
        if cells <= self.chunk:
            return compute(weights, rates, batch)
        parts = []
        for at in range(0, cells, self.chunk):
            here = slice(at, at + self.chunk)
            of_cells = Batch(*(tensor[here] if len(tensor) == cells else tensor for tensor in batch))
            parts.append(compute(weights[here], rates[here], of_cells))
        return _concatenated(parts)


def _concatenated(parts: list[Result]) -> Result:
    fields: list[Any] = [
        tuple(torch.cat(same) for same in zip(*field, strict=True))
        if isinstance(field[0], tuple)
        else torch.cat(field)
        for field in zip(*parts, strict=True)
    ]
    return type(parts[0])(*fields)


def mask_of(method: Method, network: Built, device: torch.device) -> Tensor | None:
    """[A] 1 for what the method's inner loop moves, else 0; None: it moves all that the network lets it."""
    layout = network.layout
    moves = [method.adapts(part, layout) for part in layout.adapted]
    if all(moves):
        return None
    sizes = torch.tensor(layout.sizes[: len(moves)])
    return torch.tensor(moves).repeat_interleave(sizes).to(device, torch.float64)
