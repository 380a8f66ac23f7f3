"""Population based training: without exchanges it is plain training, bit for bit."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.cell import Cell, Question, cell, protocol_of
from harness.common.errors import UserError
from harness.methods import METHODS
from harness.study.race import live, racers
from harness.study.race.learner import Learner
from harness.study.race.live import Population, Step
from harness.training import loop
from tests.study.race.made import searched

SINUSOID = protocol_of(problem="sinusoid", meta_batch=2, validation_tasks=2, validation_every=5)
LEVELS = {"alpha0": (1e-3, 1e-2, 1e-1), "beta0": (1e-3, 1e-2)}
FEW_SHOT = protocol_of(
    dataset="glyphs", n_way=2, filters=2, meta_batch=2, validation_tasks=2, validation_every=5
)


def maml(alpha0: float, beta0: float, seed: int = 0, protocol: object = SINUSOID) -> Cell:
    return cell(protocol, "maml", METHODS["maml"].Hyper(alpha0=alpha0, beta0=beta0), seed)  # type: ignore[arg-type]


def plain(one: Cell, iterations: int) -> tuple[list[float], dict[int, float]]:
    """Training losses and validation losses of the loop's own record."""
    (record,) = loop.train([one], Question(max_iterations=iterations))
    rows = record.rows
    seen = zip(rows["iteration"].to_pylist(), rows["val_loss"].to_pylist(), strict=True)
    return rows["train_loss"].to_pylist(), {i: loss for i, loss in seen if loss is not None}


@pytest.mark.parametrize("protocol", [SINUSOID, FEW_SHOT], ids=["sinusoid", "few-shot"])
def test_a_learner_is_the_loop(protocol: object) -> None:
    """Stopped, kept and continued by another one."""
    one = maml(1e-2, 1e-2, protocol=protocol)
    losses, seen = plain(one, 12)
    learner = Learner(one)
    assert learner.train(5)["loss"] == seen[5]
    other = Learner(maml(1.0, 1.0, protocol=protocol))
    other.take(learner.state(), 1e-2, 1e-2)
    assert other.train(5)["loss"] == seen[10]
    last = other.train(2)
    assert (last["losses"], last["loss"], last["ran"]) == (losses, seen[12], 2)


def test_other_rates_lead_elsewhere() -> None:
    learner = Learner(maml(1e-2, 1e-2))
    learner.train(5)
    other = Learner(maml(1e-2, 1e-2))
    other.take(learner.state(), 1e-2, 1e-3)
    assert other.train(5)["losses"] != learner.train(5)["losses"]


def test_a_learner_that_diverges_has_the_loss_of_untrained_weights_and_costs_nothing_more() -> None:
    learner = Learner(maml(1e-2, 1e30))
    first, later = learner.train(5), learner.train(5)
    (record,) = loop.train([maml(1e-2, 1e30)], Question(max_iterations=5))
    assert record.header.ending == "diverged"
    assert first["ran"] == record.header.iterations < 5
    assert first["loss"] == later["loss"] == record.rows["val_loss"][0].as_py()
    assert later["ran"] == 0


def test_what_a_population_is() -> None:
    known = searched(levels=(5, 5))
    one = live.population(known, maml(1e-2, 1e-2), 3)
    assert len({tuple(member.values()) for member in one.members}) == live.MEMBERS == 8
    assert one == live.population(known, maml(1e-2, 1e-2), 3) != live.population(known, maml(1e-2, 1e-2), 4)
    assert one.interval * one.intervals == known.budget
    assert (one.interval % 5, one.intervals <= live.INTERVALS) == (0, True)
    for budget, every, interval in ((300, 25, 25), (500, 25, 50), (75, 25, 25), (300, 1, 25)):
        protocol = SINUSOID.model_copy(update={"validation_every": every})
        cut = live.population(replace(known, budget=budget), maml(1e-2, 1e-2, protocol=protocol), 3)
        assert cut.interval == interval


def test_when_a_population_has_reached_the_target() -> None:
    """Two members, an interval each: the second reaches it at iteration 12 of its lineage."""
    steps: list[Step] = [
        {"member": 0, "interval": 0, "ran": 10, "losses": [3.0] * 10, "loss": 3.0},
        {"member": 1, "interval": 0, "ran": 10, "losses": [2.0] * 10, "loss": 2.0},
        {"member": 0, "interval": 1, "ran": 10, "losses": [3.0] * 20, "loss": 3.5},
        {"member": 1, "interval": 1, "ran": 10, "losses": [2.0] * 10 + [-8.0] * 10, "loss": 1.0},
    ]
    path = racers.of_population(steps, target=0.5)
    assert path.spent.tolist() == [10, 20, 30, 40]
    assert (path.hit, path.end) == (32, 40)
    assert racers.of_population(steps, target=-9).hit == float("inf")


@pytest.mark.ray
def test_populations_on_ray() -> None:
    """Without exchanges each member is a plain run; with them, the same seed does the same twice."""
    members = tuple({"alpha0": a, "beta0": b} for a in LEVELS["alpha0"] for b in LEVELS["beta0"])
    moving = Population(
        cell=maml(1.0, 1.0), members=members, levels=LEVELS, interval=5, intervals=3, tuner_seed=1
    )
    still = replace(moving, quantile=0.0, resample=0.0)
    got: list[tuple[Population, list[Step]]] = []
    live.train([still, moving, moving], lambda one, steps: got.append((one, steps)))
    assert [one for one, _ in got] == [still, moving, moving]
    without, first, again = (steps for _, steps in got)
    for at, member in enumerate(members):
        losses, seen = plain(maml(**member), 15)
        mine = [step for step in without if step["member"] == at]
        assert [step["loss"] for step in mine] == [seen[5], seen[10], seen[15]]
        assert mine[-1]["losses"] == losses
        assert {(step["alpha0"], step["beta0"]) for step in mine} == {tuple(member.values())}
    assert json.dumps(first) == json.dumps(again)
    worst = max((step for step in first if step["interval"] == 0), key=lambda step: step["loss"])["member"]
    moved = next(step for step in first if (step["member"], step["interval"]) == (worst, 1))
    before = [step["losses"] for step in first if step["interval"] == 0 and step["member"] != worst]
    assert moved["losses"][:5] in before  # it took over another member's state
    assert [(step["member"], step["interval"]) for step in first] == [
        (m, i) for i in range(3) for m in range(6)
    ]


def test_an_early_end_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.supervisor, "watch", lambda *asked: "Ray's raylet died")
    one = live.population(searched(levels=(5, 5)), maml(1e-2, 1e-2), 3)
    with pytest.raises(UserError, match="the race: Ray's raylet died; the same command continues"):
        live.train([one], lambda *done: None)
    live.train([], lambda *done: None)  # nothing to do
