"""Recordings: a function replayed on the memory of its first call gives what the function gives.

There is no CUDA graph on a CPU. `again` stands in for one: it reads and renews the same memory.
"""

from __future__ import annotations

import gc
from collections import Counter
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from harness.cell import Cell, Question, protocol_of
from harness.training import loop, pack, replay
from harness.training.replay import Function, Recording, Tree, copy, each, graphed, leaves
from tests.conftest import SMALL


class Pair(NamedTuple):
    a: Tensor
    b: tuple[Tensor, ...]


def again(function: Function, inputs: Tree) -> Recording:
    """What a CUDA graph does, by calling the function again."""
    own = each(torch.clone, inputs)
    outputs = each(torch.clone, function(*own))
    for part in leaves(outputs):
        part.fill_(float("nan"))  # nothing is computed when a graph is recorded

    def run() -> None:
        for old, new in zip(leaves(outputs), leaves(function(*own)), strict=True):
            old.copy_(new)

    return Recording(inputs=own, outputs=outputs, replay=run)


def test_each_keeps_the_shape_of_a_tree() -> None:
    one = torch.ones(2)
    tree = (Pair(one, (one, one)), {"x": one}, ())
    doubled = each(lambda part: 2 * part, tree)
    assert isinstance(doubled[0], Pair)
    assert doubled[1]["x"].tolist() == [2, 2]
    assert doubled[2] == ()
    assert len(leaves(doubled)) == 4


def test_replayed_calls_equal_plain_ones_and_keep_what_they_gave() -> None:
    def step(state: Pair, by: Tensor) -> tuple[Pair, Tensor]:
        return Pair(state.a + by, (state.b[0] * state.a,)), state.a.sum() * by

    fast = graphed(step, again)
    one = two = Pair(torch.arange(3.0), (torch.ones(3),))
    given = []
    for i in range(5):
        one, plain = step(one, torch.tensor(float(i)))
        two, replayed = fast(two, torch.tensor(float(i)))
        given.append((one, plain, two, replayed))
    for one, plain, two, replayed in given:  # later replays have written over nothing
        assert torch.equal(one.a, two.a)
        assert torch.equal(one.b[0], two.b[0])
        assert torch.equal(plain, replayed)


def test_a_tree_is_copied_in_one_launch_for_each_type_of_number(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Pair(torch.arange(3.0), (torch.ones(2, dtype=torch.int64), torch.ones(2), torch.tensor(2.5)))
    target = each(torch.zeros_like, source)
    launched: list[int] = []
    launch = torch._foreach_copy_
    monkeypatch.setattr(torch, "_foreach_copy_", lambda to, of: (launched.append(len(to)), launch(to, of))[1])
    copy(source, target)
    assert all(map(torch.equal, leaves(source), leaves(target)))
    assert sorted(launched) == [1, 3]


def test_new_shapes_are_run_once_then_recorded_again() -> None:
    calls: list[int] = []
    recorded: list[int] = []

    def count(function: Function, inputs: Tree) -> Recording:
        recorded.append(len(inputs[0]))
        return again(function, inputs)

    fast = graphed(lambda x: calls.append(len(x)) or x + 1, count)
    for size in (3, 3, 3, 2, 2):
        assert fast(torch.zeros(size)).tolist() == [1] * size
    assert recorded == [3, 2]


@pytest.mark.usefixtures("noise")
@pytest.mark.parametrize("method", ["maml", "alpha-maml"])
def test_a_pack_trained_by_replays_is_the_same_to_the_last_bit(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Three cells, one of which diverges and leaves, so that there are two recordings."""
    rates = {} if method == "maml" else {"alpha_hyperlr": 0.1, "beta_hyperlr": 1e-3}
    protocol = protocol_of(**SMALL.model_dump() | {"precision": "float32"})
    cells = [
        Cell(protocol=protocol, method=method, hyper={"alpha0": alpha0, "beta0": 0.01} | rates, seed=seed)
        for alpha0, seed in ((0.1, 0), (1e38, 0), (0.3, 1))
    ]

    def run() -> dict[str, dict]:
        records = loop.train(cells, Question(max_iterations=14), span=4)
        return {r.header.cell.cell_id: r.rows.to_pydict() for r in records}

    plain = run()
    monkeypatch.setitem(pack.LAUNCH, "cpu", lambda function: graphed(function, again))
    assert repr(run()) == repr(plain)  # nan is not nan, its name is
    assert sorted(len(rows["iteration"]) for rows in plain.values())[1:] == [14, 14]
    assert replay.graphed is pack.LAUNCH["cuda"]


class _Launched(TorchDispatchMode):
    """Counts the operators that compute; views of what is there cost a device nothing."""

    VIEWS = "view", "select", "slice", "unbind", "empty", "lift_fresh"

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func).removeprefix("aten.")
        if not name.startswith(self.VIEWS):
            self.names.append(name)
        return func(*args, **(kwargs or {}))


@pytest.mark.usefixtures("noise")
def test_little_is_launched_beside_a_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many seeds: a copy in for each type of number, out for each type, and one stack for a span. The
    tasks are drawn on the host and looked up in the recording."""

    def empty(function: Function, inputs: Tree) -> Recording:
        own = each(torch.clone, inputs)
        return Recording(inputs=own, outputs=function(*own), replay=lambda: None)

    monkeypatch.setitem(pack.LAUNCH, "cpu", lambda function: graphed(function, empty))
    protocol = protocol_of(**SMALL.model_dump() | {"precision": "float32", "validation_every": 100})
    hyper = {"alpha0": 0.1, "beta0": 0.01}
    cells = [Cell(protocol=protocol, method="maml", hyper=hyper, seed=seed) for seed in range(3)]
    trained = pack.Pack(cells, torch.device("cpu"))
    trained.advance(range(1, 4))
    with _Launched() as seen:
        moments = trained.advance(range(4, 14))
        trained.draw_ahead(range(14, 24))
        loop._rows(cells[0], moments)
    counts = Counter(seen.names)
    assert counts == {"_foreach_copy_.default": 10 * (3 + 2), "stack.default": 1}


def test_nothing_is_collected_while_a_graph_is_recorded() -> None:
    assert gc.isenabled()
    with replay._nothing_collected():
        assert not gc.isenabled()
        with replay._nothing_collected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(RuntimeError), replay._nothing_collected():
        raise RuntimeError
    assert gc.isenabled()
