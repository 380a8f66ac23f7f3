"""What a user brings, tried on a task before anything trains: what cannot be trained is refused in one line.

Nothing of harness's own is tried: its tests do that.
"""

from __future__ import annotations

import math
import operator
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.cell import Cell, Protocol, protocol_of
from harness.cell import cell as cell_of
from harness.common import plugins
from harness.common.errors import UserError
from harness.methods import METHODS
from harness.methods.base import State
from harness.problems import PROBLEMS, Problem, Tasks, problem_of
from harness.problems.base import Split
from harness.problems.networks import NETWORKS, Built, built
from harness.records import provenance
from harness.training import replay
from harness.training.pack import Pack, dtype_of

MOST = 16
"""Cells of one protocol and method that are tried until the loss of one is finite."""


def check(cells: Sequence[Cell]) -> None:
    """UserError: a problem, network or method that a plug-in brings cannot be trained, or no cell has a
    finite loss at iteration 1."""
    groups: dict[tuple[Protocol, str], list[Cell]] = {}
    for cell in cells:
        if provenance.others(cell):
            groups.setdefault((cell.protocol, cell.method), []).append(cell)
    for protocol in dict.fromkeys(protocol for protocol, _ in groups):
        _check_protocol(protocol)
    tried = [_check_method(group) for group in groups.values()]
    if cells and not any(tried) and sum(map(len, groups.values())) == len(cells):
        raise UserError(
            f"{_prefix(cells[0])}the loss is not finite at iteration 1 of any cell, not even with the "
            "smallest rates; look at the loss, the scale of the inputs and the first weights"
        )


def _check_protocol(protocol: Protocol) -> None:
    """Its problem and its network, without a method."""
    problem_module, network_module = PROBLEMS.module(protocol.problem), NETWORKS.module(protocol.network)
    what = f"problem '{protocol.problem}'"
    with _said(what, problem_module):
        shape = _check_shape(problem_of(protocol).shape())
        if not plugins.is_ours(problem_module):
            _check_tasks(protocol, shape)
        tasks = problem_of(protocol).tasks(0, "train", 1)
    if plugins.is_ours(problem_module) and plugins.is_ours(network_module):
        return
    with _said(f"network '{protocol.network}'", network_module, problem_module):
        network, weights = _check_start(protocol, shape)
        inputs, targets = (_tensor(one, protocol)[0] for one in (tasks.query, tasks.query_targets))
        outputs = _check_outputs(network, weights, inputs, shape[1])
    with _said(what, problem_module):
        loss = _check_loss(problem_of(protocol), outputs, targets)
    _check_reach(protocol, loss, weights)


def _check_shape(shape: Any) -> tuple[tuple[int, ...], int]:
    """The shape of an input, and the number of outputs. Raises ValueError."""
    try:
        inputs, outputs = shape
        return tuple(operator.index(one) for one in inputs), operator.index(outputs)
    except (TypeError, ValueError):
        raise _Wrong(
            f"its shape() is {shape!r}; return that of an input and the number of outputs, ((2,), 1) say"
        ) from None


def _check_tasks(protocol: Protocol, shape: tuple[tuple[int, ...], int]) -> None:
    """Raises ValueError, which says what is wrong with the tasks that a problem draws."""
    splits: tuple[tuple[Split, tuple[int, int], tuple[int, int]], ...] = (
        ("train", (0, 1), (1, 2)),
        ("validation", (0, 0), (0, 0)),
    )
    for split, (seed, iteration), (other_seed, other_iteration) in splits:
        problem = problem_of(protocol)
        first = _arrays(problem.tasks(seed, split, iteration))
        second = _arrays(problem.tasks(other_seed, split, other_iteration))
        again = _arrays(problem_of(protocol).tasks(seed, split, iteration))
        for name, values in first.items():
            if values.shape != second[name].shape:
                raise _Wrong(f"its {split} tasks differ in shape from one iteration to another: {name}")
            if not np.array_equal(values, again[name], equal_nan=values.dtype.kind == "f"):
                raise _Wrong(
                    f"its {split} tasks are not a function of (seed, split, iteration): {name} differs when "
                    "it is drawn again; draw from self.stream(seed, split, iteration) alone"
                )
            if not np.isfinite(values).all():
                raise _Wrong(f"its {split} tasks are not finite: {name}")
            if len(values) != problem.count(split):
                raise _Wrong(
                    f"it draws {len(values)} {split} tasks; self.count('{split}') is {problem.count(split)}"
                )
        for part in ("support", "query"):
            inputs, targets = first[part], first[f"{part}_targets"]
            if inputs.shape[2:] != tuple(shape[0]):
                raise _Wrong(
                    f"{part} of its {split} tasks is {list(inputs.shape)}; from its shape() follows "
                    f"[tasks, n, {_spell(shape[0])}]"
                )
            if inputs.shape[:2] != targets.shape[:2]:
                raise _Wrong(
                    f"of its {split} tasks, {part} is {list(inputs.shape)}, its targets {list(targets.shape)}"
                )


