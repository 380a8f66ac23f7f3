"""Training: equal to a naive trainer, MAML as a limit, packs, determinism, and how runs end."""

from __future__ import annotations

import gc
import itertools
import math
from types import SimpleNamespace

import pytest
import torch

from harness import records
from harness.cell import Cell, Protocol, Question, protocol_of
from harness.problems import episodes
from harness.problems.datasets import Dataset
from harness.problems.networks.conv4 import initial, layout
from harness.training import loop
from harness.training.pack import Pack
from tests.conftest import SMALL
from tests.training.plain import named, plain_loss, plain_meta_loss

pytestmark = pytest.mark.usefixtures("noise")


def cell(protocol: Protocol = SMALL, seed: int = 0, **hyper: float) -> Cell:
    rates = {"alpha0": 0.1, "beta0": 0.01} | hyper
    method = "alpha-maml" if "alpha_hyperlr" in rates else "maml"
    return Cell(protocol=protocol, method=method, hyper=rates, seed=seed)


def variant(**fields: object) -> Protocol:
    return protocol_of(**SMALL.model_dump() | fields)


def run(
    *cells: Cell, target: float | None = None, budget: int = 6, span: int | None = None
) -> list[records.Record]:
    question = Question(target_loss=target, max_iterations=budget)
    by_id = {r.header.cell.cell_id: r for r in loop.train(cells, question, span=span)}
    return [by_id[cell.cell_id] for cell in cells]


def columns(record: records.Record) -> dict[str, list]:
    return record.rows.to_pydict()


MOVING = {"alpha_hyperlr": 0.1, "beta_hyperlr": 1e-3}


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


def spans(cells: list[Cell], question: Question, span: int) -> dict[str, tuple]:
    shown = {}
    for record in loop.train(cells, question, span=span):
        header = record.header
        shown[header.cell.cell_id] = (header.ending, header.iterations, repr(columns(record)))
    return shown


@pytest.mark.parametrize("span", [2, 7, 100])
def test_what_is_read_late_is_what_is_read_at_once(span: int) -> None:
    """A cell's record does not know how often the host read: ends within a span, and at one, to the bit."""
    (whole,) = run(cell(alpha0=1.0, beta0=0.03), budget=30)
    losses = columns(whole)["train_loss"]
    target = sum(losses[9:19]) / 10 * (1 + 1e-12)  # reached at iteration 19 or before
    bad_beta = variant(task_reduction="sum", loss_scale="sum_over_shots")
    endings: set[str] = set()
    for one, budget in (
        (cell(alpha0=1.0, beta0=0.03), 30),
        (cell(alpha0=1.0, beta0=0.03), 14),
        (cell(alpha0=1e308, **MOVING), 30),
        (cell(bad_beta, alpha_hyperlr=0, beta_hyperlr=1e308, beta0=1e-3), 30),
    ):
        question = Question(target_loss=target, max_iterations=budget)
        at_once = spans([one], question, 1)
        assert spans([one], question, span) == at_once
        endings.add(*(ending for ending, _, _ in at_once.values()))
    assert endings == {"stopped", "budget", "diverged"}


def test_a_pack_that_is_read_late_ends_where_it_did() -> None:
    """Endings and counts to the iteration, and no row beyond; float64, so the pack's size moves nothing."""
    cells = [cell(alpha0=alpha0, beta0=0.03, seed=seed) for alpha0 in (1.0, 1e308, 0.3) for seed in (0, 1)]
    losses = columns(run(cells[0], budget=25)[0])["train_loss"]
    question = Question(target_loss=sum(losses[9:19]) / 10 * (1 + 1e-9), max_iterations=25)
    seen: list[tuple[str, int]] = []
    by_id = {}
    for record in loop.train(
        cells,
        question,
        span=8,
        observe=lambda now: seen.extend((p.cell.cell_id, p.row["iteration"]) for p in now),
    ):
        by_id[record.header.cell.cell_id] = record
    assert len({record.header.iterations for record in by_id.values()}) > 2
    for one in cells:
        (alone,) = loop.train([one], question)
        late = by_id[one.cell_id]
        assert (late.header.ending, late.header.iterations) == (alone.header.ending, alone.header.iterations)
        assert [i for name, i in seen if name == one.cell_id] == columns(alone)["iteration"]
        for name in ("train_loss", "val_loss", "alpha", "beta"):
            pairs = zip(columns(late)[name], columns(alone)[name], strict=True)
            assert all(a == b or a == pytest.approx(b, rel=1e-9, nan_ok=True) for a, b in pairs), name
        assert sum(record.header.provenance["wall_seconds"] for record in by_id.values()) > 0


