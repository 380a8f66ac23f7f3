"""What a sweep has to run, in which order, and which cells go together."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from harness import grids
from harness.cell import Cell, alike, protocol_of
from harness.problems import datasets
from harness.records import provenance
from harness.records.store import Scan
from harness.sweeping.plan import PACK, Todo, at_a_time, made_by_others, pack, plan, together
from tests.records.test_record import CELL, WHOLE, header


def earlier_pace(cell: Cell) -> float:
    """What ordered the cells of every sweep so far, written with the names of both methods' rates."""
    hyper = cell.hyper.model_dump()
    missing = [name for name in ("alpha_hyperlr", "beta_hyperlr") if name not in hyper]
    logs = [math.log10(value) if value > 0 else -20.0 for value in hyper.values()]
    return sum(logs) - 20.0 * len(missing)


NEW = ("5way", "sinusoid", "league", "scale-free")


@pytest.mark.parametrize("name", [name for name in grids.names() if not name.startswith(NEW)])
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


SINUSOID = protocol_of(problem="sinusoid")


def sinusoids(count: int, method: str = "maml", **fields: object) -> list[Cell]:
    hyper = {"maml": {"beta0": 1.0}, "reptile": {"eps0": 1.0, "steps": 5}}[method] | fields
    return [
        Cell(protocol=SINUSOID, method=method, hyper={"alpha0": 1 + i} | hyper, seed=0) for i in range(count)
    ]


def sizes(cells: list[Cell], jobs: int, most: int = 64) -> list[int]:
    packs = pack(cells, 0, jobs=jobs, together=lambda protocol: most)
    assert sorted(cell.cell_id for one in packs for cell in one) == sorted(cell.cell_id for cell in cells)
    return [len(one) for one in packs]


@pytest.mark.parametrize(
    ("count", "jobs", "most", "want"),
    [
        (64, 2, 64, [32, 32]),
        (64, 1, 64, [64]),
        (65, 1, 64, [33, 32]),
        (130, 2, 64, [33, 33, 32, 32]),
        (3, 2, 64, [2, 1]),
        (1, 4, 64, [1]),
        (100, 0, 64, [50, 50]),
        (3, 2, 1, [1, 1, 1]),
    ],
)
def test_small_networks_share_a_pack_and_all_jobs_have_work(
    count: int, jobs: int, most: int, want: list[int]
) -> None:
    assert sizes(sinusoids(count), jobs, most) == want


def test_cells_of_a_pack_on_a_cpu_are_alike() -> None:
    """Method, protocol and whatever is no number with a fraction."""
    other = [
        cell.model_copy(update={"protocol": protocol_of(problem="sinusoid", width=8)})
        for cell in sinusoids(2)
    ]
    steps = sinusoids(2, "reptile"), sinusoids(2, "reptile", steps=1)
    cells = [*sinusoids(2), *other, *steps[0], *steps[1]]
    assert sizes(cells, jobs=1) == [2, 2, 2, 2]
    for one in pack(cells, 0, together=lambda protocol: 64):
        assert len({alike(cell) for cell in one}) == 1


def test_slow_cells_start_first_in_packs_too() -> None:
    """And each pack has slow and fast ones, so that the jobs end at about the same time."""
    packs = pack(sinusoids(6)[::-1], 0, jobs=2, together=lambda protocol: 64)
    assert [[cell.hyper.alpha0 for cell in one] for one in packs] == [[1, 3, 5], [2, 4, 6]]


def test_which_networks_share_a_pack() -> None:
    assert (together(SINUSOID), together(protocol_of()), together(protocol_of(network="mlp"))) == (64, 1, 64)


def test_cells_at_a_time() -> None:
    packs = pack(sinusoids(65), 0, jobs=1, together=lambda protocol: 64)
    assert [at_a_time(packs, jobs) for jobs in (0, 1, 2, 9)] == [0, 33, 65, 65]
    assert at_a_time([], 2) == 0


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


def test_records_that_were_made_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted as if each were asked, whatever part of a cell is not harness's own."""
    brought = sinusoids(10, "reptile", steps=1)
    cells = [*(CELL.model_copy(update={"seed": seed}) for seed in range(10)), *sinusoids(3), *brought]
    origins: list[dict[str, Any]] = [{}, {"plugins": {"method reptile": "now"}}, {"dataset_sha256": "old"}]
    headers = {
        cell.cell_id: replace(WHOLE.header, cell=cell, provenance=origins[i % 3])
        for i, cell in enumerate(cells[:-1])
    }
    scan, todo = Scan(headers=headers, damaged={}), {cells[2].cell_id, brought[0].cell_id}

    def counted() -> dict[str, int]:
        counts = Counter[str]()
        for cell_id in headers.keys() - todo:
            counts.update(provenance.changed(headers[cell_id].cell, headers[cell_id].provenance))
        assert made_by_others(cells, scan, todo) == counts
        return counts

    assert counted() == {}
    monkeypatch.setattr(
        provenance, "sources_of", lambda cell: {"method reptile": "now"} if cell.method == "reptile" else {}
    )
    assert counted() == {"method reptile": 6}
    monkeypatch.setattr(datasets, "_digests", {"glyphs": "new"})
    assert counted() == {"method reptile": 6, "the images of data set glyphs": 2}
    monkeypatch.setattr(provenance, "sources_of", lambda cell: {})
    assert counted() == {"the images of data set glyphs": 2}
