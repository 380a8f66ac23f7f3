"""The products on a GPU that cuBLAS does not have: three TF32 products for near-float32 accuracy, and those
of the first block with its ReLU.

TF32 keeps 10 of a float32's 23 bits behind the point. With x = hi + lo, hi the nearest TF32 number and lo
the rest, again as TF32, the two keep about 21. Then x w = hi hi + hi lo + lo hi, up to lo lo, which is below
what is kept. Each of the three runs on the tensor cores; the sums are float32. Triton does all this by itself
where it is told `tf32x3`; `tf32` is one product, `ieee` plain float32.

The first block's products have ten columns on one side, so they take as long as their maps take to be read
and written. ReLU comes with them, in place of passes of its own.

Written in Triton, which comes with torch for GPUs: this file is imported where it is used. The formulas are
the functions of the same names in operators.py.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from harness.training.conv4.operators import Patches

ROWS, COLUMNS = 128, 64
"""Of a tile of x w. Of a tile of x^T y: 64 x 64."""
DEPTH = 32
"""Numbers of the sum that a step takes."""
ENOUGH = 1024
"""Programs that keep a large GPU busy, several on each of its 100 to 150 multiprocessors."""
SHORTEST = 512
"""Rows that a program sums at least, where a sum over rows is split among several."""


def product(x: Tensor, w: Tensor, plus: Tensor | None = None, precision: str = "tf32x3") -> Tensor:
    """[g, rows, k] by [shared, k, f], plus `plus` (overwritten) -> [g, rows, f]."""
    out = x.new_empty(*x.shape[:2], w.shape[2]) if plus is None else plus.contiguous()
    _multiply(x, w, out, "" if plus is None else "plus", out, precision)
    return out


def rows_of(of: Patches, filters: Tensor, y: Tensor | None, precision: str) -> Tensor:
    """relu(windows filters), or windows filters where y > 0: [g, n * rows, c]."""
    x = of.windows.flatten(1, 2)
    out = x.new_empty(*x.shape[:2], filters.shape[2])
    _multiply(x, filters, out, "relu" if y is None else "mask", out if y is None else y, precision)
    return out


def _multiply(x: Tensor, w: Tensor, out: Tensor, also: str, y: Tensor, precision: str) -> None:
    k, f = w.shape[1:]
    long = x.reshape(len(w), -1, k)
    height, width = long.shape[1], _tile(f)
    _product[(len(w) * triton.cdiv(height, ROWS) * triton.cdiv(f, width),)](
        long,
        w,
        out,
        y,
        height,
        *(*long.stride(), *w.stride()),
        k,
        f,
        ALSO=also,
        PRECISION=_in(x, precision),
        ROWS=ROWS,
        DEPTH=16 if k % DEPTH else DEPTH,
        COLUMNS=width,
        num_warps=8,  # with 4 the compiler runs out of registers
    )


def correlation(x: Tensor, y: Tensor, groups: int, precision: str = "tf32x3") -> Tensor:
    """x^T y over all rows of each of `groups`: [g, rows, k], [g, rows, f] -> [groups, k, f]."""
    return _sum(x, y, y, groups, precision, masked=False)


def by_filters(of: Patches, y: Tensor, dy: Tensor, precision: str) -> Tensor:
    """windows^T d, d = dy where y > 0: [g, 10, c]."""
    return _sum(of.windows.flatten(1, 2), dy.reshape(y.shape), y, len(y), precision, masked=True)


def _sum(x: Tensor, y: Tensor, over: Tensor, groups: int, precision: str, masked: bool) -> Tensor:
    """x^T y, or of y where `over` > 0, which lies in memory as y does.

    Few groups of many rows: several programs take a part of the rows each, and their sums are added after,
    always in the same order.
    """
    k, f = x.shape[-1], y.shape[-1]
    x, y, over = x.reshape(groups, -1, k), *(one.reshape(groups, -1, f).contiguous() for one in (y, over))
    rows, (high, wide) = x.shape[1], (_tile(k), _tile(f))
    tiles = groups * triton.cdiv(k, high) * triton.cdiv(f, wide)
    splits = max(1, min(ENOUGH // tiles, rows // SHORTEST))
    span = triton.cdiv(triton.cdiv(rows, splits), DEPTH) * DEPTH
    parts = x.new_empty(splits, groups, k, f)
    _correlation[(tiles * splits,)](
        x,
        y,
        over,
        parts,
        rows,
        span,
        groups,
        *(*x.stride(), *y.stride()),
        k,
        f,
        MASKED=masked,
        PRECISION=_in(x, precision),
        HIGH=high,
        WIDE=wide,
        DEPTH=DEPTH,
    )
    return parts[0] if splits == 1 else parts.sum(0)


def _tile(size: int) -> int:
    """A power of 2 that covers the size, 16 to 64."""
    return min(COLUMNS, max(16, triton.next_power_of_2(size)))


def _in(x: Tensor, precision: str) -> str:
    """float64 has one way to multiply."""
    return precision if x.dtype == torch.float32 else "ieee"


@triton.jit(do_not_specialize=["rows"])
def _product(
    x: tl.tensor,
    w: tl.tensor,
    out: tl.tensor,
    y: tl.tensor,
    rows: tl.tensor,
    x_group: tl.tensor,
    x_row: tl.tensor,
    x_k: tl.tensor,
    w_group: tl.tensor,
    w_k: tl.tensor,
    w_f: tl.tensor,
    K: tl.constexpr,
    F: tl.constexpr,
    ALSO: tl.constexpr,
    PRECISION: tl.constexpr,
    ROWS: tl.constexpr,
    DEPTH: tl.constexpr,
    COLUMNS: tl.constexpr,
) -> None:
    """A tile [ROWS, COLUMNS] of out [groups, rows, F] = x [groups, rows, K] by w [groups, K, F]. ALSO: plus
    what y has there, its ReLU, or masked: 0 where y is not above 0. A nan stays one."""
    wide: tl.constexpr = tl.cdiv(F, COLUMNS)
    tile = tl.program_id(0)
    across, tile = tile % wide, tile // wide  # neighbours share the rows of x
    high = tl.cdiv(rows, ROWS)
    first = (tile % high).to(tl.int64) * ROWS
    group = (tile // high).to(tl.int64)
    row, k = tl.arange(0, ROWS), tl.arange(0, DEPTH)
    f = across * COLUMNS + tl.arange(0, COLUMNS)
    x += group * x_group + first * x_row + row[:, None] * x_row + k[None, :] * x_k
    w += group * w_group + k[:, None] * w_k + f[None, :] * w_f
    place = (group * rows + first) * F + row[:, None] * F + f[None, :]
    inside = (row < rows - first)[:, None] & (f < F)[None, :]
    total = tl.zeros((ROWS, COLUMNS), out.dtype.element_ty)
    if ALSO == "plus":
        total += tl.load(y + place, mask=inside, other=0.0)
    for at in range(0, K, DEPTH):
        here = k < K - at
        left = tl.load(x, mask=(row < rows - first)[:, None] & here[None, :], other=0.0)
        right = tl.load(w, mask=here[:, None] & (f < F)[None, :], other=0.0)
        total = tl.dot(left, right, total, input_precision=PRECISION, out_dtype=out.dtype.element_ty)
        x += DEPTH * x_k
        w += DEPTH * w_k
    if ALSO == "relu":
        total = tl.where(total <= 0, 0.0, total)
    if ALSO == "mask":
        total = tl.where(tl.load(y + place, mask=inside, other=0.0) <= 0, 0.0, total)
    tl.store(out + place, total, mask=inside)


@triton.jit(do_not_specialize=["rows", "span", "groups"])
def _correlation(
    x: tl.tensor,
    y: tl.tensor,
    over: tl.tensor,
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
    MASKED: tl.constexpr,
    PRECISION: tl.constexpr,
    HIGH: tl.constexpr,
    WIDE: tl.constexpr,
    DEPTH: tl.constexpr,
) -> None:
    """A tile [HIGH, WIDE] of parts [splits, groups, K, F]: x [groups, rows, K] times y [groups, rows, F],
    summed over `span` rows. MASKED: y is 0 where `over` is not above 0."""
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
    place = group * y_group + first * y_row + row[:, None] * y_row + f[None, :] * y_f
    y += place
    over += place
    left = tl.minimum(rows - first, span)
    total = tl.zeros((HIGH, WIDE), parts.dtype.element_ty)
    for at in range(0, left, DEPTH):
        here = row < left - at
        of_x = tl.load(x, mask=(k < K)[:, None] & here[None, :], other=0.0)
        of_y = tl.load(y, mask=here[:, None] & (f < F)[None, :], other=0.0)
        if MASKED:
            of_y = tl.where(tl.load(over, mask=here[:, None] & (f < F)[None, :], other=0.0) <= 0, 0.0, of_y)
            over += DEPTH * y_row
        total = tl.dot(of_x, of_y, total, input_precision=PRECISION, out_dtype=parts.dtype.element_ty)
        x += DEPTH * x_row
        y += DEPTH * y_row
    parts += part.to(tl.int64) * (K * F) + k[:, None] * F + f[None, :]
    tl.store(parts, total, mask=(k < K)[:, None] & (f < F)[None, :])
