"""What cannot be trained is refused in one line that names the plug-in, the thing, and why."""

# ruff: noqa: E501 - a case a line

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from harness import grids, problems
from harness.cell import Cell, Question
from harness.common import plugins
from harness.common.errors import UserError
from harness.training import loop, trial

PROBLEM = """
import numpy as np, random, torch, harness

@harness.problem
class Mine(harness.Problem):
    name, network = "mine", "mlp"
    metrics = ("error",)

    def tasks(self, seed, split, iteration):
        stream, count = self.stream(seed, split, iteration), self.count(split)
        x = stream.uniform(count, 6, 2)
        y = x.sum(-1, keepdims=True)
        return harness.Tasks(x[:, :3], y[:, :3], x[:, 3:], y[:, 3:])

    def shape(self):
        return (2,), 1

    def loss(self, outputs, targets):
        return (outputs - targets).square().mean()

    def measure(self, outputs, targets):
        return ((outputs - targets).abs().mean(),)
"""
NETWORK = """
import random, torch, harness
from torch import nn

@harness.network("mine")
class Net(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.first, self.second = nn.Linear(inputs[0], 8), nn.Linear(8, outputs)
        EXTRA

    def forward(self, x):
        return self.second(self.first(x).tanh())
"""
METHOD = """
import harness
from harness.methods.maml import MAML

@harness.method
class Mine(MAML):
    name = "mine"
"""
PROTOCOLS = {
    "problem": "{problem: mine}",
    "network": "{preset: sinusoid, network: mine}",
    "method": "{preset: sinusoid}",
}
GRID = """title: Mine
plugins: mine.py
figure: {{kind: heatmap, panels: [method], x: beta0, y: alpha0}}
protocol: {protocol}
target_loss: 1
max_iterations: 2
cells: [{{method: {method}, alpha0: [{rates}], beta0: 0.1}}]
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    plugins.forget()


def cells(
    folder: Path, kind: str, source: str, method: str = "maml", rates: str = "0.1, 0.2"
) -> tuple[Cell, ...]:
    """Of a grid with this source as its plug-in, which brings a `kind`."""
    (folder / "mine.py").write_text(source)
    method = "mine" if kind == "method" else method
    (folder / "grid.yaml").write_text(GRID.format(protocol=PROTOCOLS[kind], method=method, rates=rates))
    return grids.load(str(folder / "grid.yaml")).cells()


def refused(folder: Path, kind: str, source: str, **more: str) -> str:
    with pytest.raises(UserError) as caught:
        trial.check(cells(folder, kind, source, **more))
    (line,) = str(caught.value).splitlines()
    assert line.startswith("plug-in mine.py: ")
    return line.removeprefix("plug-in mine.py: ")


@pytest.mark.parametrize(
    ("kind", "source"), [("problem", PROBLEM), ("network", NETWORK.replace("EXTRA", "")), ("method", METHOD)]
)
def test_what_can_be_trained_is_not_refused(kind: str, source: str, tmp_path: Path) -> None:
    before = torch.get_rng_state()
    trial.check(cells(tmp_path, kind, source))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("x = stream.uniform(count, 6, 2)", "x = np.random.rand(count, 6, 2)", "its train tasks are not a function of"),
        ("x = stream.uniform(count, 6, 2)", "x = stream.uniform(count + 1, 6, 2)", "it draws 17 train tasks; self.count"),
        ("y = x.sum(-1, keepdims=True)", "y = x.sum(-1, keepdims=True) * np.nan", "its train tasks are not finite: support_targets"),
        ("return harness.Tasks(x[:, :3], y", "return harness.Tasks(list(x[0]) + [x[1]], y", "its tasks are of different shapes: support"),
        ("return harness.Tasks(x[:, :3], y[:, :3],", "return harness.Tasks(x[:, :3], y[:, :2],", "of its train tasks, support is"),
        ("return harness.Tasks(", "return dict(", "line 13: TypeError"),
        ("return harness.Tasks(x[:, :3], y[:, :3], x[:, 3:], y[:, 3:])", "return x", "its tasks are ndarray; return harness.Tasks"),
        ("return (2,), 1", "return 2, 1", r"its shape\(\) is \(2, 1\); return that of an input"),
        ("y = x.sum(-1, keepdims=True)", "y = x.sum(-1, keepdims=True).astype(str)", "its tasks are no real numbers: support_targets"),
        ("x = stream.uniform(count, 6, 2)", "x = stream.uniform(count, 3, 2)", r"its tasks are empty: query is \[16, 0, 2\]"),
        ("return (2,), 1", "return (3,), 1", r"support of its train tasks is \[16, 3, 2\]; from its shape\(\) follows \[tasks, n, 3\]"),
        ("count, 6, 2)", "count, 6 + 2 * (split == 'validation') * 0 + iteration % 2, 2)", "its train tasks differ in shape"),
        ("square().mean()", "square()", r"its loss is a tensor \[3, 1\], not a scalar"),
        ("square().mean()", "square().mean().item()", "its loss is a float, not a scalar"),
        ("square().mean()", "square().mean().detach()", "its loss cannot be differentiated"),
        ("square().mean()", "square().mean() / 0 * 0", "the loss is not finite at iteration 1 of any cell"),
        ("abs().mean(),)", "abs().mean(), 1)", r"measure gives 2 for the metrics \('error',\)"),
        ("abs().mean(),)", "abs(),)", r"its metric error is a tensor \[3, 1\], not a scalar"),
        ("square().mean()", "floor().square().mean()", None),
    ],
)  # fmt: skip
def test_a_problem(old: str, new: str, words: str | None, tmp_path: Path) -> None:
    assert old in PROBLEM
    source = PROBLEM.replace(old, new)
    if words is None:
        trial.check(cells(tmp_path, "problem", source))
    else:
        assert re.search(words, said := refused(tmp_path, "problem", source)), said


CURVES = """
    def curves(self, seed, split, iteration):
        return harness.Curves(np.zeros(5), np.zeros((self.count(split), 5)))
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("", "", None),
        ("x = stream.uniform(count, 6, 2)", "x = stream.uniform(16, 6, 2)", r"it draws 16 test tasks; self.count\('test'\) is 50"),
        ("count, 6, 2)", "count, 6 + iteration % 2, 2)", "its test tasks differ in shape"),
        ("stream, count =", "assert split != 'test'; stream, count =", "line 10: AssertionError"),
        ("np.zeros(5), ", "np.zeros((5, 1)), ", r"its curves are x \[5, 1\] and y \[50, 5\]; return harness.Curves"),
        ("self.count(split), 5", "3, 5", r"its curves are x \[5\] and y \[3, 5\]"),
    ],
)  # fmt: skip
def test_the_tasks_of_a_meta_test(old: str, new: str, words: str | None, tmp_path: Path) -> None:
    """Which are tried only where one is wanted."""
    source = PROBLEM + CURVES
    assert old in source
    (cell, *_) = cells(tmp_path, "problem", source.replace(old, new, 1) if old else source)
    if words is None:
        trial.check_test(cell.protocol)
        return
    with pytest.raises(UserError, match=f"^plug-in mine.py: [^\n]*{words}"):
        trial.check_test(cell.protocol)


