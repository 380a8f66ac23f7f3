"""What each method reduces to: by hand, by finite differences, or to another method bit for bit."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import pytest
import torch
from pydantic import Field
from torch import Tensor

from harness.cell import Cell, Protocol, protocol_of
from harness.methods import METHODS, base, maml
from harness.problems import Batch
from harness.training.pack import Pack
from tests import registries
from tests.methods.test_methods import CPU, SINUSOID, cell, exact, protocol, run, variant
from tests.training.plain import parts_of
from tests.training.test_general_engine import perceptron

__all__ = ["protocol"]  # the fixture: one of each problem
EXACT = exact(SINUSOID)
H = 1e-5
"""Step of the differences."""

Seen = dict[str, list]


def rows(protocol: Protocol, method: str, budget: int = 5, **hyper: Any) -> Seen:
    """What the cells of all methods have in common; hyper: in place of the table's."""
    (columns,) = run(cell(protocol, method, **hyper), budget=budget)
    return {name: columns[name] for name in columns if name.startswith(("train_", "val_"))}


# FOMAML


@pytest.mark.parametrize("steps", [1, 3])
def test_fomaml_is_first_order_maml_bit_for_bit(protocol: Protocol, steps: int) -> None:
    plain = variant(protocol, precision="float32", inner_steps=steps)
    first_order, second_order = variant(plain, first_order=True), rows(plain, "maml")
    assert run(cell(plain, "fomaml"), budget=5) == run(cell(first_order, "maml"), budget=5)
    assert rows(plain, "fomaml") != second_order


# ANIL


@pytest.mark.usefixtures("noise")
@pytest.mark.parametrize(
    "problem", [{"problem": "sinusoid"}, {"dataset": "glyphs", "n_way": 5}], ids=["sinusoid", "few-shot"]
)
def test_anil_of_a_network_that_is_all_head_is_maml_bit_for_bit(problem: dict[str, Any]) -> None:
    linear = protocol_of(**problem, network="mlp", layers=0, inner_steps=2, meta_batch=3, validation_tasks=2)
    hyper = {"alpha0": 0.01}
    assert run(cell(linear, "anil", **hyper), budget=5) == run(cell(linear, "maml", **hyper), budget=5)
    deep = variant(linear, layers=1)
    assert rows(deep, "anil", **hyper) != rows(deep, "maml", **hyper)


@pytest.mark.parametrize("steps", [1, 2])
def test_anil_adapts_the_head_alone(steps: int) -> None:
    """A plain loop in which the rest of the network stays; its meta-gradient moves that too."""
    of = Pack([cell(variant(EXACT, inner_steps=steps), "anil", alpha0=0.1)], CPU)
    weights = weights_of(of)
    losses, batch = [], first_batch(of)
    for x, query, y, query_y in zip(*batch, strict=True):
        head = {name: weights[name] for name in ("layer2.weight", "layer2.bias")}
        for _ in range(steps):
            loss = (perceptron(weights | head, x) - y).square().mean()
            gradients = torch.autograd.grad(loss, list(head.values()), create_graph=True)
            head = {name: w - 0.1 * g for (name, w), g in zip(head.items(), gradients, strict=True)}
        losses.append((perceptron(weights | head, query) - query_y).square().mean())
    mean = torch.stack(losses).mean()
    expected = torch.cat([g.ravel() for g in torch.autograd.grad(mean, list(weights.values()))])
    meta = meta_of(of)
    assert float(meta.loss) == pytest.approx(float(mean.detach()), rel=1e-12)
    torch.testing.assert_close(meta.gradient[0], expected, rtol=1e-10, atol=1e-13)
    assert expected[:8].any()  # of the first layer


def weights_of(of: Pack) -> dict[str, Tensor]:
    """Those of the first cell, for plain autograd."""
    named = parts_of(of.engine.network.layout, of.state.weights[0])
    return {name: part.clone().requires_grad_() for name, part in named.items()}


