"""What a problem and a network are made of, tried on a task: tasks, first weights, outputs, a loss."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.cell import Protocol
from harness.methods.base import State
from harness.problems import Problem, Tasks, problem_of
from harness.problems.base import Split
from harness.problems.networks import Built, built
from harness.training import replay
from harness.training.pack import dtype_of


class Wrong(ValueError):
    """What is wrong, in words."""


def shape_of(shape: Any) -> tuple[tuple[int, ...], int]:
    """The shape of an input, and the number of outputs. Raises ValueError."""
    try:
        inputs, outputs = shape
        return tuple(operator.index(one) for one in inputs), operator.index(outputs)
    except (TypeError, ValueError):
        raise Wrong(
            f"its shape() is {shape!r}; return that of an input and the number of outputs, ((2,), 1) say"
        ) from None


Draws = tuple[tuple[Split, tuple[int, int], tuple[int, int]], ...]
"""Splits, each with two draws (seed, iteration) of it."""
TRAINED: Draws = (("train", (0, 1), (1, 2)), ("validation", (0, 0), (0, 0)))
TESTED: Draws = (("test", (0, 0), (0, 1)),)


def check_tasks(protocol: Protocol, shape: tuple[tuple[int, ...], int], draws: Draws = TRAINED) -> None:
    """Raises ValueError, which says what is wrong with the tasks that a problem draws."""
    for split, (seed, iteration), (other_seed, other_iteration) in draws:
        problem = problem_of(protocol)
        first = _arrays(problem.tasks(seed, split, iteration))
        second = _arrays(problem.tasks(other_seed, split, other_iteration))
        again = _arrays(problem_of(protocol).tasks(seed, split, iteration))
        for name, values in first.items():
            if values.shape != second[name].shape:
                raise Wrong(f"its {split} tasks differ in shape from one iteration to another: {name}")
            if not np.array_equal(values, again[name], equal_nan=values.dtype.kind == "f"):
                raise Wrong(
                    f"its {split} tasks are not a function of (seed, split, iteration): {name} differs when "
                    "it is drawn again; draw from self.stream(seed, split, iteration) alone"
                )
            if not np.isfinite(values).all():
                raise Wrong(f"its {split} tasks are not finite: {name}")
            if len(values) != problem.count(split):
                raise Wrong(
                    f"it draws {len(values)} {split} tasks; self.count('{split}') is {problem.count(split)}"
                )
        for part in ("support", "query"):
            inputs, targets = first[part], first[f"{part}_targets"]
            if inputs.shape[2:] != tuple(shape[0]):
                raise Wrong(
                    f"{part} of its {split} tasks is {list(inputs.shape)}; from its shape() follows "
                    f"[tasks, n, {_spell(shape[0])}]"
                )
            if inputs.shape[:2] != targets.shape[:2]:
                raise Wrong(
                    f"of its {split} tasks, {part} is {list(inputs.shape)}, its targets {list(targets.shape)}"
                )


def check_curves(problem: Problem) -> None:
    """Raises ValueError, which says what is wrong with the functions of a problem's test tasks."""
    curves = problem.curves(0, "test", 0)
    if curves is None:
        return
    x, y = (np.asarray(one) for one in curves)
    if x.ndim != 1 or y.shape != (problem.count("test"), *x.shape):
        raise Wrong(
            f"its curves are x {list(x.shape)} and y {list(y.shape)}; return harness.Curves of [m] and "
            "[tasks, m]"
        )


def _arrays(tasks: Any) -> dict[str, np.ndarray]:
    """By name, with tasks and examples as their first axes."""
    if not isinstance(tasks, Tasks):
        raise Wrong(f"its tasks are {type(tasks).__name__}; return harness.Tasks")
    found = {}
    for name, values in tasks._asdict().items():
        try:
            found[name] = np.array(values)  # a copy: they may be drawn into the same memory again
        except ValueError:
            raise Wrong(f"its tasks are of different shapes: {name}") from None
        if found[name].dtype == object or found[name].ndim < 2:
            raise Wrong(f"its tasks are of different shapes: {name} is no array [tasks, n, ...]")
        if found[name].dtype.kind not in "biuf":
            raise Wrong(f"its tasks are no real numbers: {name} is of type {found[name].dtype}")
        if 0 in found[name].shape:
            raise Wrong(f"its tasks are empty: {name} is {list(found[name].shape)}")
    return found


