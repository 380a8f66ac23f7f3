"""The bench: what it counts, how it sums up, and that its programs compute the same thing."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from dataclasses import astuple, replace
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from harness import cli
from harness.bench import (
    cpu,
    curves,
    floor,
    history,
    parts,
    peers,
    report,
    timing,
    torchnet,
    workload,
)
from harness.bench.workload import PAPER, SMALL, Answer, Program, Workload
from harness.cell import Protocol, protocol_of
from harness.common.places import ROOT
from tests.bench.conftest import TINY

KEYS = (
    *("machine", "versions", "threads", "programs", "floor_ms", "ours_over_fastest_peer"),
    *("ours_over_floor", "max_float64_difference"),
)

pytestmark = pytest.mark.usefixtures("quickly")


def shifted(protocol: Protocol, **fields: object) -> Workload:
    """In float64, with weights moved off batch norm's special values 0 and 1."""
    made = workload.make(protocol.model_copy(update={"precision": "float64", **fields}))
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(made.weights.shape, generator=generator, dtype=torch.float64)
    return replace(made, weights=made.weights + 0.1 * noise)


# The floor.


def test_multiply_adds_by_hand() -> None:
    """One layer and the head: 6 support images and 12 query images."""
    protocol = protocol_of(n_way=3, k_query=2, meta_batch=2, layers=1, filters=2)
    first, head = 14 * 14 * 9 * 2, 2 * 3
    gradients = 6 * (2 * first + 3 * head) + 12 * (2 * first + 3 * head)
    assert floor.multiply_adds(protocol) == gradients + 6 * (2 * first + 6 * head)
    first_order = protocol.model_copy(update={"first_order": True})
    assert floor.multiply_adds(first_order) == gradients
    steps = protocol.model_copy(update={"inner_steps": 3})
    assert floor.multiply_adds(steps) == gradients + 6 * (3 * 2 + 2 * 2) * first + 6 * (3 * 6 + 2 * 3) * head


def test_multiply_adds_of_the_paper() -> None:
    """Twelve passes over 320 images, six in the first layer: about 20 GFLOP."""
    later = 49 * 9 * 64 * 64 + 16 * 9 * 64 * 64 + 4 * 9 * 64 * 64 + 64 * 20
    assert floor.multiply_adds(PAPER) == 320 * (12 * later + 6 * 196 * 9 * 64)
    assert 2 * floor.multiply_adds(PAPER) == pytest.approx(20e9, rel=0.01)


@pytest.mark.parametrize("fields", [{}, {"layers": 1}, {"k_shot": 2, "k_query": 3}])
def test_the_gradients_are_counted_as_torch_counts_them(fields: dict) -> None:
    made = workload.make(SMALL.model_copy(update=fields | {"first_order": True}))
    net = torchnet.network(made)
    with FlopCounterMode(display=False) as counter:
        for task in torchnet.tasks(made, torch.contiguous_format):
            cross_entropy(net(task.support), task.support_targets).backward()
            cross_entropy(net(task.query), task.query_targets).backward()
    assert counter.get_total_flops() == 2 * floor.multiply_adds(made.protocol)


def test_floor_from_the_fastest_product(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, "PEAK_SIDE", 1000)
    assert floor.peak_gflops([0.5, 0.02, 0.1]) == pytest.approx(100)
    assert floor.floor_ms(PAPER, 100) == pytest.approx(2 * floor.multiply_adds(PAPER) / 100e9 * 1e3)


# Times.


def test_median_and_quartiles() -> None:
    times = timing.summary([0.004, 0.001, 0.002, 0.003, 0.010])
    assert (times.median_ms, times.q1_ms, times.q3_ms, times.min_ms) == (3.0, 2.0, 4.0, 1.0)
    assert astuple(timing.summary([0.001, 0.002])) == (1.5, 1.25, 1.75, 1.0)


def test_rounds_are_interleaved_and_the_order_moves() -> None:
    ran: list[str] = []
    clock = itertools.count()
    waited: list[int] = []
    steps = {name: lambda name=name: ran.append(name) for name in "abc"}
    seconds = timing.interleaved(steps, 3, 1, lambda: waited.append(len(ran)), lambda: next(clock))
    assert ["".join(ran[k : k + 3]) for k in range(0, 12, 3)] == ["abc", "acb", "cab", "cba"]
    assert seconds == {name: [1, 1, 1] for name in "abc"}
    assert waited == [k for ran_before in range(12) for k in (ran_before, ran_before + 1)]


