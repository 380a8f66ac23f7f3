"""The Triton kernels in Triton's interpreter beside their formulas: run by `python -m`, in a process of its
own, since Triton reads once whether it interprets."""

from __future__ import annotations

import os
from collections.abc import Iterator

import torch
from torch import Tensor

from harness.training.conv4 import operators as op

SHAPES = (
    *((4, 2, 77, 40, 24), (2, 1, 320, 576, 64), (3, 3, 80, 64, 576), (2, 2, 20, 64, 20)),
    *((2, 2, 20, 20, 64), (1, 1, 245, 90, 10)),
)
"""Groups, how many weights they share, rows, k, f: as in the network, and with edges in every direction."""


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def differences(dtype: torch.dtype) -> Iterator[float]:
    """Of each product, the largest difference relative to its largest entry."""
    from harness.training.conv4 import tf32x3

    def far(ours: Tensor, expected: Tensor) -> float:
        assert ours.dtype == expected.dtype
        assert ours.shape == expected.shape
        return float((ours - expected).abs().max() / expected.abs().max())

    for g, shared, rows, k, f in SHAPES:
        x, w, wide = random(g, rows, k), random(shared, k, f, seed=1), random(shared, f, k, seed=2)
        y, plus = random(g, rows, f, seed=3), random(g, rows, f, seed=4)
        x, w, wide, y, plus = (one.to(dtype) for one in (x, w, wide, y, plus))
        yield far(tf32x3.product(x, w), op.product(x, w))
        yield far(tf32x3.product(x, wide.mT, plus.clone()), op.product(x, wide.mT, plus.clone()))
        yield far(tf32x3.product(x.mT, y), op.product(x.mT, y)) if shared == g else 0.0
        yield far(tf32x3.correlation(x, y, shared), op.correlation(x, y, shared))
    x, y = (random(1, 2500, f, seed=f).to(dtype) for f in (70, 5))  # so many rows that they are split
    yield far(tf32x3.correlation(x, y, 1), op.correlation(x, y, 1))


if __name__ == "__main__":
    os.environ["TRITON_INTERPRET"] = "1"
    print(max(differences(torch.float64)), max(differences(torch.float32)))
