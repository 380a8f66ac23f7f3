"""The operators against torch's own and against plain autograd, first and second order, in float64."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.autograd.functional import jvp, vjp
from torch.nn import functional as F

from harness.training.conv4 import operators as op

EPS = 1e-2


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def close(ours: object, expected: object) -> None:
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-11)


def four(plain: Callable, x: tuple, x_dot: tuple, dy: Tensor, dy_dot: Tensor) -> tuple:
    """By autograd: the value of plain(*x), its tangent along x_dot, its gradient from dy, and that one's
    tangent along (x_dot, dy_dot)."""

    def pull(dy: Tensor, *x: Tensor) -> tuple:
        return vjp(plain, x, dy, create_graph=True)[1]

    value, tangent = jvp(plain, x, x_dot)
    gradient, gradient_tangent = jvp(pull, (dy, *x), (dy_dot, *x_dot))
    return value, tangent, gradient, gradient_tangent


def plain_convolution(x: Tensor, w: Tensor) -> Tensor:
    """[g, n, h, w, c] by [g, 9 * c, f], one group after the other -> [g, n * h' * w', f]."""
    kernels = w.unflatten(1, (3, 3, -1)).permute(0, 4, 3, 1, 2)
    images = x.permute(0, 1, 4, 2, 3)
    maps = [F.conv2d(i, k, stride=2, padding=1) for i, k in zip(images, kernels, strict=True)]
    return torch.stack(maps).permute(0, 1, 3, 4, 2).flatten(1, 3)


@pytest.mark.parametrize("shared", [4, 2, 1], ids="weights for each {} of 4 groups".format)
@pytest.mark.parametrize("side", [28, 14, 7, 4, 2, 1])
def test_convolution(side: int, shared: int) -> None:
    x, w = random(4, 3, side, side, 4), random(shared, 9 * 4, 5, seed=1)
    x_dot, w_dot = random(*x.shape, seed=2), random(4, 9 * 4, 5, seed=3)
    each = w.repeat_interleave(4 // shared, 0)
    rows = 3 * op.halved(side) ** 2
    dy, dy_dot = random(4, rows, 5, seed=4), random(4, rows, 5, seed=5)
    value, tangent, (dx, dw), (dx_dot, dw_dot) = four(
        plain_convolution, (x, each), (x_dot, w_dot), dy, dy_dot
    )

    columns, columns_dot = op.windows(x), op.windows(x_dot)
    close(op.product(columns, w), value)
    close(op.product(columns, w_dot, plus=op.product(columns_dot, w)), tangent)
    close(op.scatter(op.product(dy, w.mT), x.shape), dx)
    close(op.correlation(columns, dy, 4), dw)
    both = op.product(dy, w_dot.mT, plus=op.product(dy_dot, w.mT))
    close(op.scatter(both, x.shape), dx_dot)
    summed = op.correlation(columns, dy_dot, shared) + op.correlation(columns_dot, dy, shared)
    close(summed, dw_dot.unflatten(0, (shared, -1)).sum(1))


@pytest.mark.parametrize("side", [28, 14, 7, 4, 2, 1])
def test_scatter_is_the_adjoint_of_windows(side: int) -> None:
    x = random(2, 3, side, side, 4)
    columns = op.windows(x)
    other = random(*columns.shape, seed=1)
    close((columns * other).sum(), (x * op.scatter(other, x.shape)).sum())


def plain_norm_relu(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    centred = x - x.mean(1, keepdim=True)
    n = centred / (centred.square().mean(1, keepdim=True) + EPS).sqrt()
    return (scale * n + shift).relu()


def test_norm_relu_equals_torch() -> None:
    x, scale, shift = random(2, 48, 5), random(2, 1, 5, seed=1), random(2, 1, 5, seed=2)
    expected = [F.batch_norm(x[g], None, None, scale[g, 0], shift[g, 0], True, 0.0, EPS) for g in range(2)]
    close(op.norm_relu(x.clone(), scale, shift, EPS).y, torch.stack(expected).relu())


def test_norm_relu() -> None:
    arguments = random(2, 12, 5), random(2, 1, 5, seed=1), random(2, 1, 5, seed=2)
    along = random(2, 12, 5, seed=3), random(2, 1, 5, seed=4), random(2, 1, 5, seed=5)
    dy, dy_dot = random(2, 12, 5, seed=6), random(2, 12, 5, seed=7)
    value, tangent, gradient, gradient_tangent = four(plain_norm_relu, arguments, along, dy, dy_dot)

    x, scale, shift = arguments
    at = op.norm_relu(x.clone(), scale, shift, EPS)
    close(at.y, value)
    *ours, pulled = op.norm_relu_gradient(at, dy)
    close(tuple(ours), gradient)
    y_dot, pushed = op.norm_relu_tangent(at, *along)
    close(y_dot, tangent)
    close(op.norm_relu_gradient_tangent(at, pulled, pushed, dy_dot, along[1]), gradient_tangent)


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("side", [28, 9])
def test_first_block(side: int, twice: bool) -> None:
    """Nine pixels' covariance stands for the whole map: against convolution and batch norm as they are, and
    against the windows that the next convolution makes of them."""
    images, high = random(2, 3, side, side, 1), op.halved(side)
    arguments = random(2, 9, 5, seed=1), random(2, 1, 5, seed=2), random(2, 1, 5, seed=3)
    along = random(2, 9, 5, seed=4), random(2, 1, 5, seed=5), random(2, 1, 5, seed=6)
    rows = 3 * (9 * op.halved(high) ** 2 if twice else high**2)
    dy, dy_dot = random(2, rows, 5, seed=7), random(2, rows, 5, seed=8)

    def plain(w: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        y = plain_norm_relu(plain_convolution(images, w), scale, shift)
        return op.windows(y.view(2, 3, high, high, 5)).view(2, -1, 5) if twice else y

    value, tangent, gradient, gradient_tangent = four(plain, arguments, along, dy, dy_dot)
    of, (w, scale, shift) = op.patches(images, twice), arguments
    at = op.first_block(of, w, scale, shift, EPS)
    close(at.y, value)
    *ours, pulled = op.first_block_gradient(of, at, w, dy)
    close(tuple(ours), gradient)
    y_dot, r_dot = op.first_block_tangent(of, at, w, *along)
    close(y_dot, tangent)
    ours = op.first_block_gradient_tangent(of, at, pulled, w, r_dot, along[0], along[1], dy_dot)
    close(ours, gradient_tangent)


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_first_block_keeps_its_digits_in_float32(offset: float) -> None:
    """The variance is of centred pixels, so a bright image costs no digits."""
    images = random(1, 20, 28, 28, 1) + offset
    weights = random(1, 9, 8, seed=1), torch.ones(1, 1, 8).double(), torch.zeros(1, 1, 8).double()
    exact = op.first_block(op.patches(images, twice=False), *weights, 1e-5).y
    ours = op.first_block(op.patches(images.float(), twice=False), *(w.float() for w in weights), 1e-5).y
    torch.testing.assert_close(ours.double(), exact, rtol=0, atol=2e-6 * (1 + offset))
