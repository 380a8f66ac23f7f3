"""Every method on every problem: what holds for all of them, in one table. Small packs in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.cell import Cell, Protocol, Question, protocol_of
from harness.methods import METHODS
from harness.records import schema
from harness.training import loop, pack, replay
from harness.training.pack import Pack
from tests.conftest import SMALL
from tests.training import own
from tests.training.test_replay import again

HYPER: dict[str, dict[str, Any]] = {
    "maml": {"alpha0": 0.1, "beta0": 0.01},
    "alpha-maml": {"alpha0": 0.1, "beta0": 0.01, "alpha_hyperlr": 1e-3, "beta_hyperlr": 1e-5},
    "fomaml": {"alpha0": 0.1, "beta0": 0.01},
    "anil": {"alpha0": 0.02, "beta0": 0.01},
    "meta-sgd": {"alpha0": 0.1, "beta0": 0.01},
    "reptile": {"alpha0": 0.02, "eps0": 1.0, "steps": 3},
    "lslr": {"alpha0": 0.1, "beta0": 0.01, "msl": True},
    "la-maml": {"alpha0": 0.05, "eta": 0.01},
    "alpha-maml-normalised": {"alpha0": 0.1, "beta0": 0.01, "eta_alpha": 0.01, "eta_beta": 1e-3},
    "alpha-maml-multiplicative": {"alpha0": 0.1, "beta0": 0.01, "kappa_alpha": 0.1, "kappa_beta": 0.1},
    "alpha-maml-log": {"alpha0": 0.1, "beta0": 0.01, "eta": 0.1},
    "maml-dog": {"alpha0": 0.1, "r0": 0.1},
    "maml-prodigy": {"alpha0": 0.1, "d0": 0.003},
}
"""With which each of them learns on every problem."""
MOVES = {
    **dict.fromkeys(
        ("alpha-maml", "alpha-maml-normalised", "alpha-maml-multiplicative", "alpha-maml-log"),
        ("alpha0", "beta0"),
    ),
    **dict.fromkeys(("meta-sgd", "lslr", "la-maml"), ("alpha0",)),
}
"""The rates that do not stay where they start."""
SINUSOID = protocol_of(problem="sinusoid", width=8, meta_batch=4, validation_tasks=2, validation_every=4)
PROBLEMS = ("few-shot, Conv-4", "few-shot, max-pooling", "sinusoid")

CPU = torch.device("cpu")
every = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(params=PROBLEMS)
def protocol(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Protocol:
    """One of each problem, in float64; the first is on the fast path."""
    if request.param == "few-shot, Conv-4":
        request.getfixturevalue("noise")
        return SMALL
    return exact(SINUSOID) if request.param == "sinusoid" else own.protocol(monkeypatch)


def variant(protocol: Protocol, **fields: Any) -> Protocol:
    return protocol_of(**protocol.model_dump() | fields)


def exact(protocol: Protocol) -> Protocol:
    return variant(protocol, precision="float64")


def cell(protocol: Protocol, method: str, seed: int = 0, **hyper: Any) -> Cell:
    return Cell(protocol=protocol, method=method, hyper=HYPER[method] | hyper, seed=seed)


def run(*cells: Cell, budget: int, span: int | None = None, device: str = "cpu") -> list[dict[str, list]]:
    """The columns of each cell's record."""
    records = loop.train(cells, Question(max_iterations=budget), device, span=span)
    done = {record.header.cell.cell_id: record for record in records}
    return [done[one.cell_id].rows.to_pydict() for one in cells]


def three(protocol: Protocol, method: str) -> list[Cell]:
    """Of two seeds and two inner rates."""
    return [cell(protocol, method, seed, alpha0=alpha0) for seed, alpha0 in ((0, 0.1), (1, 0.1), (0, 0.07))]


def trained(cells: list[Cell], leaves: int | None = None) -> list[list[Tensor]]:
    """The tensors of the pack before and after five iterations, and of the iterations; in all of them the
    cells are the first axis. leaves: the cell that leaves after the third."""
    of = Pack(cells, CPU)
    moments = of.advance(range(1, 4))
    if leaves is not None:
        of.keep([at for at in range(len(cells)) if at != leaves])
    moments += of.advance(range(4, 6))
    parts = [(m.state, m.loss, m.metrics, m.recorded, m.validation or ()) for m in moments]
    return [replay.leaves(part) for part in (*parts, of.state)]


def test_the_table_has_every_method() -> None:
    assert HYPER.keys() == set(METHODS)


@every
def test_it_learns(method: str, protocol: Protocol) -> None:
    """The loss of tasks that it does not train on falls."""
    (rows,) = run(cell(variant(protocol, validation_every=100, validation_tasks=20), method), budget=12)
    assert all(map(math.isfinite, rows["train_loss"]))
    first, *between, last = rows["val_loss"]
    assert between == [None] * 10
    assert last < first - 0.005


