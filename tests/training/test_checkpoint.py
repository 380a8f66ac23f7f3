"""Checkpoints in training: whatever the iteration, cells go on from them to the same rows, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from harness import records
from harness.cell import Cell, Question, protocol_of
from harness.common.errors import UserError
from harness.records import Record
from harness.training import checkpoint, loop, tracing
from harness.training.checkpoint import Checkpoint
from harness.training.pack import Pack

SINUSOID = protocol_of(problem="sinusoid", meta_batch=3, width=5, validation_tasks=3, validation_every=4)
CONV = protocol_of(
    dataset="glyphs", n_way=3, meta_batch=2, layers=2, filters=3, validation_tasks=2, validation_every=4
)
METHODS: dict[str, dict[str, Any]] = {
    "maml": {"alpha0": [0.1, 0.2], "beta0": [1e-2, 1e-3]},
    "alpha-maml": {
        "alpha0": [0.1, 0.2],
        "beta0": [1e-3, 1e-2],
        "alpha_hyperlr": [0.1, 0.1],
        "beta_hyperlr": [1e-5, 1e-5],
    },
    "meta-sgd": {"alpha0": [0.1, 0.2], "beta0": [1e-2, 1e-3]},
    "lslr": {"alpha0": [0.1, 0.2], "beta0": [1e-2, 1e-3]},
    "alpha-maml-log": {"alpha0": [0.1, 0.2], "beta0": [1e-3, 1e-2], "eta": [0.1, 0.2]},
    "maml-prodigy": {"alpha0": [0.1, 0.2], "d0": [1e-4, 1e-3]},
    "reptile": {"alpha0": [0.1, 0.2], "eps0": [0.1, 0.2], "steps": [2, 2]},
}


def cells(protocol: Any, method: str) -> list[Cell]:
    hyper = METHODS[method]
    return [
        Cell(protocol=protocol, method=method, hyper={name: both[i] for name, both in hyper.items()}, seed=i)
        for i in range(2)
    ]


def trained(pack: list[Cell], question: Question, **more: Any) -> tuple[list[Record], list[Checkpoint]]:
    """The records, and what was kept: a checkpoint after every iteration, and the weights."""
    kept: list[Checkpoint] = []
    keep = loop.Keep(take=kept.append, every_s=0, weights=True)
    return list(loop.train(pack, question, keep=keep, **more)), kept


def rows(found: list[Record]) -> dict[str, Any]:
    return {one.header.cell.cell_id: one.rows for one in found}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("protocol", [SINUSOID, CONV], ids=["sinusoid", "conv4"])
def test_a_run_goes_on_from_any_iteration_to_the_same_record(
    protocol: Any, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where operations are recorded after some calls, and repeated: one that goes on counts anew."""
    monkeypatch.setattr(tracing, "FEW", 3)
    pack, question = cells(protocol, method), Question(target_loss=None, max_iterations=7)
    whole, kept = trained(pack, question)
    in_training = [one for one in kept if not one.about.ended]
    assert [one.about.iteration for one in in_training] == [2, 3, 4, 5, 6, 7]
    weights = {one.about.cells[0].cell_id: one for one in kept if one.about.ended}
    for one in in_training:
        start = checkpoint.load(checkpoint.dump(one))  # as a file has it
        again, more = trained(pack, question, start=start)
        assert rows(again) == rows(whole)
        assert {one.header.ending for one in again} == {"budget"}
        assert again[0].header.provenance["continued"] == [one.about.iteration]
        for end in (end for end in more if end.about.ended):
            known = weights[end.about.cells[0].cell_id]
            assert all(torch.equal(end.state[name], known.state[name]) for name in known.state)


def test_a_cell_that_ended_is_not_in_it_and_its_seconds_are() -> None:
    """The second cell of the pack passes its target: the first goes on alone, with its place in the pack."""
    pack = cells(SINUSOID, "maml")
    (lowest,) = (one.header.lowest_sustained for one in loop.train(pack[1:], Question(max_iterations=14)))
    assert lowest is not None
    question = Question(target_loss=lowest, max_iterations=20)
    whole, kept = trained(pack, question)
    last = [one for one in kept if not one.about.ended][-1]
    ended = {one.header.cell.cell_id: one.header.ending for one in whole}
    if len(last.about.cells) == 2:
        pytest.fail(f"both ended together: {ended}")
    (left,) = last.about.cells
    again = list(loop.train([left], question, start=last))
    assert rows(again)[left.cell_id] == rows(whole)[left.cell_id]
    assert again[0].header.provenance["pack_size"] == 2
    assert again[0].header.provenance["wall_seconds"] > last.about.seconds[0]