def test_a_slow_program_runs_in_fewer_rounds_evenly_spread() -> None:
    """Of ten rounds in 20 s: one of 1 s runs in all, one of 5 s in four, one of 50 s in three."""
    now, ran = 0.0, []

    def run(name: str, takes: float) -> None:
        nonlocal now
        now += takes
        ran.append(name)

    takes = {"a": 1.0, "b": 5.0, "c": 50.0}
    steps = {name: lambda name=name: run(name, takes[name]) for name in takes}
    seconds = timing.interleaved(steps, 10, 2, clock=lambda: now, seconds_each=20.0)
    assert seconds == {"a": [1.0] * 10, "b": [5.0] * 4, "c": [50.0] * 3}
    rounds = "".join(ran[6:]).split("a")  # after the two to warm up
    assert max(len(between) for between in rounds) <= 4
    parts = [timing.takes_part(number, 4, 10) for number in range(10)]
    assert "".join("x" if part else "." for part in parts) == "..x.x..x.x"
    assert timing.in_time(20.0, 50.0, 2) == 2


def test_all_rounds_where_time_does_not_count() -> None:
    assert timing.in_time(float("inf"), 1e9, 25) == 25


# Agreement.


@pytest.mark.parametrize("fields", [{}, {"inner_steps": 3}, {"k_shot": 2, "k_query": 3}])
@pytest.mark.parametrize("package", peers.PEERS)
def test_a_peer_equals_ours(package: str, fields: dict) -> None:
    if reason := peers.missing(package):
        pytest.skip(reason)
    made = shifted(TINY, **fields)
    ours = workload.ours(made)
    loss, gradient = ours.answer(ours.step())
    for name, _, prepare in peers.programs(package):
        program = prepare(made)
        for _ in range(2):  # nothing is left over from the first
            its_loss, its_gradient = program.answer(program.step())
            assert float(its_loss) == pytest.approx(float(loss), rel=1e-12), name
            torch.testing.assert_close(
                its_gradient, gradient, rtol=0, atol=1e-11 * float(gradient.abs().max())
            )


def wrong(by_loss: float, by_gradient: float):
    """Ours, with errors in the last cell."""

    def prepare(made: Workload) -> Program:
        right = workload.ours(made)

        def answer(meta: object) -> Answer:
            loss, gradient = (part.clone() for part in right.answer(meta))
            loss[-1] += by_loss
            gradient[-1, 3] += by_gradient * gradient[-1].abs().max()
            return Answer(loss, gradient)

        return Program(step=right.step, answer=answer)

    return prepare


@pytest.mark.parametrize("error", [(1e-8, 0), (0, 1e-8), (float("nan"), 0), (0, float("nan"))])
def test_a_program_that_computes_something_else_stops_the_bench(error: tuple[float, float]) -> None:
    programs, _ = cpu.contenders()
    assert max(cpu.differences(programs, TINY).values()) <= 1e-12
    programs["impostor"] = cpu.Contender(package="higher", layout=None, prepare=wrong(*error))
    with pytest.raises(cpu.Disagreement, match=r"^impostor: differs by"):
        cpu.differences(programs, TINY)


# The libraries that are there, and those that are not.


def test_a_missing_peer_is_named(no_libraries: None) -> None:
    programs, left_out = cpu.contenders()
    assert {one.package for one in programs.values()} == {"harness", "torch"}
    assert left_out["higher"] == "not installed: pip install higher==0.2.1"
    assert left_out["learn2learn"] == "not installed: make bench builds it"
    assert set(left_out) == set(peers.LIBRARIES)


def test_a_peer_that_breaks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(package: str) -> object:
        raise RuntimeError("operator does not exist")

    monkeypatch.setattr(peers, "_load", broken)
    assert peers.missing("higher") == "cannot be imported: operator does not exist"

    def needs_more(package: str) -> object:
        raise ModuleNotFoundError("No module named 'gym'", name="gym")

    monkeypatch.setattr(peers, "_load", needs_more)
    assert peers.missing("learn2learn") == "cannot be imported: No module named 'gym'; make bench builds it"


def test_only_some_peers() -> None:
    programs, left_out = cpu.contenders(["higher"])
    assert left_out["torchopt"] == left_out["learn2learn"] == "not asked for"
    assert {"harness", "torch"} <= {one.package for one in programs.values()}


def test_the_fastest_library_counts_in_its_better_layout() -> None:
    packages = {"us": "harness", "h1": "higher", "h2": "higher", "t1": "torchopt", "loop": "torch"}
    programs = {
        name: cpu.Contender(package=package, layout=None, prepare=workload.ours)
        for name, package in packages.items()
    }
    programs["harness"] = programs.pop("us")
    medians = {"harness": 30.0, "h1": 90.0, "h2": 80.0, "t1": 60.0, "loop": 10.0}
    result = cpu.compared(programs, medians)
    assert result["peers"] == {"higher": "h2", "torchopt": "t1"}
    assert (result["fastest_peer"], result["ours_over_fastest_peer"]) == ("t1", 0.5)
    alone = {name: one for name, one in programs.items() if one.package in ("harness", "torch")}
    assert cpu.compared(alone, medians)["ours_over_fastest_peer"] is None