@every
def test_its_rows_have_the_columns_that_it_promises(method: str, protocol: Protocol) -> None:
    """What it records, the losses, and the metrics of the problem; nothing of an update in the last row."""
    one = cell(protocol, method)
    (rows,) = run(one, budget=6)
    own = list(METHODS[method].columns)
    judged = ["loss", *protocol.problem_type.metrics]
    assert list(rows) == ["iteration", *own, *(f"{split}_{x}" for split in ("train", "val") for x in judged)]
    assert list(rows) == list(schema.record(one))
    assert rows["iteration"] == [1, 2, 3, 4, 5, 6]
    for name in own:
        assert all(map(math.isfinite, rows[name][:-1])), name
        assert (rows[name][-1] is None) == METHODS[method].columns[name].of_update, name
    measured = [i for i, loss in zip(rows["iteration"], rows["val_loss"], strict=True) if loss is not None]
    assert measured == [1, 4, 6]
    for name, start in HYPER[method].items():
        if name in ("alpha0", "beta0", "eps0"):
            column = rows[name.removesuffix("0")]
            assert column[0] == pytest.approx(start), name
            assert (column[4] != column[0]) == (name in MOVES.get(method, ())), name


@every
def test_its_state_keeps_its_shapes(method: str, protocol: Protocol) -> None:
    """As a CUDA graph and a pack that shrinks need it; an iteration writes over nothing."""
    of = Pack(three(protocol, method), CPU)
    before, kept = of.state, replay.each(torch.clone, of.state)
    of.advance(range(1, 3))
    layout = of.engine.network.layout
    assert before.weights.shape == (3, sum(layout.sizes))
    for old, new, same in zip(*(replay.leaves(s) for s in (before, of.state, kept)), strict=True):
        assert (old.shape, old.dtype, len(old)) == (new.shape, new.dtype, 3)
        assert torch.equal(old, same)
    assert before.alpha.dtype == before.beta.dtype == torch.float64
    *steps, rates = before.alpha.shape[1:]
    assert steps in ([], [protocol.inner_steps])
    assert rates in (1, len(layout.adapted), layout.adapted_size)
    of.keep([1])
    assert {len(leaf) for leaf in replay.leaves(of.state)} == {1}


@every
def test_a_pack_equals_its_cells_one_by_one(method: str, protocol: Protocol) -> None:
    """State, losses, metrics, what is recorded; also after one of them has left."""
    cells = three(protocol, method)
    together = trained(cells, leaves=1)
    for places, one in ((0, 0), cells[0]), ((1, None), cells[1]), ((2, 1), cells[2]):
        for i, (packed, alone) in enumerate(zip(together, trained([one]), strict=True)):
            if (at := places[i >= 3]) is not None:
                for ours, expected in zip(packed, alone, strict=True):
                    torch.testing.assert_close(ours[at : at + 1], expected, rtol=1e-10, atol=1e-13)


@every
def test_it_does_the_same_twice_and_however_late_it_is_read(method: str, protocol: Protocol) -> None:
    """To the last bit, in float32."""
    cells = three(variant(protocol, precision="float32"), method)
    first, *others = (run(*cells, budget=5, span=span) for span in (1, 1, 3))
    assert others == [first, first]


@every
def test_replays_are_the_same_to_the_last_bit(
    method: str, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recording has a state, tasks and numbers for inputs; a state, losses and metrics for outputs. There
    are two of them here, for one of the cells leaves."""
    cells = three(variant(protocol, precision="float32"), method)
    launched = trained(cells, leaves=1)
    monkeypatch.setitem(pack.LAUNCH, "cpu", lambda function: replay.graphed(function, again))
    for ours, expected in zip(trained(cells, leaves=1), launched, strict=True):
        assert all(map(torch.equal, ours, expected))


@every
def test_an_iteration_waits_for_nothing(method: str, protocol: Protocol) -> None:
    """On a device without data, every look at a number is an error, and so is a tensor on another device."""
    cells = three(variant(protocol, precision="float32"), method)
    moments = Pack(cells, torch.device("meta"), chunk=6).advance(range(1, 3))
    assert [moment.validation is not None for moment in moments] == [True, False]
    assert [len(moment.metrics) for moment in moments] == [len(protocol.problem_type.metrics)] * 2
    with pytest.raises(RuntimeError):
        moments[0].loss.tolist()  # so it is an error


@every
def test_cells_of_a_seed_see_the_same_tasks(method: str, protocol: Protocol) -> None:
    """With inner rates of 0, the first loss is that of the initial weights, whatever the method."""
    (rows,) = run(cell(protocol, method, alpha0=0.0), budget=2)
    (maml,) = run(cell(protocol, "maml", alpha0=0.0), budget=2)
    assert rows["train_loss"][0] == maml["train_loss"][0]
    assert rows["val_loss"][0] == maml["val_loss"][0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@every
def test_a_cuda_device_gives_what_the_cpu_gives(method: str, protocol: Protocol) -> None:
    """By recordings, too: the span has more iterations than a recording needs."""
    cells = three(protocol, method)
    for ours, expected in zip(run(*cells, budget=6, device="cuda"), run(*cells, budget=6), strict=True):
        for name, values in expected.items():
            pair = (np.array(x, float) for x in (ours[name], values))  # None: nan
            np.testing.assert_allclose(*pair, rtol=1e-9, err_msg=name)