@pytest.mark.parametrize(
    ("extra", "old", "new", "words"),
    [
        ("self.spare = nn.Linear(2, 2)", "", "", "network 'mine': the loss does not reach its parameters spare.weight, spare.bias"),
        ("self.drop = nn.Dropout(0.5)", "", "", r"drop \(Dropout\) drops at random; leave it out"),
        ("", ".tanh()", ".tanh() + torch.rand(8)", "two passes over the same inputs differ"),
        ("", "x).tanh()", "x).tanh(); self.at = getattr(self, 'at', 0) + 1; y = y * self.at", "two passes over the same"),
        ("self.norm = nn.BatchNorm1d(8)", "", "", r"norm \(BatchNorm1d\) keeps running statistics; write track_running_stats=False"),
        ("self.register_buffer('seen', torch.zeros(()))", "y = ", "self.seen.add_(1); y = ", "its buffer seen changes in forward"),
        ("self.third = nn.LazyLinear(3)", "", "", "third.weight has no shape before the first input"),
        ("self.first.bias.data += random.random()", "", "", "its first weights are not a function of the seed: first.bias"),
        ("self.first.bias.data.fill_(float('nan'))", "", "", "its first weights are not finite: first.bias"),
        ("", "second(y)", "second(y).squeeze(-1)", r"its outputs are \[10\] for 10 inputs; the problem needs \[10, 1\]"),
        ("1 / 0", "", "", "it cannot be built: line 10: ZeroDivisionError"),
        ("", "second(y)", "second(y).no_such()", "network 'mine': line 14: AttributeError"),
        ("", "second(y)", "second(y).detach()", "its outputs do not depend on its parameters, or are detached"),
        ("self.turn = nn.Parameter(torch.ones(2, dtype=torch.complex64))", "", "", "turn is complex; use real numbers"),
        ("", "second(y)", "second(torch.cdist(y, torch.eye(8)))", "derivative"),
        ("", "second(y)", "second(y.mul_(2))", "network 'mine': RuntimeError: one of the variables needed for gradient"),
    ],
)  # fmt: skip
def test_a_network(extra: str, old: str, new: str, words: str, tmp_path: Path) -> None:
    source = NETWORK.replace("EXTRA", extra)
    source = source.replace(
        "return self.second(self.first(x).tanh())", "y = self.first(x).tanh()\n        return self.second(y)"
    )
    assert old in source
    assert re.search(
        words, said := refused(tmp_path, "network", source.replace(old, new) if old else source)
    ), said


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            "    def step(self, state, *more): return state._replace(weights=state.weights[:, 1:])",
            "method 'mine': its step returns no harness.State with weights of the same shape",
        ),
        ("    def step(self, *given): 1 / 0", "method 'mine': line 8: ZeroDivisionError"),
        (
            "    def step(self, state, meta, *more): return super().step(state, meta._replace(gradient=meta.gradient / meta.gradient.norm()), *more)",
            "beside another, ends elsewhere",
        ),
        (
            "    def step(self, state, meta, hyper, *more): return super().step(state._replace(beta=hyper['alpha0'][:1] + 0 * state.beta), meta, hyper, *more)",
            "beside another, ends elsewhere",
        ),
        ("    def step(self, state, meta, hyper, *more): hyper['beta0'].item(); return super().step(state, meta, hyper, *more)", "method 'mine': line 8: RuntimeError"),
        ("    def step(self, *given): raise NotImplementedError", "method 'mine': it has no step; write it"),
        ("    def step(self, state, meta, *more): return state._replace(weights=state.weights - state.beta * meta.gradient)", "its step returns weights in torch.float64"),
        ("    def step(self, state, meta, *more): state.weights.sub_(meta.gradient); return state", "writes into the state that it is given"),
        ("    def step(self, state, meta, *more): return state._replace(weights=state.weights - meta.gradient / meta.gradient.norm())", "beside another, ends elsewhere"),
        ("    at = 0\n    def step(self, state, meta, *more): self.at += 1; return state._replace(weights=state.weights - self.at * meta.gradient)", "beside another, ends elsewhere"),
        ("    def start(self, *given): return super().start(*given)._replace(memory=(given[0].new_zeros(3),))", r"a tensor of its state is \[3\]"),
        ("    def start(self, *given): return super().start(*given)._replace(memory=(0,))", "a state is made of tensors; it has 0"),
        ("    def steps(self, *given): return 0", "0 steps of the inner loop: give a whole number, at least 1"),
        ("    def record(self, before, after): return before.alpha.mean().view(1), after.beta.mean().view(1)", "record gives one number for two cells"),
        ("    def record(self, before, after): return (before.alpha,)", r"record gives \[\(1, 1\)\]; it must give \[cells\]"),
    ],
)  # fmt: skip
def test_a_method(more: str, words: str, tmp_path: Path) -> None:
    assert re.search(words, said := refused(tmp_path, "method", METHOD + more)), said