def test_weights_are_those_that_the_last_row_is_of() -> None:
    """The loss on the validation tasks that they give is the row's."""
    pack, question = cells(CONV, "maml"), Question(target_loss=None, max_iterations=6)
    whole, kept = trained(pack, question)
    for one in (one for one in kept if one.about.ended):
        (cell,) = one.about.cells
        state = checkpoint.state_of(checkpoint.dump(one), cell)
        scored = Pack([cell], torch.device("cpu")).score(state)
        assert scored.loss.item() == rows(whole)[cell.cell_id]["val_loss"][-1].as_py()


def test_a_larger_budget_goes_on_from_weights() -> None:
    pack = cells(SINUSOID, "alpha-maml")
    short, kept = trained(pack, Question(target_loss=None, max_iterations=5))
    long, _ = trained(pack, Question(target_loss=None, max_iterations=9))
    of_cell = {one.header.cell.cell_id: records.dump(one) for one in short}
    ended = [one for one in kept if one.about.ended]
    sources = [(checkpoint.dump(one), of_cell[one.about.cells[0].cell_id]) for one in ended]
    start = checkpoint.joined(sources, pack[::-1])  # in another order
    assert start is not None
    assert start.about.iteration == 5
    question = Question(target_loss=None, max_iterations=9)
    assert rows(list(loop.train(pack[::-1], question, start=start))) == rows(long)


def test_a_start_that_is_not_theirs_is_refused() -> None:
    pack, question = cells(SINUSOID, "maml"), Question(target_loss=None, max_iterations=6)
    one = trained(pack, question)[1][2]
    other = cells(protocol_of(problem="sinusoid", meta_batch=3, width=6, validation_tasks=3), "maml")
    strange = replace(one, about=replace(one.about, cells=tuple(other)))
    with pytest.raises(checkpoint.Unfit, match=r"has \[2, 46\] for weights, where \[2, 61\] is needed"):
        next(loop.train(other, question, start=strange))
    easy = Question(target_loss=None, max_iterations=2)
    with pytest.raises(checkpoint.Unfit, match="ends before iteration 4"):
        next(loop.train(pack, easy, start=one))
    assert checkpoint.joined([(checkpoint.dump(one)[:-3], None)], pack) is None
    assert checkpoint.joined([(checkpoint.dump(one), None)], other) is None
    assert checkpoint.joined([], pack) is None


def test_weights_of_another_shape_or_cell_are_said() -> None:
    pack = cells(SINUSOID, "maml")
    kept = [one for one in trained(pack, Question(max_iterations=2))[1] if one.about.ended]
    content = checkpoint.dump(kept[0])
    name = kept[0].about.cells[0].cell_id
    assert checkpoint.state_of(content, kept[0].about.cells[0]).weights.shape == (1, 46)
    with pytest.raises(UserError, match=f"they are those of {name}"):
        checkpoint.state_of(content, kept[1].about.cells[0])
    short = replace(kept[0], state=kept[0].state | {"weights": torch.zeros(1, 40)})
    with pytest.raises(UserError, match="they are 40 numbers; its network, mlp, has 46"):
        checkpoint.state_of(checkpoint.dump(short), kept[0].about.cells[0])
    with pytest.raises(UserError, match="cannot be read: its content does not match its digest"):
        checkpoint.state_of(content[:-1] + bytes([content[-1] ^ 1]), kept[0].about.cells[0])


def test_nothing_is_kept_before_its_time() -> None:
    kept: list[Checkpoint] = []
    keep = loop.Keep(take=kept.append, every_s=300)
    list(loop.train(cells(SINUSOID, "maml"), Question(max_iterations=3), keep=keep))
    assert kept == []
