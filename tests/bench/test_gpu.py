"""The bench on a device, here on the CPU: packs, whole training, and what is written as it goes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.bench import cpu, gpu, parts, report, workload
from tests.bench.conftest import TINY

pytestmark = pytest.mark.usefixtures("quickly")


def test_parts_of_a_pack_by_the_formulas_and_by_the_device() -> None:
    spent = gpu.operators_ms(gpu.fig2(TINY)[3:5], "cpu")
    assert list(spent) == ["float32"]
    assert all(set(of) == {*parts.OPERATORS, parts.REST} for of in spent.values())
    assert all(of["convolve"] > 0 for of in spent.values())


def test_a_pack_on_a_device(no_libraries: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs on a GPU, here on the CPU: four cells of fig2, of both methods.

    By a clock on which training takes 5 s for the warm-up, then 1 s for 2 iterations and 3 s for 4.
    """
    times = iter([0, 5, 5, 6, 6, 9])
    monkeypatch.setattr(gpu, "time", SimpleNamespace(perf_counter=lambda: next(times)))
    cells = gpu.fig2(TINY)[3:7]
    assert len(gpu.fig2()) == 185
    assert {cell.method for cell in cells} == {"maml", "alpha-maml"}
    kept: list[list[str]] = []

    def keep(part: dict) -> None:
        kept.append([row["name"] for row in part["programs"]])

    result = gpu.measure(cells, "cpu", rounds=1, iterations=2, keep=keep)
    ours, engine, *others = result["programs"]
    names = [row["name"] for row in result["programs"]]
    assert kept == [[name for name in names if name != gpu.ENGINE], names]
    assert (ours["name"], ours["cells"], ours["precision"]) == ("harness", 4, "float32")
    assert ours["cell_iterations_per_second"] == pytest.approx(4e3 / ours["median_ms"], rel=0.01)
    assert (engine["name"], engine["cells"]) == ("harness engine", 4)
    assert engine["cell_iterations_per_second"] == (4 * 4 - 4 * 2) / (3 - 1)
    assert [row["cells"] for row in others] == [1, 1]
    assert result["throughput_ratios"]["float32"]["fastest_peer"] is None
    assert result["left_out"] == []
    assert {row["rounds"] for row in (ours, *others)} == {1}


def test_what_was_measured_is_there_however_the_bench_ends(
    no_libraries: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here by an error in whole training: the calls have been written."""

    def ends(*_: object) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "SMALL", TINY)
    monkeypatch.setattr(gpu, "engine_rate", ends)
    with pytest.raises(KeyboardInterrupt):
        report.on_gpu(tmp_path, "cpu", 1, (), True, False, lambda line: None)
    written = json.loads((tmp_path / "quick-gpu.json").read_text("utf-8"))
    assert written["programs"][0]["name"] == "harness"
    assert written["throughput_ratios"].keys() == {"float32"}
    assert list(tmp_path.iterdir()) == [tmp_path / "quick-gpu.json"]


def test_what_no_time_is_left_for_is_left_out(no_libraries: None) -> None:
    said: list[str] = []
    result = gpu.measure(gpu.fig2(TINY)[3:4], "cpu", rounds=1, iterations=2, say=said.append, limit=-1)
    assert result["programs"] == []
    assert result["left_out"] == ["a call, float32", "whole training, float32"]
    assert said[-1] == "whole training, float32: left out, as -1 seconds are not enough"


def test_throughput_beside_the_fastest_library(no_libraries: None) -> None:
    programs, _ = cpu.contenders()
    programs = programs | {"t": cpu.Contender(package="torchopt", layout=None, prepare=workload.ours)}
    rates = {("harness", "float32"): 50, ("t", "float32"): 5, ("harness", "tf32x3"): 80}
    rates |= {(gpu.ENGINE, "tf32x3"): 9, (gpu.FUSED, "float32"): 60}
    rows = [
        {"name": name, "precision": precision, "cell_iterations_per_second": rate}
        for (name, precision), rate in rates.items()
    ]
    ratios = gpu._ratios(rows, programs)
    assert ratios["float32"] == {
        "fastest_peer": "t",
        "ours_over_fastest_peer": 10.0,
        "engine_over_fastest_peer": None,
    }
    assert set(ratios["tf32x3"].values()) == {None}


def test_a_cpu_multiplies_in_float32_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU in all precisions; fused, but for TF32, where Triton works."""
    assert gpu.ways(TINY, "cpu") == [("float32", False)]
    monkeypatch.setattr(gpu, "check", lambda protocol, device: None)
    monkeypatch.setattr(gpu, "trouble", lambda: None)
    plain = [(name, False) for name in gpu.PRECISIONS]
    assert gpu.ways(TINY, "cuda") == [*plain, ("float32", True), ("tf32x3", True)]
    monkeypatch.setattr(gpu, "trouble", lambda: "no compiler")
    assert gpu.ways(TINY, "cuda") == plain


def test_fusing_is_switched_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(gpu.SWITCH, raising=False)
    with gpu.fusing(True):
        assert os.environ[gpu.SWITCH] == "1"
        with gpu.fusing(False):
            assert os.environ[gpu.SWITCH] == "0"
        assert os.environ[gpu.SWITCH] == "1"
    assert gpu.SWITCH not in os.environ
