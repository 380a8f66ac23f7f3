"""What one worker does with a pack in which some cells raise: they fail, and the others get their records."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch

from harness import records
from harness.cell import Cell, Question, protocol_of
from harness.methods import METHODS
from harness.methods.maml import MAML
from harness.records import Progress, Record
from harness.sweeping import work
from harness.training import loop
from tests import registries

SINUSOID = protocol_of(problem="sinusoid", meta_batch=2, width=4, validation_tasks=2)
QUESTION = Question(target_loss=None, max_iterations=3)
BAD = (0.03, 0.06)


class Fussy(MAML):
    """MAML that raises at its first update from some outer rates."""

    name = "fussy"

    def step(self, state: Any, meta: Any, hyper: Any, optimize: Any, protocol: Any) -> Any:
        if bad := [beta for beta in BAD if (hyper["beta0"] == beta).any()]:
            raise ValueError(f"beta0 is {bad[0]}")
        return super().step(state, meta, hyper, optimize, protocol)


@pytest.fixture(autouse=True)
def fussy(monkeypatch: pytest.MonkeyPatch) -> None:
    registries.for_now(monkeypatch)
    METHODS.add("fussy", Fussy(), __name__)


def pack_of(*rates: float, method: str = "fussy") -> tuple[Cell, ...]:
    return tuple(
        Cell(protocol=SINUSOID, method=method, hyper={"alpha0": 0.1, "beta0": beta0}, seed=0)
        for beta0 in rates
    )


def done(pack: Sequence[Cell], observe: Callable[[list[Progress]], None] = lambda now: None) -> list[Record]:
    """The records, in the order in which they came."""
    return [records.load(content) for content in work.work(tuple(pack), QUESTION, "cpu", 1, observe)]


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[list[float]]:
    """The rates of each pack that is trained, in order. None is there any more when the next begins."""
    found: list[list[float]] = []
    packs: list[weakref.ref] = []
    train, make = loop.train, loop.Pack

    def seen(cells: Sequence[Cell], *more: Any, **options: Any) -> Iterator[Record]:
        assert not [one for one in packs if one() is not None]
        found.append([cell.hyper.beta0 for cell in cells])  # type: ignore[attr-defined]
        yield from train(cells, *more, **options)

    def made(*arguments: Any) -> Any:
        pack = make(*arguments)
        packs.append(weakref.ref(pack))
        return pack

    monkeypatch.setattr(loop, "train", seen)
    monkeypatch.setattr(loop, "Pack", made)
    return found


def test_only_the_cell_that_raises_fails(trained: list[list[float]]) -> None:
    """Eight cells, the third of which raises: as many packs as a search by halves needs."""
    pack = pack_of(0.01, 0.02, 0.03, 0.04, 0.05, 0.055, 0.07, 0.08)
    found = done(pack)
    assert sorted(one.header.cell.cell_id for one in found) == sorted(cell.cell_id for cell in pack)
    (failed,) = (one for one in found if one.header.ending == "failed")
    assert failed.header.cell == pack[2]
    assert (failed.header.error or "").startswith("ValueError: beta0 is 0.03 (step, line ")
    assert failed.header.provenance["pack_size"] == 1
    assert [len(rates) for rates in trained] == [8, 4, 4, 2, 2, 1, 1]
    sizes = {one.header.cell.hyper.beta0: one.header.provenance["pack_size"] for one in found}
    assert sizes == {0.01: 2, 0.02: 2, 0.03: 1, 0.04: 1, 0.05: 4, 0.055: 4, 0.07: 4, 0.08: 4}
    for one in found:
        if one is not failed:
            (alone,) = loop.train([one.header.cell], QUESTION)
            losses, expected = (some.rows["train_loss"].to_pylist() for some in (one, alone))
            assert losses == pytest.approx(expected, rel=1e-5)


def test_several_that_raise_and_each_says_why() -> None:
    pack = pack_of(0.06, 0.01, 0.03, 0.02, 0.04)
    found = done(pack)
    assert sorted(one.header.cell.cell_id for one in found) == sorted(cell.cell_id for cell in pack)
    failed = {one.header.cell.hyper.beta0: one.header.error for one in found if one.header.error}
    assert {beta: error.split(" (")[0] for beta, error in failed.items()} == {
        beta: f"ValueError: beta0 is {beta}" for beta in BAD
    }


def test_a_pack_that_is_too_large_is_trained_in_parts(
    trained: list[list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the training itself, which knows where the cells have come to: to the worker it is one pack."""
    make, made = loop.Pack, []

    def small(cells: Sequence[Cell], *more: Any) -> Any:
        made.append(len(cells))
        if len(cells) > 3:
            raise MemoryError("no room for so many")
        return make(cells, *more)

    monkeypatch.setattr(loop, "Pack", small)
    found = done(pack_of(*(beta / 100 for beta in range(10, 20))))
    assert {one.header.ending for one in found} == {"budget"}
    assert len(found) == 10
    assert made == [10, 5, 3, 2, 5, 3, 2]
    assert [len(rates) for rates in trained] == [10]
    assert {one.header.provenance["split_from"] for one in found} == {10}


def test_a_cell_that_does_not_fit_alone_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    make = loop.Pack

    def small(cells: Sequence[Cell], *more: Any) -> Any:
        if any(cell.hyper.beta0 == 0.05 for cell in cells):  # type: ignore[attr-defined]
            raise torch.OutOfMemoryError("no room for this one")
        return make(cells, *more)

    monkeypatch.setattr(loop, "Pack", small)
    found = {one.header.cell.hyper.beta0: one.header for one in done(pack_of(0.1, 0.05, 0.2))}  # type: ignore[attr-defined]
    assert {beta0: one.ending for beta0, one in found.items()} == {
        0.1: "budget",
        0.05: "failed",
        0.2: "budget",
    }
    assert "no room for this one" in (found[0.05].error or "")


def test_what_had_ended_is_not_trained_again(
    trained: list[list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error comes when three of four have handed over their records."""
    train = loop.train

    def breaks(cells: Sequence[Cell], *more: Any, **options: Any) -> Iterator[Record]:
        for at, record in enumerate(train(cells, *more, **options)):
            if at == 3:
                raise RuntimeError("just now")
            yield record

    monkeypatch.setattr(loop, "train", breaks)
    found = done(pack_of(0.1, 0.2, 0.3, 0.4))
    assert [one.header.ending for one in found] == ["budget"] * 4
    assert trained == [[0.1, 0.2, 0.3, 0.4], [0.4]]


def test_a_single_cell_is_trained_once(trained: list[list[float]]) -> None:
    (failed,) = done(pack_of(0.03))
    assert failed.header.ending == "failed"
    assert trained == [[0.03]]


def test_errors_of_the_accelerator_are_raised(
    trained: list[list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*arguments: Any, **options: Any) -> Any:
        raise torch.AcceleratorError("the device is lost")

    monkeypatch.setattr(loop, "Pack", lost)
    with pytest.raises(torch.AcceleratorError):
        done(pack_of(0.1, 0.2))
    assert len(trained) == 1


def test_progress_goes_on_and_can_be_interrupted() -> None:
    """After the error, the observer hears of the parts as of any pack, and may stop them."""
    heard: list[list[float]] = []

    def observe(now: list[Progress]) -> None:
        heard.append([one.cell.hyper.beta0 for one in now])  # type: ignore[attr-defined]
        if len(heard) == 4:
            raise work.Stop

    with pytest.raises(work.Stop):
        done(pack_of(0.03, 0.01, 0.02, 0.04), observe)
    assert heard == [[0.02, 0.04]] * 3 + [[0.01]]
