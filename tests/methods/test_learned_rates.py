"""Rates that are learned: Meta-SGD, and methods with a rate for each tensor or step."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from harness.cell import Cell, Protocol, Question
from harness.common.errors import UserError
from harness.methods import base, maml, meta_sgd
from harness.problems.networks import Layout
from harness.training import loop
from harness.training.pack import Pack
from tests.methods.test_methods import CPU, cell, protocol, run, variant
from tests.methods.test_reductions import EXACT, H, batch_of, brought, meta_of

__all__ = ["protocol"]  # the fixture: one of each problem


def test_the_first_meta_gradient_of_meta_sgd_is_mamls_bit_for_bit(protocol: Protocol) -> None:
    for precision in ("float32", "float64"):
        of = [Pack([cell(variant(protocol, precision=precision), m)], CPU) for m in ("meta-sgd", "maml")]
        ours, mamls = (meta_of(one) for one in of)
        assert torch.equal(ours.gradient, mamls.gradient)
        assert torch.equal(ours.loss, mamls.loss)
        assert torch.equal(ours.by_rates.double().sum(1, keepdim=True), mamls.by_rates)


class Frozen(meta_sgd.MetaSGD):
    """Meta-SGD whose inner rates stay."""

    name = "frozen"

    def step(self, state: base.State, *given: Any) -> base.State:
        return super().step(state, *given)._replace(alpha=state.alpha)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_meta_sgd_with_frozen_rates_is_maml_bit_for_bit(
    protocol: Protocol, optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought(Frozen, monkeypatch)
    of = variant(protocol, precision="float32", meta_optimizer=optimizer)
    hyper = {"alpha0": 0.1, "beta0": 0.01}
    (ours,) = run(Cell(protocol=of, method="frozen", hyper=hyper, seed=0), budget=5)
    (mamls,) = run(cell(of, "maml", **hyper), budget=5)
    for name in mamls.keys() - {"alpha"}:
        assert ours[name] == mamls[name], name
    assert ours["alpha_lowest"] == ours["alpha_highest"] == mamls["alpha"]


def test_meta_sgd_moves_each_rate_down_its_slope(protocol: Protocol) -> None:
    rates_follow_their_slopes(variant(protocol, meta_optimizer="sgd"), "meta-sgd", every=29)


def rates_follow_their_slopes(of: Protocol, method: str, every: int = 1) -> None:
    """By SGD, a rate moves by -beta times the derivative of the meta-loss, here by differences of it."""
    one = Cell(protocol=of, method=method, hyper={"alpha0": 0.05, "beta0": 0.01}, seed=0)
    pack = Pack([one], CPU)
    before, batch = pack.state, batch_of(pack)
    pack.advance(range(1, 2))
    moved = (pack.state.alpha - before.alpha).flatten()

    def loss(at: int, by: float) -> float:
        rates = before.alpha.clone()
        rates.view(-1)[at] += by
        return float(pack.engine.adapted(before.weights, rates, batch, of.inner_steps).loss)

    for at in range(0, len(moved), every):
        slope = (loss(at, H) - loss(at, -H)) / (2 * H)
        assert float(moved[at]) == pytest.approx(-0.01 * slope, rel=1e-5, abs=1e-12)
    assert len(moved.unique()) > 1


class Shared(meta_sgd.MetaSGD):
    """Meta-SGD with a rate for each tensor and inner step, as in MAML++."""

    name = "shared"

    def start(
        self,
        weights: Tensor,
        hyper: base.Values,
        optimizer: base.Optimizer,
        layout: Layout,
        protocol: Any,
    ) -> base.State:
        shape = self.shape(layout, protocol)
        alpha = hyper["alpha0"].view(-1, *(1 for _ in shape)).expand(-1, *shape).contiguous()
        return base.State(weights, alpha, hyper["beta0"], optimizer.start(base.joined(weights, alpha)))

    def shape(self, layout: Layout, protocol: Any) -> tuple[int, ...]:
        return protocol.inner_steps, len(layout.adapted)


class OfTensors(Shared):
    """A rate for each tensor, the same in all steps."""

    def shape(self, layout: Layout, protocol: Any) -> tuple[int, ...]:
        return (len(layout.adapted),)


class OfSteps(Shared):
    """A rate for each step, the same for all weights."""

    def shape(self, layout: Layout, protocol: Any) -> tuple[int, ...]:
        return protocol.inner_steps, 1


@pytest.mark.parametrize("kind", [Shared, OfTensors, OfSteps])
def test_a_method_may_have_rates_of_tensors_and_steps(
    kind: type[Shared], protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On both engines: each rate moves down its slope, and the first loss is MAML's."""
    brought(kind, monkeypatch)
    of = variant(protocol, inner_steps=3, meta_optimizer="sgd")
    rates_follow_their_slopes(of, "shared")
    hyper = {"alpha0": 0.05, "beta0": 0.01}
    (ours,) = run(Cell(protocol=of, method="shared", hyper=hyper, seed=0), budget=3)
    (mamls,) = run(cell(of, "maml", **hyper), budget=3)
    assert ours["train_loss"][0] == pytest.approx(mamls["train_loss"][0], rel=1e-12)
    assert ours["train_loss"][1] != mamls["train_loss"][1]


class Misshapen(maml.MAML):
    """Three rates, whatever the network."""

    name = "misshapen"

    def start(self, weights: Tensor, hyper: base.Values, *given: Any) -> base.State:
        state = super().start(weights, hyper, *given)
        return state._replace(alpha=hyper["alpha0"].expand(-1, 3))


def test_rates_that_fit_no_parameters_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    brought(Misshapen, monkeypatch)
    hyper = {"alpha0": 0.1, "beta0": 0.01}
    one = Cell(protocol=EXACT, method="misshapen", hyper=hyper, seed=0)
    with pytest.raises(UserError, match=r"inner rates of shape \[1, 3\]: .*n one of 1, 6, 97"):
        next(loop.train([one], Question(max_iterations=1)))