def test_one_cell_with_a_finite_loss_is_enough(tmp_path: Path) -> None:
    source = METHOD + "    def adapts(self, part, layout): return True"
    trial.check(cells(tmp_path, "method", source, rates="1e-3, 1e30"))
    said = refused(tmp_path, "method", source, rates="1e29, 1e30")
    assert "the loss is not finite at iteration 1 of any cell, not even with the smallest rates" in said


def test_nothing_of_our_own_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_check_protocol", None)
    trial.check(grids.load("quick").cells())


@pytest.mark.parametrize(
    ("extra", "outputs"),
    [
        ("", "self.second(y) * (2 if y.mean() > 0 else 1)"),
        ("", "self.second(y) * (1 + y.mean().item())"),
        ("self.third = nn.LSTM(8, 8, batch_first=True)", "self.second(self.third(y[:, None])[0][:, 0])"),
        ("self.third = nn.TransformerEncoderLayer(8, 2, 8, 0.0)", "self.second(self.third(y))"),
        ("self.third = nn.Linear(8, 8); self.third.weight = self.second.weight", None),
        ("self.scale = nn.Parameter(torch.tensor(2.0))", "self.scale * self.second(y)"),
    ],
    ids=["branches", "reads a number", "LSTM", "attention", "tied", "a single number"],
)
def test_any_module_is_trained(extra: str, outputs: str | None, tmp_path: Path) -> None:
    """What torch.func cannot map is trained task by task."""
    source = NETWORK.replace("EXTRA", extra)
    if outputs is None:
        source = source.replace("nn.Linear(8, outputs)", "nn.Linear(8, 8)").replace(
            "x).tanh())", "x).tanh())[:, :1]"
        )
        source = source.replace("self.second(", "self.third(self.second(").replace(".tanh())", ".tanh()))")
    else:
        source = source.replace(
            "return self.second(self.first(x).tanh())", f"y = self.first(x).tanh(); return {outputs}"
        )
    trial.check(cells(tmp_path, "network", source))
    ((first, *_),) = [cells(tmp_path, "network", source)]
    (record,) = loop.train([first], Question(max_iterations=2))
    losses = record.rows.column("train_loss").to_pylist()
    assert losses[1] != losses[0]


def test_a_problem_that_raises_before_it_is_tried(tmp_path: Path) -> None:
    for more in (
        "def check(self): 1 / 0",
        "chance = property(lambda self: 1 / 0)",
        "def __init__(self, p): 1 / 0",
    ):
        (cell, *_) = cells(tmp_path, "problem", PROBLEM + "\n    " + more)
        with pytest.raises(UserError, match=r"^plug-in mine.py: problem 'mine': line \d+: ZeroDivisionError"):
            problems.check(cell.protocol)
