"""What the methods of the league reduce to: by hand, by finite differences, or to MAML bit for bit."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from harness.cell import Protocol
from harness.methods import lslr, maml_prodigy, optimizers
from harness.training.pack import Pack
from tests.conftest import SMALL
from tests.methods.test_learned_rates import rates_follow_their_slopes
from tests.methods.test_methods import CPU, SINUSOID, cell, exact, protocol, run, variant
from tests.methods.test_reductions import H, batch_of, meta_of, weights_of
from tests.training.test_general_engine import perceptron

__all__ = ["protocol"]  # the fixture: one of each problem
EXACT = exact(SINUSOID)
TINY = 1e-30
"""In place of eps."""


def losses(of: Protocol, method: str, budget: int = 5, **hyper: Any) -> list[float]:
    (rows,) = run(cell(of, method, **hyper), budget=budget)
    return rows["train_loss"]


def moved(pack: Pack, iterations: int) -> torch.Tensor:
    """The weights after each of some updates: [iterations + 1, P], of a pack of one cell."""
    states = [pack.state.weights[0]]
    for i in range(1, iterations + 1):
        pack.advance(range(i, i + 1))
        states.append(pack.state.weights[0])
    return torch.stack(states)


# LSLR


@pytest.mark.parametrize("msl", [False, True], ids=["last step", "all steps"])
def test_the_first_meta_gradient_of_lslr_is_mamls(protocol: Protocol, msl: bool) -> None:
    """With one step `msl` has nothing to weigh."""
    of = [Pack([cell(protocol, "lslr", msl=msl)], CPU), Pack([cell(protocol, "maml")], CPU)]
    ours, mamls = (meta_of(one) for one in of)
    assert torch.equal(ours.loss, mamls.loss)
    torch.testing.assert_close(ours.gradient, mamls.gradient, rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(
        ours.by_rates.double().sum((1, 2))[:, None], mamls.by_rates, rtol=1e-10, atol=0
    )


def test_each_rate_of_lslr_moves_down_its_slope(protocol: Protocol) -> None:
    rates_follow_their_slopes(variant(protocol, inner_steps=3, meta_optimizer="sgd"), "lslr")


def test_the_weights_of_the_steps() -> None:
    """MAML++'s: all the same at first; a tenth of each is gone after 500 iterations; .03/S stays."""
    for made, others in ((0, 0.2), (499, 0.2), (500, 0.18), (1000, 0.16), (4500, 0.02), (9000, 0.006)):
        weights = [float(one) for one in lslr.step_weights(torch.tensor([[made]]).double(), 5)]
        assert weights == pytest.approx([*[others] * 4, 1 - 4 * others], rel=1e-12)
    assert [float(one) for one in lslr.step_weights(torch.tensor([[700.0]]).double(), 1)] == [1.0]


def test_the_multi_step_loss_by_finite_differences() -> None:
    """Weights and rates move down the slope of the mean of the losses after one, two and three steps; what is
    recorded is the last one's."""
    of = variant(EXACT, inner_steps=3, meta_optimizer="sgd")
    pack = Pack([cell(of, "lslr", msl=True, alpha0=0.05)], CPU)
    before, batch = pack.state, batch_of(pack)

    def loss(weights: torch.Tensor, rates: torch.Tensor) -> float:
        after = [pack.engine.adapted(weights, rates[:, :k], batch, k).loss for k in (1, 2, 3)]
        return float(sum(after)) / 3

    (moment,) = pack.advance(range(1, 2))
    last = pack.engine.adapted(before.weights, before.alpha, batch, 3).loss
    assert float(moment.loss) == pytest.approx(float(last), rel=1e-12)
    for name in ("weights", "alpha"):
        old, new = (getattr(state, name) for state in (before, pack.state))
        for at in range(0, old.numel(), 7 if name == "weights" else 1):
            step = torch.zeros_like(old)
            step.view(-1)[at] = H
            sides = ([before.weights, before.alpha] for _ in range(2))
            slope = 0.0
            for given, sign in zip(sides, (1, -1), strict=True):
                given[name == "alpha"] = old + sign * step
                slope += sign * loss(*given) / (2 * H)
            change = float((new - old).flatten()[at])
            assert change == pytest.approx(-0.01 * slope, rel=1e-5, abs=1e-11), (name, at)


