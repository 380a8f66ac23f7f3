"""The operators that the network is made of, over a leading group axis, each with its derivatives.

A map is [groups, rows, channels]: its rows are (image, height, width), so it is also channels-last. Every
operator y(x, w) has up to four functions (Pearlmutter 1994, R-operator). With dy the gradient that comes
back, and the suffix `_dot` for a derivative along one direction of all weights:

    the value       (x, w) -> y            its tangent       (x_dot, w_dot) -> y_dot
    the gradient    dy -> (dx, dw)         and its tangent   dy_dot -> (dx_dot, dw_dot)

Value and gradient give a gradient; with the two tangents they give the Hessian's product with a direction,
exactly, at the cost of six convolutions. The derivative of ReLU at 0 is 0. <.> is the mean over rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad


def halved(size: int) -> int:
    """Height or width after 3 x 3, stride 2, padding 1: 28, 14, 7, 4, 2."""
    return (size + 1) // 2


# Convolution, 3 x 3, stride 2, padding 1: y = windows(x) w is bilinear, and so are its two gradients,
# dx = scatter(dy w^T) and dw = windows(x)^T dy. Their tangents are sums of two such products.


def windows(x: Tensor) -> Tensor:
    """im2col for 3 x 3, stride 2, padding 1: [g, n, h, w, c] -> [g, n * h' * w', 9 * c]."""
    g, n, h, w, c = x.shape
    padded = x.new_empty(g, n, h + 2, w + 2, c)
    padded[:, :, 1:-1, 1:-1] = x
    for edge in (padded[:, :, 0], padded[:, :, -1], padded[:, :, :, 0], padded[:, :, :, -1]):
        edge.zero_()
    sg, sn, sh, sw, sc = padded.stride()
    view = padded.as_strided(
        (g, n, halved(h), halved(w), 3, 3 * c), (sg, sn, 2 * sh, 2 * sw, sh, sc)
    )  # three neighbours in a row lie side by side, channels and all
    return view.reshape(g, n * halved(h) * halved(w), 9 * c)


def scatter(columns: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The adjoint of `windows`: every window's entries are added to the pixels that they came from.

    The first 2 x 2 entries of all windows tile the padded image, so they are copied; only the other five are
    added.
    """
    g, n, h, w, c = shape
    high, wide = halved(h), halved(w)
    parts = columns.view(g, n, high, wide, 3, 3, c).transpose(3, 4)  # [g, n, h', row, w', column, c]
    out = columns.new_empty(g, n, 2 * high + 1, 2 * wide + 1, c)
    out[:, :, -1], out[:, :, :, -1] = 0, 0
    even, odd = out[:, :, :-1].unflatten(2, (high, 2)), out[:, :, 2::2]  # rows: all, and those shared
    even[..., :-1, :].unflatten(4, (wide, 2)).copy_(parts[:, :, :, :2, :, :2])
    even[..., 2::2, :].add_(parts[:, :, :, :2, :, 2])
    odd[..., :-1, :].unflatten(3, (wide, 2)).add_(parts[:, :, :, 2, :, :2])
    odd[..., 2::2, :].add_(parts[:, :, :, 2, :, 2])
    return out[:, :, 1 : h + 1, 1 : w + 1]


def product(x: Tensor, w: Tensor, plus: Tensor | None = None) -> Tensor:
    """x w, plus `plus` (overwritten): [g, rows, k] by [shared, k, f] -> [g, rows, f].

    Each w serves g / shared groups in turn: their rows make one long matrix.
    """
    g, rows, k = x.shape
    long = x.reshape(len(w), -1, k)
    if plus is None:
        return torch.bmm(long, w).view(g, rows, -1)
    return plus.view(len(w), long.shape[1], -1).baddbmm_(long, w).view(g, rows, -1)


def correlation(x: Tensor, y: Tensor, groups: int) -> Tensor:
    """x^T y over all rows that fall into one of `groups`: [g, rows, k], [g, rows, f] -> [groups, k, f]."""
    return torch.bmm(x.reshape(groups, -1, x.shape[-1]).mT, y.reshape(groups, -1, y.shape[-1]))


# Batch norm and ReLU: y = relu(scale n + shift), n = (x - <x>) r, r = (<(x - <x>)^2> + eps) ** -0.5.


class Normed(NamedTuple):
    """What norm_relu keeps for its derivatives."""

    y: Tensor
    n: Tensor
    r: Tensor
    """[g, 1, c]"""
    scale: Tensor
    """[g, 1, c]"""


class Pulled(NamedTuple):
    """What its gradient keeps for the tangent of the gradient: d = dy where y > 0, <d>, <d n>."""

    d: Tensor
    mean: Tensor
    along: Tensor


class Pushed(NamedTuple):
    """What its tangent keeps for the tangent of the gradient: x_dot, <x_dot>, <x_dot n>."""

    x: Tensor
    mean: Tensor
    along: Tensor


