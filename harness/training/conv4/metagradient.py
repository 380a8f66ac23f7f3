"""The inner loop, the meta-gradient and the derivative with respect to alpha, for all cells and tasks
together.

The inner loop (Eq. 1) is theta_j+1 = theta_j - alpha * g_j with g_j = grad L_support(theta_j). Its adjoint
carries q, the derivative of the query loss with respect to the adapted weights, back through the steps:

    dL/dalpha = - sum_j q_j+1 . g_j              (Eq. 4; one step in the paper, any number here)
    q_j       = q_j+1 - H_j (alpha_j * q_j+1)      (H_j: Hessian of the support loss at theta_j)

q after all steps is the plain query gradient; q_0 is the meta-gradient (Eq. 3). First-order mode leaves
the Hessian out. Weights that are not adapted (batch norm) are the same in every step and in the query loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from harness.cell import Protocol
from harness.methods.base import Adapted, MetaGradient
from harness.problems.episodes import Images, labels
from harness.problems.networks.conv4 import layout
from harness.training.conv4 import derivatives
from harness.training.conv4.derivatives import Gradient, Loss
from harness.training.conv4.operators import Patches


@dataclass(frozen=True, kw_only=True)
class _Chunk:
    """Some tasks of every cell, as g = cells x tasks groups."""

    rates: list[Tensor]
    """For each step, or one for all: [cells, 1, P], 0 for what the inner loop does not move, or [cells, 1, 1]
    if all move at one rate."""
    support: Patches
    query: Patches

    def rate(self, step: int) -> Tensor:
        """[cells, 1, P or 1]"""
        return self.rates[step if len(self.rates) > 1 else 0]


def meta_gradient(
    protocol: Protocol,
    weights: Tensor,
    rates: Tensor,
    batch: Images,
    chunk: int,
    steps: int | None = None,
    first_order: bool | None = None,
    squares: bool = False,
) -> MetaGradient:
    """One pass over a meta-batch.

    weights: [cells, P]; rates: as State.alpha; batch: images [cells or 1, tasks, n, 28, 28, 1]; chunk: how
    many (cell, task) pairs go through the network at once, at least one task of each cell. steps,
    first_order: None: as the protocol says. squares: also MetaGradient.squares.
    """
    steps = protocol.inner_steps if steps is None else steps
    first_order = protocol.first_order if first_order is None else first_order
    with torch.inference_mode():  # no autograd records, which saves a few percent
        result = _meta_gradient(protocol, weights, rates, batch, chunk, steps, first_order, squares)
    # Ordinary tensors again: a method may differentiate functions of its own.
    loss, (accuracy,), gradient, by_rates, sizes = result
    cloned = (one.clone() for one in (loss, accuracy, gradient, by_rates, *sizes))
    loss, accuracy, gradient, by_rates, *others = cloned
    return MetaGradient(loss, (accuracy,), gradient, by_rates, tuple(others))


def _meta_gradient(
    protocol: Protocol,
    weights: Tensor,
    rates: Tensor,
    batch: Images,
    chunk: int,
    steps: int,
    first_order: bool,
    squares: bool,
) -> MetaGradient:
    cells, tasks = len(weights), batch.support.shape[1]
    size = layout(protocol).adapted_size
    total = torch.zeros_like(weights)
    kinds = 3 if squares else 1  # q o g, q o q, g o g
    by_rates = [
        [torch.zeros_like(weights) for _ in range(rates.shape[1] if rates.dim() == 3 else 1)]
        for _ in range(kinds)
    ]
    losses, hits = [], []
    for some in _chunks(protocol, weights, rates, batch, chunk):
        adapted, taken = _inner_loop(protocol, weights, some, steps)
        loss = derivatives.loss(protocol, adapted, some.query)
        q = derivatives.gradient(protocol, loss).flat
        losses.append(loss.mean.unflatten(0, (cells, -1)))
        hits.append(_accuracy(loss.scores).unflatten(0, (cells, -1)))
        while taken:
            support_loss, gradient = taken.pop()
            step = len(taken)
            row = step if rates.dim() == 3 else 0
            by_rates[0][row] -= _per_cell(q * gradient.flat, cells)
            if squares:
                by_rates[1][row] += _per_cell(q * q, cells)
                by_rates[2][row] += _per_cell(gradient.flat * gradient.flat, cells)
            if not first_order:
                along = (some.rate(step) * q.unflatten(0, (cells, -1))).flatten(0, 1)
                bent = derivatives.hessian_product(protocol, support_loss, gradient, along)
                q = _per_cell(q, len(bent)) - bent  # the first step's weights are shared: already a sum
        total += _per_cell(q, cells)
    of_rates = [rows[0] if rates.dim() == 2 else torch.stack(rows, 1) for rows in by_rates]
    if protocol.task_reduction == "mean":
        for one in (total, *of_rates):
            one /= tasks
    first, *others = (one[..., :size] for one in of_rates)
    return MetaGradient(_mean(losses), (_mean(hits),), total, first, tuple(others))


def adapt(
    protocol: Protocol,
    weights: Tensor,
    rates: Tensor,
    batch: Images,
    chunk: int,
    steps: int | None = None,
) -> Adapted:
    """The inner loop alone. Arguments as for meta_gradient."""
    steps = protocol.inner_steps if steps is None else steps
    cells, tasks = len(weights), batch.support.shape[1]
    losses, hits, total = [], [], torch.zeros_like(weights)
    with torch.inference_mode():
        for some in _chunks(protocol, weights, rates, batch, chunk):
            adapted, _ = _inner_loop(protocol, weights, some, steps)
            loss = derivatives.loss(protocol, adapted, some.query)
            losses.append(loss.mean.unflatten(0, (cells, -1)))
            hits.append(_accuracy(loss.scores).unflatten(0, (cells, -1)))
            total += adapted.unflatten(0, (cells, -1)).sum(1)
        result = _mean(losses), _mean(hits), total / tasks
    mean_loss, accuracy, mean = (tensor.clone() for tensor in result)
    return Adapted(mean_loss, (accuracy,), mean)


def _inner_loop(
    protocol: Protocol, weights: Tensor, some: _Chunk, steps: int
) -> tuple[Tensor, list[tuple[Loss, Gradient]]]:
    """Eq. 1, `steps` times, from weights [cells, P] to those of each group [g, P].

    Also the steps taken: the support loss from which each one started, and the gradient that it used.
    """
    adapted, taken = weights, []
    for step in range(steps):
        loss = derivatives.loss(protocol, adapted, some.support)
        gradient = derivatives.gradient(protocol, loss)
        start, slope = (flat.unflatten(0, (len(weights), -1)) for flat in (adapted, gradient.flat))
        adapted = torch.addcmul(start, some.rate(step), slope, value=-1).flatten(0, 1)
        taken.append((loss, gradient))
    return adapted, taken


def _chunks(
    protocol: Protocol, weights: Tensor, rates: Tensor, batch: Images, chunk: int
) -> Iterator[_Chunk]:
    """The tasks in chunks of at most `chunk` (cell, task) pairs, and of one task at least."""
    cells, tasks = len(weights), batch.support.shape[1]
    size = max(1, chunk // cells)
    adapted = layout(protocol).adapted_size
    others = weights.shape[1] - adapted
    each = [
        (pad(one.expand(cells, adapted), (0, others)) if others else one).to(weights.dtype).unsqueeze(1)
        for one in (rates.unbind(1) if rates.dim() == 3 else [rates])
    ]
    for at in range(0, tasks, size):
        support, query = (_patches(protocol, images[:, at : at + size], cells) for images in batch)
        yield _Chunk(rates=each, support=support, query=query)


def _patches(protocol: Protocol, images: Tensor, cells: int) -> Patches:
    """[cells or 1, tasks, n, 28, 28, 1] -> patches of cells x tasks groups; shared images are cut only
    once."""
    cut = derivatives.cut(protocol, images.flatten(0, 1))
    if len(images) == cells:
        return cut
    # Of one task, the expanded would all be one place in memory.
    return Patches(*(x.expand(cells, *x.shape).flatten(0, 1).contiguous() for x in cut))


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