# La-MAML


def test_la_maml_with_eta_0_is_maml_by_sgd(protocol: Protocol) -> None:
    """With beta0 = alpha0, and gradients that are not clipped."""
    of = variant(protocol, meta_optimizer="adam")
    ours = losses(of, "la-maml", alpha0=0.05, eta=0.0, clip=1e9)
    mamls = losses(variant(protocol, meta_optimizer="sgd"), "maml", alpha0=0.05, beta0=0.05)
    assert ours == pytest.approx(mamls, rel=1e-10)


def test_la_maml_by_hand() -> None:
    """Two updates: rates first, then weights by the new rates, cut off at 0; both gradients clipped."""
    pack = Pack([cell(EXACT, "la-maml", alpha0=0.001, eta=0.5, clip=0.3)], CPU)
    raw, cut = pack.state.alpha[0].clone(), False
    for i in (1, 2):
        batch = pack.problem.batch(pack.seeds[:1], "train", i, CPU, pack.dtype)
        meta = pack.engine.meta_gradient(pack.state.weights, pack.state.alpha, batch, 1, False)
        by_rates = torch.where(raw > 0, meta.by_rates[0], 0.0)
        norms = [float(g.norm()) for g in (by_rates, meta.gradient[0])]
        assert max(norms) > 0.3  # or nothing is clipped
        raw = raw - 0.5 * by_rates * min(1, 0.3 / norms[0])
        cut |= bool((raw < 0).any())
        expected = pack.state.weights[0] - raw.clamp(min=0) * meta.gradient[0] * min(1, 0.3 / norms[1])
        pack.advance(range(i, i + 1))
        torch.testing.assert_close(pack.state.weights[0], expected, rtol=1e-12, atol=1e-14)
        torch.testing.assert_close(pack.state.alpha[0], raw.clamp(min=0), rtol=1e-12, atol=0)
    assert cut


# Alpha-MAML in log space


both_sizes = pytest.mark.parametrize("squares", ["mean", "sum"])


@both_sizes
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_alpha_maml_log_with_eta_0_is_maml_bit_for_bit(
    protocol: Protocol, optimizer: str, squares: str
) -> None:
    of = variant(protocol, precision="float32", meta_optimizer=optimizer)
    still = cell(of, "alpha-maml-log", eta=0.0, squares=squares)
    assert run(still, budget=5) == run(cell(of, "maml"), budget=5)


@both_sizes
def test_alpha_maml_log_by_hand(squares: str) -> None:
    """Its rates over five iterations, from the products that it saw: those of Alpha-MAML."""
    eta, of = 0.3, EXACT
    pack = Pack([cell(of, "alpha-maml-log", alpha0=0.05, beta0=0.01, eta=eta, squares=squares)], CPU)
    alpha, beta, previous = 0.05, 0.01, None
    products: dict[str, list[float]] = {"alpha": [], "beta": []}

    def factor(which: str, product: float) -> float:
        seen = products[which]
        seen.append(product)
        if squares == "sum":
            return math.exp(eta * product / math.sqrt(sum(one**2 for one in seen)))
        of_late = sum(0.1 * 0.9**back * one**2 for back, one in enumerate(reversed(seen)))
        return math.exp(eta * product / math.sqrt(of_late / (1 - 0.9 ** len(seen))))

    for i in range(1, 6):
        batch = pack.problem.batch(pack.seeds[:1], "train", i, CPU, pack.dtype)
        meta = pack.engine.meta_gradient(pack.state.weights, pack.state.alpha, batch, 1, False)
        if previous is not None:
            beta *= factor("beta", float(meta.gradient[0] @ previous))
        alpha *= factor("alpha", -float(meta.by_rates))
        pack.advance(range(i, i + 1))
        (previous,) = pack.state.memory[0]
        assert float(pack.state.beta) == pytest.approx(beta, rel=1e-6)
        assert float(pack.state.alpha) == pytest.approx(alpha, rel=1e-6)
    assert abs(beta / 0.01 - 1) > 0.1


