"""Training: equal to a naive trainer, MAML as a limit, packs, determinism, and how runs end."""

from __future__ import annotations

import gc
import math

import pytest
import torch

from harness.cell import Cell, Question
from harness.problems import episodes
from harness.problems.datasets import Dataset
from harness.problems.networks.conv4 import initial, layout
from harness.training import loop
from harness.training.pack import Pack
from tests.conftest import SMALL
from tests.training.plain import named, plain_loss, plain_meta_loss
from tests.training.runs import MOVING, cell, columns, run, variant

pytestmark = pytest.mark.usefixtures("noise")


def naive(cell: Cell, data: Dataset, iterations: int) -> list[tuple[float, float, float]]:
    """Algorithm 2 as a person would write it, with torch's own optimizers: (loss, alpha, beta) a row."""
    p, hyper = cell.protocol, cell.hyper.model_dump()
    flat = torch.from_numpy(initial(p, cell.seed))
    weights = {name: part.clone().requires_grad_() for name, part in named(p, flat).items()}
    alpha, beta = hyper["alpha0"], hyper["beta0"]
    kind = torch.optim.Adam if p.meta_optimizer == "adam" else torch.optim.SGD
    optimizer = kind(weights.values(), lr=beta)
    previous = None
    rows = []
    for i in range(1, iterations + 1):
        drawn = episodes.training(p, cell.seed, i)
        batch = episodes.gather(drawn, torch.tensor(data.images), p.k_shot, torch.float64)
        batch = episodes.Images(*(part.unsqueeze(0) for part in batch))
        rate = torch.tensor(alpha, dtype=torch.float64, requires_grad=True)
        loss = plain_meta_loss(p, weights, rate, batch)
        *gradients, by_alpha = torch.autograd.grad(loss, [*weights.values(), rate])
        if previous is not None:
            beta += hyper.get("beta_hyperlr", 0) * sum(
                float((g * d).sum()) for g, d in zip(gradients, previous, strict=True)
            )
        mean_loss = float(loss.detach()) / (1 if p.task_reduction == "mean" else p.meta_batch)
        rows.append((mean_loss, alpha, beta))
        before = [w.detach().clone() for w in weights.values()]
        for weight, gradient in zip(weights.values(), gradients, strict=True):
            weight.grad = gradient
        optimizer.param_groups[0]["lr"] = 1.0  # so that the move is the direction itself
        optimizer.step()
        directions = [b - w.detach() for b, w in zip(before, weights.values(), strict=True)]
        with torch.no_grad():
            for weight, b, d in zip(weights.values(), before, directions, strict=True):
                weight.copy_(b - beta * d)
        previous = directions if p.beta_rule == "update" else gradients
        alpha -= hyper.get("alpha_hyperlr", 0) * float(by_alpha)
    return rows


@pytest.mark.parametrize(
    ("fields", "hyper"),
    [
        ({}, {}),
        ({}, MOVING),
        ({"beta_rule": "raw"}, MOVING),
        ({"task_reduction": "sum", "meta_optimizer": "sgd"}, MOVING),
        ({"inner_steps": 3, "norm_scale": True}, MOVING),
        ({"first_order": True, "inner_steps": 2}, MOVING),
    ],
    ids=["maml", "alpha-maml", "raw", "sgd and sum", "3 steps", "first order"],
)
def test_equals_a_naive_trainer(fields: dict, hyper: dict, noise: Dataset) -> None:
    (record,) = run(one := cell(variant(**fields), **hyper), budget=7)
    ours = columns(record)
    for i, (loss, alpha, beta) in enumerate(naive(one, noise, 7)):
        assert ours["train_loss"][i] == pytest.approx(loss, rel=1e-9)
        assert ours["alpha"][i] == pytest.approx(alpha, rel=1e-9)
        if i < 6:
            assert ours["beta"][i] == pytest.approx(beta, rel=1e-9)
    assert ours["beta"][6] is None  # the last row has no update
    if hyper:
        assert ours["alpha"][6] != 0.1
        assert ours["beta"][5] != 0.01


def test_first_beta_product_is_zero() -> None:
    (record,) = run(cell(**MOVING))
    beta = columns(record)["beta"]
    assert beta[0] == 0.01
    assert beta[1] != 0.01


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_hyper_rates_zero_is_maml_bit_for_bit(precision: str, optimizer: str) -> None:
    protocol = variant(precision=precision, meta_optimizer=optimizer)
    maml, alpha_maml = (
        run(cell(protocol), budget=8),
        run(cell(protocol, alpha_hyperlr=0, beta_hyperlr=0), budget=8),
    )
    assert columns(maml[0]) == columns(alpha_maml[0])


def test_a_cell_alone_and_in_a_pack() -> None:
    """float64, 20 iterations, 1e-9; cells of two seeds, one of which leaves the pack before the others."""
    cells = [cell(seed=seed, alpha0=alpha0, **MOVING) for seed in (0, 1) for alpha0 in (0.1, 1.0)] + [
        cell(alpha0=1e308, **MOVING)
    ]
    together = run(*cells, budget=20)
    assert [r.header.iterations for r in together[:4]] == [20] * 4
    assert together[4].header.iterations < 20
    for one, packed in zip(cells[:4], together, strict=False):
        alone = columns(run(one, budget=20)[0])
        for name, values in columns(packed).items():
            for ours, expected in zip(values, alone[name], strict=True):
                assert (ours is None) == (expected is None)
                assert ours is None or ours == pytest.approx(expected, rel=1e-9, abs=1e-12), name


