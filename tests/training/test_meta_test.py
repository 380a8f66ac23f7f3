"""The meta-test: against a plain loop over tasks and steps, and against what a pack's validation says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.cell import Cell, Protocol, protocol_of
from harness.common.errors import UserError
from harness.methods import METHODS
from harness.methods.base import State
from harness.problems import Batch, problem_of
from harness.problems.networks import built
from harness.records.meta_tests import Reached
from harness.training.autodiff import LoopedEngine
from harness.training.conv4 import Conv4Engine
from harness.training.meta_test import MetaTester, by_steps, walk
from harness.training.pack import Pack
from tests.conftest import SMALL
from tests.methods.test_methods import HYPER
from tests.training import own
from tests.training.plain import parts_of, plain_scores
from tests.training.test_general_engine import perceptron

CPU = torch.device("cpu")
SINUSOID = protocol_of(problem="sinusoid", width=8, meta_batch=4, validation_tasks=3, precision="float64")
every = pytest.mark.parametrize("method", METHODS)


def trained(protocol: Protocol, method: str = "maml", iterations: int = 3) -> tuple[Cell, Pack]:
    cell = Cell(protocol=protocol, method=method, hyper=HYPER[method], seed=1)
    pack = Pack([cell], CPU)
    pack.advance(range(1, iterations + 1))
    return cell, pack


def of_name(name: str, monkeypatch: pytest.MonkeyPatch, **fields: object) -> Protocol:
    known = {"sinusoid": SINUSOID, "Conv-4": SMALL}
    whole = known[name] if name in known else own.protocol(monkeypatch)
    return protocol_of(**whole.model_dump() | fields)


NAMES = ("Conv-4", "max-pooling", "sinusoid")
of_any = pytest.mark.parametrize("name", NAMES)


def scores(name: str, protocol: Protocol, weights: dict[str, Tensor], x: Tensor) -> Tensor:
    if name == "sinusoid":
        return perceptron(weights, x)
    return own.pooled(weights, x) if name != "Conv-4" else plain_scores(protocol, weights, x.movedim(1, -1))


def plain(
    name: str, protocol: Protocol, flat: Tensor, rates: Tensor, moves: Tensor, steps: int
) -> np.ndarray:
    """Loss, and accuracy of classes, [tasks, steps + 1, ...]: a loop over the tasks of the first block and
    over steps. moves: [P] 1 for what the inner loop moves."""
    problem = problem_of(protocol)
    layout = built(protocol, *problem.shape()).layout
    block = problem.batch([0], "test", 0, CPU, torch.float64)
    found = []
    for support, query, support_y, query_y in zip(*(part[0, :4] for part in block), strict=True):
        theta, of_task = flat.clone(), []
        for step in range(steps + 1):
            outputs = scores(name, protocol, parts_of(layout, theta), query)
            if name == "sinusoid":
                of_task.append([float(((outputs - query_y) ** 2).mean())])
            else:
                right = outputs.log_softmax(1)[torch.arange(len(query_y)), query_y]
                hits = (outputs.argmax(1) == query_y).double().mean()
                of_task.append([float(-right.mean()), float(hits)])
            if step == steps:
                break
            theta = theta.detach().requires_grad_()
            outputs = scores(name, protocol, parts_of(layout, theta), support)
            if name == "sinusoid":
                loss = ((outputs - support_y) ** 2).mean()
            else:
                loss = -outputs.log_softmax(1)[torch.arange(len(support_y)), support_y].mean()
            (slope,) = torch.autograd.grad(loss, theta)
            theta = theta.detach() - rates * moves * slope
        found.append(of_task)
    return np.array(found)


@pytest.mark.usefixtures("noise")
@of_any
def test_losses_are_those_of_a_plain_loop(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a number for all rates, with the cell's one rate, and with a rate for each weight."""
    protocol = of_name(name, monkeypatch)
    for method, rates in (("maml", (None, 0.3)), ("meta-sgd", (None,))):
        cell, pack = trained(protocol, method)
        tested = MetaTester(cell, tasks=4, steps=3, rates=rates).test_cell(cell, pack.state)
        layout = pack.engine.network.layout
        moves = torch.zeros(sum(layout.sizes), dtype=torch.float64)
        moves[: layout.adapted_size] = 1
        alpha = torch.zeros_like(moves)
        alpha[: layout.adapted_size] = pack.state.alpha[0]
        for at, rate in enumerate(rates):
            of_rate = alpha if rate is None else torch.full_like(moves, rate)
            expected = plain(name, protocol, pack.state.weights[0], of_rate, moves, 3)
            assert expected[:, 0, 0] != pytest.approx(expected[:, 3, 0])
            for place, values in enumerate(tested.values.values()):
                np.testing.assert_allclose(values[at].T, expected[:, :, place], rtol=1e-10, atol=1e-12)


