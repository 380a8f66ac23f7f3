"""Passes through the network: counts of the calls that compute a loss or a derivative."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from cProfile import Profile
from types import CodeType, FunctionType

import torch

from harness.training.conv4 import derivatives

FORWARD = "loss"
BACKWARD = ("gradient", "hessian_product", "autograd")
"""A Hessian product counts as one, whatever it costs; `autograd` is any gradient that torch computes."""

_COUNTED: dict[str, tuple[Callable, ...]] = {
    "loss": (derivatives.loss,),
    "gradient": (derivatives.gradient,),
    "hessian_product": (derivatives.hessian_product,),
    "autograd": (torch.autograd.grad, torch.autograd.backward),
}


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Count the calls made in here by kind, with Python's own profiler; the counts are filled in at the end.

    A call serves a whole chunk of tasks: train with `chunk=1` to count each task's passes.
    """
    passes = Counter[str]()
    with Profile() as profile:
        yield passes
    calls = {entry.code: entry.callcount for entry in profile.getstats()}
    for kind, functions in _COUNTED.items():
        count = sum(calls.get(_code(function), 0) for function in functions)
        if count:
            passes[kind] = count


def _code(function: Callable) -> CodeType:
    """What the profiler knows a function by."""
    assert isinstance(function, FunctionType)  # one written in C has none
    return function.__code__


def backward(passes: Counter[str]) -> int:
    """Backward passes of all kinds."""
    return sum(passes[kind] for kind in BACKWARD)
