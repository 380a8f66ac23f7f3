"""The convolutions' products on a GPU's tensor cores, in three TF32 products for near-float32 accuracy.

TF32 keeps 10 of a float32's 23 bits behind the point. With x = hi + lo, hi the nearest TF32 number and lo
the rest, again as TF32, the two keep about 21. Then x w = hi hi + hi lo + lo hi, up to lo lo, which is below
what is kept. Each of the three runs on the tensor cores; the sums are float32. Triton does all this by itself
where it is told `input_precision="tf32x3"`.

Written in Triton, which comes with torch for GPUs: this file is imported where it is used. The formulas are
`product` and `correlation` of operators.py.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

ROWS, COLUMNS = 128, 64
"""Of a tile of x w. Of a tile of x^T y: 64 x 64."""
ENOUGH = 1024
"""Programs that keep a large GPU busy, several on each of its 100 to 150 multiprocessors."""
SHORTEST = 512
"""Rows that a program sums at least, where a sum over rows is split among several."""


def product(x: Tensor, w: Tensor, plus: Tensor | None = None) -> Tensor:
    """See operators.product: [g, rows, k] by [shared, k, f], plus `plus` (overwritten) -> [g, rows, f]."""
    g, rows, k = x.shape
    long, f = x.reshape(len(w), -1, k), w.shape[2]
    out = x.new_empty(g, rows, f) if plus is None else plus.contiguous()
    height, width = long.shape[1], _tile(f)
    tiles = triton.cdiv(height, ROWS) * triton.cdiv(f, width)
    _product[(len(w) * tiles,)](
        long,
        w,
        out,
        height,
        *(*long.stride(), *w.stride()),
        k,
        f,
        PLUS=plus is not None,
        PRECISION=_precision(x),
        ROWS=ROWS,
        DEPTH=_depth(k),
        COLUMNS=width,
        num_warps=8,  # with 4 the compiler runs out of registers
    )
    return out


def correlation(x: Tensor, y: Tensor, groups: int) -> Tensor:
    """See operators.correlation: [g, rows, k], [g, rows, f] -> [groups, k, f].

    Few groups of many rows: several programs take a part of the rows each, and their sums are added after,
    always in the same order.
    """
    k, f = x.shape[-1], y.shape[-1]
    x, y = x.reshape(groups, -1, k), y.reshape(groups, -1, f)
    rows, (high, wide) = x.shape[1], (_tile(k), _tile(f))
    tiles = groups * triton.cdiv(k, high) * triton.cdiv(f, wide)
    splits = max(1, min(ENOUGH // tiles, rows // SHORTEST))
    depth = 32
    span = triton.cdiv(triton.cdiv(rows, splits), depth) * depth
    parts = x.new_empty(splits, groups, k, f)
    _correlation[(tiles * splits,)](
        x,
        y,
        parts,
        rows,
        span,
        groups,
        *(*x.stride(), *y.stride()),
        k,
        f,
        PRECISION=_precision(x),
        HIGH=high,
        WIDE=wide,
        DEPTH=depth,
    )
    return parts[0] if splits == 1 else parts.sum(0)


def _tile(size: int) -> int:
    """A power of 2 that covers the size, 16 to 64."""
    return min(COLUMNS, max(16, triton.next_power_of_2(size)))


def _depth(k: int) -> int:
    """How much of the sum over k is done at once."""
    return 16 if k % 32 else 32


def _precision(x: Tensor) -> str:
    """float64 has one way to multiply."""
    return "tf32x3" if x.dtype == torch.float32 else "ieee"


@triton.jit(do_not_specialize=["rows"])
def _product(
    x: tl.tensor,
    w: tl.tensor,
    out: tl.tensor,
    rows: tl.tensor,
    x_group: tl.tensor,
    x_row: tl.tensor,
    x_k: tl.tensor,
    w_group: tl.tensor,
    w_k: tl.tensor,
    w_f: tl.tensor,
    K: tl.constexpr,
    F: tl.constexpr,
    PLUS: tl.constexpr,
    PRECISION: tl.constexpr,
    ROWS: tl.constexpr,
    DEPTH: tl.constexpr,
    COLUMNS: tl.constexpr,
) -> None:
    """A tile [ROWS, COLUMNS] of out [groups, rows, F] = x [groups, rows, K] by w [groups, K, F]."""
    wide: tl.constexpr = tl.cdiv(F, COLUMNS)
    tile = tl.program_id(0)
    across, tile = tile % wide, tile // wide  # neighbours share the rows of x
    high = tl.cdiv(rows, ROWS)
    first = (tile % high).to(tl.int64) * ROWS
    group = (tile // high).to(tl.int64)
    row, k = tl.arange(0, ROWS), tl.arange(0, DEPTH)
    f = across * COLUMNS + tl.arange(0, COLUMNS)
    inside = (row < rows - first)[:, None]
    x += group * x_group + first * x_row + row[:, None] * x_row + k[None, :] * x_k
    w += group * w_group + k[:, None] * w_k + f[None, :] * w_f
    out += (group * rows + first) * F + row[:, None] * F + f[None, :]
    total = tl.zeros((ROWS, COLUMNS), out.dtype.element_ty)
    if PLUS:
        total += tl.load(out, mask=inside & (f < F)[None, :], other=0.0)
    for at in range(0, K, DEPTH):
        here = k < K - at
        left = tl.load(x, mask=inside & here[None, :], other=0.0)
        right = tl.load(w, mask=here[:, None] & (f < F)[None, :], other=0.0)
        total = tl.dot(left, right, total, input_precision=PRECISION, out_dtype=out.dtype.element_ty)
        x += DEPTH * x_k
        w += DEPTH * w_k
    tl.store(out, total, mask=inside & (f < F)[None, :])


@triton.jit(do_not_specialize=["rows", "span", "groups"])
def _correlation(
    x: tl.tensor,
    y: tl.tensor,
    parts: tl.tensor,
    rows: tl.tensor,
    span: tl.tensor,
    groups: tl.tensor,
    x_group: tl.tensor,
    x_row: tl.tensor,
    x_k: tl.tensor,
    y_group: tl.tensor,
    y_row: tl.tensor,
    y_f: tl.tensor,
    K: tl.constexpr,
    F: tl.constexpr,
    PRECISION: tl.constexpr,
    HIGH: tl.constexpr,
    WIDE: tl.constexpr,
    DEPTH: tl.constexpr,
) -> None:
    """A tile [HIGH, WIDE] of parts [splits, groups, K, F]: x [groups, rows, K] times y [groups, rows, F],
    summed over `span` rows."""
    tall: tl.constexpr = tl.cdiv(K, HIGH)
    wide: tl.constexpr = tl.cdiv(F, WIDE)
    tile = tl.program_id(0)
    k = (tile // wide) % tall * HIGH + tl.arange(0, HIGH)
    f = tile % wide * WIDE + tl.arange(0, WIDE)
    part = tile // (wide * tall)  # split by split, group by group
    group = (part % groups).to(tl.int64)
    first = (part // groups).to(tl.int64) * span
    row = tl.arange(0, DEPTH)
    x += group * x_group + first * x_row + k[:, None] * x_k + row[None, :] * x_row
    y += group * y_group + first * y_row + row[:, None] * y_row + f[None, :] * y_f
    left = tl.minimum(rows - first, span)
    total = tl.zeros((HIGH, WIDE), parts.dtype.element_ty)
    for at in range(0, left, DEPTH):
        here = row < left - at
        of_x = tl.load(x, mask=(k < K)[:, None] & here[None, :], other=0.0)
        of_y = tl.load(y, mask=here[:, None] & (f < F)[None, :], other=0.0)
        total = tl.dot(of_x, of_y, total, input_precision=PRECISION, out_dtype=parts.dtype.element_ty)
        x += DEPTH * x_row
        y += DEPTH * y_row
    parts += part.to(tl.int64) * (K * F) + k[:, None] * F + f[None, :]
    tl.store(parts, total, mask=(k < K)[:, None] & (f < F)[None, :])
