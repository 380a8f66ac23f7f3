"""The operators on a GPU: for `tf32x3` all convolutions' products of our own; and, where it is asked for,
batch norm fused, and the first block's products with their ReLU."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from harness.common.errors import UserError
from harness.training.conv4 import operators as op
from harness.training.conv4.fused import fused
from harness.training.conv4.operators import Normed, Pulled, Pushed
from harness.training.conv4.table import PLAIN, Operators, by_input, by_weights

IN_TRITON = {"float32": "ieee", "tf32": "tf32", "tf32x3": "tf32x3", "float64": "ieee"}
"""A protocol's precision -> what Triton calls it."""


def _gradient(at: Normed, dy: Tensor) -> tuple[Tensor, Tensor, Tensor, Pulled]:
    """As operators.norm_relu_gradient; but d is dy, of which y > 0 is asked again: one map less to write."""
    dx, by_scale, by_shift, pulled = op.norm_relu_gradient(at, dy)
    return dx, by_scale, by_shift, pulled._replace(d=dy)


def _gradient_tangent(
    at: Normed, pulled: Pulled, pushed: Pushed, dy_dot: Tensor, scale_dot: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """As operators.norm_relu_gradient_tangent, of such a d."""
    d = op.where_positive(at.y, pulled.d)
    return op.norm_relu_gradient_tangent(at, pulled._replace(d=d), pushed, dy_dot, scale_dot)


FUSED: dict[str, Callable[..., Any]] = {
    "norm_relu": op.norm_relu,
    "norm_relu_gradient": _gradient,
    "norm_relu_tangent": op.norm_relu_tangent,
    "norm_relu_gradient_tangent": _gradient_tangent,
}
"""What torch compiles, by the names in the table."""


SWITCH = "HARNESS_FUSED"
"""An environment variable; 1: what is fused is used. Not by default, for no GPU has run or timed it yet."""


def operators(precision: str, fuse: bool | None = None) -> Operators:
    """Those for a protocol's precision. fuse: None: as SWITCH says.

    Where Triton is missing or does not work they are the formulas, and a warning says so; UserError: there
    are none for tf32x3 then.
    """
    return _operators(precision, os.environ.get(SWITCH) == "1" if fuse is None else fuse)


@cache
def trouble() -> str | None:
    """Why kernels in Triton do not run here; None: they do. It compiles them, which takes a C compiler."""
    if find_spec("triton") is None:
        return "there is no Triton"
    try:
        from harness.training.conv4 import triton_products as triton

        tiny = torch.ones(1, 16, 16, device="cuda")
        triton.product(tiny, tiny)
        torch.cuda.synchronize()
    except Exception as error:  # of torch, Triton or a compiler
        return f"Triton does not work here: {' '.join(str(error).split())[:200]}"
    return None


@cache
def _operators(precision: str, fuse: bool) -> Operators:
    three = precision == "tf32x3"
    if not (three or fuse):
        return PLAIN
    if why := trouble():
        if three:
            raise UserError(f"precision 'tf32x3': {why}; write float32 or tf32")
        warnings.warn(f"nothing is fused: {why}", stacklevel=3)
        return PLAIN
    from harness.training.conv4 import triton_products as triton  # late: a CPU's torch comes without

    others: dict[str, Any] = {}
    if three:
        others |= {
            "convolve": triton.product,
            "by_weights": partial(by_weights, correlation=triton.correlation),
            "by_input": partial(by_input, product=triton.product),
        }
    if fuse:
        rows = partial(triton.rows_of, precision=IN_TRITON[precision])
        filters = partial(triton.by_filters, precision=IN_TRITON[precision])
        others |= fused(FUSED) | {
            "first_block": partial(op.first_block, rows_of=rows),
            "first_block_gradient": partial(op.first_block_gradient, by_filters=filters),
            "first_block_tangent": partial(op.first_block_tangent, rows_of=rows),
            "first_block_gradient_tangent": partial(op.first_block_gradient_tangent, by_filters=filters),
        }
    return replace(PLAIN, **others)