def _arrays(tasks: Any) -> dict[str, np.ndarray]:
    """By name, with tasks and examples as their first axes."""
    if not isinstance(tasks, Tasks):
        raise _Wrong(f"its tasks are {type(tasks).__name__}; return harness.Tasks")
    found = {}
    for name, values in tasks._asdict().items():
        try:
            found[name] = np.array(values)  # a copy: they may be drawn into the same memory again
        except ValueError:
            raise _Wrong(f"its tasks are of different shapes: {name}") from None
        if found[name].dtype == object or found[name].ndim < 2:
            raise _Wrong(f"its tasks are of different shapes: {name} is no array [tasks, n, ...]")
        if found[name].dtype.kind not in "biuf":
            raise _Wrong(f"its tasks are no real numbers: {name} is of type {found[name].dtype}")
        if 0 in found[name].shape:
            raise _Wrong(f"its tasks are empty: {name} is {list(found[name].shape)}")
    return found


def _check_start(protocol: Protocol, shape: tuple[tuple[int, ...], int]) -> tuple[Built, dict[str, Tensor]]:
    """The network, and its named weights of seed 0."""
    network = built(protocol, *shape)
    first, again = network.initial(0), built(protocol, *shape).initial(0)
    for part, values, others in zip(network.layout.parts, first, again, strict=True):
        if not np.array_equal(values, others, equal_nan=True):
            raise _Wrong(
                f"its first weights are not a function of the seed: {part.name} differs when it is built "
                "again; draw from torch's global generator alone"
            )
        if not np.isfinite(values).all():
            raise _Wrong(f"its first weights are not finite: {part.name}")
    dtype = dtype_of(protocol)
    network.to(torch.device("cpu"), dtype)
    weights = {
        part.name: torch.from_numpy(values).to(dtype).requires_grad_()
        for part, values in zip(network.layout.parts, first, strict=True)
    }
    return network, weights


def _check_outputs(network: Built, weights: dict[str, Tensor], inputs: Tensor, outputs: int) -> Tensor:
    """What it makes of the inputs of a task: twice the same."""
    before = {name: kept.clone() for name, kept in network.kept.items()}
    first, again = (network.apply(weights, inputs) for _ in range(2))
    for name, kept in network.kept.items():
        if not torch.equal(before[name], kept):
            raise _Wrong(
                f"its buffer {name} changes in forward; a loss must be a function of the weights alone"
            )
    if not isinstance(first, Tensor) or first.shape != (len(inputs), outputs):
        got = list(first.shape) if isinstance(first, Tensor) else type(first).__name__
        raise _Wrong(
            f"its outputs are {got} for {len(inputs)} inputs; the problem needs [{len(inputs)}, {outputs}]"
        )
    if not first.requires_grad:
        raise _Wrong("its outputs do not depend on its parameters, or are detached from them")
    if not torch.equal(first, again) and bool(first.isfinite().all()):
        raise _Wrong(
            "two passes over the same inputs differ: it draws at random, or keeps something; leave that out"
        )
    return first


def _check_loss(problem: Problem, outputs: Tensor, targets: Tensor) -> Tensor:
    loss = problem.loss(outputs, targets)
    if not isinstance(loss, Tensor) or loss.dim() != 0:
        raise _Wrong(f"its loss is {_of(loss)}, not a scalar; take the mean over the examples")
    measured = problem.measure(outputs, targets)
    if not isinstance(measured, tuple) or len(measured) != len(problem.metrics):
        given = len(measured) if isinstance(measured, tuple) else type(measured).__name__
        raise _Wrong(
            f"measure gives {given} for the metrics {problem.metrics}; return a tuple with one for each"
        )
    for name, one in zip(problem.metrics, measured, strict=True):
        if not isinstance(one, Tensor) or one.dim() != 0:
            raise _Wrong(f"its metric {name} is {_of(one)}, not a scalar tensor")
    return loss


def _check_reach(protocol: Protocol, loss: Tensor, weights: dict[str, Tensor]) -> None:
    """UserError: the loss does not reach some weights."""
    if not loss.requires_grad:
        within = plugins.within(PROBLEMS.module(protocol.problem))
        raise UserError(
            f"{within}problem '{protocol.problem}': its loss cannot be differentiated: it does not depend on "
            "the outputs, or is detached from them"
        )
    slopes = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
    missed = [name for name, slope in zip(weights, slopes, strict=True) if slope is None]
    if missed:
        names = ", ".join(missed[:3]) + ", ..." * (len(missed) > 3)
        within = plugins.within(NETWORKS.module(protocol.network))
        raise UserError(
            f"{within}network '{protocol.network}': the loss does not reach its parameters {names}; "
            "leave them out, or give them requires_grad=False"
        )


