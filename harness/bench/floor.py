"""The floor: what the matrix products of a meta-iteration take at the machine's best, and nothing else.

A layer's forward pass over an image takes m = (height * width of its map) * (9 * channels) * filters
multiply-adds, counting the padding, as a matrix product does. Every other pass over the layer is one of three
products of the same size: C(x, w), the convolution; X(dy, w), the gradient with respect to its input;
W(x, dy), the gradient with respect to its weights. A meta-iteration needs

    support, each inner step:   C(x, w)    W(x, dy)   X(dy, w)*                                    3 passes
    query:                      C(x, w)    W(x, dy)   X(dy, w)*                                    3
    Hessian product, each step: C(x, v)    X(dy, v)*  C(p, w)*  W(p, dy)*  X(s, w)*  W(x, s)       6

where v is the cotangent of the weights' gradient, p that of the gradient passed down, X(dy, w), and s that of
the layer's own output. Those with * need, or serve, a gradient with respect to the layer's input, and the
first layer has none: 12 passes for one step, 6 in the first layer. Forward over reverse has the same six.
First-order mode has no Hessian product. The head is one more layer, of filters * n_way multiply-adds per
image.

Left out: batch norm, ReLU, losses, copies, the update. They cost memory traffic but hardly any arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from harness.cell import Protocol
from harness.problems.networks.conv4 import SIDE

PEAK_SIDE = 2048
"""Rows and columns of the product that measures the peak."""


def multiply_adds(protocol: Protocol) -> int:
    """Multiply-adds of one meta-iteration of one cell."""
    support = protocol.meta_batch * protocol.n_way * protocol.k_shot * protocol.inner_steps
    query = protocol.meta_batch * protocol.n_way * protocol.k_query
    total = 0
    for at, products in enumerate(_layers(protocol)):
        first = at == 0
        gradient = 2 if first else 3
        hessian = 0 if protocol.first_order else 2 if first else 6
        total += products * (support * (gradient + hessian) + query * gradient)
    return total


def _layers(protocol: Protocol) -> list[int]:
    """Multiply-adds of the forward pass of one image, layer by layer, the head last."""
    side, channels, layers = SIDE, 1, []
    for _ in range(protocol.layers):
        side = (side + 1) // 2
        layers.append(side**2 * 9 * channels * protocol.filters)
        channels = protocol.filters
    return [*layers, channels * protocol.n_way]


def product(device: torch.device) -> Callable[[], Any]:
    """One large square product in float32: of everything timed, the closest to the machine's best."""
    a, b = torch.rand(2, PEAK_SIDE, PEAK_SIDE, device=device)
    return lambda: a @ b


def peak_gflops(seconds: list[float]) -> float:
    """10^9 operations per second (a multiply-add is two) in the fastest of these calls of `product`."""
    return 2 * PEAK_SIDE**3 / min(seconds) / 1e9


def floor_ms(protocol: Protocol, gflops: float) -> float:
    """Milliseconds of a meta-iteration at this peak."""
    return 2 * multiply_adds(protocol) / gflops / 1e6
