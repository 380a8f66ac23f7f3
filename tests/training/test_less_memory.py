"""Where memory does not suffice: a pack goes on in smaller parts, to the same records, and says so.

There is no GPU here. A made-up limit stands in for its memory: so many (cell, task) pairs that an engine may
compute at once, or so many cells whose states may be held.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch

from harness.cell import Cell, Protocol, Question, protocol_of
from harness.records import Record
from harness.training import conv4, loop, memory, pack, replay
from harness.training.autodiff import MappedEngine
from harness.training.pack import Pack
from tests.conftest import SMALL
from tests.training.test_replay import again

pytestmark = pytest.mark.usefixtures("noise")
CPU = torch.device("cpu")
SINUSOID = protocol_of(
    problem="sinusoid", meta_batch=3, width=5, validation_tasks=2, validation_every=4, precision="float64"
)
ENGINES = {"conv4": (SMALL, conv4.Conv4Engine), "sinusoid": (SINUSOID, MappedEngine)}
engines = pytest.mark.parametrize("name", ENGINES)
spans = pytest.mark.parametrize("span", [1, 3])


def cells(protocol: Protocol, many: int = 4) -> list[Cell]:
    """One of which diverges at once."""
    hyper = {"alpha_hyperlr": 0.01, "beta_hyperlr": 1e-5, "beta0": 0.01}
    return [
        Cell(
            protocol=protocol,
            method="alpha-maml",
            hyper=hyper | {"alpha0": 1e300 if at == 1 else 0.1 + at / 100},
            seed=at % 3,
        )
        for at in range(many)
    ]


def trained(these: list[Cell], budget: int = 7, **more: Any) -> dict[str, Record]:
    return {
        one.header.cell.cell_id: one for one in loop.train(these, Question(max_iterations=budget), **more)
    }


def rows(found: dict[str, Record]) -> dict[str, str]:
    return {cell_id: repr(one.rows.to_pydict()) for cell_id, one in found.items()}  # nan is not nan


def told(found: dict[str, Record], name: str) -> set[Any]:
    return {one.header.provenance.get(name) for one in found.values()}


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Makes an engine fail beyond so many pairs at once; how many it computed at once, call by call."""

    def limited(kind: type, most: int, calls: int = 0) -> list[int]:
        """calls: how many are made before memory becomes scarce."""
        seen: list[int] = []
        for name in ("_meta_gradient", "_adapted"):
            compute = getattr(kind, name)

            def within(self: Any, weights: Any, rates: Any, batch: Any, *more: Any, compute=compute) -> Any:
                seen.append(min(self.chunk, len(weights) * batch.support.shape[1]))
                if seen[-1] > most and len(seen) > calls:
                    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
                return compute(self, weights, rates, batch, *more)

            monkeypatch.setattr(kind, name, within)
        return seen

    return limited


@engines
@spans
@pytest.mark.parametrize("most", [1, 3, 5])
def test_too_many_pairs_are_halved_until_they_fit(
    limited: Callable[..., list[int]], name: str, span: int, most: int
) -> None:
    """The records are those of a pack that was told at once how many go through."""
    protocol, kind = ENGINES[name]
    seen = limited(kind, most)
    found = trained(cells(protocol), chunk=16, span=span)
    (at_once,) = told(found, "pairs_at_once")
    assert at_once <= most < 2 * at_once + 2  # twice as many would be too many
    assert max(seen) > most  # it had to be tried
    assert told(found, "split_from") == {None}
    assert rows(found) == rows(trained(cells(protocol), chunk=at_once, span=span))


@engines
@spans
def test_memory_that_becomes_scarce_costs_the_span_alone(
    limited: Callable[..., list[int]], name: str, span: int
) -> None:
    """What was trained before stays, and what comes is the same but for rounding."""
    protocol, kind = ENGINES[name]
    plain = trained(cells(protocol), span=span, chunk=16)
    limited(kind, 2, calls=6)  # those of iterations 1 to 4, two of them validated: in the middle of a span
    seen: list[tuple[str, int]] = []
    found = trained(
        cells(protocol),
        span=span,
        chunk=16,
        observe=lambda now: seen.extend((one.cell.cell_id, one.row["iteration"]) for one in now),
    )
    (at_once,) = told(found, "pairs_at_once") - {None}  # None: of the one that had diverged before
    assert at_once <= 2
    assert len(seen) == len(set(seen))
    for cell_id, one in found.items():
        ours, known = (some.rows.to_pydict() for some in (one, plain[cell_id]))
        assert ours.keys() == known.keys()
        for column in ours:
            assert ours[column] == [
                None if value is None else pytest.approx(value, rel=1e-9, nan_ok=True)
                for value in known[column]
            ]


@pytest.fixture
def few_cells(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], list[int]]:
    """Makes an iteration of more cells fail, from the given iteration on; the sizes of all packs made."""

    def few_cells(most: int, first: int) -> list[int]:
        made: list[int] = []
        advance, make = Pack.advance, Pack.__init__

        def limited(self: Pack, iterations: range) -> Any:
            moments = advance(self, iterations)
            if len(self.seeds) > most and iterations.stop > first:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return moments

        def counted(self: Pack, these: list[Cell], *more: Any) -> None:
            made.append(len(these))
            make(self, these, *more)

        monkeypatch.setattr(Pack, "advance", limited)
        monkeypatch.setattr(Pack, "__init__", counted)
        return made

    return few_cells


