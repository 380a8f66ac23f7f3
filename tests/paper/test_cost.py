"""The cost of Alpha-MAML beside MAML: what is counted, and how."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from harness.bench import timing
from harness.cell import protocol_of
from harness.methods.base import State
from harness.paper import cost, counters
from harness.problems import datasets
from tests.conftest import SMALL


@pytest.fixture(autouse=True)
def quickly(noise: datasets.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random images, and no garbage collection in a test's large heap."""
    monkeypatch.setattr(timing.gc, "collect", lambda: 0)


def passes(method: str, **changes: object) -> dict[str, int]:
    return dict(cost.count(SMALL.model_copy(update=changes), method))


@pytest.mark.parametrize("method", ["maml", "alpha-maml"])
def test_passes_of_an_iteration(method: str) -> None:
    """Of 3 tasks: an inner step has a loss, its gradient and its Hessian product, the query the first two."""
    assert passes(method) == {"loss": 6, "gradient": 6, "hessian_product": 3}
    assert passes(method, inner_steps=2) == {"loss": 9, "gradient": 9, "hessian_product": 6}
    assert passes(method, first_order=True, meta_batch=5) == {"loss": 10, "gradient": 10}


def test_a_gradient_by_torch_is_counted_too() -> None:
    x = torch.ones(2, requires_grad=True)
    with counters.counting() as passes:
        torch.autograd.grad((x * x).sum(), x)
        (x * x).sum().backward()
    assert passes == {"autograd": 2}
    assert counters.backward(passes) == 2
    torch.autograd.grad((x * x).sum(), x)
    assert passes == {"autograd": 2}


def test_backward_passes_are_gradients_and_hessian_products() -> None:
    assert counters.backward(cost.count(SMALL, "alpha-maml")) == 9


def test_a_call_serves_a_chunk_of_tasks() -> None:
    """Three tasks in chunks of two make two calls: calls equal passes only with one task at a time."""
    with counters.counting() as calls:
        cost.Training(SMALL, "maml", chunk=2)()
    assert calls == {"loss": 4, "gradient": 4, "hessian_product": 2}


def test_measured_iterations_do_not_validate(monkeypatch: pytest.MonkeyPatch) -> None:
    training = cost.Training(SMALL.model_copy(update={"validation_every": 1}), "maml")
    monkeypatch.setattr(training.pack, "score", lambda *_: pytest.fail("validated"))
    for _ in range(3):
        training()


def test_bytes_kept() -> None:
    weights, rate = torch.zeros(1, 10), torch.zeros(1, 1, dtype=torch.float64)
    moments = torch.zeros(2, 10)
    state = State(weights, rate, rate, (moments[0], moments[1], rate), (torch.zeros(1, 10),))
    assert cost.kept(state) == {"weights": 40, "alpha": 8, "beta": 0, "optimizer": 80, "memory": 40}
    assert cost.kept(state._replace(memory=(weights,)))["memory"] == 0


def test_the_peak_is_the_most_held_at_once() -> None:
    before = torch.empty(250)

    def step() -> None:
        first = torch.empty(1000)
        second = torch.empty(500)
        del first
        third = torch.empty(100)
        del second, third

    assert cost.peak(step) == 4 * 1500
    assert cost.peak(lambda: before.zero_()) == 0


def test_ratios_are_taken_round_by_round() -> None:
    theirs = [float(k) for k in range(1, 21)]
    ours = [k * (1 + k / 100) for k in theirs]  # ratios 1.01, 1.02, ... 1.20
    # 20 tosses: at most 5 heads with probability 0.0207, at most 6 with 0.0577: the 6th from either end
    want = {"ratio_median": 1.105, "ratio_interval": [1.06, 1.15]}
    assert cost.ratios(ours, theirs) == want
    assert cost.ratios(ours[::-1], theirs[::-1]) == want
    assert cost.ratios([2, 1, 3, 5, 4, 6], [1] * 6)["ratio_interval"] == [1, 6]  # 2 / 64 outside


def test_too_few_rounds() -> None:
    with pytest.raises(ValueError, match="5 rounds are too few for a 95 % interval; take at least 6"):
        cost.ratios([1.0] * 5, [1.0] * 5)


def test_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = protocol_of(**SMALL.model_dump() | {"precision": "float32"})
    cost.write(cost.measure(protocol, rounds=6), tmp_path)
    result = json.loads((tmp_path / "cost.json").read_text())
    # weights of two convolutions, head, bias, two shifts
    theta = 4 * (9 * 4 + 36 * 4 + 4 * 5 + 5 + 2 * 4)
    memory = result["memory"]
    assert memory["theta_bytes"] == theta
    assert memory["state_bytes"]["maml"]["memory"] == 0
    assert memory["state_bytes"]["alpha-maml"]["memory"] == theta
    assert memory["state_extra_in_theta"] == 1.0
    assert memory["extra_in_theta"] == pytest.approx(
        (memory["peak_bytes"]["alpha-maml"] - memory["peak_bytes"]["maml"]) / theta, abs=1e-4
    )
    assert (result["passes"]["maml"], result["passes"]["alpha-maml"]) == (9, 9)
    assert result["passes"]["by_kind"]["maml"]["hessian_product"] == 3
    low, high = result["time"]["ratio_interval"]
    assert low <= result["time"]["ratio_median"] <= high
    assert result["time"]["rounds"] == 6
    text = (tmp_path / "README.md").read_text()
    assert "| backward passes in all | 9 | 9 |" in text
    assert "| passes: hessian product | 3 | 3 |" in text
    assert f"({theta} bytes each)" in text


def test_the_command_refuses_too_few_rounds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.argv", ["cost", "--rounds", "5", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as done:
        cost.main()
    assert done.value.code == 2
    assert "--rounds 5: too few for an interval; take at least 6" in capsys.readouterr().err