def test_the_same_cell_twice_is_identical() -> None:
    protocol = variant(precision="float32")
    first, second = (run(cell(protocol, **MOVING), budget=12)[0] for _ in range(2))
    assert first.rows.equals(second.rows)


def test_cells_of_a_seed_share_weights_and_tasks() -> None:
    a, b, other = run(cell(alpha0=0.1), cell(alpha0=0.1, beta0=0.5), cell(alpha0=0.1, seed=1), budget=2)
    assert columns(a)["train_loss"][0] == columns(b)["train_loss"][0]
    assert columns(a)["train_loss"][0] != columns(other)["train_loss"][0]
    assert columns(a)["val_loss"][0] != columns(other)["val_loss"][0]  # the weights differ, not the tasks


def test_validation_rows() -> None:
    protocol = variant(validation_every=4)
    (record,) = run(cell(protocol), budget=10)
    measured = [i + 1 for i, loss in enumerate(columns(record)["val_loss"]) if loss is not None]
    assert measured == [1, 4, 8, 10]
    (shorter,) = run(cell(protocol), budget=8)
    assert columns(shorter)["val_loss"] == columns(record)["val_loss"][:8]


def test_stops_at_sustained_passage_and_keeps_the_crossing_row() -> None:
    (whole,) = run(cell(alpha0=1.0, beta0=0.03), budget=40)
    losses = columns(whole)["train_loss"]
    means = [sum(losses[i - 9 : i + 1]) / 10 for i in range(9, 40)]
    target = sorted(means)[12]
    expected = next(i for i, mean in enumerate(means) if mean <= target * (1 + 1e-12)) + 10
    (stopped,) = run(cell(alpha0=1.0, beta0=0.03), target=target * (1 + 1e-12), budget=40)
    assert stopped.header.ending == "stopped"
    assert stopped.header.iterations == expected < 40
    assert columns(stopped)["train_loss"] == losses[:expected]
    assert columns(stopped)["beta"][-1] is None
    assert columns(stopped)["val_loss"][-1] is not None


def test_budget_ending() -> None:
    (record,) = run(cell(), target=1e-3, budget=5)
    assert (record.header.ending, record.header.iterations) == ("budget", 5)


def test_a_loss_that_is_not_finite_is_divergence() -> None:
    (record,) = run(cell(alpha0=1e308), budget=5)
    assert record.header.ending == "diverged"
    assert not math.isfinite(columns(record)["train_loss"][-1])
    assert columns(record)["beta"][-1] is None
    assert columns(record)["val_loss"][-1] is None
    assert all(math.isfinite(loss) for loss in columns(record)["train_loss"][:-1])


def test_a_rate_that_is_not_finite_is_divergence() -> None:
    protocol = variant(task_reduction="sum", loss_scale="sum_over_shots")  # a product above 2
    (record,) = run(cell(protocol, alpha_hyperlr=0, beta_hyperlr=1e308, beta0=1e-3), budget=9)
    rows = columns(record)
    assert record.header.ending == "diverged"
    assert math.isfinite(rows["train_loss"][-1])
    assert not math.isfinite(rows["beta"][-1])


def test_a_cell_whose_rate_diverges_leaves_the_others_as_they_are() -> None:
    """It ends after its update, the others go on: their weights and rates stay their own."""
    protocol = variant(task_reduction="sum", loss_scale="sum_over_shots")
    bad = cell(protocol, alpha_hyperlr=0, beta_hyperlr=1e308, beta0=1e-3)
    good = [cell(protocol, alpha0=alpha0, **MOVING) for alpha0 in (0.01, 0.02)]
    first, *others = run(bad, *good, budget=8)
    assert not math.isfinite(columns(first)["beta"][-1])
    for one, packed in zip(good, others, strict=True):
        alone = columns(run(one, budget=8)[0])
        assert columns(packed)["train_loss"] == pytest.approx(alone["train_loss"], rel=1e-9)
        assert columns(packed)["alpha"] == pytest.approx(alone["alpha"], rel=1e-9)


def test_a_pack_goes_when_its_training_ends() -> None:
    """By itself: in a cycle it would keep its memory and its graphs until some garbage collection."""
    before = sum(type(one) is Pack for one in gc.get_objects())
    gc.disable()
    try:
        run(cell(), cell(seed=1))
        assert sum(type(one) is Pack for one in gc.get_objects()) == before
    finally:
        gc.enable()


def test_a_mixed_pack_is_refused() -> None:
    with pytest.raises(ValueError, match="one protocol and one method"):
        run(cell(), cell(**MOVING))


def test_observer_sees_every_row() -> None:
    seen = []
    question = Question(max_iterations=3)
    list(loop.train([cell()], question, observe=lambda now: seen.extend(p.row["iteration"] for p in now)))
    assert seen == [1, 2, 3]


def test_plain_loss_at_chance() -> None:
    """A head of zeros scores all classes alike: its loss is ln n_way exactly."""
    weights = {part.name: torch.zeros(part.shape, dtype=torch.float64) for part in layout(SMALL).parts}
    images = torch.rand(5, 28, 28, 1, dtype=torch.float64)
    assert float(plain_loss(SMALL, weights, images)) == pytest.approx(SMALL.chance_loss)
