"""The network's loss on `g` groups of images, its gradient, and its Hessian times a direction.

Each is one pass over the layers: the gradient uses what the loss kept, the Hessian what both kept
(operators.py has the four functions of each layer). Weights are one flat vector for each group, [g, P], or
one for several groups in turn, [shared, P]: all tasks of a cell start from the same weights, and then their
rows go through each convolution as one long matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from harness.cell import Protocol
from harness.problems import problem_of
from harness.problems.episodes import labels
from harness.problems.networks.conv4 import SIDE, layout
from harness.training.conv4.chosen import operators_for
from harness.training.conv4.operators import (
    First,
    FirstPulled,
    Normed,
    Patches,
    Pulled,
    Pushed,
    correlation,
    halved,
    product,
)
from harness.training.conv4.table import Operators

Weights = dict[str, Tensor]
"""The flat vectors as named parts: conv0 [g, 9, c]; conv1 ... [shared, 9 * c, c]; head [shared, c, n_way];
bias [g, 1, n_way]; scale0 ..., shift0 ... [g, 1, c]."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """What a block after the first keeps: its input, as its convolution takes it, the input's shape, and what
    its norm keeps."""

    x: Tensor
    shape: tuple[int, ...]
    """Of its input, [g, n, h, w, c]."""
    norm: Normed


@dataclass(frozen=True, kw_only=True)
class Loss:
    """The loss of g groups, and what its gradient needs."""

    operators: Operators
    """That computed it, and that its derivatives are to be computed by."""
    mean: Tensor
    """[g] mean cross entropy, nats."""
    scores: Tensor
    """[g, n, n_way]"""
    weights: Weights
    images: Patches
    first: First
    blocks: list[Block]
    features: Tensor
    """[g, n, c]"""


@dataclass(frozen=True, kw_only=True)
class Gradient:
    """The gradient of g groups, of the loss times the problem's scale, and what the Hessian needs."""

    flat: Tensor
    """[g, P]"""
    scores: Tensor
    """[g, n, n_way], with respect to the scores."""
    rows: list[Tensor]
    """With respect to the output of each later block's convolution, [g, rows, c]."""
    blocks: list[Pulled]
    first: FirstPulled


def cut(protocol: Protocol, images: Tensor) -> Patches:
    """Images [g, n, 28, 28, 1] as `loss` takes them: for the first layer alone, or for the first two at
    once."""
    return operators_for(protocol, images).patches(images, protocol.layers > 1)


def loss(protocol: Protocol, flat: Tensor, images: Patches) -> Loss:
    """The mean cross entropy of each group under its weights. flat: [shared, P]; images: of g groups."""
    op = operators_for(protocol, flat)
    groups = len(images.windows)
    weights = _named(protocol, flat, groups, scale=1.0)
    first = op.first_block(images, weights["conv0"], weights["scale0"], weights["shift0"], protocol.norm_eps)
    y, side, blocks = first.y, halved(SIDE), []
    for i in range(1, protocol.layers):
        shape = (groups, images.windows.shape[1], side, side, protocol.filters)
        x, side = op.input(y, shape, i), halved(side)
        rows = op.convolve(x, weights[f"conv{i}"], None)
        norm = op.norm_relu(rows, weights[f"scale{i}"], weights[f"shift{i}"], protocol.norm_eps)
        blocks.append(Block(x=x, shape=shape, norm=norm))
        y = norm.y
    features = y.unflatten(1, (-1, side * side)).mean(2)
    scores = product(features, weights["head"]) + weights["bias"]
    of_label = scores.gather(2, _labels(scores))
    mean = (scores.logsumexp(2, keepdim=True) - of_label).mean((1, 2))
    return Loss(
        operators=op,
        mean=mean,
        scores=scores,
        weights=weights,
        images=images,
        first=first,
        blocks=blocks,
        features=features,
    )


