"""On a CUDA device: the same records as on the CPU, by replays as by launches."""

from __future__ import annotations

import gc
import os
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from harness.cell import Cell, Protocol, Question, protocol_of
from harness.training import loop, pack, precision, replay
from harness.training.conv4 import operators
from harness.training.meta_test import MetaTester
from tests.conftest import SMALL

pytestmark = [
    pytest.mark.usefixtures("noise"),
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

PAPER = protocol_of(dataset="glyphs", precision="float64", validation_every=3, validation_tasks=4)
"""The paper's network, exact to the last digits; its images are the fixture's."""
MOVING = {"alpha_hyperlr": 0.1, "beta_hyperlr": 1e-3}


def cells(protocol: Protocol, **moving: float) -> list[Cell]:
    """Three of two seeds, one of which diverges at once and leaves its pack."""
    method = "alpha-maml" if moving else "maml"
    return [
        Cell(protocol=protocol, method=method, hyper={"alpha0": alpha0, "beta0": 0.01} | moving, seed=seed)
        for alpha0, seed in ((0.1, 0), (1e300 if protocol.precision == "float64" else 1e38, 0), (0.3, 1))
    ]


def rows(cells: list[Cell], device: str, budget: int, **options: int) -> dict[str, dict[str, list]]:
    question = Question(target_loss=None, max_iterations=budget)
    records = loop.train(cells, question, device, **options)
    return {one.header.cell.cell_id: one.rows.to_pydict() for one in records}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"task_reduction": "sum", "meta_optimizer": "sgd"},
        {"inner_steps": 3, "k_shot": 2, "k_query": 3, "norm_scale": True, "norm_adapted": True},
        {"first_order": True, "layers": 1, "head_init": "normal"},
    ],
)
@pytest.mark.parametrize("moving", [{}, MOVING])
def test_twenty_iterations_as_on_the_cpu(fields: dict[str, object], moving: dict[str, float]) -> None:
    three = cells(protocol_of(**SMALL.model_dump() | fields), **moving)
    same(rows(three, "cuda", 20, span=7), rows(three, "cpu", 20))


def test_the_papers_network_as_on_the_cpu() -> None:
    three = cells(PAPER, **MOVING)[:1]
    torch.set_num_threads(os.cpu_count() or 1)
    try:
        same(rows(three, "cuda", 6), rows(three, "cpu", 6))
    finally:
        torch.set_num_threads(1)


def test_a_meta_test_as_on_the_cpu() -> None:
    cell = cells(SMALL)[0]
    state = pack.Pack([cell], torch.device("cpu")).state
    ours, expected = (
        MetaTester(cell, tasks=7, steps=3, rates=(None, 0.3), device=device).test_cell(cell, state)
        for device in ("cuda", "cpu")
    )
    for name, values in expected.values.items():
        np.testing.assert_allclose(ours.values[name], values, rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("moving", [{}, MOVING])
def test_replays_and_launches_give_the_same_to_the_last_bit(
    monkeypatch: pytest.MonkeyPatch, moving: dict[str, float]
) -> None:
    """Also read late or at once: where the host looks changes nothing."""
    three = cells(protocol_of(**SMALL.model_dump() | {"precision": "float32"}), **moving)
    replayed = rows(three, "cuda", 30, span=7)
    assert repr(rows(three, "cuda", 30, span=7)) == repr(replayed)  # nan is not nan, its name is
    monkeypatch.delitem(pack.LAUNCH, "cuda")
    assert repr(rows(three, "cuda", 30, span=7)) == repr(replayed)
    assert repr(rows(three, "cuda", 30, span=1)) == repr(replayed)
    assert sorted(len(run["iteration"]) for run in replayed.values())[1:] == [30, 30]


@pytest.mark.skipif(find_spec("triton") is None, reason="no Triton")
@pytest.mark.parametrize(("rows", "k", "f"), [(980, 576, 64), (980, 64, 576), (20, 64, 20), (77, 40, 24)])
def test_three_tf32_products_are_as_exact_as_float32(rows: int, k: int, f: int) -> None:
    """Of four groups, and of all their rows under one; TF32 alone is a hundred times worse."""
    if torch.cuda.get_device_capability() < precision.CAPABILITY:
        pytest.skip("no TF32")
    from harness.training.conv4 import triton_products as ours

    generator = torch.Generator().manual_seed(0)
    shapes = (4, rows, k), (4, k, f), (4, rows, f)
    x, w, y = (torch.randn(shape, generator=generator).cuda() for shape in shapes)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        for how, formula, arguments in (
            (ours.product, operators.product, (x, w)),
            (ours.product, operators.product, (x, w[:1])),
            (ours.product, operators.product, (y, w.mT)),
            (ours.correlation, operators.correlation, (x, y, 4)),
            (ours.correlation, operators.correlation, (x, y, 1)),
        ):
            exact = formula(*(one.double() if isinstance(one, torch.Tensor) else one for one in arguments))
            error = {
                name: float((result.double() - exact).norm() / exact.norm())
                for name, result in {
                    "ours": how(*arguments),
                    "float32": formula(*arguments),
                    "tf32": how(*arguments, precision="tf32"),
                }.items()
            }
            assert error["ours"] < max(4 * error["float32"], 1e-6)
            assert error["ours"] < error["tf32"] / 30
    finally:
        torch.set_float32_matmul_precision(before)


def test_a_pack_that_outgrows_its_memory_goes_on_in_parts() -> None:
    """The process may take less than its estimate says: 48 pairs of some 64 MB."""
    three, question = cells(PAPER, **MOVING), Question(target_loss=None, max_iterations=6)
    expected = rows(three, "cuda", 6, span=3)
    total = torch.cuda.get_device_properties(0).total_memory
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_allocated() + 1.2e9) / total)
    try:
        found = {one.header.cell.cell_id: one for one in loop.train(three, question, "cuda", span=3)}
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    at_once = {one.header.provenance.get("pairs_at_once", 48) for one in found.values()}
    assert max(at_once) < 48
    same({cell_id: one.rows.to_pydict() for cell_id, one in found.items()}, expected)


def test_a_recording_outlives_old_graphs() -> None:
    """Graphs of an earlier pack that wait in a cycle for the garbage collector, which is eager here."""

    class Cycle:
        def __init__(self, held: object) -> None:
            self.held, self.me = held, self

    old = replay.graphed(lambda x: x + 1)
    for _ in range(2):
        old(torch.zeros(3, device="cuda"))
    Cycle(old)
    del old
    often = gc.get_threshold()
    gc.set_threshold(1)
    try:
        fast = replay.graphed(lambda x: [x + i for i in range(50)][-1])
        assert [fast(torch.zeros(2, device="cuda")).tolist() for _ in range(3)] == [[49.0, 49.0]] * 3
    finally:
        gc.set_threshold(*often)


def same(ours: dict[str, dict[str, list]], expected: dict[str, dict[str, list]]) -> None:
    assert ours.keys() == expected.keys()
    for cell_id, columns in expected.items():
        for name, values in columns.items():
            pair = [np.array(one, dtype=float) for one in (ours[cell_id][name], values)]  # None: nan
            np.testing.assert_allclose(*pair, rtol=1e-9, err_msg=f"{cell_id} {name}")