def norm_relu(x: Tensor, scale: Tensor, shift: Tensor, eps: float) -> Normed:
    """ReLU of batch norm with each group's own statistics (biased variance).

    x: [g, rows, c], overwritten; scale, shift: [g, 1, c].
    """
    n = x.sub_(x.mean(1, keepdim=True))
    r = _along(n, n).add_(eps).rsqrt_()
    n *= r
    return Normed(torch.addcmul(shift, n, scale).relu_(), n, r, scale)


def norm_relu_gradient(at: Normed, dy: Tensor) -> tuple[Tensor, Tensor, Tensor, Pulled]:
    """With d = dy where y > 0: dx = scale r (d - <d> - n <d n>), dscale = sum d n, dshift = sum d."""
    _, n, r, scale = at
    d = where_positive(at.y, dy)
    mean, along = d.mean(1, keepdim=True), _along(d, n)
    factor = scale * r
    dx = torch.addcmul(-factor * mean, d, factor).addcmul_(n, -factor * along)
    rows = n.shape[1]
    return dx, along * rows, mean * rows, Pulled(d, mean, along)


def norm_relu_tangent(
    at: Normed, x_dot: Tensor, scale_dot: Tensor, shift_dot: Tensor
) -> tuple[Tensor, Pushed]:
    """n_dot = r (x_dot - <x_dot> - n <x_dot n>); y_dot = scale n_dot + scale_dot n + shift_dot, y > 0."""
    _, n, r, scale = at
    mean, along = x_dot.mean(1, keepdim=True), _along(x_dot, n)
    factor = scale * r
    y_dot = torch.addcmul(shift_dot - factor * mean, x_dot, factor).addcmul_(n, scale_dot - factor * along)
    return where_positive(at.y, y_dot), Pushed(x_dot, mean, along)