# The whole.


def test_parts_add_up_to_the_whole() -> None:
    milliseconds = parts.measure(SMALL, rounds=2)
    assert set(milliseconds) == {*parts.OPERATORS, parts.REST}
    assert all(value > 0 for value in milliseconds.values())


def test_what_one_layer_does_not_need_takes_no_time() -> None:
    milliseconds = parts.measure(SMALL.model_copy(update={"layers": 1}), rounds=1)
    assert milliseconds["first_block"] > 0
    assert milliseconds["convolve"] == milliseconds["norm_relu"] == 0


def worktrees() -> list[str]:
    """The folders that git knows of."""
    words = ["git", "worktree", "list", "--porcelain"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.startswith("worktree ")]


def test_commits_are_timed_and_leave_no_trace() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    before = worktrees()
    (times,) = history.measure(["HEAD"], rounds=1).values()
    assert times.median_ms > 0
    assert worktrees() == before


def test_curves_have_a_row_for_each_point_and_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "cores", lambda: 3)
    varied = [(p.varied, p.value) for p in curves.points(TINY, 3)]
    assert varied.count(("n_way", 20)) == varied.count(("pack", 8)) == 1
    assert [value for name, value in varied if name == "threads"] == [1, 2, 3]
    assert all(p.protocol.k_shot == p.value for p in curves.points(TINY, 3) if p.varied == "k_shot")
    monkeypatch.setattr(curves, "FIELDS", {"n_way": (2, 4)})
    monkeypatch.setattr(curves, "PACKS", (1, 2))
    _, _, plain = next(peers.programs("torch"))
    before = torch.get_num_threads()
    rows = curves.measure(TINY, ("loop", plain), 1e-3, rounds=1)
    assert torch.get_num_threads() == before
    both = [(v, x, name) for v, x in [("n_way", 2), ("n_way", 4)] for name in ("harness", "loop")]
    assert [(r["varied"], r["value"], r["program"]) for r in rows][:4] == both
    assert [(r["value"], r["program"]) for r in rows if r["varied"] == "pack"][-1] == (2, "harness")
    alone, pair = (r["floor_ms"] for r in rows if r["varied"] == "pack" and r["program"] == "harness")
    assert pair == pytest.approx(2 * alone, rel=1e-3)


def test_the_result_has_its_keys(no_libraries: None) -> None:
    said: list[str] = []
    result = cpu.measure(TINY, rounds=2, say=said.append)
    assert not [key for key in KEYS if key not in result]
    assert json.loads(json.dumps(result)) == result
    assert result["threads"] == 1
    assert result["ours_over_fastest_peer"] is None
    assert next(row["name"] for row in result["programs"]) == "harness"
    assert len(result["programs"]) == 3
    for row in result["programs"]:
        assert 0 < row["q1_ms"] <= row["median_ms"] <= row["q3_ms"]
    assert result["ours_over_floor"] == pytest.approx(
        result["programs"][0]["median_ms"] / result["floor_ms"], rel=0.05
    )
    assert result["max_float64_difference"] <= 1e-9
    assert "higher: left out, not installed: pip install higher==0.2.1" in said


def test_the_command(
    forgotten: None,
    no_libraries: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(report, "SMALL", TINY)
    words = ["bench", "--quick", "--rounds", "1", "--no-curves", "--results", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["harness", *words])
    with pytest.raises(SystemExit) as done:
        cli.main()
    assert done.value.code == 0
    names = {path.name for path in (tmp_path / "bench").iterdir()}
    assert names == {"quick.json", "quick.png", "quick.svg", "quick.pdf"}
    assert "quick.json" in capsys.readouterr().out


def test_the_command_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["harness", "bench", "--quick", *words, "--results", str(tmp_path)])
        with pytest.raises(SystemExit) as done:
            cli.main()
        return done.value.code, capsys.readouterr().err

    assert run("--only", "highest") == (
        2,
        "harness: --only highest: unknown peer; the peers are learn2learn, higher, torchopt\n",
    )

    assert run("--full") == (2, "harness: --full: takes a GPU; add --device cuda\n")

    def differing(*_: object) -> None:
        raise cpu.Disagreement("x: differs by 1.0e-01 in float64, at most 1e-09 is allowed")

    monkeypatch.setattr(cpu, "differences", differing)
    assert run("--no-curves") == (1, "harness: x: differs by 1.0e-01 in float64, at most 1e-09 is allowed\n")