def started(protocol: Protocol, shape: tuple[tuple[int, ...], int]) -> tuple[Built, dict[str, Tensor]]:
    """The network, and its named weights of seed 0."""
    network = built(protocol, *shape)
    first, again = network.initial(0), built(protocol, *shape).initial(0)
    for part, values, others in zip(network.layout.parts, first, again, strict=True):
        if not np.array_equal(values, others, equal_nan=True):
            raise Wrong(
                f"its first weights are not a function of the seed: {part.name} differs when it is built "
                "again; draw from torch's global generator alone"
            )
        if not np.isfinite(values).all():
            raise Wrong(f"its first weights are not finite: {part.name}")
    dtype = dtype_of(protocol)
    network.to(torch.device("cpu"), dtype)
    weights = {
        part.name: torch.from_numpy(values).to(dtype).requires_grad_()
        for part, values in zip(network.layout.parts, first, strict=True)
    }
    return network, weights


def outputs_of(network: Built, weights: dict[str, Tensor], inputs: Tensor, outputs: int) -> Tensor:
    """What it makes of the inputs of a task: twice the same."""
    before = {name: kept.clone() for name, kept in network.kept.items()}
    first, again = (network.apply(weights, inputs) for _ in range(2))
    for name, kept in network.kept.items():
        if not torch.equal(before[name], kept):
            raise Wrong(
                f"its buffer {name} changes in forward; a loss must be a function of the weights alone"
            )
    if not isinstance(first, Tensor) or first.shape != (len(inputs), outputs):
        got = list(first.shape) if isinstance(first, Tensor) else type(first).__name__
        raise Wrong(
            f"its outputs are {got} for {len(inputs)} inputs; the problem needs [{len(inputs)}, {outputs}]"
        )
    if not first.requires_grad:
        raise Wrong("its outputs do not depend on its parameters, or are detached from them")
    if not torch.equal(first, again) and bool(first.isfinite().all()):
        raise Wrong(
            "two passes over the same inputs differ: it draws at random, or keeps something; leave that out"
        )
    return first


def loss_of(problem: Problem, outputs: Tensor, targets: Tensor) -> Tensor:
    loss = problem.loss(outputs, targets)
    if not isinstance(loss, Tensor) or loss.dim() != 0:
        raise Wrong(f"its loss is {_of(loss)}, not a scalar; take the mean over the examples")
    measured = problem.measure(outputs, targets)
    if not isinstance(measured, tuple) or len(measured) != len(problem.metrics):
        given = len(measured) if isinstance(measured, tuple) else type(measured).__name__
        raise Wrong(
            f"measure gives {given} for the metrics {problem.metrics}; return a tuple with one for each"
        )
    for name, one in zip(problem.metrics, measured, strict=True):
        if not isinstance(one, Tensor) or one.dim() != 0:
            raise Wrong(f"its metric {name} is {_of(one)}, not a scalar tensor")
    return loss


def check_states(before: Any, copied: Any, after: Any) -> None:
    """The states of one cell before and after its update. copied: the state before, from before the update.
    Raises Wrong."""
    for state in (before, after):
        if not isinstance(state, State) or state.weights.shape != before.weights.shape:
            raise Wrong("its step returns no harness.State with weights of the same shape")
        for one in replay.leaves(state):
            if one.shape[:1] != (1,):
                raise Wrong(
                    f"a tensor of its state is {list(one.shape)}; the cells are every one's first axis"
                )
    if after.weights.dtype != before.weights.dtype:
        raise Wrong(
            f"its step returns weights in {after.weights.dtype}, and is given {before.weights.dtype}; "
            "rates are in float64: write beta.to(weights.dtype)"
        )
    for one, was in zip(replay.leaves(before), replay.leaves(copied), strict=True):
        if not torch.equal(one, was) and bool(one.isfinite().all()):
            raise Wrong("its step writes into the state that it is given; return new tensors")


def tensor_of(values: Any, protocol: Protocol) -> Tensor:
    tensor = torch.as_tensor(np.asarray(values))
    return tensor.to(dtype_of(protocol)) if tensor.is_floating_point() else tensor.long()


def _of(value: Any) -> str:
    return f"a tensor {list(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"


def _spell(shape: Sequence[int]) -> str:
    return ", ".join(map(str, shape))