@both_sizes
@pytest.mark.usefixtures("noise")
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_alpha_maml_log_has_no_unit_of_loss(
    optimizer: str, squares: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loss times n_way, with alpha0 over it and, by SGD, beta0 over it, trains the same weights: but for
    Adam's eps, which has the unit of a gradient."""
    monkeypatch.setattr(optimizers, "EPS", TINY)
    mean = variant(SMALL, meta_optimizer=optimizer)
    summed = variant(mean, loss_scale="sum_over_shots")
    scale = mean.n_way  # type: ignore[attr-defined]
    hyper = {"alpha0": 0.1, "beta0": 0.01, "eta": 0.2, "squares": squares}
    scaled = hyper | {"alpha0": 0.1 / scale, "beta0": 0.01 / (scale if optimizer == "sgd" else 1)}
    one, other = (
        moved(Pack([cell(of, "alpha-maml-log", **given)], CPU), 4)
        for of, given in ((mean, hyper), (summed, scaled))
    )
    torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-8)


# Outer updates without a rate


def test_dog_by_hand() -> None:
    """The first step has length r0; later ones the furthest distance over the root of the squares so far."""
    pack = Pack([cell(EXACT, "maml-dog", alpha0=0.05, r0=0.1)], CPU)
    start, furthest, squares = pack.state.weights[0].clone(), 0.1, 0.0
    for i in range(1, 5):
        batch = pack.problem.batch(pack.seeds[:1], "train", i, CPU, pack.dtype)
        gradient = pack.engine.meta_gradient(pack.state.weights, pack.state.alpha, batch, 1, False).gradient[
            0
        ]
        weights = pack.state.weights[0]
        furthest, squares = (
            max(furthest, float((weights - start).norm())),
            squares + float(gradient @ gradient),
        )
        pack.advance(range(i, i + 1))
        expected = weights - furthest / squares**0.5 * gradient
        torch.testing.assert_close(pack.state.weights[0], expected, rtol=1e-12, atol=1e-14)
        if i == 1:
            assert float((expected - start).norm()) == pytest.approx(0.1, rel=1e-12)