def by_parts(pack: Pack, batch: Batch, rates: tuple[float | None, ...], steps: int) -> Tensor:
    return by_steps(pack.engine, pack.state, batch, rates, steps)


@pytest.mark.usefixtures("noise")
@every
@of_any
def test_after_as_many_steps_as_in_training_it_is_the_validation(
    method: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every method, with its own rates, whichever engine computes it."""
    _, pack = trained(of_name(name, monkeypatch, inner_steps=2), method)
    steps = pack.method.steps(pack.hyper, pack.protocol)
    ours = by_parts(pack, pack.held_out, (None,), steps)[0]
    score = pack.score(pack.state)
    assert ours.shape == (steps + 1, pack.protocol.validation_tasks, 1 + len(score.metrics))
    expected = torch.stack([score.loss, *score.metrics], 1)[0]
    torch.testing.assert_close(ours[steps].mean(0), expected, rtol=1e-12, atol=1e-14)
    assert float(ours[0, :, 0].mean()) != pytest.approx(float(score.loss), rel=1e-6)


@pytest.mark.usefixtures("noise")
@of_any
def test_steps_one_by_one_are_those_steps_at_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The adapted weights of each task, too. For these, each task is a batch of one."""
    for method in ("maml", "lslr", "anil"):
        _, pack = trained(of_name(name, monkeypatch, inner_steps=3), method)
        tasks = Batch(*(part[0].unsqueeze(1) for part in pack.held_out))
        *_, last = walk(pack.engine, pack.state, tasks, None, 3)
        for at in range(len(tasks.support)):
            alone = Batch(*(part[at : at + 1] for part in tasks))
            once = pack.engine.adapted(pack.state.weights, pack.state.alpha, alone, 3)
            torch.testing.assert_close(last.weights[at], once.weights[0], rtol=1e-12, atol=1e-13)
            torch.testing.assert_close(last.loss[at], once.loss[0], rtol=1e-12, atol=1e-13)


@pytest.mark.usefixtures("noise")
@of_any
def test_parts_are_the_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, pack = trained(of_name(name, monkeypatch))
    assert isinstance(pack.engine, {"Conv-4": Conv4Engine, "max-pooling": LoopedEngine}.get(name, object))
    found = []
    for chunk in (1, 2, 100):
        pack.engine.chunk = chunk
        found.append(by_parts(pack, pack.held_out, (0.1,), 2))
    for one in found[1:]:
        torch.testing.assert_close(one, found[0], rtol=1e-12, atol=1e-14)


def test_the_first_tasks_are_those_of_a_longer_test() -> None:
    """Over blocks of 50, and they are all different."""
    cell, pack = trained(SINUSOID)
    few, many = (
        MetaTester(cell, tasks=tasks, steps=1).test_cell(cell, pack.state).values["loss"]
        for tasks in (51, 120)
    )
    np.testing.assert_array_equal(few, many[..., :51])
    assert len(np.unique(many[0, 0])) == 120


def test_no_step_is_taken_for_the_loss_after_none() -> None:
    """Where the gradient is infinite it would be NaN, even with a rate of 0."""
    cell, pack = trained(protocol_of(**SINUSOID.model_dump() | {"precision": "float32"}))
    weights = pack.engine.network.layout.named(pack.state.weights[0].clone())
    weights["layer1.weight"].mul_(1e24)
    weights["layer1.bias"].mul_(1e24)
    weights["layer2.weight"].mul_(1e-6)
    flat = torch.cat([weights[part.name].flatten() for part in pack.engine.network.layout.parts])
    steep = pack.state._replace(weights=flat.unsqueeze(0))
    loss = MetaTester(cell, tasks=5, steps=1, rates=(0.0,)).test_cell(cell, steep).values["loss"]
    assert np.isfinite(loss[0, 0]).all()
    assert not np.isfinite(loss[0, 1]).any()


def test_in_single_precision_it_is_the_same_to_six_digits() -> None:
    cell, pack = trained(SINUSOID)
    exact = MetaTester(cell, tasks=7, steps=3).test_cell(cell, pack.state)
    single = Cell(
        **dict(cell) | {"protocol": protocol_of(**SINUSOID.model_dump() | {"precision": "float32"})}
    )
    ours = MetaTester(single, tasks=7, steps=3).test_cell(single, pack.state)
    np.testing.assert_allclose(ours.values["loss"], exact.values["loss"], rtol=1e-4)


def fitted() -> tuple[Pack, Reached]:
    cell, pack = trained(SINUSOID)
    return pack, MetaTester(cell, tasks=9, steps=4, rates=(None, 0.01)).test_cell(cell, pack.state)


def test_the_fit_of_a_regression() -> None:
    """True curves pass through the support points; what is predicted at first is the network's output."""
    pack, tested = fitted()
    fit = tested.fit
    assert fit is not None
    assert fit.steps == (0, 1, 4)
    assert fit.predicted.shape == (2, 3, 3, len(fit.x))
    near = [np.interp(x, fit.x, y) for x, y in zip(fit.support_x, fit.true, strict=True)]
    np.testing.assert_allclose(near, fit.support_y, atol=0.01)
    weights = pack.engine.network.layout.named(pack.state.weights[0])
    at_first = perceptron(weights, torch.from_numpy(fit.x).unsqueeze(1))[:, 0].numpy()
    np.testing.assert_allclose(fit.predicted[:, 0], np.broadcast_to(at_first, (2, 3, len(fit.x))), rtol=1e-12)


@pytest.mark.usefixtures("noise")
def test_classes_have_no_fit() -> None:
    cell, pack = trained(SMALL)
    assert MetaTester(cell, tasks=2, steps=1).test_cell(cell, pack.state).fit is None


def test_more_steps_than_there_are_rates() -> None:
    cell, pack = trained(protocol_of(**SINUSOID.model_dump() | {"inner_steps": 2}), "lslr")
    with pytest.raises(UserError, match=r"3 steps in the meta-test; lslr has inner rates for 2: ask"):
        MetaTester(cell, tasks=2, steps=3).test_cell(cell, pack.state)
    loss = MetaTester(cell, tasks=2, steps=3, rates=(0.01,)).test_cell(cell, pack.state).values["loss"]
    assert loss.shape == (1, 4, 2)


def test_weights_of_another_network() -> None:
    cell, pack = trained(SINUSOID)
    _, wider = trained(protocol_of(**SINUSOID.model_dump() | {"width": 9}))
    states: dict[str, State] = {
        r"its weights are \[1, 118\], where its network and method have \[1, 97\]": wider.state,
        r"its alpha are \[1, 97\], where .* have \[1, 1\]": pack.state._replace(alpha=pack.state.weights),
    }
    for said, state in states.items():
        with pytest.raises(UserError, match=said):
            MetaTester(cell, tasks=2, steps=1).test_cell(cell, state)
