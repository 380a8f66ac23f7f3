"""The inner loop for any network, by torch's own derivatives.

As in conv4/, the adjoint q of the inner loop is carried back through its steps by hand (metagradient.py has
the equations), so that torch differentiates the loss alone: once for each gradient, and once more for each
product of a Hessian with a vector. What one task needs is written once. It is done for all tasks and cells
at a time by torch.func, or, for convolutions on a CPU, task by task by torch.autograd, which is three times
as fast there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import grad, vjp, vmap
from torch.nn.functional import pad

from harness.methods.base import Adapted, MetaGradient
from harness.problems import Batch
from harness.training.batchnorm import twice_differentiable
from harness.training.engine import Engine
from harness.training.tracing import traced

torch._C._functorch._set_vmap_fallback_warning_enabled(False)  # type: ignore[attr-defined]
PAIRS = 400
"""(cell, task) pairs with which a CPU is fastest: more do not fit its cache, fewer need more calls."""

Times = Callable[[Tensor], Tensor]
"""A direction [P] -> the Hessian of the support loss times it, [P]."""


class Outcome(NamedTuple):
    """Of one task; or of many, [cells, tasks, ...]; or of cells, [cells, ...], summed over tasks."""

    judged: tuple[Tensor, ...]
    """The query loss, and the metrics."""
    total: Tensor
    """[P] the gradient by the weights; or the adapted weights."""
    by_rates: Tensor
    """[steps or 1, A] minus the gradient by the rates: q o g, summed over the steps that share a rate. With
    `squares` [3 (steps or 1), A]: q o q and g o g follow."""


Task = Callable[..., Outcome]
"""(weights [P], rates [steps or 1, A or 1], and the parts of a Batch, of one task) -> its outcome."""


class AutodiffEngine(Engine):
    """Any module, any differentiable loss."""

    def _meta_gradient(
        self,
        weights: Tensor,
        rates: Tensor,
        batch: Batch,
        steps: int,
        first_order: bool,
        squares: bool,
    ) -> MetaGradient:
        each = rates.dim() == 3  # step has a rate of its own

        def task(theta: Tensor, rates: Tensor, *parts: Tensor) -> Outcome:
            one = Batch(*parts)
            adapted, taken = self._inner_loop(theta, rates, one, steps, first_order)
            q, judged = self._slope(adapted, one.query, one.query_targets)
            kinds: list[list[Tensor]] = []  # the last step first: the products, minus by_rates; the squares
            for gradient, hessian, rate in reversed(taken):
                pairs = ((q, gradient), (q, q), (gradient, gradient)) if squares else ((q, gradient),)
                kinds.append([self._movable(one * other) for one, other in pairs])
                if not first_order:
                    q = q - hessian(rate * q)
            rows = [
                torch.stack(products[::-1]) if each else _sum(products).unsqueeze(0)
                for products in zip(*kinds, strict=True)
            ]
            return Outcome(judged, q, torch.cat(rows) if squares else rows[0])

        judged, total, products = self._over_tasks(
            ("learn", steps, first_order, each, squares), task, weights, rates, batch
        )
        if self.protocol.task_reduction == "mean":
            total, products = total / batch.support.shape[1], products / batch.support.shape[1]
        parts = products.chunk(3, 1) if squares else (products,)
        by_rates, *others = (part if each else part[:, 0] for part in parts)
        return MetaGradient(judged[0], judged[1:], total, -by_rates, tuple(others))

    def _adapted(self, weights: Tensor, rates: Tensor, batch: Batch, steps: int) -> Adapted:
        def task(theta: Tensor, rates: Tensor, *parts: Tensor) -> Outcome:
            one = Batch(*parts)
            adapted, _ = self._inner_loop(theta, rates, one, steps, first_order=True)
            _, judged = self._loss(adapted, one.query, one.query_targets)
            return Outcome(judged, adapted, rates)

        judged, total, _ = self._over_tasks(("adapt", steps), task, weights, rates, batch)
        return Adapted(judged[0], judged[1:], total / batch.support.shape[1])

    def _inner_loop(
        self, theta: Tensor, rates: Tensor, task: Batch, steps: int, first_order: bool
    ) -> tuple[Tensor, list[tuple[Tensor, Times, Tensor]]]:
        """Eq. 1, from theta [P] to the adapted weights [P]; and for each step its gradient, the product with
        its Hessian (not in first order), and its rate [P or 1]."""
        taken = []
        for step in range(steps):
            rate = self._padded(rates[step if len(rates) > 1 else 0])
            gradient, hessian = self._slope_and_bend(theta, task, first_order)
            theta = torch.addcmul(theta, rate, gradient, value=-1)
            taken.append((gradient, hessian, rate))
        return theta, taken

    def _loss(self, theta: Tensor, inputs: Tensor, targets: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The loss as both loops take it, and what is recorded: the loss and the metrics."""
        outputs = self.network.apply(self.network.layout.named(theta), inputs)
        loss = self.problem.loss(outputs, targets)
        recorded = (loss, *self.problem.measure(outputs, targets))
        return loss * self.problem.scale, tuple(one.detach().double() for one in recorded)

    def _padded(self, rate: Tensor) -> Tensor:
        """[A or 1] -> [P], or [1] if all weights may move."""
        layout = self.network.layout
        if not layout.others:
            return rate
        return pad(rate.expand(layout.adapted_size), (0, sum(layout.sizes) - layout.adapted_size))

    def _movable(self, by_weights: Tensor) -> Tensor:
        """[P] -> [A]"""
        return by_weights[: self.network.layout.adapted_size]

    def _slope(self, theta: Tensor, inputs: Tensor, targets: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The gradient of the loss [P], and what is recorded."""
        raise NotImplementedError

    def _slope_and_bend(self, theta: Tensor, task: Batch, first_order: bool) -> tuple[Tensor, Times]:
        """The gradient of the support loss [P], and the product with its Hessian."""
        raise NotImplementedError

    def _over_tasks(self, key: Any, task: Task, weights: Tensor, rates: Tensor, batch: Batch) -> Outcome:
        """The task for all cells and tasks: what is recorded as its mean over tasks [cells], float64; the
        rest summed over tasks. key: what tells this task from the engine's others."""
        raise NotImplementedError


class MappedEngine(AutodiffEngine):
    """All tasks and cells at a time, by torch.func. `chunk` (cell, task) pairs are in memory at once.

    On a CPU the operations are recorded for each set of shapes and then repeated without the overhead of the
    transforms. So that there are few sets, a part has 1, 2, 4, ... cells; what is too many is repeated cells.
    """

    def _over_tasks(self, key: Any, task: Task, weights: Tensor, rates: Tensor, batch: Batch) -> Outcome:
        def sums(weights: Tensor, rates: Tensor, *parts: Tensor) -> Outcome:
            judged, total, by_rates = vmap(vmap(task, (None, None, 0, 0, 0, 0)))(weights, rates, *parts)
            return Outcome(judged, total.sum(1), by_rates.sum(1))

        compute = self._kept.setdefault(key, traced(sums) if weights.device.type == "cpu" else sums)
        rates = (rates if rates.dim() == 3 else rates.unsqueeze(1)).to(weights.dtype)
        tasks = batch.support.shape[1]
        most = max(1, self.chunk // tasks)
        outcomes = []
        for cells in torch.arange(len(weights)).split(most):
            padded = cells[torch.arange(_rounded(len(cells), most)) % len(cells)].to(weights.device)
            own = [
                part[padded] if len(part) > 1 else part.expand(len(padded), *part.shape[1:]) for part in batch
            ]
            pieces = [
                compute(weights[padded], rates[padded], *(part[:, at : at + self.chunk] for part in own))
                for at in range(0, tasks, self.chunk)
            ]
            outcomes.append(_added(pieces, len(cells)))
        return _joined(outcomes)

    def _slope(self, theta: Tensor, inputs: Tensor, targets: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        return grad(self._loss, has_aux=True)(theta, inputs, targets)

    def _slope_and_bend(self, theta: Tensor, task: Batch, first_order: bool) -> tuple[Tensor, Times]:
        def slope(theta: Tensor) -> Tensor:
            return self._slope(theta, task.support, task.support_targets)[0]

        if first_order:
            return slope(theta), _none
        gradient, times = vjp(slope, theta)  # type: ignore[misc]
        return gradient, lambda direction: times(direction)[0]


class LoopedEngine(AutodiffEngine):
    """One task after another, by torch.autograd. One (cell, task) pair is in memory at a time."""

    def _over_tasks(self, key: Any, task: Task, weights: Tensor, rates: Tensor, batch: Batch) -> Outcome:
        rates = (rates if rates.dim() == 3 else rates.unsqueeze(1)).to(weights.dtype)
        outcomes = []
        with twice_differentiable(), torch.enable_grad():
            for cell in range(len(weights)):
                own = [part[cell if len(part) > 1 else 0] for part in batch]
                tasks = (task(weights[cell], rates[cell], *parts) for parts in zip(*own, strict=True))
                outcomes.append(_summed(tasks))
        return _joined(outcomes)

    def _slope(self, theta: Tensor, inputs: Tensor, targets: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        theta = theta.detach().requires_grad_()
        loss, judged = self._loss(theta, inputs, targets)
        return torch.autograd.grad(loss, theta)[0], judged

    def _slope_and_bend(self, theta: Tensor, task: Batch, first_order: bool) -> tuple[Tensor, Times]:
        theta = theta.detach().requires_grad_()
        loss, _ = self._loss(theta, task.support, task.support_targets)
        (gradient,) = torch.autograd.grad(loss, theta, create_graph=not first_order)

        def times(direction: Tensor) -> Tensor:
            return torch.autograd.grad(gradient, theta, direction)[0]

        return gradient.detach(), times


def _none(direction: Tensor) -> Tensor:
    raise AssertionError("in first order there is no Hessian")


def _rounded(count: int, most: int) -> int:
    """The next power of two, `most` at most."""
    return min(most, 1 << (count - 1).bit_length())


def _added(pieces: list[Outcome], cells: int) -> Outcome:
    """Pieces with different tasks of the same cells, of which the first `cells` are kept."""
    judged = zip(*(one.judged for one in pieces), strict=True)
    return Outcome(
        tuple(torch.cat(same, 1)[:cells].mean(1) for same in judged),
        _sum(one.total[:cells] for one in pieces),
        _sum(one.by_rates[:cells] for one in pieces),
    )


def _summed(tasks: Iterable[Outcome]) -> Outcome:
    """The tasks of one cell, each dropped when it is added: [1, ...]."""
    judged, total, by_rates = [], None, None
    for one in tasks:
        judged.append(torch.stack(one.judged))
        total = one.total if total is None else total + one.total
        by_rates = one.by_rates if by_rates is None else by_rates + one.by_rates
    assert total is not None
    assert by_rates is not None
    means = torch.stack(judged).mean(0, keepdim=True).unbind(1)
    return Outcome(means, total.unsqueeze(0), by_rates.unsqueeze(0))


def _joined(cells: list[Outcome]) -> Outcome:
    """One after the other."""
    judged = zip(*(one.judged for one in cells), strict=True)
    return Outcome(
        tuple(torch.cat(same) for same in judged),
        torch.cat([one.total for one in cells]),
        torch.cat([one.by_rates for one in cells]),
    )


def _sum(tensors: Iterable[Tensor]) -> Tensor:
    return reduce(torch.add, tensors)
