"""The operators as a table: which functions compute the layers, on which machine.

operators.py has them as formulas; PLAIN is made of those, runs everywhere, and is what others are tested
against.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.training.conv4 import operators as op
from harness.training.conv4.operators import First, FirstPulled, Normed, Patches, Pulled, Pushed


@dataclass(frozen=True, kw_only=True)
class Operators:
    """What a pass over the layers is made of. Those of the first block and of batch norm are called like
    their formulas in operators.py."""

    patches: Callable[[Tensor, bool], Patches]
    """(images, twice), see operators.patches"""
    first_block: Callable[..., First]
    first_block_gradient: Callable[..., tuple[Tensor, Tensor, Tensor, FirstPulled]]
    first_block_tangent: Callable[..., tuple[Tensor, Tensor]]
    first_block_gradient_tangent: Callable[..., tuple[Tensor, Tensor, Tensor]]
    input: Callable[[Tensor, tuple[int, ...], int], Tensor]
    """(y, shape [g, n, h, w, c], block) -> x: a map as the convolution of this block takes it."""
    convolve: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    """(x, w [shared, 9 c, f], plus) -> [g, rows, f]: x's convolution with w, plus `plus`, which may be
    overwritten; None: nothing."""
    by_weights: Callable[[Sequence[tuple[Tensor, Tensor]], Tensor], None]
    """(pairs of x and dy [g, rows, f], out [shared, 9 c, f]): out becomes the gradient of w, summed over the
    pairs and over the groups that share a w."""
    by_input: Callable[[Sequence[tuple[Tensor, Tensor]], tuple[int, ...], int], Tensor]
    """(pairs of dy and w, shape, block) -> the gradient of y, summed over the pairs."""
    norm_relu: Callable[..., Normed]
    norm_relu_gradient: Callable[..., tuple[Tensor, Tensor, Tensor, Pulled]]
    norm_relu_tangent: Callable[..., tuple[Tensor, Pushed]]
    norm_relu_gradient_tangent: Callable[..., tuple[Tensor, Tensor, Tensor]]


def _input(y: Tensor, shape: tuple[int, ...], block: int) -> Tensor:
    """Its windows: the rows of the first block are windows already."""
    return y.view(shape[0], -1, 9 * shape[-1]) if block == 1 else op.windows(y.view(shape))


def by_weights(
    pairs: Sequence[tuple[Tensor, Tensor]],
    out: Tensor,
    correlation: Callable[[Tensor, Tensor, int], Tensor] = op.correlation,
) -> None:
    """A correlation for each pair."""
    (x, dy), *others = pairs
    total = correlation(x, dy, len(out))
    for x, dy in others:
        total += correlation(x, dy, len(out))
    out.copy_(total)


def by_input(
    pairs: Sequence[tuple[Tensor, Tensor]],
    shape: tuple[int, ...],
    block: int,
    product: Callable[[Tensor, Tensor], Tensor] = op.product,
) -> Tensor:
    """One product for all pairs, side by side."""
    if len(pairs) == 1:
        ((dy, w),) = pairs
    else:
        dy = torch.cat([dy for dy, _ in pairs], 2)
        w = torch.cat([w.repeat_interleave(shape[0] // len(w), 0) for _, w in pairs], 2)
    columns = product(dy, w.mT)
    return columns.view(shape[0], -1, shape[-1]) if block == 1 else op.scatter(columns, shape)


PLAIN = Operators(
    patches=op.patches,
    first_block=op.first_block,
    first_block_gradient=op.first_block_gradient,
    first_block_tangent=op.first_block_tangent,
    first_block_gradient_tangent=op.first_block_gradient_tangent,
    input=_input,
    convolve=op.product,
    by_weights=by_weights,
    by_input=by_input,
    norm_relu=op.norm_relu,
    norm_relu_gradient=op.norm_relu_gradient,
    norm_relu_tangent=op.norm_relu_tangent,
    norm_relu_gradient_tangent=op.norm_relu_gradient_tangent,
)
