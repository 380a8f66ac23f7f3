"""The network and MAML as one reads them in the paper, by torch's own operators and autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.cell import Protocol
from harness.problems import Batch
from harness.problems.episodes import Images
from harness.problems.networks import Layout
from harness.problems.networks.conv4 import layout


def named(protocol: Protocol, flat: Tensor) -> dict[str, Tensor]:
    """The parts of one flat vector [P]."""
    return parts_of(layout(protocol), flat)


def parts_of(layout: Layout, flat: Tensor) -> dict[str, Tensor]:
    """The same for any network."""
    pieces = zip(layout.parts, flat.split(layout.sizes), strict=True)
    return {part.name: piece.view(part.shape) for part, piece in pieces}


def plain_scores(protocol: Protocol, weights: dict[str, Tensor], images: Tensor) -> Tensor:
    """One network: images [n, 28, 28, 1] -> [n, n_way]."""
    x = images.permute(0, 3, 1, 2)
    for i in range(protocol.layers):
        kernel = weights[f"conv{i}"].unflatten(0, (3, 3, -1)).permute(3, 2, 0, 1)
        x = F.conv2d(x, kernel, stride=2, padding=1)
        shift = weights[f"shift{i}"]
        scale = weights.get(f"scale{i}", torch.ones_like(shift).detach())
        x = F.relu(F.batch_norm(x, None, None, scale, shift, training=True, eps=protocol.norm_eps))
    return F.linear(x.mean((2, 3)), weights["head"].T, weights["bias"])


def plain_loss(protocol: Protocol, weights: dict[str, Tensor], images: Tensor) -> Tensor:
    """Mean cross entropy; images come class by class."""
    labels = torch.arange(protocol.n_way).repeat_interleave(len(images) // protocol.n_way)
    return F.cross_entropy(plain_scores(protocol, weights, images), labels)


def plain_meta_loss(protocol: Protocol, weights: dict, alpha: Tensor, batch: Images) -> Tensor:
    """MAML as one reads it in the paper: a loop over tasks, autograd through everything."""
    adapted = [part.name for part in layout(protocol).adapted]
    losses = []
    for support, query in zip(batch.support[0], batch.query[0], strict=True):
        fast = dict(weights)
        for _ in range(protocol.inner_steps):
            loss = plain_loss(protocol, fast, support)
            gradients = torch.autograd.grad(loss, [fast[name] for name in adapted], create_graph=True)
            if protocol.first_order:
                gradients = [gradient.detach() for gradient in gradients]
            moved = {n: fast[n] - alpha * g for n, g in zip(adapted, gradients, strict=True)}
            fast = fast | moved
        losses.append(plain_loss(protocol, fast, query))
    total = torch.stack(losses).sum()
    return total / protocol.meta_batch if protocol.task_reduction == "mean" else total


class Passed(NamedTuple):
    """What a meta-batch of one cell gives, mean over tasks."""

    loss: float
    gradient: Tensor
    """[P]"""
    by_rates: Tensor
    """[steps, A]"""
    adapted: Tensor
    """[P]"""


def plain_pass(
    loss_of: Callable[[dict[str, Tensor], Tensor, Tensor], Tensor],
    layout: Layout,
    flat: Tensor,
    rates: Tensor,
    batch: Batch,
    first_order: bool = False,
) -> Passed:
    """A loop over the tasks of a batch [tasks, n, ...] and over the steps of the inner loop, autograd through
    everything.

    loss_of: (named weights, inputs, targets) -> loss. flat: [P]; rates: [steps, A].
    """
    theta, rates, moves = flat.clone().requires_grad_(), rates.clone().requires_grad_(), rates.shape[1]
    losses, adapted = [], []
    for support, query, support_targets, query_targets in zip(*batch, strict=True):
        fast = theta
        for rate in rates:
            loss = loss_of(parts_of(layout, fast), support, support_targets)
            (gradient,) = torch.autograd.grad(loss, fast, create_graph=True)
            if first_order:
                gradient = gradient.detach()
            fast = torch.cat([fast[:moves] - rate * gradient[:moves], fast[moves:]])
        adapted.append(fast.detach())
        losses.append(loss_of(parts_of(layout, fast), query, query_targets))
    total = torch.stack(losses).mean()
    gradient, by_rates = torch.autograd.grad(total, [theta, rates])
    return Passed(float(total.detach()), gradient, by_rates, torch.stack(adapted).mean(0))