@engines
@spans
@pytest.mark.parametrize("first", [1, 5])
def test_cells_that_do_not_fit_train_one_half_after_the_other(
    few_cells: Callable[[int, int], list[int]], name: str, span: int, first: int
) -> None:
    """From where they were, to the last bit: pair by pair nothing depends on the pack."""
    these = cells(ENGINES[name][0])
    plain = trained(these, span=span, chunk=1)
    made = few_cells(1, first)
    seen: list[tuple[str, int]] = []
    found = trained(
        these,
        span=span,
        chunk=1,
        observe=lambda now: seen.extend((one.cell.cell_id, one.row["iteration"]) for one in now),
    )
    assert rows(found) == rows(plain)
    one_ended = first > 1  # at its first iteration
    assert made == ([4, 2, 1, 1, 1] if one_ended else [4, 2, 1, 1, 2, 1, 1])
    assert sorted(seen) == sorted(
        (cell_id, at) for cell_id, one in plain.items() for at in range(1, one.header.iterations + 1)
    )  # each row once
    assert told(found, "split_from") == ({4, None} if one_ended else {4})
    assert told(found, "pack_size") == ({4, 1} if one_ended else {1})
    assert told(found, "continued") == {None}


@spans
def test_cells_whose_last_rows_cannot_be_validated_together(
    monkeypatch: pytest.MonkeyPatch, span: int
) -> None:
    """By then they have ended, and their rows are there; both are done again."""
    these = cells(SMALL)
    plain = trained(these, span=span, chunk=1)
    score, seen = Pack.score, []

    def limited(self: Pack, state: Any) -> Any:
        seen.append(len(state.weights))
        if len(seen) > 2 and seen[-1] > 1:  # those of iterations 1 and 4 fit
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return score(self, state)

    monkeypatch.setattr(Pack, "score", limited)
    found = trained(these, span=span, chunk=1)
    assert seen == [4, 3, 3, 2, 1, 1, 1]
    assert rows(found) == rows(plain)
    assert told(found, "split_from") == {4, None}


def test_states_that_would_leave_no_room_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """13 states of a cell and as much again for half of what is computed: known before anything trains."""
    these = cells(SMALL, 5)
    one = pack.STATES * memory.size(replay.leaves(Pack(these[:1], CPU).state))
    plain = trained(these, chunk=1)
    monkeypatch.setattr(memory, "free", lambda device: 3 * one)
    assert (memory.fits(2 * one, CPU), memory.fits(2 * one + 1, CPU)) == (True, False)
    assert memory.room(CPU, one) == 2 * one // 3
    found = trained(these, chunk=1)
    assert rows(found) == rows(plain)
    assert told(found, "pack_size") == {1, 2}
    monkeypatch.setattr(memory, "free", lambda device: one // 2)
    assert told(trained(these[:1], budget=2, chunk=1), "split_from") == {None}  # one cell is tried


def test_conv4_says_when_a_gpu_has_no_room_for_all_its_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """12 pairs; on a CPU a chunk is as large as its cache, whatever the memory."""
    fits = {at_once: Pack(cells(SMALL), CPU).in_parts for at_once in (11, 12)}
    assert fits == {11: False, 12: False}
    for at_once, in_parts in ((11, True), (12, False)):
        monkeypatch.setattr(pack, "default_chunk", lambda *given, at_once=at_once: at_once)
        assert Pack(cells(SMALL), torch.device("meta")).in_parts is in_parts


def test_what_was_recorded_goes_before_a_smaller_part_is_tried(
    monkeypatch: pytest.MonkeyPatch, limited: Callable[..., list[int]]
) -> None:
    """Memory becomes scarce in a recording, which the failure does not outlive; then it is made anew."""
    these, recordings = cells(SMALL), []

    def record(function: Any, inputs: Any) -> replay.Recording:
        assert not [one for one in recordings if one() is not None]
        made = again(function, inputs)
        recordings.append(weakref.ref(made))
        return made

    plain = trained(these, chunk=16)
    monkeypatch.setitem(pack.LAUNCH, "cpu", lambda function: replay.graphed(function, record))
    limited(conv4.Conv4Engine, 4, calls=7)
    gc.disable()
    try:
        found = trained(these, chunk=16)
    finally:
        gc.enable()
    assert told(found, "pairs_at_once") == {None, 4}
    assert len(recordings) >= 2
    for cell_id, one in found.items():
        losses, known = (some.rows.to_pydict()["train_loss"] for some in (one, plain[cell_id]))
        assert losses == pytest.approx(known, rel=1e-9, nan_ok=True)


def test_an_error_of_another_kind_is_no_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, *given: Any) -> Any:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(conv4.Conv4Engine, "_meta_gradient", broken)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        trained(cells(SMALL))


@pytest.mark.parametrize(
    ("error", "lacks"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 GiB"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (torch.AcceleratorError("CUDA error: out of memory"), True),
        (MemoryError(), True),
        (torch.AcceleratorError("CUDA error: an illegal memory access was encountered"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_which_errors_say_that_memory_does_not_suffice(error: Exception, lacks: bool) -> None:
    assert memory.is_lack(error) is lacks


def test_one_pair_that_does_not_fit_is_no_network_that_cannot_be_mapped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A RuntimeError, too: it must not lead to the slower engine."""

    def none(*given: Any) -> int:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(memory, "peak", none)
    with pytest.raises(torch.OutOfMemoryError):
        Pack(cells(SINUSOID)[:1], CPU)
