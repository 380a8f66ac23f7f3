"""The meta-gradient and both hypergradients: by hand, by finite differences, against plain autograd."""

from __future__ import annotations

from math import log
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from harness.cell import Protocol, protocol_of
from harness.problems import episodes
from harness.problems.episodes import Images
from harness.problems.networks import Layout, Part
from harness.problems.networks.conv4 import initial, layout
from harness.training.conv4 import metagradient
from harness.training.conv4.metagradient import adapt, meta_gradient
from harness.training.conv4.operators import Patches
from tests.conftest import SMALL
from tests.training.plain import named, plain_meta_loss

ALL = 10**6  # the whole meta-batch as one chunk
H = 1e-7  # step of the differences: at 1e-6 some already cross a kink of a ReLU


def variant(**fields: object) -> Protocol:
    return protocol_of(**SMALL.model_dump() | fields)


def batch(protocol: Protocol, seed: int = 0, iteration: int = 1) -> Images:
    """One seed's random images [1, tasks, n, 28, 28, 1] (no data set needed)."""
    generator = torch.Generator().manual_seed(1000 * seed + iteration)
    images = torch.randint(256, (1623, 20, 28, 28), generator=generator, dtype=torch.uint8)
    drawn = episodes.training(protocol, seed, iteration)
    support, query = episodes.gather(drawn, images, protocol.k_shot, torch.float64)
    return Images(support.unsqueeze(0), query.unsqueeze(0))


def start(protocol: Protocol, seed: int = 0) -> Tensor:
    """Initial weights [1, P], batch norm's moved off its special values 0 and 1."""
    weights = torch.from_numpy(initial(protocol, seed)).unsqueeze(0)
    generator = torch.Generator().manual_seed(seed)
    return weights + 0.1 * torch.randn(weights.shape, generator=generator, dtype=torch.float64)


def rate_of(alpha: float) -> Tensor:
    return torch.tensor([[alpha]], dtype=torch.float64)


def meta_loss(protocol: Protocol, weights: Tensor, alpha: float | Tensor, images: Images) -> float:
    """The reduced meta-loss as a number: the function that all gradients here are derivatives of."""
    rate = torch.as_tensor(alpha, dtype=torch.float64).reshape(1, -1)
    value = float(adapt(protocol, weights, rate, images, ALL).loss[0])
    if protocol.task_reduction == "sum":
        value *= protocol.meta_batch
    return value * (protocol.n_way if protocol.loss_scale == "sum_over_shots" else 1)


READINGS = {
    "paper-adam": {},
    "sum": {"task_reduction": "sum"},
    "3 steps": {"inner_steps": 3},
    "adapted norm": {"norm_scale": True, "norm_adapted": True, "inner_steps": 2},
    "scale, not adapted": {"norm_scale": True},
    "5 shots": {"k_shot": 5, "k_query": 2, "loss_scale": "sum_over_shots"},
}


@pytest.mark.parametrize("fields", READINGS.values(), ids=READINGS)
def test_gradients_equal_finite_differences(fields: dict) -> None:
    protocol = variant(**fields)
    weights, images, alpha = start(protocol), batch(protocol), 0.05
    meta = meta_gradient(protocol, weights, rate_of(alpha), images, ALL)
    h = H
    for seed in range(4):  # along random directions: a gradient that is wrong anywhere shows
        generator = torch.Generator().manual_seed(seed)
        along = torch.randn(weights.shape, generator=generator, dtype=torch.float64)
        up, down = (meta_loss(protocol, weights + s * h * along, alpha, images) for s in (1, -1))
        assert float((meta.gradient * along).sum()) == pytest.approx((up - down) / (2 * h), rel=1e-6)
    up, down = (meta_loss(protocol, weights, alpha + s * h, images) for s in (1, -1))
    assert float(meta.by_rates.sum()) == pytest.approx((up - down) / (2 * h), rel=1e-6)


def test_by_rates_of_every_parameter_equals_finite_differences() -> None:
    protocol = variant(inner_steps=2)
    weights, images = start(protocol), batch(protocol)
    size = layout(protocol).adapted_size
    generator = torch.Generator().manual_seed(0)
    alpha = 0.05 + 0.01 * torch.rand(1, size, generator=generator, dtype=torch.float64)
    meta = meta_gradient(protocol, weights, alpha, images, ALL)
    along, h = torch.randn(1, size, generator=generator, dtype=torch.float64), H
    up, down = (meta_loss(protocol, weights, alpha + s * h * along, images) for s in (1, -1))
    assert float((meta.by_rates * along).sum()) == pytest.approx((up - down) / (2 * h), rel=1e-6)


def test_beta_hypergradient_equals_finite_differences() -> None:
    """Eq. 6: d/dbeta L_i(theta - beta * direction) = - meta-gradient_i . direction."""
    protocol = variant()
    weights, rate = start(protocol), rate_of(0.05)
    direction = meta_gradient(protocol, weights, rate, batch(protocol, iteration=1), ALL).gradient
    now, beta, h = batch(protocol, iteration=2), 0.3, H
    gradient = meta_gradient(protocol, weights - beta * direction, rate, now, ALL).gradient
    up, down = (meta_loss(protocol, weights - (beta + s * h) * direction, 0.05, now) for s in (1, -1))
    assert -float((gradient * direction).sum()) == pytest.approx((up - down) / (2 * h), rel=1e-6)