@pytest.mark.parametrize("span", [4, 50])
def test_records_and_observations_take_turns_as_if_nothing_were_read_late(span: int) -> None:
    cells = [cell(alpha0=alpha0, beta0=0.03, seed=seed) for alpha0 in (1.0, 1e308, 0.3) for seed in (0, 1)]

    def events(span: int) -> list[tuple]:
        seen: list[tuple] = []

        def observe(now: list[records.Progress]) -> None:
            seen.append(tuple((p.cell.cell_id, repr(p.row)) for p in now))

        for record in loop.train(cells, Question(max_iterations=9), observe=observe, span=span):
            seen.append((record.header.cell.cell_id, record.header.ending))
        return seen

    at_once = events(1)
    assert {"diverged", "budget"} <= {ending for *_, ending in at_once if isinstance(ending, str)}
    assert [[part[:2] for part in event] for event in events(span)] == [
        [part[:2] for part in event] for event in at_once
    ]


@pytest.mark.parametrize("ending", [(), (0, 1), (1, 2)])
def test_tasks_that_were_drawn_ahead_are_those_of_their_turn(ending: tuple[int, ...]) -> None:
    """Also when some cells have ended meanwhile, with their seeds or without."""
    pack = Pack([cell(seed=seed) for seed in (2, 0, 2, 1)], torch.device("cpu"))
    pack.draw_ahead(range(11, 14))
    pack.keep([at for at in range(4) if at not in ending])
    ahead = pack._drawn(range(11, 14))
    plain = pack._drawn(range(11, 14))  # what was drawn ahead is used once
    assert len(ahead) == len(plain) == 3
    assert all(map(torch.equal, ahead, plain))
    pack.draw_ahead(range(14, 16))
    assert all(map(torch.equal, pack._drawn(range(15, 16)), pack._draw(range(15, 16))))


def test_a_span_is_drawn_while_the_device_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the host reads the span before it; none after the last, and none where every iteration is
    read."""
    events: list[str] = []
    draw, read = Pack._draw, loop._rows
    monkeypatch.setattr(
        Pack, "_draw", lambda self, at: (events.append(f"{at.start}-{at.stop - 1}"), draw(self, at))[1]
    )
    monkeypatch.setattr(loop, "_rows", lambda *args: (events.append("read"), read(*args))[1])
    run(cell(), budget=7, span=3)
    assert events == ["1-3", "4-6", "read", "7-7", "read", "read"]
    events.clear()
    run(cell(), budget=2)
    assert events == ["1-1", "read", "2-2", "read"]


def test_what_cannot_be_drawn_is_an_error_in_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before: all rows up to it have been seen by then, and a run that ends before never knows."""
    draw = episodes.training

    def some(setting: Protocol, seed: int, iteration: int, data: Dataset | None = None) -> episodes.Episodes:
        if iteration == 8:
            raise ZeroDivisionError("iteration 8")
        return draw(setting, seed, iteration, data)

    monkeypatch.setattr(episodes, "training", some)
    seen: list[int] = []
    with pytest.raises(ZeroDivisionError, match="iteration 8"):
        list(
            loop.train(
                [cell()],
                Question(max_iterations=20),
                span=5,
                observe=lambda now: seen.extend(p.row["iteration"] for p in now),
            )
        )
    assert seen == [1, 2, 3, 4, 5]
    assert len(columns(run(cell(), budget=5, span=5)[0])["iteration"]) == 5


@pytest.mark.parametrize("span", [1, 3])
def test_a_cells_seconds_are_its_share_of_its_iterations(monkeypatch: pytest.MonkeyPatch, span: int) -> None:
    """By a clock on which a span takes as many seconds as it has iterations. The first cell diverges: until
    then each has half of the time, and afterwards the other has all of it."""
    now = itertools.count(step=span)
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: next(now)))
    diverging, other = run(cell(alpha0=1e308), cell(), budget=6, span=span)
    shared = diverging.header.iterations
    assert diverging.header.ending == "diverged"
    assert shared < other.header.iterations == 6
    assert diverging.header.provenance["wall_seconds"] == pytest.approx(shared / 2)
    assert other.header.provenance["wall_seconds"] == pytest.approx(shared / 2 + 6 - shared)


@pytest.mark.parametrize("fields", [{}, {"inner_steps": 2, "norm_scale": True, "norm_adapted": True}])
def test_a_span_waits_for_nothing(fields: dict) -> None:
    """On a device without data every look at a number is an error, and so is a tensor on another device."""
    cells = [cell(variant(precision="float32", **fields), seed=seed, **MOVING) for seed in (0, 1, 1)]
    moments = Pack(cells, torch.device("meta"), chunk=4).advance(range(1, 6))
    assert [moment.validation is not None for moment in moments] == [True, False, False, True, False]
    with pytest.raises(RuntimeError):
        moments[0].loss.tolist()  # so it is an error


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
