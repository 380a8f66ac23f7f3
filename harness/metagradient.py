"""The inner loop, the meta-gradient and the gradient by the inner rate, for cells x tasks together.

The inner loop (Eq. 1) goes theta_j+1 = theta_j - alpha * g_j with g_j = grad L_support(theta_j). Its
adjoint carries q, the derivative of the query loss by the point reached, back through the steps:

    dL/dalpha = - sum_j q_j+1 . g_j              (Eq. 4; one step in the paper, any number here)
    q_j       = q_j+1 - H_j (alpha * q_j+1)      (H_j: Hessian of the support loss at theta_j)

q after all steps is the plain query gradient; q_0 is the meta-gradient (Eq. 3). First-order mode leaves
the Hessian out. Weights that are not adapted (batch norm) meet every step and the query loss as they are.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd import grad
from torch.nn.functional import cross_entropy

from harness.episodes import Images
from harness.methods.base import Outer
from harness.network import layout, logits
from harness.protocol import Protocol


class Score(NamedTuple):
    """Of the query images after adaptation, mean over tasks: each [cells], float64."""

    loss: Tensor
    accuracy: Tensor


class _Step(NamedTuple):
    """One step of the inner loop: where it started and the gradient that it used, for `g` groups."""

    adapted: Tensor
    others: Tensor
    gradient: Tensor


def _task_loss(protocol: Protocol, scores: Tensor) -> Tensor:
    """Mean cross entropy of each group, nats: [g, n, n_way] -> [g]. Images come class by class."""
    g, n, n_way = scores.shape
    labels = torch.arange(n_way, device=scores.device).repeat_interleave(n // n_way).repeat(g)
    return cross_entropy(scores.flatten(0, 1), labels, reduction="none").view(g, n).mean(1)


def _inner_loop(
    protocol: Protocol, adapted: Tensor, others: Tensor, alpha: Tensor, support: Tensor, graph: bool
) -> tuple[Tensor, list[_Step]]:
    """Eq. 1, `inner_steps` times, for g groups: the adapted parameters [g, A] and the steps taken."""
    scale = protocol.n_way if protocol.loss_scale == "sum_over_shots" else 1
    steps = []
    for _ in range(protocol.inner_steps):
        adapted, others = adapted.detach().requires_grad_(), others.detach().requires_grad_()
        loss = _task_loss(protocol, logits(protocol, adapted, others, support)).sum() * scale
        (gradient,) = grad(loss, adapted, create_graph=graph)
        steps.append(_Step(adapted, others, gradient))
        adapted = adapted.detach() - alpha * gradient.detach()
    return adapted, steps


def meta_gradient(protocol: Protocol, weights: Tensor, alpha: Tensor, batch: Images, groups: int) -> Outer:
    """One pass over a meta-batch.

    weights: [cells, P]; alpha: [cells, 1] or [cells, A]; batch: images [cells or 1, tasks, n, 28, 28, 1];
    groups: how many (cell, task) pairs go through the network at once, at least one task of each cell.
    """
    cells, size = len(weights), layout(protocol).adapted_size
    tasks = batch.support.shape[1]
    gradient = torch.zeros_like(weights)
    alpha_gradient = torch.zeros_like(weights[:, :size])
    losses, hits = [], []
    for part in _parts(cells, tasks, groups):
        adapted, others, rate, support, query = _spread(weights, alpha, batch, part, size)
        reached, steps = _inner_loop(protocol, adapted, others, rate, support, graph=not protocol.first_order)
        reached, others = reached.requires_grad_(), others.detach().requires_grad_()
        scores = logits(protocol, reached, others, query)
        loss = _task_loss(protocol, scores)
        scale = protocol.n_way if protocol.loss_scale == "sum_over_shots" else 1
        q, by_others = _grad(loss.sum() * scale, (reached, others))
        by_alpha = torch.zeros_like(q)
        for step in reversed(steps):
            by_alpha -= q * step.gradient.detach()
            if not protocol.first_order:
                hessian = _grad(step.gradient, (step.adapted, step.others), rate * q)
                q, by_others = q - hessian[0], by_others - hessian[1]
        gradient += torch.cat([q, by_others], 1).unflatten(0, (cells, -1)).sum(1)
        alpha_gradient += by_alpha.unflatten(0, (cells, -1)).sum(1)
        losses.append(loss.detach().unflatten(0, (cells, -1)))
        hits.append(_accuracy(scores).unflatten(0, (cells, -1)))
    if protocol.task_reduction == "mean":
        gradient /= tasks
        alpha_gradient /= tasks
    return Outer(_mean(losses), _mean(hits), gradient, alpha_gradient)


def score(protocol: Protocol, weights: Tensor, alpha: Tensor, batch: Images, groups: int) -> Score:
    """Query loss and accuracy after adaptation, nothing learned. Arguments as for meta_gradient."""
    cells, tasks, size = len(weights), batch.support.shape[1], layout(protocol).adapted_size
    losses, hits = [], []
    for part in _parts(cells, tasks, groups):
        adapted, others, rate, support, query = _spread(weights, alpha, batch, part, size)
        reached, _ = _inner_loop(protocol, adapted, others, rate, support, graph=False)
        with torch.no_grad():
            scores = logits(protocol, reached, others, query)
            losses.append(_task_loss(protocol, scores).unflatten(0, (cells, -1)))
            hits.append(_accuracy(scores).unflatten(0, (cells, -1)))
    return Score(_mean(losses), _mean(hits))


def _parts(cells: int, tasks: int, groups: int) -> list[slice]:
    """Tasks in parts of at most `groups` (cell, task) pairs, and of one task at least."""
    size = max(1, groups // cells)
    return [slice(at, at + size) for at in range(0, tasks, size)]


def _spread(
    weights: Tensor, alpha: Tensor, batch: Images, part: slice, size: int
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Cells x the tasks of one part as one group axis: adapted, others, alpha, support, query."""
    support, query = (images[:, part].expand(len(weights), -1, -1, -1, -1, -1) for images in batch)
    tasks = support.shape[1]

    def each(x: Tensor) -> Tensor:
        return x.unsqueeze(1).expand(-1, tasks, -1).flatten(0, 1)

    rate = alpha.to(weights.dtype)
    return (
        each(weights[:, :size]),
        each(weights[:, size:]),
        each(rate),
        support.flatten(0, 1),
        query.flatten(0, 1),
    )


def _grad(
    outputs: Tensor, inputs: tuple[Tensor, Tensor], cotangent: Tensor | None = None
) -> tuple[Tensor, ...]:
    """Derivatives by both; zeros by weights that there are none of."""
    return grad(outputs, inputs, cotangent, allow_unused=True, materialize_grads=True)


def _accuracy(scores: Tensor) -> Tensor:
    """Share of images whose own class scores highest: [g, n, n_way] -> [g]."""
    _, n, n_way = scores.shape
    labels = torch.arange(n_way, device=scores.device).repeat_interleave(n // n_way)
    return (scores.argmax(-1) == labels).double().mean(1)


def _mean(parts: list[Tensor]) -> Tensor:
    """[cells, some tasks] each -> [cells], in float64."""
    return torch.cat(parts, 1).double().mean(1)
