"""The Triton kernels in Triton's interpreter beside their formulas: run by `python -m`, in a process of its
own, since Triton reads once whether it interprets."""

from __future__ import annotations

import os
from collections.abc import Iterator

import torch
from torch import Tensor

from harness.training.conv4 import derivatives
from harness.training.conv4 import operators as op
from harness.training.conv4.table import PLAIN
from tests.training.conv4.test_derivatives import moved, random_images, variant

SHAPES = (
    *((4, 2, 77, 40, 24), (2, 1, 320, 576, 64), (3, 3, 80, 64, 576), (2, 2, 20, 64, 20)),
    *((2, 2, 20, 20, 64), (1, 1, 245, 90, 10)),
)
"""Groups, how many weights they share, rows, k, f: as in the network, and with edges in every direction."""
NETWORK = variant(filters=16, layers=3, norm_scale=True, norm_adapted=True)


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def far(ours: Tensor, expected: Tensor) -> float:
    """The largest difference, relative to the largest entry; a nan is where one is expected."""
    assert ours.dtype == expected.dtype
    assert ours.shape == expected.shape
    assert torch.equal(ours.isnan(), expected.isnan())
    ours, expected = ours.nan_to_num(), expected.nan_to_num()
    return float((ours - expected).abs().max() / expected.abs().max())


def of_products(dtype: torch.dtype) -> Iterator[float]:
    """How far each kernel is from its formula."""
    from harness.training.conv4 import triton_products as ours

    for g, shared, rows, k, f in SHAPES:
        x, w, wide = random(g, rows, k), random(shared, k, f, seed=1), random(shared, f, k, seed=2)
        y, plus = random(g, rows, f, seed=3), random(g, rows, f, seed=4)
        x, w, wide, y, plus = (one.to(dtype) for one in (x, w, wide, y, plus))
        yield far(ours.product(x, w), op.product(x, w))
        yield far(ours.product(x, wide.mT, plus.clone()), op.product(x, wide.mT, plus.clone()))
        yield far(ours.correlation(x, y, shared), op.correlation(x, y, shared))
    x, y = (random(1, 2500, f, seed=f).to(dtype) for f in (70, 5))  # so many rows that they are split
    yield far(ours.correlation(x, y, 1), op.correlation(x, y, 1))

    for twice in (False, True):
        of = op.patches(random(2, 3, 28, 28, 1).to(dtype), twice)
        filters, rows = random(2, 10, 24).to(dtype), of.windows.shape[1] * of.windows.shape[2]
        dy = random(2, rows, 24, seed=1).to(dtype)
        of.windows[0, 0, 5], dy[1, 7, 3] = torch.nan, torch.nan
        y = op.rows_of(of, filters, None)
        yield far(ours.rows_of(of, filters, None, "ieee"), y)
        yield far(ours.rows_of(of, filters.flip(1), y, "ieee"), op.rows_of(of, filters.flip(1), y))
        yield far(ours.by_filters(of, y, dy, "ieee"), op.by_filters(of, y, dy))


def of_layers() -> Iterator[float]:
    """The same of passes over all layers by the table for a GPU; batch norm is as it is."""
    from harness.training.conv4 import gpu

    gpu.fused, gpu.trouble = lambda plain: dict(plain), lambda: None
    weights, images = moved(NETWORK, 2), random_images(NETWORK, 4)
    along, results = random(4, weights.shape[1], seed=3), []
    for table in (gpu.operators("tf32x3", fuse=True), PLAIN):
        derivatives.operators_for = lambda *_, table=table: table
        loss = derivatives.loss(NETWORK, weights, derivatives.cut(NETWORK, images))
        gradient = derivatives.gradient(NETWORK, loss)
        bent = derivatives.hessian_product(NETWORK, loss, gradient, along)
        results.append((loss.mean, loss.scores, gradient.flat, bent))
    for ours, expected in zip(*results, strict=True):
        yield far(ours, expected)


if __name__ == "__main__":
    os.environ["TRITON_INTERPRET"] = "1"
    print(max(of_products(torch.float64)), max(of_layers()), max(of_products(torch.float32)))
