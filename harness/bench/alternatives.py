"""The operators of the paper's network on a CPU beside other ways to compute the same: one thread, float32.

`python -m harness.bench.alternatives` prints, for each operator, milliseconds for four tasks: by the kernels
in C; by the formulas in torch's operators, of a convolution with and without cutting the windows; by torch's
own convolution (oneDNN, channels last); and by torch.compile. First it says how near to float64's a
meta-gradient in float32 is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.bench import timing
from harness.bench.parts import using
from harness.bench.threads import threads
from harness.bench.workload import PAPER, make, ours
from harness.training.conv4 import native
from harness.training.conv4 import operators as op
from harness.training.conv4.native import NATIVE
from harness.training.conv4.table import PLAIN, Operators

TASKS, IMAGES, FILTERS, EPS = 4, 20, 64, 1e-5
SIDES = (14, 7, 4)
"""Of the maps that the second to the fourth convolution read."""
ROUNDS = 15

Ways = dict[str, Callable[[], Any]]


def convolutions(side: int) -> Iterator[tuple[str, Ways]]:
    """The three products of a convolution, for four tasks with weights of their own."""
    shape, rows = (TASKS, IMAGES, side, side, FILTERS), IMAGES * op.halved(side) ** 2
    x, w = torch.randn(shape), torch.randn(TASKS, 9 * FILTERS, FILTERS)
    dy, out = torch.randn(TASKS, rows, FILTERS), torch.empty(TASKS, 9 * FILTERS, FILTERS)
    cut = PLAIN.input(x, shape, 2)
    images, kernels, slopes = zip(*map(_for_torch, x, w, dy), strict=True)
    yield (
        f"convolution, {side} x {side}",
        {
            "C": lambda: NATIVE.convolve(x, w, None),
            "formulas": lambda: PLAIN.convolve(PLAIN.input(x, shape, 2), w, None),
            "product alone": lambda: PLAIN.convolve(cut, w, None),
            "torch's convolution": lambda: [
                F.conv2d(i, k, stride=2, padding=1) for i, k in zip(images, kernels, strict=True)
            ],
        },
    )
    yield (
        f"by its input, {side} x {side}",
        {
            "C": lambda: NATIVE.by_input([(dy, w)], shape, 2),
            "formulas": lambda: PLAIN.by_input([(dy, w)], shape, 2),
            "product alone": lambda: op.product(dy, w.mT),
            "torch's convolution": lambda: _backward(images, kernels, slopes, (True, False)),
        },
    )
    yield (
        f"by its weights, {side} x {side}",
        {
            "C": lambda: NATIVE.by_weights([(x, dy)], out),
            "formulas": lambda: PLAIN.by_weights([(PLAIN.input(x, shape, 2), dy)], out),
            "product alone": lambda: op.correlation(cut, dy, TASKS),
            "torch's convolution": lambda: _backward(images, kernels, slopes, (False, True)),
        },
    )


def norms() -> Iterator[tuple[str, Ways]]:
    """Batch norm and ReLU of the second block, with their gradient; and the tangents of both."""
    shape = TASKS, IMAGES * op.halved(SIDES[0]) ** 2, FILTERS
    x, dy, x_dot, dy_dot = (torch.randn(shape) for _ in range(4))
    scale, shift = torch.rand(TASKS, 1, FILTERS), torch.randn(TASKS, 1, FILTERS)

    def both(table: Any) -> Callable[[Tensor], Any]:
        def compute(x: Tensor) -> Any:
            at = table.norm_relu(x.clone(), scale, shift, EPS)
            return at, table.norm_relu_gradient(at, dy)

        return compute

    def tangents(table: Any) -> Callable[[Tensor], Any]:
        at, (*_, pulled) = both(table)(x)

        def compute(x_dot: Tensor) -> Any:
            y_dot, pushed = table.norm_relu_tangent(at, x_dot, scale, shift)
            return y_dot, table.norm_relu_gradient_tangent(at, pulled, pushed, dy_dot, scale)

        return compute

    for title, of, argument in (("norm and gradient", both, x), ("their tangents", tangents, x_dot)):
        ways = {"C": of(NATIVE), "formulas": of(PLAIN), "torch.compile": torch.compile(of(PLAIN))}
        yield title, {name: _called(way, argument) for name, way in ways.items()}


def measure(rounds: int = ROUNDS) -> Iterator[tuple[str, dict[str, timing.Times]]]:
    """Of each operator the times of each way. RuntimeError without the kernels."""
    if not native.knows(FILTERS, torch.float32):
        raise RuntimeError("there are no kernels here: no C compiler was found")
    with threads(1), torch.inference_mode():
        for title, ways in (*(one for side in SIDES for one in convolutions(side)), *norms()):
            seconds = timing.interleaved(ways, rounds, clock=time.process_time)
            yield title, {name: timing.summary(measured) for name, measured in seconds.items()}


def errors(tasks: int = TASKS) -> dict[str, float]:
    """How far the meta-gradient of so many tasks in float32 is from float64's, relative to its length."""
    exact, *others = (
        _meta_gradient(precision, tasks, table)
        for precision, table in (("float64", PLAIN), ("float32", NATIVE), ("float32", PLAIN))
    )
    found = ((one - exact).norm() / exact.norm() for one in others)
    return dict(zip(("C", "formulas"), map(float, found), strict=True))


def _meta_gradient(precision: str, tasks: int, table: Operators) -> Tensor:
    work = make(PAPER.model_copy(update={"precision": precision, "meta_batch": tasks}))
    program = ours(work)
    with using(table):
        return program.answer(program.step()).gradient


def _called(function: Callable[[Tensor], Any], argument: Tensor) -> Callable[[], Any]:
    return lambda: function(argument)


def _for_torch(x: Tensor, w: Tensor, dy: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Images, kernels and gradient of a task as torch's convolution takes them, channels last in memory."""
    high = op.halved(x.shape[1])
    kernel = w.unflatten(0, (3, 3, -1)).permute(3, 2, 0, 1)
    return (
        x.movedim(-1, -3),
        kernel.contiguous(memory_format=torch.channels_last),
        dy.unflatten(0, (IMAGES, high, high)).movedim(-1, -3),
    )


def _backward(images: Any, kernels: Any, slopes: Any, wanted: tuple[bool, bool]) -> list[Any]:
    backward = torch.ops.aten.convolution_backward
    return [
        backward(dy, i, k, None, [2, 2], [1, 1], [1, 1], False, [0, 0], 1, [*wanted, False])
        for i, k, dy in zip(images, kernels, slopes, strict=True)
    ]


def main() -> None:
    """The command."""
    print("float32: " + ", ".join(f"{name} {error:.1e}" for name, error in errors().items()), flush=True)
    for title, times in measure():
        ways = ", ".join(f"{name} {of_it.median_ms:.2f}" for name, of_it in times.items())
        print(f"{title}: {ways} ms", flush=True)


if __name__ == "__main__":
    main()
