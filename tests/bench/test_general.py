"""The bench of the engine for any network: a user's convolutions, and a pack of small networks."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from harness.bench import cpu, general, peers, timing, users, workload
from harness.bench.general import PARTS
from harness.bench.workload import Answer, Prepare, Program, Workload
from harness.problems.networks import NETWORKS
from harness.training import tracing
from harness.training.autodiff import LoopedEngine, MappedEngine
from harness.training.pack import Pack

NETWORK, PACK = PARTS


@pytest.fixture(autouse=True)
def quickly(forgotten: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small images, none of the libraries, no collecting in a test's large heap."""
    monkeypatch.setattr(users, "SIDE", 16)
    monkeypatch.setattr(timing.gc, "collect", lambda: 0)

    def absent(package: str) -> object:
        raise ModuleNotFoundError(f"No module named '{package}'", name=package)

    load = peers._load
    monkeypatch.setattr(
        peers, "_load", lambda package: load(package) if package == "torch" else absent(package)
    )


def small(part: general.Part):
    return part.protocol().model_copy(update=part.small)


def wrong(error: Answer) -> Prepare:
    """Ours with an error in its last cell."""

    def prepare(work: Workload) -> Program:
        right = workload.ours(work)

        def answer(meta: object) -> Answer:
            loss, gradient = (part.clone() for part in right.answer(meta))
            loss[-1] += error.loss
            gradient[-1] += error.gradient * gradient[-1].abs().max()
            return Answer(loss, gradient)

        return Program(step=right.step, answer=answer)

    return prepare


@pytest.mark.parametrize(("part", "cells"), [(NETWORK, 1), (PACK, 1), (PACK, 5)])
def test_ours_equals_the_plain_loop(part: general.Part, cells: int) -> None:
    programs, _ = cpu.contenders(layouts=("contiguous",) if part.images else ())
    assert [one.package for one in programs.values()] == ["harness", "torch"]
    assert max(cpu.differences(programs, small(part), cells=cells).values()) <= 1e-12


@pytest.mark.parametrize(("part", "cells"), [(NETWORK, 1), (PACK, 3)])
@pytest.mark.parametrize("error", [(1e-7, 0), (0, 1e-7), (float("nan"), 0)])
def test_an_error_in_the_last_cell_is_refused(
    part: general.Part, cells: int, error: tuple[float, float]
) -> None:
    programs, _ = cpu.contenders(layouts=("contiguous",) if part.images else ())
    programs["harness"] = replace(programs["harness"], prepare=wrong(Answer(*map(torch.tensor, error))))
    with pytest.raises(cpu.Disagreement, match=r"^harness: differs by"):
        cpu.differences(programs, small(part), cells=cells)


def test_the_network_is_known_only_when_the_bench_asks() -> None:
    assert users.NETWORK not in NETWORKS
    protocol = NETWORK.protocol()
    assert users.NETWORK in NETWORKS
    assert (protocol.n_way, protocol.k_shot, protocol.k_query, protocol.meta_batch) == (5, 5, 5, 4)


@pytest.mark.parametrize(("part", "engine"), [(NETWORK, LoopedEngine), (PACK, MappedEngine)])
def test_each_part_runs_on_its_engine(
    part: general.Part, engine: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    monkeypatch.setattr(workload, "Pack", lambda *cells: made.append(Pack(*cells)) or made[-1])
    workload.ours(workload.make(small(part)))
    assert type(made[0].engine) is engine


def test_what_is_checked_and_timed_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once in the precision of the check, once in that of the times."""
    recorded = []

    def counted(function: object, inputs: list[torch.Tensor]) -> object:
        recorded.append(inputs[0].dtype)
        return function

    monkeypatch.setattr(tracing, "_recorded", counted)
    before = tracing.FEW
    general.measure(PACK, 1, quick=True)
    assert recorded == [torch.float64, torch.float32]
    assert before == tracing.FEW


@pytest.mark.parametrize("part", PARTS)
def test_the_result(part: general.Part) -> None:
    said: list[str] = []
    result = general.measure(part, 2, quick=True, say=said.append)
    assert json.loads(json.dumps(result)) == result
    cells = 1 if part is NETWORK else 2
    assert [row["cells"] for row in result["programs"]] == [cells] + [1] * (len(result["programs"]) - 1)
    for row in result["programs"]:
        assert 0 < row["min_ms"] <= row["q1_ms"] <= row["median_ms"] <= row["q3_ms"]
        rate = 1e3 * row["cells"] / row["median_ms"]
        assert row["cell_iterations_per_second"] == pytest.approx(rate, rel=1e-3)
    assert [row["layout"] for row in result["programs"][1:]] == (
        ["contiguous", "channels-last"] if part is NETWORK else [None]
    )
    assert result["rounds"] == 2
    assert result["max_float64_difference"] <= 1e-12
    assert set(result["not_installed"]) == set(peers.LIBRARIES)
    assert said[0].startswith(f"{part.title}: {len(result['programs'])} programs agree in float64 to ")
    assert said[1].endswith(" ms; no library to compare with")


def test_a_pack_is_compared_by_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """By made-up times, in which one call of ours, for two cells, takes as long as a library's for one."""
    programs, _ = cpu.contenders(layouts=())
    as_library = {
        name: one if name == "harness" else replace(one, package="higher") for name, one in programs.items()
    }
    monkeypatch.setattr(general, "contenders", lambda *_: (as_library, {}))
    monkeypatch.setattr(general, "differences", lambda *_, **__: dict.fromkeys(programs, 0.0))
    monkeypatch.setattr(
        timing, "interleaved", lambda steps, rounds, **_: {name: [0.03] * rounds for name in steps}
    )
    result = general.measure(PACK, 1, quick=True)
    assert result["ours_over_fastest_peer"] == 0.5
    assert [row["cell_iterations_per_second"] for row in result["programs"]] == [66.667, 33.333]


def test_what_it_says() -> None:
    result = {
        "title": "a network",
        "cells": 1,
        "programs": [{"median_ms": 81.4}],
        "fastest_peer": "higher",
        "ours_over_fastest_peer": 0.814,
    }
    assert general.line(result) == "a network: 0.81 times as long as the fastest library, higher"
    pack = result | {"title": "a pack", "cells": 64, "ours_over_fastest_peer": 0.04}
    assert general.line(pack) == (
        "a pack: 64 cells together, 25.0 times the cells x iterations a second of the fastest library, higher"
    )
    alone = result | {"fastest_peer": None, "ours_over_fastest_peer": None}
    assert general.line(alone) == "a network: 81 ms; no library to compare with"