@pytest.mark.parametrize("chunk", [1, 2, 3, 7])
def test_chunks_of_a_meta_batch_add_up(chunk: int) -> None:
    protocol = variant()
    weights, images, rate = start(protocol), batch(protocol), rate_of(0.05)
    whole = meta_gradient(protocol, weights, rate, images, ALL)
    in_chunks = meta_gradient(protocol, weights, rate, images, chunk)
    for a, b in zip(whole, in_chunks, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("first_order", [False, True])
@pytest.mark.parametrize("inner_steps", [1, 3])
@pytest.mark.parametrize("norm", [False, True])
def test_equals_autograd_through_the_whole_inner_loop(
    inner_steps: int, first_order: bool, norm: bool
) -> None:
    protocol = variant(
        inner_steps=inner_steps,
        first_order=first_order,
        task_reduction="sum",
        norm_scale=norm,
        norm_adapted=norm,
    )
    flat, images = start(protocol), batch(protocol)
    weights = {name: part.clone().requires_grad_() for name, part in named(protocol, flat[0]).items()}
    alpha = torch.tensor(0.05, dtype=torch.float64, requires_grad=True)
    loss = plain_meta_loss(protocol, weights, alpha, images)
    *expected, by_alpha = torch.autograd.grad(loss, [*weights.values(), alpha])
    meta = meta_gradient(protocol, flat, alpha.detach().reshape(1, 1), images, ALL)
    assert float(meta.loss[0]) * protocol.meta_batch == pytest.approx(float(loss.detach()), rel=1e-12)
    flattened = torch.cat([e.flatten() for e in expected])
    torch.testing.assert_close(meta.gradient[0], flattened, rtol=1e-9, atol=1e-11)
    assert float(meta.by_rates.sum()) == pytest.approx(float(by_alpha), rel=1e-10)


class OneWeight:
    """In place of the derivatives, a model to do by hand: scores (w x, 0), x an image's first pixel.

    L(w) = 1/2 [log(1 + e^(-w x)) + log 2], L' = -x/2 (1 - s), L'' = x^2/2 s (1 - s) with s = s(w x).
    """

    def cut(self, protocol: Protocol, images: Tensor) -> Patches:
        """The first pixel of each image."""
        return Patches(images[:, :, 0, 0, 0], images[:, :1, 0, 0, 0])

    def loss(self, protocol: Protocol, w: Tensor, images: Patches) -> SimpleNamespace:
        x = images.windows[:, :1]
        wx = images.windows * w
        scores = torch.stack([wx, torch.zeros_like(wx)], -1)
        mean = ((-w * x).exp().log1p() + log(2))[:, 0] / 2
        return SimpleNamespace(mean=mean, scores=scores, x=x, s=torch.sigmoid(w * x))

    def gradient(self, protocol: Protocol, at: SimpleNamespace) -> SimpleNamespace:
        return SimpleNamespace(flat=-at.x / 2 * (1 - at.s))

    def hessian_product(self, protocol: Protocol, at: SimpleNamespace, slope: object, v: Tensor) -> Tensor:
        return at.x**2 / 2 * at.s * (1 - at.s) * v


@pytest.fixture
def one_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Layout(adapted=(Part(name="w", shape=(1,)),), others=(), head=frozenset())
    monkeypatch.setattr(metagradient, "layout", lambda protocol: one)
    monkeypatch.setattr(metagradient, "derivatives", OneWeight())


def by_hand(steps: int, alpha: float, support: float, query: float, first_order: bool = False) -> tuple:
    protocol = variant(n_way=2, inner_steps=steps, first_order=first_order)
    pixels = torch.zeros(2, 1, 1, 2, 28, 28, 1, dtype=torch.float64)  # class 1 has x = 0
    pixels[0, :, :, 0, 0, 0, 0], pixels[1, :, :, 0, 0, 0, 0] = support, query
    weight, rate = torch.zeros(1, 1).double(), rate_of(alpha)
    meta = meta_gradient(protocol, weight, rate, Images(*pixels), ALL)
    return tuple(float(x) for x in (meta.loss, meta.gradient, meta.by_rates))


def test_one_step_by_hand(one_weight: None) -> None:
    """L(w) = 1/2 [log(1 + e^(-w x)) + log 2], L' = -x/2 (1 - s(w x)), L'' = x^2/2 s (1 - s).

    Support x = 2 at w = 0: L' = -1/2, L'' = 1/2. alpha = 1: w' = 1/2. Query x = 2 ln 3: s(w' x) = 3/4,
    L_Q = 1/2 [log 4/3 + log 2], L_Q' = -ln 3 / 4. Then dL/dw = L_Q' (1 - alpha L'') = -ln 3 / 8 and
    dL/dalpha = - L_Q' L' = -ln 3 / 8.
    """
    expected = (0.5 * log(8 / 3), -log(3) / 8, -log(3) / 8)
    assert by_hand(1, 1.0, 2.0, 2 * log(3)) == pytest.approx(expected, rel=1e-14)
    first_order = (0.5 * log(8 / 3), -log(3) / 4, -log(3) / 8)
    assert by_hand(1, 1.0, 2.0, 2 * log(3), True) == pytest.approx(first_order, rel=1e-14)


def test_two_steps_by_hand(one_weight: None) -> None:
    """alpha = ln 3, support x = 2: w = 0, then ln 3 / 2 (g_0 = -1/2), where s = 3/4, so g_1 = -1/4 and
    w = 3/4 ln 3; the Hessians are 1/2 and 3/8. Query x = 4/3: s = 3/4 again, q_2 = -1/6.
    """
    a = log(3)
    q2 = -1 / 6
    q1 = q2 * (1 - a * 3 / 8)
    q0 = q1 * (1 - a / 2)
    expected = (0.5 * log(8 / 3), q0, q2 / 4 + q1 / 2)
    assert by_hand(2, a, 2.0, 4 / 3) == pytest.approx(expected, rel=1e-13)
    first_order = (0.5 * log(8 / 3), q2, q2 / 4 + q2 / 2)
    assert by_hand(2, a, 2.0, 4 / 3, True) == pytest.approx(first_order, rel=1e-13)