def test_prodigy_without_growth_is_adam_at_rate_d0(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the first two updates, but for the place of eps."""
    for module in (maml_prodigy, optimizers):
        monkeypatch.setattr(module, "EPS", TINY)
    pack = Pack([cell(EXACT, "maml-prodigy", alpha0=0.05, d0=0.01)], CPU)
    adam = Pack([cell(variant(EXACT, meta_optimizer="adam"), "maml", alpha0=0.05, beta0=0.01)], CPU)
    torch.testing.assert_close(moved(pack, 2), moved(adam, 2), rtol=1e-10, atol=1e-13)


def test_prodigy_by_hand() -> None:
    """Algorithm 4 written out for one cell; d has grown after six updates."""
    d0 = d = 1e-3
    pack = Pack([cell(EXACT, "maml-prodigy", alpha0=0.05, d0=d0)], CPU)
    start = pack.state.weights[0].clone()
    m, v, s = (torch.zeros_like(start) for _ in range(3))
    r = 0.0
    for i in range(1, 7):
        batch = pack.problem.batch(pack.seeds[:1], "train", i, CPU, pack.dtype)
        g = pack.engine.meta_gradient(pack.state.weights, pack.state.alpha, batch, 1, False).gradient[0]
        weights = pack.state.weights[0]
        rate = d * (1 - 0.999**i) ** 0.5 / (1 - 0.9**i)
        m = 0.9 * m + 0.1 * d * g
        v = 0.999 * v + 0.001 * (d * g) ** 2
        s = 0.999**0.5 * s + rate * d / d0 * g
        r = 0.999**0.5 * r + d / d0 * rate * float(g @ (start - weights))
        pack.advance(range(i, i + 1))
        assert float(pack.state.beta) == pytest.approx(d, rel=1e-12)
        expected = weights - rate * m / (v.sqrt() + d * 1e-8)
        torch.testing.assert_close(pack.state.weights[0], expected, rtol=1e-10, atol=1e-13)
        d = max(d, r / float(s.abs().sum()))
    assert d > d0


# Cosines in place of products


COSINES = {
    "alpha-maml-normalised": {"eta_alpha": 0.01, "eta_beta": 1e-3},
    "alpha-maml-multiplicative": {"kappa_alpha": 0.3, "kappa_beta": 0.2},
}
of_cosines = pytest.mark.parametrize("method", COSINES)


@of_cosines
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_cosines_with_steps_of_0_are_maml_bit_for_bit(
    protocol: Protocol, optimizer: str, method: str
) -> None:
    of = variant(protocol, precision="float32", meta_optimizer=optimizer)
    still = dict.fromkeys(COSINES[method], 0.0)
    assert run(cell(of, method, **still), budget=5) == run(cell(of, "maml"), budget=5)


@of_cosines
@pytest.mark.parametrize("steps", [1, 3])
def test_cosines_by_hand(method: str, steps: int) -> None:
    """q and g of each task and step by plain autograd; what is summed is divided last."""
    of = variant(EXACT, inner_steps=steps, meta_optimizer="sgd")
    pack = Pack([cell(of, method, alpha0=0.05, beta0=0.01, **COSINES[method])], CPU)
    alpha, beta = 0.05, 0.01
    eta_alpha, eta_beta = COSINES[method].values()
    added = method == "alpha-maml-normalised"
    previous = None
    for i in (1, 2, 3):
        weights, batch = weights_of(pack), pack.problem.batch(pack.seeds[:1], "train", i, CPU, pack.dtype)
        meta = pack.engine.meta_gradient(pack.state.weights, pack.state.alpha, batch, steps, False)
        gradient = meta.gradient[0]
        qg = qq = gg = 0.0
        for x, query, y, query_y in zip(*(part[0] for part in batch), strict=True):
            paths = [weights]
            gradients = []
            for _ in range(steps):
                loss = (perceptron(paths[-1], x) - y).square().mean()
                gradients.append(torch.autograd.grad(loss, list(paths[-1].values()), create_graph=True))
                pairs = zip(paths[-1].items(), gradients[-1], strict=True)
                paths.append({name: w - alpha * g for (name, w), g in pairs})
            loss = (perceptron(paths[-1], query) - query_y).square().mean()
            for path, g in zip(paths[1:], gradients, strict=True):
                q = torch.autograd.grad(loss, list(path.values()), retain_graph=True)
                flat_q, flat_g = (torch.cat([one.detach().ravel() for one in some]) for some in (q, g))
                qg, qq, gg = qg + flat_q @ flat_g, qq + flat_q @ flat_q, gg + flat_g @ flat_g
        if previous is not None:
            cosine = float(gradient @ previous / (gradient.norm() * previous.norm()))
            beta = beta + eta_beta * cosine if added else beta * (1 + eta_beta * cosine)
        cosine = float(qg / (qq * gg) ** 0.5)
        alpha = alpha + eta_alpha * cosine if added else alpha * (1 + eta_alpha * cosine)
        pack.advance(range(i, i + 1))
        previous = gradient
        assert float(pack.state.alpha) == pytest.approx(alpha, rel=1e-9)
        assert float(pack.state.beta) == pytest.approx(beta, rel=1e-9)


@of_cosines
@pytest.mark.usefixtures("noise")
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_cosines_and_the_unit_of_the_loss(
    method: str, optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loss times n_way, with the rates over it: what is added to a rate has its unit, a factor has none."""
    monkeypatch.setattr(optimizers, "EPS", TINY)
    mean = variant(SMALL, meta_optimizer=optimizer)
    scale = mean.n_way  # type: ignore[attr-defined]
    of_beta = scale if optimizer == "sgd" else 1
    hyper = {"alpha0": 0.1, "beta0": 0.01, **COSINES[method]}
    over = {"alpha0": scale, "beta0": of_beta, "eta_alpha": scale, "eta_beta": of_beta}
    scaled = {name: value / over.get(name, 1) for name, value in hyper.items()}
    one, other = (
        moved(Pack([cell(of, method, **given)], CPU), 4)
        for of, given in ((mean, hyper), (variant(mean, loss_scale="sum_over_shots"), scaled))
    )
    torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-8)