def features(protocol: Protocol, flat: Tensor, images: Tensor) -> Tensor:
    """The input of the head, [g, n, c], for images [g, n, 28, 28, 1]. flat: [shared, P]."""
    return loss(protocol, flat, cut(protocol, images)).features


def gradient(protocol: Protocol, at: Loss) -> Gradient:
    """The derivative of each group's loss, times the problem's scale, with respect to its own weights, shared
    or not."""
    groups, n, _ = at.scores.shape
    op, weights = at.operators, at.weights
    flat = at.scores.new_empty(groups, sum(layout(protocol).sizes))
    gradients = _parts(protocol, flat)
    by_scores = torch.softmax(at.scores, 2)
    by_scores.scatter_add_(2, _labels(at.scores), -torch.ones_like(by_scores[..., :1]))
    by_scores *= problem_of(protocol).scale / n
    gradients["head"] = correlation(at.features, by_scores, groups)
    gradients["bias"] = by_scores.sum(1, keepdim=True)
    dy = _spread(product(by_scores, weights["head"].mT), _last(at).shape[1] // n)
    rows, blocks = [], []
    for i in range(protocol.layers - 1, 0, -1):
        block = at.blocks[i - 1]
        dx, gradients[f"scale{i}"], gradients[f"shift{i}"], pulled = op.norm_relu_gradient(block.norm, dy)
        op.by_weights([(block.x, dx)], gradients[f"conv{i}"])
        dy = op.by_input([(dx, weights[f"conv{i}"])], block.shape, i)
        rows.append(dx)
        blocks.append(pulled)
    gradients["conv0"], gradients["scale0"], gradients["shift0"], first = op.first_block_gradient(
        at.images, at.first, weights["conv0"], dy
    )
    _fill(protocol, flat, gradients)
    return Gradient(
        flat=flat,
        scores=by_scores,
        rows=rows[::-1],
        blocks=blocks[::-1],
        first=first,
    )


def hessian_product(protocol: Protocol, at: Loss, slope: Gradient, direction: Tensor) -> Tensor:
    """The derivative of the gradient along `direction` [g, P], summed over the groups of shared weights.

    Returns [shared, P]: one product for each weight vector that `loss` was given.
    """
    groups, n, _ = at.scores.shape
    op, weights, along = at.operators, at.weights, _named(protocol, direction, groups, scale=0.0)
    shared = len(weights["head"])
    flat = torch.empty_like(direction[:shared])
    products = _parts(protocol, flat)

    # the tangent of the loss, from the images up
    first, w_dot = at.first, along["conv0"]
    y_dot, r_dot = op.first_block_tangent(
        at.images, first, weights["conv0"], w_dot, along["scale0"], along["shift0"]
    )
    x_dot: list[Tensor] = []
    pushed: list[Pushed] = []
    for i, block in enumerate(at.blocks, 1):
        x_dot.append(op.input(y_dot, block.shape, i))
        rows_dot = op.convolve(x_dot[-1], weights[f"conv{i}"], None)
        rows_dot = op.convolve(block.x, along[f"conv{i}"], rows_dot)
        y_dot, kept = op.norm_relu_tangent(block.norm, rows_dot, along[f"scale{i}"], along[f"shift{i}"])
        pushed.append(kept)
    features_dot = y_dot.unflatten(1, (n, -1)).mean(2)
    scores_dot = product(features_dot, weights["head"])
    scores_dot = product(at.features, along["head"], plus=scores_dot) + along["bias"]

    # the tangent of the gradient, from the scores down
    softmax = torch.softmax(at.scores, 2)
    by_scores_dot = softmax * (scores_dot - (softmax * scores_dot).sum(2, keepdim=True))
    by_scores_dot *= problem_of(protocol).scale / n
    products["head"] = correlation(features_dot, slope.scores, shared)
    products["head"] += correlation(at.features, by_scores_dot, shared)
    products["bias"] = by_scores_dot.sum(1, keepdim=True)
    dy_dot = product(by_scores_dot, weights["head"].mT)
    dy_dot = _spread(product(slope.scores, along["head"].mT, plus=dy_dot), _last(at).shape[1] // n)
    for i in range(protocol.layers - 1, 0, -1):
        block, dx = at.blocks[i - 1], slope.rows[i - 1]
        dx_dot, products[f"scale{i}"], products[f"shift{i}"] = op.norm_relu_gradient_tangent(
            block.norm, slope.blocks[i - 1], pushed[i - 1], dy_dot, along[f"scale{i}"]
        )
        op.by_weights([(block.x, dx_dot), (x_dot[i - 1], dx)], products[f"conv{i}"])
        both = [(dx_dot, weights[f"conv{i}"]), (dx, along[f"conv{i}"])]
        dy_dot = op.by_input(both, block.shape, i)
    products["conv0"], products["scale0"], products["shift0"] = op.first_block_gradient_tangent(
        at.images, first, slope.first, weights["conv0"], r_dot, w_dot, along["scale0"], dy_dot
    )
    _fill(protocol, flat, products)
    return flat


def _named(protocol: Protocol, flat: Tensor, groups: int, scale: float) -> Weights:
    """The parts of the flat vectors; `scale` for norms without one. The small parts are repeated per
    group."""
    named = _parts(protocol, flat)
    named["conv0"] = _each(named["conv0"], groups)
    named["bias"] = _each(named["bias"], groups).unsqueeze(1)
    norms = [name for name in named if name.startswith(("shift", "scale"))]  # the last ones
    together = flat[:, -len(norms) * protocol.filters :].unflatten(1, (len(norms), -1)).movedim(1, 0)
    each = together.repeat_interleave(groups // len(flat), 1).unsqueeze(2)  # [norms, g, 1, c]
    named |= dict(zip(norms, each.unbind(0), strict=True))
    if "scale0" not in named:
        names = (f"scale{i}" for i in range(protocol.layers))
        named |= dict.fromkeys(names, torch.full_like(named["shift0"], scale))
    return named


def _parts(protocol: Protocol, flat: Tensor) -> Weights:
    """The parts of the flat vectors [shared, P], as they lie in them."""
    parts = layout(protocol)
    pieces = zip(parts.parts, flat.split(parts.sizes, dim=1), strict=True)
    return {part.name: piece.unflatten(1, part.shape) for part, piece in pieces}


def _fill(protocol: Protocol, flat: Tensor, named: Weights) -> None:
    """Write the parts into the flat vectors [shared, P]: all but the later convolutions, which are there. A
    part of more groups is summed."""
    sizes, layers = layout(protocol).sizes, protocol.layers
    last = [named[part.name].flatten(1) for part in layout(protocol).parts[layers + 1 :]]
    rows = {0: named["conv0"].flatten(1), sum(sizes[:layers]): named["head"].flatten(1)}
    rows[sum(sizes[: layers + 1])] = torch.cat(last, 1)
    for at, part in rows.items():
        summed = part if len(part) == len(flat) else part.unflatten(0, (len(flat), -1)).sum(1)
        flat[:, at : at + part.shape[1]] = summed


def _each(part: Tensor, groups: int) -> Tensor:
    """[shared, ...] -> [g, ...]."""
    return part.repeat_interleave(groups // len(part), 0)


def _last(at: Loss) -> Tensor:
    return at.blocks[-1].norm.y if at.blocks else at.first.y


def _spread(by_features: Tensor, positions: int) -> Tensor:
    """The gradient of the mean over height and width: [g, n, c] -> [g, n * positions, c]."""
    g, n, c = by_features.shape
    return (by_features / positions).unsqueeze(2).expand(g, n, positions, c).reshape(g, n * positions, c)


def _labels(scores: Tensor) -> Tensor:
    """The class of each image, [g, n, 1]."""
    g, n, n_way = scores.shape
    return labels(n_way, n, scores.device).view(1, n, 1).expand(g, n, 1)
