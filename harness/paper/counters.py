"""How often the network is walked through: counts of the calls that compute a loss or a derivative."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch

from harness.training.conv4 import derivatives

FORWARD = "loss"
BACKWARD = ("gradient", "hessian_product", "autograd")
"""A Hessian product counts as one, whatever it costs; `autograd` is any gradient that torch computes."""

_GROUPS: dict[str, Callable[..., int]] = {
    "loss": lambda protocol, flat, images: len(images.windows),
    "gradient": lambda protocol, at: len(at.scores),
    "hessian_product": lambda protocol, at, *more: len(at.scores),
}
"""Of a call's arguments: how many tasks it serves, for how many go together is a matter of memory alone."""


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """In here every pass through the network is counted by kind, once for each task that it serves."""
    passes = Counter[str]()

    def counted(name: str, function: Callable[..., Any], groups: Callable[..., int]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            passes[name] += groups(*arguments, **named)
            return function(*arguments, **named)

        return call

    with ExitStack() as stack:
        for name, groups in _GROUPS.items():
            wrapped = counted(name, getattr(derivatives, name), groups)
            stack.enter_context(patch.object(derivatives, name, wrapped))
        for name in ("grad", "backward"):
            wrapped = counted("autograd", getattr(torch.autograd, name), lambda *any, **other: 1)
            stack.enter_context(patch.object(torch.autograd, name, wrapped))
        yield passes


def backward(passes: Counter[str]) -> int:
    """Backward passes of all kinds."""
    return sum(passes[kind] for kind in BACKWARD)
