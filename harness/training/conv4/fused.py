"""Batch norm with ReLU and its three derivatives, each in two kernels in place of many: by torch.compile.

As formulas they are ten kernels or more each; compiled one sums over the rows, and one computes the result.
The formulas are the plain version, and what runs where torch cannot compile.

Compiled once for any number of groups, images and rows: cells that leave their pack change the first, layers
the others. Nothing is tuned by trial runs, and nothing depends on how many groups came first, so a run that
goes on has the same numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from harness.training import replay

OPTIONS: dict[str, Any] = {"deterministic": True, "batch_invariant": True, "split_reductions": False}
"""Of torch's compiler: no choice by measuring, and sums over rows in one order for any number of groups."""
GROUPS = 2880
"""What it is told to expect: fig2's Alpha-MAML cells, 16 tasks each."""
MOST = 64
"""Versions of a function: for other numbers of filters, say. torch's own limit is 8."""

Function = Callable[..., Any]


def fused(plain: Mapping[str, Function]) -> dict[str, Function]:
    """Each of these functions, of maps [g, rows, c] or [g, n, h, w, c], compiled at its first call.

    Where torch cannot compile one, a warning says so, and from then on all run as they are.
    """
    cannot: list[str] = []
    return {name: _compiled(function, cannot) for name, function in plain.items()}


def _compiled(function: Function, cannot: list[str]) -> Function:
    fast = torch.compile(function, fullgraph=True, options=OPTIONS)

    def call(*arguments: Any) -> Any:
        if cannot:
            return function(*arguments)
        for argument in arguments:
            if isinstance(argument, Tensor | tuple):
                for tensor in replay.leaves(argument):
                    _mark(tensor)
        try:
            with torch._dynamo.config.patch(recompile_limit=MOST), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch's own, such as that TF32 would be faster
                return fast(*arguments)
        except torch._dynamo.exc.TorchDynamoException as error:  # nothing has been computed yet
            cannot.append(str(error))
            why = " ".join(line.strip() for line in str(error).strip().splitlines()[:2])
            warnings.warn(f"batch norm runs unfused, since torch cannot compile it here: {why}", stacklevel=2)
            return function(*arguments)

    return call


def _mark(tensor: Tensor) -> None:
    """Say that all its sizes may vary but the last, the filters; a size of 1 is compiled apart."""
    for at, size in enumerate(tensor.shape[:-1]):
        if size > 1:
            torch._dynamo.mark_dynamic(tensor, at, hint_override=None if at else GROUPS)
