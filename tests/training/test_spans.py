"""Spans of iterations that the host reads late and draws ahead: the records do not know of them."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest
import torch

from harness import records
from harness.cell import Cell, Protocol, Question
from harness.problems import episodes
from harness.problems.datasets import Dataset
from harness.training import loop
from harness.training.pack import Pack
from tests.training.runs import MOVING, cell, columns, run, variant

pytestmark = pytest.mark.usefixtures("noise")


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
