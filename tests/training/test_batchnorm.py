"""The second derivative of batch norm, against torch's own and against finite differences."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F

from harness.training.batchnorm import twice_differentiable

SHAPES = ((6, 3), (4, 3, 5), (3, 2, 4, 3))


def numbers(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


def norm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    with twice_differentiable():
        return F.batch_norm(x, None, None, weight, bias, training=True, eps=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_both_derivatives_equal_finite_differences(shape: tuple[int, ...]) -> None:
    inputs = numbers(*shape), numbers(shape[1], seed=1), numbers(shape[1], seed=2)
    assert gradcheck(norm, inputs)
    assert gradgradcheck(norm, inputs)


@pytest.mark.parametrize("shape", SHAPES)
def test_both_derivatives_equal_those_of_torch(shape: tuple[int, ...]) -> None:
    def second(call: object) -> list[Tensor]:
        inputs = numbers(*shape), numbers(shape[1], seed=1), numbers(shape[1], seed=2)
        y = call(*inputs)
        first = torch.autograd.grad((y.sin() * y).sum(), inputs, create_graph=True)
        return [y, *first, *torch.autograd.grad(sum((one.cos() * one).sum() for one in first), inputs)]

    def torchs(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return F.batch_norm(x, None, None, weight, bias, training=True, eps=1e-3)

    for ours, theirs in zip(second(norm), second(torchs), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_it_is_what_a_module_uses() -> None:
    module, x = nn.BatchNorm2d(2, track_running_stats=False).double(), numbers(3, 2, 4, 4)
    with twice_differentiable():
        inside = module(x)
    assert inside.grad_fn is not None
    assert "_Norm" in inside.grad_fn.name()
    torch.testing.assert_close(inside, module(x))


def test_what_it_does_not_know_is_left_to_torch() -> None:
    x, mean, variance = numbers(5, 2).detach(), torch.zeros(2).double(), torch.ones(2).double()
    for module in (nn.BatchNorm1d(2, affine=False, track_running_stats=False), nn.BatchNorm1d(2).eval()):
        expected = module.double()(x)
        with twice_differentiable():
            assert torch.equal(module(x), expected)
    with twice_differentiable():
        plain = F.batch_norm(x, mean, variance)
    assert torch.equal(plain, F.batch_norm(x, mean, variance))
