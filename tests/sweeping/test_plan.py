"""What a sweep has to run, in which order, and which cells go together."""

from __future__ import annotations

import math

import pytest

from harness import grids
from harness.cell import Cell
from harness.records.store import Scan
from harness.sweeping.plan import PACK, Todo, pack, plan
from tests.records.test_record import CELL, WHOLE, header


def earlier_pace(cell: Cell) -> float:
    """What ordered the cells of every sweep so far, written with the names of both methods' rates."""
    hyper = cell.hyper.model_dump()
    missing = [name for name in ("alpha_hyperlr", "beta_hyperlr") if name not in hyper]
    logs = [math.log10(value) if value > 0 else -20.0 for value in hyper.values()]
    return sum(logs) - 20.0 * len(missing)


@pytest.mark.parametrize("name", grids.names())
def test_cells_start_in_the_order_of_earlier_sweeps(name: str) -> None:
    cells = grids.load(name).cells([0, 1])
    started = [cell for (cell,) in pack(cells, devices=0)]
    assert started == sorted(cells, key=earlier_pace)
    assert len(started) == len(cells)


def test_long_cells_start_first() -> None:
    started = [cell for (cell,) in pack(grids.load("fig2").cells(), devices=0)]
    assert [cell.method for cell in started] == ["maml"] * 5 + ["alpha-maml"] * 180
    assert started[0].hyper.alpha0 < started[4].hyper.alpha0
    assert started[5].hyper.model_dump()["alpha_hyperlr"] < started[-1].hyper.model_dump()["alpha_hyperlr"]


def test_packs_for_accelerators_hold_one_method_each_and_every_cell() -> None:
    cells = grids.load("fig2").cells()
    packs = pack(cells, devices=2)
    assert sorted(len(one) for one in packs) == [2, 3, 90, 90]
    assert all(len({cell.method for cell in one}) == 1 for one in packs)
    assert {cell for one in packs for cell in one} == set(cells)
    many = grids.load("fig2").cells(range(5))
    packs = pack(many, devices=1)
    assert max(len(one) for one in packs) <= PACK
    assert sum(len(one) for one in packs) == len(many)


def test_why_a_cell_has_to_run() -> None:
    question = grids.load("fig2").question
    cells = [CELL.model_copy(update={"seed": seed}) for seed in range(5)]
    headers = [
        WHOLE.header,  # 30 of 500 iterations, but it reached the target
        header("budget", 30, 2.6),
        header("failed", 0, error="no memory"),
    ]
    scan = Scan(
        headers={cell.cell_id: one for cell, one in zip(cells, headers, strict=False)},
        damaged={cells[3].cell_id: "torn"},
    )
    assert plan(cells, scan, question) == {
        cells[1].cell_id: Todo(
            kind="stale", reason="stopped at iteration 30, before a sustained passage of 2.5"
        ),
        cells[2].cell_id: Todo(kind="failed", reason="no memory"),
        cells[3].cell_id: Todo(kind="damaged", reason="torn"),
        cells[4].cell_id: Todo(kind="missing", reason="not run yet"),
    }
