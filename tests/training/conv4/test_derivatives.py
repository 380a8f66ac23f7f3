"""The network's loss, gradient and Hessian products against torch's own operators and plain autograd."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from harness.cell import Protocol, protocol_of
from harness.problems.networks.conv4 import initial
from harness.training.conv4 import derivatives
from tests.conftest import SMALL
from tests.training.plain import named, plain_loss, plain_scores

READINGS = {
    "shift": {},
    "scale": {"norm_scale": True},
    "adapted": {"norm_scale": True, "norm_adapted": True},
    "4 layers": {"layers": 4, "norm_eps": 0.1},
    "1 layer": {"layers": 1},
    "5 shots": {"k_shot": 5},
}


def variant(**fields: object) -> Protocol:
    return protocol_of(**SMALL.model_dump() | fields)


def moved(protocol: Protocol, groups: int) -> Tensor:
    """Weights [groups, P] with biases and norms away from 0 and 1."""
    weights = torch.stack([torch.from_numpy(initial(protocol, seed)) for seed in range(groups)])
    generator = torch.Generator().manual_seed(0)
    return weights + 0.1 * torch.randn(weights.shape, generator=generator, dtype=torch.float64)


def random_images(protocol: Protocol, groups: int) -> Tensor:
    n = protocol.n_way * protocol.k_shot
    return torch.rand(groups, n, 28, 28, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def by_autograd(protocol: Protocol, flat: Tensor, images: Tensor, along: Tensor) -> tuple[Tensor, ...]:
    """Of one network: loss, gradient [P], Hessian times `along` [P]."""
    flat = flat.clone().requires_grad_()
    loss = plain_loss(protocol, named(protocol, flat), images)
    (gradient,) = torch.autograd.grad(loss, flat, create_graph=True)
    (product,) = torch.autograd.grad(gradient, flat, along)
    return loss.detach(), gradient.detach(), product


@pytest.mark.parametrize("fields", READINGS.values(), ids=READINGS)
@pytest.mark.parametrize("shared", [4, 2, 1], ids="weights for each {} of 4 groups".format)
def test_equal_to_autograd(fields: dict, shared: int) -> None:
    protocol = variant(**fields)
    weights, images = moved(protocol, shared), random_images(protocol, 4)
    each = weights.repeat_interleave(4 // shared, 0)
    generator = torch.Generator().manual_seed(2)
    along = torch.randn(each.shape, generator=generator, dtype=torch.float64)
    expected = [by_autograd(protocol, *one) for one in zip(each, images, along, strict=True)]
    losses, gradients, products = (torch.stack(part) for part in zip(*expected, strict=True))

    loss = derivatives.loss(protocol, weights, derivatives.cut(protocol, images))
    scores = [plain_scores(protocol, named(protocol, w), x) for w, x in zip(each, images, strict=True)]
    torch.testing.assert_close(loss.scores, torch.stack(scores), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(loss.mean, losses, rtol=1e-12, atol=0)
    gradient = derivatives.gradient(protocol, loss)
    torch.testing.assert_close(gradient.flat, gradients, rtol=1e-10, atol=1e-13)
    ours = derivatives.hessian_product(protocol, loss, gradient, along)
    summed = products.unflatten(0, (shared, -1)).sum(1)
    torch.testing.assert_close(ours, summed, rtol=1e-9, atol=1e-11)


def test_groups_do_not_touch_each_other() -> None:
    weights, images = moved(SMALL, 3), random_images(SMALL, 3)
    along = torch.ones_like(weights)

    def all_three() -> list[Tensor]:
        loss = derivatives.loss(SMALL, weights, derivatives.cut(SMALL, images))
        gradient = derivatives.gradient(SMALL, loss)
        return [loss.mean, gradient.flat, derivatives.hessian_product(SMALL, loss, gradient, along)]

    before = all_three()
    weights[1] = float("nan")
    images[1] = float("inf")
    for old, new in zip(before, all_three(), strict=True):
        assert torch.equal(old[[0, 2]], new[[0, 2]])
        assert not torch.isfinite(new[1]).any()
