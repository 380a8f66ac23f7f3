"""The operators that the network is made of, over a leading group axis, differentiable twice.

Images lie channels-last, [groups, images, height, width, channels]; every group has weights of its own.
A convolution is a gather of 3 x 3 windows (im2col) and one matrix product a group, so that the same
code is a batched matrix product on a GPU and a cache-sized one on a CPU.

The convolution's three products are closed under differentiation: each one's gradients are the other
two. With y = C(x, w) linear in x and in w, and its two adjoints

    <dy, C(x, w)> = <X(dy, w), x> = <W(x, dy), w>

    operator    gradient by its first argument    gradient by its second
    C(x, w)     X(dy, w)                          W(x, dy)
    X(dy, w)    C(gx, w)                          W(gx, dy)
    W(x, dy)    X(dy, gw)                         C(x, gw)
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad


def _halved(size: int) -> int:
    """Height or width after 3 x 3, stride 2, padding 1: 28, 14, 7, 4, 2."""
    return (size + 1) // 2


def windows(x: Tensor) -> Tensor:
    """im2col for 3 x 3, stride 2, padding 1: [g, n, h, w, c] -> [g, n * h' * w', 9 * c]."""
    g, n, h, w, c = x.shape
    padded = pad(x, (0, 0, 1, 1, 1, 1))
    sg, sn, sh, sw, sc = padded.stride()
    view = padded.as_strided(
        (g, n, _halved(h), _halved(w), 3, 3 * c), (sg, sn, 2 * sh, 2 * sw, sh, sc)
    )  # three neighbours in a row lie side by side, channels and all
    return view.reshape(g, n * _halved(h) * _halved(w), 9 * c)


def scatter(columns: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The adjoint of `windows`: every window's entries are added to the pixels that they came from."""
    g, n, h, w, c = shape
    high, wide = _halved(h), _halved(w)
    parts = columns.view(g, n, high, wide, 3, 3, c)
    out = columns.new_zeros(g, n, h + 2, w + 2, c)
    for i in range(3):
        for j in range(3):
            out[:, :, i : i + 2 * high : 2, j : j + 2 * wide : 2] += parts[:, :, :, :, i, j]
    return out[:, :, 1 : h + 1, 1 : w + 1]


