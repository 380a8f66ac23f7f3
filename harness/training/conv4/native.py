"""The operators by kernels.c, for a CPU: the same functions as in operators.py, and what they are given.

Maps stay maps here: a convolution reads its input where it lies, and the first block's rows are those of its
map, not of its windows. All tensors are contiguous; only weights may be parts of flat vectors.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.common.compiled import library
from harness.training.conv4 import operators as op
from harness.training.conv4.operators import Normed, Patches, Pulled, Pushed
from harness.training.conv4.table import Operators

SOURCE = Path(__file__).with_name("kernels.c")
TYPES = {torch.float32: ("float", "int32_t"), torch.float64: ("double", "int64_t")}
"""The numbers there are kernels for: their type in C, and a whole number of the same size."""


@cache
def _kernels(dtype: torch.dtype) -> ctypes.CDLL | None:
    if dtype not in TYPES:
        return None
    real, whole = TYPES[dtype]
    kernels = library(SOURCE, REAL=real, WHOLE=whole)
    if kernels:
        for name, parameters in _DECLARED.findall(SOURCE.read_text("utf-8")):
            getattr(kernels, name).argtypes = [_type(one) for one in parameters.split(",")]
        kernels.keep_freed_memory()
    return kernels


_DECLARED = re.compile(r"^void (\w+)\(([^)]+ [^)]*)\)", re.MULTILINE)
"""The functions of kernels.c with parameters, and these."""


def _type(parameter: str) -> Any:
    """The type of a parameter, as it is written in C."""
    if "*" in parameter:
        return ctypes.c_void_p
    return {"i64": ctypes.c_int64, "int": ctypes.c_int, "double": ctypes.c_double}[parameter.split()[0]]


def knows(filters: int, dtype: torch.dtype) -> bool:
    """Whether this machine has the kernels, and they take so many filters: a multiple of 8, or of 16 in
    float32 with AVX-512."""
    kernels = _kernels(dtype)
    return kernels is not None and filters % kernels.multiple() == 0


def _call(name: str, like: Tensor, *arguments: Tensor | float | None) -> None:
    """Run a function of kernels.c for numbers like these; the threads, its last argument, are added."""
    passed: list[float | None] = []
    for one in arguments:
        if isinstance(one, Tensor):
            assert one.dtype == like.dtype
            assert one.is_contiguous()
            passed.append(one.data_ptr())
        else:
            passed.append(one)
    getattr(_kernels(like.dtype), name)(*passed, torch.get_num_threads())


def _weights(w: Tensor) -> tuple[int, int]:
    """Weights [shared, k, f] as a function takes them: where they are, and how far one is from the next."""
    assert w.stride()[1:] == (w.shape[2], 1)
    return w.data_ptr(), w.stride(0)


def patches(images: Tensor, twice: bool) -> Patches:
    """As operators.patches; but the rows are those of the map, whatever follows."""
    g, n, side, _, _ = images.shape
    rows, covariance = images.new_empty(g, n, op.halved(side) ** 2, 10), images.new_empty(g, 9, 9)
    _call("cut", rows, rows, covariance, images.contiguous(), g, n, side)
    return Patches(rows, covariance)


def rows_of(of: Patches, filters: Tensor, y: Tensor | None) -> Tensor:
    """As operators.rows_of."""
    (g, n, rows, _), f = of.windows.shape, filters.shape[2]
    out = filters.new_empty(g, n * rows, f)
    _call("first_rows", out, out, of.windows, filters, y, g, n * rows, f)
    return out


def by_filters(of: Patches, y: Tensor, dy: Tensor) -> Tensor:
    """As operators.by_filters."""
    (g, n, rows, pixels), f = of.windows.shape, y.shape[2]
    out = y.new_empty(g, pixels, f)
    _call("first_by_weights", out, out, of.windows, y, dy, g, n * rows, f)
    return out


def convolve(x: Tensor, w: Tensor, plus: Tensor | None) -> Tensor:
    """As operators.product of operators.windows(x). x: [g, n, side, side, c]."""
    g, n, side, _, c = x.shape
    f, rows = w.shape[2], n * op.halved(side) ** 2
    out = x.new_empty(g, rows, f) if plus is None else plus
    _call("convolve", x, out, x, *_weights(w), g, g // len(w), n, side, c, f, int(plus is not None))
    return out


def by_weights(pairs: Sequence[tuple[Tensor, Tensor]], out: Tensor) -> None:
    """As operators.correlation of operators.windows(x), summed over the pairs."""
    for number, (x, dy) in enumerate(pairs):
        g, n, side, _, c = x.shape
        shape = g, g // len(out), n, side, c, dy.shape[2]
        _call("by_weights", x, *_weights(out), x, dy, *shape, int(number > 0))


def by_input(pairs: Sequence[tuple[Tensor, Tensor]], shape: tuple[int, ...], block: int) -> Tensor:
    """As operators.scatter of operators.product(dy, w.mT), summed over the pairs."""
    g, n, side, _, c = shape
    out = pairs[0][0].new_empty(shape)
    for number, (dy, w) in enumerate(pairs):
        turned, sizes = dy.new_empty(w.shape), (g, g // len(w), n, side, c, w.shape[2])
        _call("by_input", dy, out, dy, *_weights(w), turned, *sizes, int(number > 0))
    return out


def norm_relu(x: Tensor, scale: Tensor, shift: Tensor, eps: float) -> Normed:
    """As operators.norm_relu."""
    y, r = torch.empty_like(x), torch.empty_like(scale)
    _call("norm_relu", x, x, y, r, scale, shift, eps, *x.shape)
    return Normed(y, x, r, scale)


def norm_relu_gradient(at: Normed, dy: Tensor) -> tuple[Tensor, Tensor, Tensor, Pulled]:
    """As operators.norm_relu_gradient; but d is dy, of which y > 0 is asked again."""
    dx, mean, along = torch.empty_like(at.n), torch.empty_like(at.r), torch.empty_like(at.r)
    _call("norm_relu_gradient", dx, dx, mean, along, at.n, at.y, dy, at.r, at.scale, *at.n.shape)
    rows = at.n.shape[1]
    return dx, along * rows, mean * rows, Pulled(dy, mean, along)


def norm_relu_tangent(
    at: Normed, x_dot: Tensor, scale_dot: Tensor, shift_dot: Tensor
) -> tuple[Tensor, Pushed]:
    """As operators.norm_relu_tangent."""
    y_dot, mean, along = torch.empty_like(at.n), torch.empty_like(at.r), torch.empty_like(at.r)
    numbers = at.n, at.y, x_dot, at.r, at.scale, scale_dot, shift_dot
    _call("norm_relu_tangent", y_dot, y_dot, mean, along, *numbers, *at.n.shape)
    return y_dot, Pushed(x_dot, mean, along)


def norm_relu_gradient_tangent(
    at: Normed, pulled: Pulled, pushed: Pushed, dy_dot: Tensor, scale_dot: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """As operators.norm_relu_gradient_tangent."""
    dx_dot, mean, dn_dot = torch.empty_like(at.n), torch.empty_like(at.r), torch.empty_like(at.r)
    maps = at.n, at.y, pulled.d, pushed.x, dy_dot
    means = pulled.mean, pulled.along, pushed.mean, pushed.along
    numbers = at.r, at.scale, scale_dot, *means
    _call("norm_relu_gradient_tangent", dx_dot, dx_dot, mean, dn_dot, *maps, *numbers, *at.n.shape)
    rows = at.n.shape[1]
    return dx_dot, dn_dot * rows, mean * rows


NATIVE = Operators(
    patches=patches,
    first_block=partial(op.first_block, rows_of=rows_of),
    first_block_gradient=partial(op.first_block_gradient, by_filters=by_filters),
    first_block_tangent=partial(op.first_block_tangent, rows_of=rows_of),
    first_block_gradient_tangent=partial(op.first_block_gradient_tangent, by_filters=by_filters),
    input=lambda y, shape, block: y.view(shape),
    convolve=convolve,
    by_weights=by_weights,
    by_input=by_input,
    norm_relu=norm_relu,
    norm_relu_gradient=norm_relu_gradient,
    norm_relu_tangent=norm_relu_tangent,
    norm_relu_gradient_tangent=norm_relu_gradient_tangent,
)