def norm_relu_gradient_tangent(
    at: Normed, pulled: Pulled, pushed: Pushed, dy_dot: Tensor, scale_dot: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The derivative of norm_relu_gradient's three results along the direction of `pushed`.

    With f = scale r, so f_dot = scale_dot r + scale r_dot and r_dot = - r^2 <x_dot n>, and by the product
    rule <d n>_dot = <d_dot n> + r (<d x_dot> - <d> <x_dot> - <d n> <x_dot n>):

        dx_dot = f_dot (d - <d> - n <d n>) + f (d_dot - <d_dot> - n_dot <d n> - n <d n>_dot)
    """
    _, n, r, scale = at
    d, d_mean, dn = pulled
    x_dot, x_mean, xn = pushed
    d_dot = where_positive(at.y, dy_dot)
    mean = d_dot.mean(1, keepdim=True)
    dn_dot = _along(d_dot, n) + r * (_along(d, x_dot) - d_mean * x_mean - dn * xn)
    f = scale * r
    f_dot = r * (scale_dot - f * xn)
    on_x = -f * r * dn
    dx_dot = torch.addcmul(-f_dot * d_mean - f * mean - on_x * x_mean, d_dot, f)
    dx_dot.addcmul_(d, f_dot).addcmul_(x_dot, on_x).addcmul_(n, -f_dot * dn - f * dn_dot - on_x * xn)
    rows = n.shape[1]
    return dx_dot, dn_dot * rows, mean * rows


# The first block, convolution, batch norm and ReLU in one. An image has one channel, so its windows have
# nine pixels, and the mean and variance of a filter's output follow from those of the nine: with the windows
# centred, and C = <window window^T>, the variance of a filter w is w^T C w and its mean 0. So batch norm only
# scales the filters: y = relu(windows (w f) + shift), f = scale r, r = (w^T C w + eps) ** -0.5. And with the
# rows repeated in the order of the next convolution's windows, y is those windows: nothing is gathered there,
# and nothing scattered on the way back, where the sum over rows adds what a scatter would.


class Patches(NamedTuple):
    """Images as the first block takes them."""

    windows: Tensor
    """[g, n, rows, 10]: nine pixels less their mean over the map, and a 1 for the shift. The rows are those
    of the map, or of the map's own windows: nine for each, all 0 where a window reaches over the edge."""
    covariance: Tensor
    """C, [g, 9, 9]."""


class First(NamedTuple):
    """What first_block keeps for its derivatives: y, scale and r [g, 1, c], and C w [g, 9, c]."""

    y: Tensor
    scale: Tensor
    r: Tensor
    cw: Tensor


class FirstPulled(NamedTuple):
    """What its gradient keeps: da [g, 9, c], the gradient with respect to the scaled filters, and
    p = sum over pixels of w da."""

    da: Tensor
    p: Tensor


def patches(images: Tensor, twice: bool) -> Patches:
    """images: [g, n, h, w, 1]. twice: another convolution follows, so the rows are those of its windows."""
    g, n, h, w, _ = images.shape
    pixels = windows(images)
    pixels -= pixels.mean(1, keepdim=True)
    covariance = pixels.mT @ pixels / pixels.shape[1]
    rows = pad(pixels, (0, 1), value=1.0).view(g, n, halved(h), halved(w), 10)
    if twice:
        rows = windows(rows)
    return Patches(rows.reshape(g, n, -1, 10), covariance)


def rows_of(of: Patches, filters: Tensor, y: Tensor | None) -> Tensor:
    """relu(windows filters); or windows filters where a y > 0, else 0. filters: [g, 10, c]; y and the result:
    [g, n * rows, c]."""
    rows = torch.bmm(of.windows.flatten(1, 2), filters)
    return rows.relu_() if y is None else where_positive(y, rows)


def by_filters(of: Patches, y: Tensor, dy: Tensor) -> Tensor:
    """windows^T d, d = dy where y > 0: the gradient of `filters`, [g, 10, c]."""
    return torch.bmm(of.windows.flatten(1, 2).mT, where_positive(y, dy))


Rows = Callable[[Patches, Tensor, Tensor | None], Tensor]
ByFilters = Callable[[Patches, Tensor, Tensor], Tensor]


def first_block(
    of: Patches, w: Tensor, scale: Tensor, shift: Tensor, eps: float, rows_of: Rows = rows_of
) -> First:
    """w: [g, 9, c]; scale, shift: [g, 1, c]. y: [g, n * rows, c]."""
    cw = of.covariance @ w
    r = _inner(w, cw).add_(eps).rsqrt_()
    filters = torch.cat([w * (scale * r), shift], 1)
    return First(rows_of(of, filters, None), scale, r, cw)


def first_block_gradient(
    of: Patches, at: First, w: Tensor, dy: Tensor, by_filters: ByFilters = by_filters
) -> tuple[Tensor, Tensor, Tensor, FirstPulled]:
    """dw = f (da - r^2 p C w), dscale = r p, dshift = sum d; da = windows^T d, d = dy where y > 0."""
    y, scale, r, cw = at
    da, dshift = by_filters(of, y, dy).split([9, 1], 1)
    p = _inner(w, da)
    return scale * r * (da - r.square() * p * cw), r * p, dshift, FirstPulled(da, p)


def first_block_tangent(
    of: Patches,
    at: First,
    w: Tensor,
    w_dot: Tensor,
    scale_dot: Tensor,
    shift_dot: Tensor,
    rows_of: Rows = rows_of,
) -> tuple[Tensor, Tensor]:
    """y_dot = windows (w_dot f + w f_dot) + shift_dot where y > 0; and r_dot = - r^3 w_dot^T C w."""
    y, scale, r, cw = at
    r_dot = -(r**3) * _inner(w_dot, cw)
    f_dot = scale_dot * r + scale * r_dot
    filters = torch.cat([w_dot * (scale * r) + w * f_dot, shift_dot], 1)
    return rows_of(of, filters, y), r_dot


def first_block_gradient_tangent(
    of: Patches,
    at: First,
    pulled: FirstPulled,
    w: Tensor,
    r_dot: Tensor,
    w_dot: Tensor,
    scale_dot: Tensor,
    dy_dot: Tensor,
    by_filters: ByFilters = by_filters,
) -> tuple[Tensor, Tensor, Tensor]:
    """The derivative of first_block_gradient's three results, with e = r^2 p:

    dw_dot = f_dot (da - e C w) + f (da_dot - e_dot C w - e C w_dot).
    """
    y, scale, r, cw = at
    da, p = pulled
    da_dot, dshift_dot = by_filters(of, y, dy_dot).split([9, 1], 1)
    p_dot = _inner(w_dot, da) + _inner(w, da_dot)
    f, f_dot = scale * r, scale_dot * r + scale * r_dot
    e, e_dot = r.square() * p, 2 * r * r_dot * p + r.square() * p_dot
    dw_dot = f_dot * (da - e * cw) + f * (da_dot - e_dot * cw - e * (of.covariance @ w_dot))
    return dw_dot, r_dot * p + r * p_dot, dshift_dot


def where_positive(y: Tensor, gradient: Tensor) -> Tensor:
    """`gradient` where y > 0, else 0, as [g, rows, c]; it may come as [g, n, h, w, c], a view into something.

    One kernel, several times faster than torch.where on a CPU.
    """
    return torch.ops.aten.threshold_backward(gradient, y.view(gradient.shape), 0).view(y.shape)


def _along(a: Tensor, b: Tensor) -> Tensor:
    """<a b>: [g, rows, c] x [g, rows, c] -> [g, 1, c]."""
    return (a * b).mean(1, keepdim=True)


def _inner(a: Tensor, b: Tensor) -> Tensor:
    """Sum over a filter's pixels: [g, 9, c] x [g, 9, c] -> [g, 1, c]."""
    return (a * b).sum(1, keepdim=True)