class _Convolution(Function):
    """C(x, w): [g, n, h, w, c], [g, 9 * c, f] -> [g, n, h', w', f]. `columns`: windows(x), if at hand."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, columns: Tensor | None = None) -> Tensor:
        columns = windows(x) if columns is None else columns
        ctx.save_for_backward(x, w, columns)
        g, n, height, width, _ = x.shape
        return torch.bmm(columns, w).view(g, n, _halved(height), _halved(width), -1)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, w, columns = ctx.saved_tensors
        by_input = _InputGradient.apply(dy, w, x.shape) if ctx.needs_input_grad[0] else None
        by_weight = _WeightGradient.apply(x, dy, columns) if ctx.needs_input_grad[1] else None
        return by_input, by_weight, None


class _InputGradient(Function):
    """X(dy, w): [g, n, h', w', f], [g, 9 * c, f] -> [g, n, h, w, c]."""

    @staticmethod
    def forward(ctx: Any, dy: Tensor, w: Tensor, shape: tuple[int, ...]) -> Tensor:
        ctx.save_for_backward(dy, w)
        return scatter(torch.bmm(dy.flatten(1, 3), w.mT), shape)

    @staticmethod
    def backward(ctx: Any, gx: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        dy, w = ctx.saved_tensors
        columns = windows(gx)
        by_dy = _Convolution.apply(gx, w, columns) if ctx.needs_input_grad[0] else None
        by_weight = _WeightGradient.apply(gx, dy, columns) if ctx.needs_input_grad[1] else None
        return by_dy, by_weight, None


class _WeightGradient(Function):
    """W(x, dy): [g, n, h, w, c], [g, n, h', w', f] -> [g, 9 * c, f]. `columns`: windows(x)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dy: Tensor, columns: Tensor) -> Tensor:
        ctx.save_for_backward(x, dy, columns)
        return torch.bmm(columns.mT, dy.flatten(1, 3))

    @staticmethod
    def backward(ctx: Any, gw: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, dy, columns = ctx.saved_tensors
        by_input = _InputGradient.apply(dy, gw, x.shape) if ctx.needs_input_grad[0] else None
        by_dy = _Convolution.apply(x, gw, columns) if ctx.needs_input_grad[1] else None
        return by_input, by_dy, None


def convolution(x: Tensor, w: Tensor) -> Tensor:
    """3 x 3, stride 2, padding 1, no bias.

    x: [groups, images, height, width, channels]; w: [groups, 9 * channels, filters], its second axis
    ordered (row, column, channel). Returns [groups, images, ceil(height / 2), ceil(width / 2), filters].
    """
    return _Convolution.apply(x, w)


class _NormReLU(Function):
    """y = relu(z), z = scale * n + shift, n = (x - mean) * r, r = (variance + eps) ** -0.5.

    All rows m of a group and channel share mean and (biased) variance. Two arguments more than the
    mathematics has, `n` and `r`, are handed from forward to both gradients instead of computed again.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, shift: Tensor, eps: float) -> Tensor:
        n = x - x.mean(1, keepdim=True)
        r = n.square().mean(1, keepdim=True).add_(eps).rsqrt_()
        n *= r
        y = torch.addcmul(shift, n, scale).relu_()
        ctx.save_for_backward(x, scale, n, r, y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        return *_NormReLUGradient.apply(dy, *ctx.saved_tensors), None


class _NormReLUGradient(Function):
    """With d = dy where y > 0, <.> the mean over rows and P(d) = d - <d> - n <d n>:

        dx = scale r P(d)        dscale = sum d n        dshift = sum d

    P is its own adjoint, and so for cotangents v, s, t of dx, dscale, dshift

        by d:     scale r P(v) + s n + t                         (where y > 0, for dy)
        by scale: r sum v P(d)
        by n:     e = s d - scale r (v <d n> + d <v n>)          (at fixed r)
        by x:     r P(e) - scale r^2 n (<v d> - <v><d> - <v n><d n>)
    """

    @staticmethod
    def forward(
        ctx: Any, dy: Tensor, x: Tensor, scale: Tensor, n: Tensor, r: Tensor, y: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        d = _where_positive(y, dy)
        mean, along = d.mean(1, keepdim=True), _along(d, n)
        ctx.save_for_backward(d, scale, n, r, y, mean, along)
        factor = scale * r
        dx = torch.addcmul(-factor * mean, d, factor).addcmul_(n, -factor * along)
        rows = n.shape[1]
        return dx, along * rows, mean * rows

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, v: Tensor, s: Tensor, t: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, None, None, None]:
        d, scale, n, r, y, d_mean, dn = ctx.saved_tensors
        rows = n.shape[1]
        factor = scale * r
        v_mean, vn, vd = v.mean(1, keepdim=True), _along(v, n), _along(v, d)
        inner = vd - v_mean * d_mean - vn * dn  # <v P(d)>
        by_d = torch.addcmul(t - factor * v_mean, v, factor).addcmul_(n, s - factor * vn)
        # e = on_d * d + on_v * v, so that <e> and <e n> need no further pass over the rows
        on_d, on_v = s - factor * vn, -factor * dn
        e_mean, en = on_d * d_mean + on_v * v_mean, on_d * dn + on_v * vn
        by_x = torch.addcmul(-r * e_mean, d, r * on_d).addcmul_(v, r * on_v)
        by_x.addcmul_(n, -r * (en + factor * inner))
        return _where_positive(y, by_d), by_x, r * inner * rows, None, None, None


def _where_positive(y: Tensor, gradient: Tensor) -> Tensor:
    """`gradient` where y > 0, else 0: one kernel, several times faster than torch.where on a CPU."""
    return torch.ops.aten.threshold_backward(gradient, y, 0)


def _along(a: Tensor, b: Tensor) -> Tensor:
    """<a b>: [g, rows, c] x [g, rows, c] -> [g, 1, c]."""
    return (a * b).mean(1, keepdim=True)


def norm_relu(x: Tensor, scale: Tensor, shift: Tensor, eps: float) -> Tensor:
    """ReLU of batch norm with the statistics of each group's own images (biased variance).

    x: [groups, images, height, width, channels]; scale, shift: [groups, channels].
    """
    y = _NormReLU.apply(x.flatten(1, 3), scale.unsqueeze(1), shift.unsqueeze(1), eps)
    return y.view_as(x)
