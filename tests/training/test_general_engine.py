"""The engine for any network: plain autograd, finite differences, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from harness.cell import protocol_of
from harness.common.errors import UserError
from harness.problems import Batch
from harness.training import tracing
from harness.training.autodiff import LoopedEngine, MappedEngine
from harness.training.engine import Engine
from tests.training import own
from tests.training.plain import plain_pass
from tests.training.test_engines import (
    GENERAL,
    RATES,
    SINUSOID,
    Case,
    H,
    adapted,
    case,
    close,
    meta,
)


def cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    return -outputs.log_softmax(1)[torch.arange(len(targets)), targets].mean()


def perceptron(weights: dict[str, Tensor], x: Tensor) -> Tensor:
    for i in (0, 1):
        x = F.linear(x, weights[f"layer{i}.weight"], weights[f"layer{i}.bias"]).relu()
    return F.linear(x, weights["layer2.weight"], weights["layer2.bias"])


def of_name(name: str, monkeypatch: pytest.MonkeyPatch, **fields: object) -> Case:
    protocol = SINUSOID if name == "sinusoid" else own.protocol(monkeypatch)
    return case(protocol_of(**protocol.model_dump() | fields), own_tasks=True)


def plain_loss(name: str, weights: dict[str, Tensor], inputs: Tensor, targets: Tensor) -> Tensor:
    if name == "sinusoid":
        return F.mse_loss(perceptron(weights, inputs), targets)
    return cross_entropy(own.pooled(weights, inputs), targets)


@pytest.mark.parametrize("first_order", [False, True], ids=["second order", "first order"])
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("kind", GENERAL)
@pytest.mark.parametrize("name", ["sinusoid", "max-pooling, RGB"])
def test_the_general_engine_equals_plain_autograd(
    name: str, kind: type[Engine], steps: int, first_order: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = of_name(name, monkeypatch, inner_steps=steps, first_order=first_order)
    rates = of.rates("steps, weights") / 5
    engine = of.engine(kind)
    ours, moved = meta(engine, of, rates), adapted(engine, of, rates)
    for at in range(len(of.weights)):
        expected = plain_pass(
            lambda *given: plain_loss(name, *given),
            of.network.layout,
            of.weights[at],
            rates[at],
            Batch(*(part[at] for part in of.batch)),
            first_order,
        )
        assert float(ours.loss[at]) == pytest.approx(expected.loss, rel=1e-12)
        assert float(moved.loss[at]) == pytest.approx(expected.loss, rel=1e-12)
        close(ours.gradient[at], expected.gradient)
        close(ours.by_rates[at], expected.by_rates)
        close(moved.weights[at], expected.adapted)


def test_metrics_are_those_of_the_adapted_network(monkeypatch: pytest.MonkeyPatch) -> None:
    of = of_name("max-pooling, RGB", monkeypatch)
    rates = torch.zeros(2, 1, dtype=torch.float64)
    layout = of.network.layout
    for at in range(2):
        scores = [own.pooled(layout.named(of.weights[at]), images).argmax(1) for images in of.batch.query[at]]
        expected = (torch.stack(scores) == of.batch.query_targets[at]).double().mean()
        for result in (meta, adapted):
            (accuracy,) = result(of.engine(MappedEngine), of, rates).metrics
            assert float(accuracy[at]) == float(expected)


@pytest.mark.parametrize("kind", RATES)
@pytest.mark.parametrize("name", ["sinusoid", "max-pooling, RGB"])
def test_the_general_engine_equals_finite_differences(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the loss by weights and by rates, along random directions: an entry that is wrong anywhere shows."""
    of = of_name(name, monkeypatch, inner_steps=2)
    rates, engine = of.rates(kind) / 5, of.engine(MappedEngine if name == "sinusoid" else LoopedEngine)
    ours = meta(engine, of, rates)

    def loss(weights: Tensor, rates: Tensor) -> Tensor:
        return engine.adapted(weights, rates, of.batch, 2).loss

    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        w, r = (torch.randn(x.shape, generator=generator, dtype=torch.float64) for x in (of.weights, rates))
        by_weights = (loss(of.weights + H * w, rates) - loss(of.weights - H * w, rates)) / (2 * H)
        by_rates = (loss(of.weights, rates + H * r) - loss(of.weights, rates - H * r)) / (2 * H)
        torch.testing.assert_close((ours.gradient * w).sum(1), by_weights, rtol=1e-6, atol=1e-8)
        torch.testing.assert_close((ours.by_rates * r).flatten(1).sum(1), by_rates, rtol=1e-6, atol=1e-8)


def test_the_sum_over_tasks_is_the_mean_times_their_number() -> None:
    mean, total = (
        case(protocol_of(**SINUSOID.model_dump() | {"task_reduction": r})) for r in ("mean", "sum")
    )
    rates = mean.rates("weights")
    one, other = (meta(of.engine(MappedEngine), of, rates) for of in (mean, total))
    squares = tuple(3 * square for square in one.squares)
    close(other, one._replace(gradient=3 * one.gradient, by_rates=3 * one.by_rates, squares=squares))


@pytest.mark.parametrize("shape", [(2, 2), (2, 3, 1), (2,), (2, 1, 1, 1)])
def test_rates_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    of = case(SINUSOID)
    with pytest.raises(UserError, match=r"^inner rates of shape \[2.*n one of 1, 6, 61$"):
        adapted(of.engine(MappedEngine), of, torch.ones(shape, dtype=torch.float64))


def test_an_engine_is_asked_for_rates_of_steps_after_others() -> None:
    of = case(protocol_of(**SINUSOID.model_dump() | {"inner_steps": 2}))
    for kind in GENERAL:
        engine = of.engine(kind)
        for rates in ("one", "steps, one", "weights"):
            close(meta(engine, of, of.rates(rates)), meta(of.engine(kind), of, of.rates(rates)))


def test_what_is_recorded_gives_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "FEW", 2)
    of = case(SINUSOID, cells=3, own_tasks=True)
    for kind in ("one", "steps, weights"):
        engine, rates = of.engine(MappedEngine), of.rates(kind)
        first, *others = (meta(engine, of, rates) for _ in range(4))
        for other in others:
            assert torch.equal(first.gradient, other.gradient)
            assert torch.equal(first.by_rates, other.by_rates)
            assert torch.equal(first.loss, other.loss)
