"""The inner loop, the meta-gradient and the gradient by the inner rate, for cells x tasks together.

The inner loop (Eq. 1) goes theta_j+1 = theta_j - alpha * g_j with g_j = grad L_support(theta_j). Its
adjoint carries q, the derivative of the query loss by the point reached, back through the steps:

    dL/dalpha = - sum_j q_j+1 . g_j              (Eq. 4; one step in the paper, any number here)
    q_j       = q_j+1 - H_j (alpha * q_j+1)      (H_j: Hessian of the support loss at theta_j)

q after all steps is the plain query gradient; q_0 is the meta-gradient (Eq. 3). First-order mode leaves
the Hessian out. Weights that are not adapted (batch norm) meet every step and the query loss as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from harness.cell import Protocol
from harness.methods.base import Outer
from harness.problems.episodes import Images
from harness.problems.network import layout
from harness.training.conv4 import derivatives
from harness.training.conv4.derivatives import Gradient, Loss
from harness.training.conv4.operators import Patches, patches


class Score(NamedTuple):
    """Of the query images after adaptation, mean over tasks: each [cells], float64."""

    loss: Tensor
    accuracy: Tensor


class _Step(NamedTuple):
    """One step of the inner loop: the support loss where it started, and the gradient that it used."""

    loss: Loss
    gradient: Gradient


class _Part(NamedTuple):
    """Some tasks of every cell, as g = cells x tasks groups."""

    rate: Tensor
    """[g, P], 0 for what the inner loop does not move."""
    support: Patches
    query: Patches


def _inner_loop(protocol: Protocol, weights: Tensor, part: _Part) -> tuple[Tensor, list[_Step]]:
    """Eq. 1, `inner_steps` times, from weights [cells, P] to those of each group [g, P]; the steps taken."""
    reached, steps = weights, []
    for _ in range(protocol.inner_steps):
        loss = derivatives.loss(protocol, reached, part.support)
        gradient = derivatives.gradient(protocol, loss)
        start = reached.repeat_interleave(len(part.rate) // len(reached), 0)
        reached = start - part.rate * (gradient.flat * _scale(protocol))
        steps.append(_Step(loss, gradient))
    return reached, steps


def meta_gradient(protocol: Protocol, weights: Tensor, alpha: Tensor, batch: Images, groups: int) -> Outer:
    """One pass over a meta-batch.

    weights: [cells, P]; alpha: [cells, 1] or [cells, A]; batch: images [cells or 1, tasks, n, 28, 28, 1];
    groups: how many (cell, task) pairs go through the network at once, at least one task of each cell.
    """
    with torch.inference_mode():  # nothing is recorded, which saves some percent
        outer = _meta_gradient(protocol, weights, alpha, batch, groups)
    return Outer(*(part.clone() for part in outer))  # ordinary tensors: a method may differentiate its own


def _meta_gradient(protocol: Protocol, weights: Tensor, alpha: Tensor, batch: Images, groups: int) -> Outer:
    cells, tasks = len(weights), batch.support.shape[1]
    size, scale = layout(protocol).adapted_size, _scale(protocol)
    total, by_alpha = torch.zeros_like(weights), torch.zeros_like(weights)
    losses, hits = [], []
    for part in _parts(protocol, weights, alpha, batch, groups):
        reached, steps = _inner_loop(protocol, weights, part)
        loss = derivatives.loss(protocol, reached, part.query)
        q = derivatives.gradient(protocol, loss).flat * scale
        losses.append(loss.mean.unflatten(0, (cells, -1)))
        hits.append(_accuracy(loss.scores).unflatten(0, (cells, -1)))
        while steps:
            step = steps.pop()
            by_alpha -= _per_cell(q * step.gradient.flat, cells) * scale
            if not protocol.first_order:
                bent = derivatives.hessian_product(protocol, *step, part.rate * q) * scale
                q = _per_cell(q, len(bent)) - bent  # the first step's weights are shared: already a sum
        total += _per_cell(q, cells)
    if protocol.task_reduction == "mean":
        total /= tasks
        by_alpha /= tasks
    return Outer(_mean(losses), _mean(hits), total, by_alpha[:, :size])


def score(protocol: Protocol, weights: Tensor, alpha: Tensor, batch: Images, groups: int) -> Score:
    """Query loss and accuracy after adaptation, nothing learned. Arguments as for meta_gradient."""
    cells = len(weights)
    losses, hits = [], []
    with torch.inference_mode():
        for part in _parts(protocol, weights, alpha, batch, groups):
            reached, _ = _inner_loop(protocol, weights, part)
            loss = derivatives.loss(protocol, reached, part.query)
            losses.append(loss.mean.unflatten(0, (cells, -1)))
            hits.append(_accuracy(loss.scores).unflatten(0, (cells, -1)))
        return Score(_mean(losses), _mean(hits))


def _parts(protocol: Protocol, weights: Tensor, alpha: Tensor, batch: Images, groups: int) -> Iterator[_Part]:
    """The tasks in parts of at most `groups` (cell, task) pairs, and of one task at least."""
    cells, tasks = len(weights), batch.support.shape[1]
    size = max(1, groups // cells)
    adapted = layout(protocol).adapted_size
    rate = alpha.to(weights.dtype).expand(cells, adapted)
    rate = pad(rate, (0, weights.shape[1] - adapted))
    for at in range(0, tasks, size):
        support, query = (_patches(protocol, images[:, at : at + size], cells) for images in batch)
        yield _Part(rate.repeat_interleave(len(support.windows) // cells, 0), support, query)


def _patches(protocol: Protocol, images: Tensor, cells: int) -> Patches:
    """[cells or 1, tasks, n, 28, 28, 1] -> patches of cells x tasks groups; shared images are cut once."""
    cut = patches(images.flatten(0, 1), twice=protocol.layers > 1)
    if len(images) == cells:
        return cut
    return Patches(*(x.expand(cells, *x.shape).flatten(0, 1) for x in cut))


def _scale(protocol: Protocol) -> int:
    """What the mean cross entropy of a task is multiplied by."""
    return protocol.n_way if protocol.loss_scale == "sum_over_shots" else 1


def _per_cell(x: Tensor, cells: int) -> Tensor:
    """[g, P] -> [cells, P], summed over the groups of each."""
    return x if len(x) == cells else x.unflatten(0, (cells, -1)).sum(1)


def _accuracy(scores: Tensor) -> Tensor:
    """Share of images whose own class scores highest: [g, n, n_way] -> [g]."""
    _, n, n_way = scores.shape
    labels = torch.arange(n_way, device=scores.device).repeat_interleave(n // n_way)
    return (scores.argmax(-1) == labels).double().mean(1)


def _mean(parts: list[Tensor]) -> Tensor:
    """[cells, some tasks] each -> [cells], in float64."""
    return torch.cat(parts, 1).double().mean(1)
