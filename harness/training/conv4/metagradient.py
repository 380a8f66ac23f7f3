"""The inner loop, the meta-gradient and the derivative with respect to alpha, for all cells and tasks
together.

The inner loop (Eq. 1) is theta_j+1 = theta_j - alpha * g_j with g_j = grad L_support(theta_j). Its adjoint
carries q, the derivative of the query loss with respect to the adapted weights, back through the steps:

    dL/dalpha = - sum_j q_j+1 . g_j              (Eq. 4; one step in the paper, any number here)
    q_j       = q_j+1 - H_j (alpha * q_j+1)      (H_j: Hessian of the support loss at theta_j)

q after all steps is the plain query gradient; q_0 is the meta-gradient (Eq. 3). First-order mode leaves
the Hessian out. Weights that are not adapted (batch norm) are the same in every step and in the query loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from harness.cell import Protocol
from harness.methods.base import MetaGradient
from harness.problems.episodes import Batch, labels
from harness.problems.network import layout
from harness.training.conv4 import derivatives
from harness.training.conv4.derivatives import Gradient, Loss
from harness.training.conv4.operators import Patches


class Score(NamedTuple):
    """Loss and accuracy on the query images after adaptation, mean over tasks: each [cells], float64."""

    loss: Tensor
    accuracy: Tensor


@dataclass(frozen=True, kw_only=True)
class _Chunk:
    """Some tasks of every cell, as g = cells x tasks groups."""

    rate: Tensor
    """[g, P], 0 for what the inner loop does not move."""
    support: Patches
    query: Patches


def meta_gradient(
    protocol: Protocol, weights: Tensor, alpha: Tensor, batch: Batch, chunk: int
) -> MetaGradient:
    """One pass over a meta-batch.

    weights: [cells, P]; alpha: [cells, 1] or [cells, A]; batch: images [cells or 1, tasks, n, 28, 28, 1];
    chunk: how many (cell, task) pairs go through the network at once, at least one task of each cell.
    """
    with torch.inference_mode():  # no autograd records, which saves a few percent
        result = _meta_gradient(protocol, weights, alpha, batch, chunk)
    # Ordinary tensors again: a method may differentiate functions of its own.
    return MetaGradient(*(tensor.clone() for tensor in result))


def _meta_gradient(
    protocol: Protocol, weights: Tensor, alpha: Tensor, batch: Batch, chunk: int
) -> MetaGradient:
    cells, tasks = len(weights), batch.support.shape[1]
    size, scale = layout(protocol).adapted_size, _scale(protocol)
    total, by_alpha = torch.zeros_like(weights), torch.zeros_like(weights)
    losses, hits = [], []
    for some in _chunks(protocol, weights, alpha, batch, chunk):
        adapted, steps = _inner_loop(protocol, weights, some)
        loss = derivatives.loss(protocol, adapted, some.query)
        q = derivatives.gradient(protocol, loss).flat * scale
        losses.append(loss.mean.unflatten(0, (cells, -1)))
        hits.append(_accuracy(loss.scores).unflatten(0, (cells, -1)))
        while steps:
            support_loss, gradient = steps.pop()
            by_alpha -= _per_cell(q * gradient.flat, cells) * scale
            if not protocol.first_order:
                bent = derivatives.hessian_product(protocol, support_loss, gradient, some.rate * q) * scale
                q = _per_cell(q, len(bent)) - bent  # the first step's weights are shared: already a sum
        total += _per_cell(q, cells)
    if protocol.task_reduction == "mean":
        total /= tasks
        by_alpha /= tasks
    return MetaGradient(_mean(losses), _mean(hits), total, by_alpha[:, :size])


def score(protocol: Protocol, weights: Tensor, alpha: Tensor, batch: Batch, chunk: int) -> Score:
    """Query loss and accuracy after adaptation, without learning. Arguments as for meta_gradient."""
    cells = len(weights)
    losses, hits = [], []
    with torch.inference_mode():
        for some in _chunks(protocol, weights, alpha, batch, chunk):
            adapted, _ = _inner_loop(protocol, weights, some)
            loss = derivatives.loss(protocol, adapted, some.query)
            losses.append(loss.mean.unflatten(0, (cells, -1)))
            hits.append(_accuracy(loss.scores).unflatten(0, (cells, -1)))
        return Score(_mean(losses), _mean(hits))


def _inner_loop(
    protocol: Protocol, weights: Tensor, some: _Chunk
) -> tuple[Tensor, list[tuple[Loss, Gradient]]]:
    """Eq. 1, `inner_steps` times, from weights [cells, P] to those of each group [g, P].

    Also the steps taken: the support loss from which each one started, and the gradient that it used.
    """
    adapted, steps = weights, []
    for _ in range(protocol.inner_steps):
        loss = derivatives.loss(protocol, adapted, some.support)
        gradient = derivatives.gradient(protocol, loss)
        start = adapted.repeat_interleave(len(some.rate) // len(adapted), 0)
        adapted = start - some.rate * (gradient.flat * _scale(protocol))
        steps.append((loss, gradient))
    return adapted, steps


def _chunks(protocol: Protocol, weights: Tensor, alpha: Tensor, batch: Batch, chunk: int) -> Iterator[_Chunk]:
    """The tasks in chunks of at most `chunk` (cell, task) pairs, and of one task at least."""
    cells, tasks = len(weights), batch.support.shape[1]
    size = max(1, chunk // cells)
    adapted = layout(protocol).adapted_size
    rate = alpha.to(weights.dtype).expand(cells, adapted)
    rate = pad(rate, (0, weights.shape[1] - adapted))
    for at in range(0, tasks, size):
        support, query = (_patches(protocol, images[:, at : at + size], cells) for images in batch)
        of_each = rate.repeat_interleave(len(support.windows) // cells, 0)
        yield _Chunk(rate=of_each, support=support, query=query)


def _patches(protocol: Protocol, images: Tensor, cells: int) -> Patches:
    """[cells or 1, tasks, n, 28, 28, 1] -> patches of cells x tasks groups; shared images are cut only
    once."""
    cut = derivatives.cut(protocol, images.flatten(0, 1))
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
    """Share of images whose true class scores highest: [g, n, n_way] -> [g]."""
    _, n, n_way = scores.shape
    return (scores.argmax(-1) == labels(n_way, n, scores.device)).double().mean(1)


def _mean(chunks: list[Tensor]) -> Tensor:
    """[cells, some tasks] each -> [cells], in float64."""
    return torch.cat(chunks, 1).double().mean(1)
