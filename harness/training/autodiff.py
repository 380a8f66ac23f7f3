"""The inner loop for any network, differentiated by torch.func: written once, mapped over cells and tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import grad, vmap

from harness.methods.base import Adapted, MetaGradient
from harness.problems import Batch
from harness.training.engine import Engine

Function = Callable[..., Any]


class _Pairs(NamedTuple):
    """Some (cell, task) pairs, one after the other: [pairs, ...] each."""

    weights: Tensor
    rates: Tensor
    """[pairs, steps or 1, P], 0 for what the inner loop does not move."""
    batch: Batch


class AutodiffEngine(Engine):
    """Any module, any differentiable loss."""

    def _meta_gradient(
        self, weights: Tensor, rates: Tensor, batch: Batch, steps: int, first_order: bool
    ) -> MetaGradient:
        cells, tasks = len(weights), batch.support.shape[1]
        size = self.network.layout.adapted_size
        losses, metrics = [], []
        total, by_rates = torch.zeros_like(weights), torch.zeros_like(weights[:, None])

        def judged(theta: Tensor, rates: Tensor, task: Batch) -> tuple[Tensor, tuple[Tensor, ...]]:
            adapted = self._inner_loop(theta, rates, task, steps, first_order)
            loss, measured = self._query(adapted, task)
            return loss * self.problem.scale, (loss, *measured)

        differentiate = self._mapped(grad(judged, argnums=(0, 1), has_aux=True))
        for some in self._pairs(weights, rates, batch):
            (by_weights, of_rates), (loss, *measured) = differentiate(*some)
            losses.append(loss.unflatten(0, (cells, -1)))
            metrics.append([one.unflatten(0, (cells, -1)) for one in measured])
            total = total + by_weights.unflatten(0, (cells, -1)).sum(1)
            by_rates = by_rates + of_rates.unflatten(0, (cells, -1)).sum(1)
        if self.protocol.task_reduction == "mean":
            total, by_rates = total / tasks, by_rates / tasks
        by_rates = by_rates[..., :size] if rates.dim() == 3 else by_rates[:, 0, :size]
        return MetaGradient(_mean(losses), _means(metrics), total.detach(), by_rates.detach())

    def _adapted(self, weights: Tensor, rates: Tensor, batch: Batch, steps: int) -> Adapted:
        cells = len(weights)
        losses, metrics, total = [], [], torch.zeros_like(weights)

        def judged(theta: Tensor, rates: Tensor, task: Batch) -> tuple[Tensor, ...]:
            adapted = self._inner_loop(theta, rates, task, steps, first_order=True)
            loss, measured = self._query(adapted, task)
            return (adapted, loss, *measured)

        adapt = self._mapped(judged)
        for some in self._pairs(weights, rates, batch):
            adapted, loss, *measured = adapt(*some)
            losses.append(loss.unflatten(0, (cells, -1)))
            metrics.append([one.unflatten(0, (cells, -1)) for one in measured])
            total = total + adapted.unflatten(0, (cells, -1)).sum(1)
        return Adapted(_mean(losses), _means(metrics), total / batch.support.shape[1])

    def _inner_loop(self, theta: Tensor, rates: Tensor, task: Batch, steps: int, first_order: bool) -> Tensor:
        """Eq. 1, from theta [P] to the adapted weights [P]."""

        def support_loss(theta: Tensor) -> Tensor:
            outputs = self.network.apply(self.network.layout.named(theta), task.support)
            return self.problem.loss(outputs, task.support_targets) * self.problem.scale

        for step in range(steps):
            gradient = grad(support_loss)(theta)
            if first_order:
                gradient = gradient.detach()
            theta = theta - rates[step if len(rates) > 1 else 0] * gradient
        return theta

    def _query(self, theta: Tensor, task: Batch) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The query loss, and the metrics."""
        outputs = self.network.apply(self.network.layout.named(theta), task.query)
        return self.problem.loss(outputs, task.query_targets), self.problem.measure(
            outputs, task.query_targets
        )

    def _mapped(self, function: Function) -> Function:
        """The function of one pair, for many: all at once, or where that is slower one after another."""
        if not self.network.loops:
            return vmap(function)

        def one_by_one(*some: Any) -> Any:
            results = [function(*(_at(tree, i) for tree in some)) for i in range(len(some[0]))]
            return _stacked(results)

        return one_by_one

    def _pairs(self, weights: Tensor, rates: Tensor, batch: Batch) -> Iterator[_Pairs]:
        """All cells and some tasks at a time, at most `chunk` pairs, or one task of each cell."""
        cells, tasks = len(weights), batch.support.shape[1]
        size, layout = max(1, self.chunk // cells), self.network.layout
        rates = rates if rates.dim() == 3 else rates.unsqueeze(1)
        rates = rates.to(weights.dtype).expand(-1, -1, layout.adapted_size)
        rates = torch.nn.functional.pad(rates, (0, weights.shape[1] - layout.adapted_size))
        for at in range(0, tasks, size):
            some = [tensor[:, at : at + size] for tensor in batch]
            many = some[0].shape[1]
            each = [tensor.expand(cells, *tensor.shape[1:]).flatten(0, 1) for tensor in some]
            yield _Pairs(weights.repeat_interleave(many, 0), rates.repeat_interleave(many, 0), Batch(*each))


def _at(tree: Any, i: int) -> Any:
    return tree[i] if isinstance(tree, Tensor) else type(tree)(*(one[i] for one in tree))


def _stacked(results: list[Any]) -> Any:
    """Trees of tensors as one tree."""
    if isinstance(results[0], Tensor):
        return torch.stack(results)
    return tuple(_stacked(list(same)) for same in zip(*results, strict=True))


def _mean(chunks: list[Tensor]) -> Tensor:
    """[cells, some tasks] each -> [cells], in float64."""
    return torch.cat(chunks, 1).double().mean(1).detach()


def _means(chunks: list[list[Tensor]]) -> tuple[Tensor, ...]:
    return tuple(_mean(list(same)) for same in zip(*chunks, strict=True))
