"""The operators against torch's own, first and second order, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F

from harness.operators import convolution, norm_relu, scatter, windows


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("side", [28, 14, 7, 4, 2, 1])
def test_convolution_equals_torch(side: int) -> None:
    x, w = random(2, 3, side, side, 4), random(2, 9 * 4, 5, seed=1)
    kernels = w.unflatten(1, (3, 3, 4)).permute(0, 4, 3, 1, 2)
    images = x.permute(0, 1, 4, 2, 3)
    expected = [F.conv2d(i, k, stride=2, padding=1) for i, k in zip(images, kernels, strict=True)]
    torch.testing.assert_close(convolution(x, w), torch.stack(expected).permute(0, 1, 3, 4, 2))


@pytest.mark.parametrize("side", [7, 4])
def test_convolution_is_differentiable_twice(side: int) -> None:
    arguments = random(2, 2, side, side, 2), random(2, 18, 3, seed=1)
    assert gradcheck(convolution, arguments)
    assert gradgradcheck(convolution, arguments)


@pytest.mark.parametrize("side", [28, 7])
def test_scatter_is_the_adjoint_of_windows(side: int) -> None:
    x = random(2, 3, side, side, 4)
    columns = windows(x)
    other = torch.randn_like(columns)
    torch.testing.assert_close((columns * other).sum(), (x * scatter(other, x.shape)).sum())


def norm(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return norm_relu(x, scale, shift, 1e-2)


def test_norm_relu_equals_torch() -> None:
    x, scale, shift = random(2, 3, 4, 4, 5), random(2, 5, seed=1), random(2, 5, seed=2)
    expected = [
        F.batch_norm(x[g].permute(0, 3, 1, 2), None, None, scale[g], shift[g], True, 0.0, 1e-2).relu()
        for g in range(2)
    ]
    torch.testing.assert_close(norm(x, scale, shift), torch.stack(expected).permute(0, 1, 3, 4, 2))


@pytest.mark.parametrize("groups_of_scale", [2, 1], ids=["own scale", "one scale for all"])
def test_norm_relu_is_differentiable_twice(groups_of_scale: int) -> None:
    scale = random(groups_of_scale, 3, seed=1)
    scale = scale if groups_of_scale == 2 else torch.ones_like(scale).detach()
    arguments = random(2, 3, 2, 2, 3), scale, random(2, 3, seed=2)
    assert gradcheck(norm, arguments)
    assert gradgradcheck(norm, arguments)


def test_second_order_equals_autograd_through_torch_operators() -> None:
    """The Hessian-vector product that MAML needs, through a convolution and a norm."""
    x, w, shift = random(1, 3, 7, 7, 2).detach(), random(1, 18, 4, seed=1), random(1, 4, seed=2)
    along = random(1, 18, 4, seed=3).detach()
    one = torch.ones(1, 4, dtype=torch.float64)

    def ours(w: Tensor, shift: Tensor) -> Tensor:
        return norm(convolution(x, w), one, shift)

    def plain(w: Tensor, shift: Tensor) -> Tensor:
        kernel = w[0].unflatten(0, (3, 3, 2)).permute(3, 2, 0, 1)
        y = F.conv2d(x[0].permute(0, 3, 1, 2), kernel, stride=2, padding=1)
        y = y - y.mean((0, 2, 3), keepdim=True)
        y = y * torch.rsqrt((y**2).mean((0, 2, 3), keepdim=True) + 1e-2) + shift.view(1, -1, 1, 1)
        return y.relu().permute(0, 2, 3, 1).unsqueeze(0)

    results = []
    for model in (ours, plain):
        (first,) = torch.autograd.grad(model(w, shift).pow(3).sum(), w, create_graph=True)
        results.append((first.detach(), *torch.autograd.grad(first, (w, shift), along)))
    torch.testing.assert_close(results[0], results[1], rtol=1e-11, atol=1e-12)