def _check_method(cells: Sequence[Cell]) -> bool:
    """One iteration of the cells that go furthest last. Returns whether the loss of one is finite."""
    method, parts = METHODS[cells[0].method], provenance.others(cells[0])
    modules = [METHODS.module(cells[0].method), *(part.module for part in parts)]
    for cell in sorted(cells, key=lambda one: one.hyper.pace())[:MOST]:
        with _said(f"method '{cell.method}'", *dict.fromkeys(modules)):
            pack = Pack([cell], torch.device("cpu"))
            before, copied = pack.state, replay.each(torch.clone, pack.state)
            (moment,) = pack.advance(range(1, 2))
            _check_states(before, copied, pack.state)
            sizes = [tuple(torch.as_tensor(one).shape) for one in moment.recorded]
            if sizes != [(1,)] * len(method.columns):
                raise _Wrong(
                    f"record gives {sizes}; it must give [cells] for each of {', '.join(method.columns)}"
                )
            if math.isfinite(moment.loss.item()):
                if not plugins.is_ours(METHODS.module(cell.method)):
                    _check_apart(cell)
                return True
    return False


def _check_states(before: Any, copied: Any, after: Any) -> None:
    """Of a cell before and after its update. copied: the state before, from before the update."""
    for state in (before, after):
        if not isinstance(state, State) or state.weights.shape != before.weights.shape:
            raise _Wrong("its step returns no harness.State with weights of the same shape")
        for one in replay.leaves(state):
            if one.shape[:1] != (1,):
                raise _Wrong(
                    f"a tensor of its state is {list(one.shape)}; the cells are every one's first axis"
                )
    if after.weights.dtype != before.weights.dtype:
        raise _Wrong(
            f"its step returns weights in {after.weights.dtype}, and is given {before.weights.dtype}; "
            "rates are in float64: write beta.to(weights.dtype)"
        )
    for one, was in zip(replay.leaves(before), replay.leaves(copied), strict=True):
        if not torch.equal(one, was) and bool(one.isfinite().all()):
            raise _Wrong("its step writes into the state that it is given; return new tensors")


def _check_apart(cell: Cell) -> None:
    """That two iterations, in float64, lead a cell to the same state alone and beside another one."""
    protocol = protocol_of(**cell.protocol.model_dump() | {"precision": "float64"})
    seeds = cell.seed, 0 if cell.seed else 1
    mine, other = (cell_of(protocol, cell.method, cell.hyper, seed) for seed in seeds)
    try:
        alone = Pack([mine], torch.device("cpu"))
        before = alone.state
        alone.advance(range(1, 3))
    except RuntimeError:  # a network that computes in float32, whatever it is given
        return
    together = Pack([mine, other], torch.device("cpu"))
    moments = together.advance(range(1, 3))
    ours = zip(*map(replay.leaves, (before, alone.state, together.state)), strict=True)
    for was, one, two in ((a.double(), b.double(), c.double()) for a, b, c in ours):
        if len(two) != 2 or (one - two[:1]).norm() > 1e-3 * (one - was).norm() + 1e-9 * was.norm():
            raise _Wrong(
                "a cell that is trained again, beside another, moves differently; what it returns must "
                "depend on its arguments alone, for each cell apart: reduce over the last axis, not the first"
            )
    if [len(one) for one in moments[0].recorded] != [2] * len(moments[0].recorded):
        raise _Wrong("record gives one number for two cells; it must give [cells] for each of its columns")


class _Wrong(ValueError):
    """What is wrong, in words."""


@contextmanager
def _said(what: str, *modules: str) -> Iterator[None]:
    """Errors in this block are UserErrors that name `what`, the plug-in, and the line in it.

    modules: those that may be at fault, the first of them if no other is seen in the traceback.
    """
    try:
        yield
    except Exception as error:
        files = {module: plugins.file_of(module) for module in modules if not plugins.is_ours(module)}
        at = next(iter(files), modules[0])
        prefix = plugins.within(at)
        if isinstance(error, _Wrong | UserError):
            text = str(error)
            if isinstance(error, _Wrong):
                text = f"{what}: {text}"
        elif isinstance(error, NotImplementedError) and not str(error):
            text = f"{what}: it has no {traceback.extract_tb(error.__traceback__)[-1].name}; write it"
        else:
            text = f"{what}: {plugins.explain(error, *(Path(file) for file in files.values() if file))}"
            if "derivative" in text or "double backward" in text:
                text += "; a method without second derivatives, fomaml say, may do without"
        raise UserError(text if text.startswith("plug-in ") else prefix + text) from error


def _prefix(cell: Cell) -> str:
    parts = provenance.others(cell)
    return plugins.within(parts[0].module) if parts else ""


def _tensor(values: Any, protocol: Protocol) -> Tensor:
    tensor = torch.as_tensor(np.asarray(values))
    return tensor.to(dtype_of(protocol)) if tensor.is_floating_point() else tensor.long()


def _of(value: Any) -> str:
    return f"a tensor {list(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"


def _spell(shape: Sequence[int]) -> str:
    return ", ".join(map(str, shape))