def batch_of(of: Pack) -> Batch:
    """The tasks of iteration 1, for all cells."""
    return of.problem.batch(of.seeds[:1], "train", 1, CPU, of.dtype)


def first_batch(of: Pack) -> Batch:
    """The same, [tasks, n, ...]."""
    return Batch(*(part[0] for part in batch_of(of)))


def meta_of(of: Pack) -> base.MetaGradient:
    """What the update of iteration 1 is made of."""
    return of.method.meta_gradient(of.engine, of.state, batch_of(of), of.hyper, of.protocol)


# Meta-SGD


def brought(method: type[base.Method], monkeypatch: pytest.MonkeyPatch) -> None:
    """Known until the test ends."""
    registries.for_now(monkeypatch)
    METHODS.add(method.name, method(), method.__module__)


def test_a_meta_gradient_of_its_own_sees_the_hyper_parameters_of_its_cells(
    protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Own(maml.MAML):
        name = "own"

        def meta_gradient(self, engine: Any, state: Any, batch: Batch, hyper: Any, protocol: Any) -> Any:
            rates = torch.cat([state.alpha, hyper["alpha0"]], 1).mean(1, keepdim=True)
            return super().meta_gradient(engine, state._replace(alpha=rates), batch, hyper, protocol)

    brought(Own, monkeypatch)
    of = exact(protocol)
    cells = [
        Cell(protocol=of, method=method, hyper={"alpha0": alpha0, "beta0": 0.01}, seed=0)
        for method in ("own", "maml")
        for alpha0 in (0.1, 0.05)
    ]
    assert run(*cells[:2], budget=3) == run(*cells[2:], budget=3)


# Reptile


def test_reptile_with_one_step_is_sgd_on_the_support_loss() -> None:
    """theta - eps * alpha * the mean over tasks of the gradient."""
    pack = Pack([cell(EXACT, "reptile", alpha0=0.05, eps0=0.7, steps=1)], CPU)
    weights, batch = weights_of(pack), first_batch(pack)
    losses = [
        (perceptron(weights, x) - y).square().mean()
        for x, y in zip(batch.support, batch.support_targets, strict=True)
    ]
    gradients = torch.autograd.grad(torch.stack(losses).mean(), list(weights.values()))
    expected = [w - 0.7 * 0.05 * g for w, g in zip(weights.values(), gradients, strict=True)]
    pack.advance(range(1, 2))
    flat = torch.cat([part.detach().ravel() for part in expected])
    torch.testing.assert_close(pack.state.weights[0], flat, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("inner_steps", [1, 4], ids="the protocol's steps are {}".format)
def test_reptile_by_hand(inner_steps: int) -> None:
    """Three steps of torch's own SGD on each task; the training loss is that of the query afterwards. The
    protocol's number of steps is left alone."""
    pack = Pack([cell(variant(EXACT, inner_steps=inner_steps), "reptile", alpha0=0.05, eps0=0.7)], CPU)
    start, losses, ends = weights_of(pack), [], []
    for x, query, y, query_y in zip(*first_batch(pack), strict=True):
        fast = {name: part.detach().clone().requires_grad_() for name, part in start.items()}
        optimizer = torch.optim.SGD(fast.values(), lr=0.05)
        for _ in range(3):
            optimizer.zero_grad()
            (perceptron(fast, x) - y).square().mean().backward()
            optimizer.step()
        losses.append(float((perceptron(fast, query) - query_y).square().mean().detach()))
        ends.append(torch.cat([part.detach().ravel() for part in fast.values()]))
    (moment,) = pack.advance(range(1, 2))
    before = moment.state.weights[0]
    expected = before + 0.7 * (torch.stack(ends).mean(0) - before)
    assert float(moment.loss) == pytest.approx(sum(losses) / len(losses), rel=1e-12)
    torch.testing.assert_close(pack.state.weights[0], expected, rtol=1e-12, atol=1e-14)


def test_cells_with_other_steps_go_into_other_packs() -> None:
    with pytest.raises(ValueError, match="differ in numbers alone"):
        Pack([cell(EXACT, "reptile", steps=steps) for steps in (1, 2)], CPU)


# Alpha-MAML


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_alpha_maml_with_hyper_rates_0_is_maml_bit_for_bit(protocol: Protocol, optimizer: str) -> None:
    of = variant(protocol, precision="float32", meta_optimizer=optimizer)
    (ours,) = run(cell(of, "alpha-maml", alpha_hyperlr=0.0, beta_hyperlr=0.0), budget=5)
    (mamls,) = run(cell(of, "maml"), budget=5)
    assert ours == mamls


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_both_hypergradients_by_finite_differences(optimizer: str, steps: int) -> None:
    """alpha moves by the derivative of the first loss by alpha, beta by that of the second loss by the beta
    of the first update."""
    of = variant(EXACT, meta_optimizer=optimizer, inner_steps=steps)

    def losses(**hyper: float) -> list[float]:
        (still,) = run(cell(of, "maml", **{"alpha0": 0.05, "beta0": 0.01} | hyper), budget=2)
        return still["train_loss"]

    hyper = {"alpha0": 0.05, "beta0": 0.01, "alpha_hyperlr": 1e-3, "beta_hyperlr": 1e-4}
    (ours,) = run(cell(of, "alpha-maml", **hyper), budget=3)
    by_alpha = (losses(alpha0=0.05 + H)[0] - losses(alpha0=0.05 - H)[0]) / (2 * H)
    assert ours["alpha"][1] - 0.05 == pytest.approx(-1e-3 * by_alpha, rel=1e-6)
    (fixed,) = run(cell(of, "alpha-maml", **hyper | {"alpha_hyperlr": 0.0}), budget=3)
    by_beta = (losses(beta0=0.01 + H)[1] - losses(beta0=0.01 - H)[1]) / (2 * H)
    assert fixed["beta"][1] - 0.01 == pytest.approx(-1e-4 * by_beta, rel=1e-6)


# Hyper-parameters of any type


class Options(maml.Hyper):
    rule: Literal["still", "wild"] = Field("still", description="a choice")
    times: int = Field(1, ge=1, description="a whole number")
    negative: bool = Field(False, description="a flag")


class Choosy(maml.MAML):
    """MAML that moves alpha as its hyper-parameters say."""

    name = "choosy"
    Hyper = Options
    columns: ClassVar = maml.MAML.columns

    def step(
        self,
        state: base.State,
        meta: base.MetaGradient,
        hyper: base.Values,
        optimize: base.Optimize,
        protocol: Any,
    ) -> base.State:
        state = super().step(state, meta, hyper, optimize, protocol)
        if hyper["rule"] == "still":
            return state
        sign = -1 if hyper["negative"] else 1
        return state._replace(alpha=state.alpha + sign * hyper["times"] * hyper["beta0"])


def test_hyper_parameters_of_any_type_reach_the_method(monkeypatch: pytest.MonkeyPatch) -> None:
    brought(Choosy, monkeypatch)

    def choosy(**hyper: Any) -> Cell:
        return Cell(protocol=EXACT, method="choosy", hyper={"alpha0": 0.1, "beta0": 0.01} | hyper, seed=0)

    assert run(choosy(), budget=3)[0] == run(cell(EXACT, "maml"), budget=3)[0]
    cells = [choosy(rule="wild", times=2, negative=True, beta0=beta0) for beta0 in (0.01, 0.02)]
    for one, step in zip(run(*cells, budget=3), (0.02, 0.04), strict=True):
        assert one["alpha"] == pytest.approx([0.1, 0.1 - step, 0.1 - 2 * step])
    with pytest.raises(ValueError, match="differ in numbers alone"):
        Pack([cells[0], choosy(rule="wild", times=2, negative=False)], CPU)
