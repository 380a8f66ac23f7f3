"""Batch norm by batch statistics with a second derivative in a few operations.

torch's own second derivative of batch norm takes two thirds of the time of MAML on a user's convolutions: it
is put together from some twenty operations on whole maps. Here it is native_batch_norm_backward once more,
and three passes. With xhat = (x - mean) rstd, n values of a channel, <a> the sum over them, and u, v the
incoming gradients,

    dx = w rstd (u - <u> / n - xhat <u xhat> / n)

has, in the direction (v by dx, vw by dw = <u xhat>, vb by db = <u>), the derivatives

    by u: v's own dx, plus vw xhat + vb
    by x: au (u - <u> / n) + ax xhat - <u xhat> / n times v's own dx
    by w: rstd (<u v> - <u> <v> / n - <u xhat> <v xhat> / n)

with au = rstd (vw - w rstd <v xhat> / n) and ax = -w rstd^2 (<u v> - ...) / n - au <u xhat> / n.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode


class twice_differentiable(TorchFunctionMode):
    """Within this, F.batch_norm (and so every module for it) has this second derivative where it uses batch
    statistics, a scale and a shift. It has no third one."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return (_batch_norm if func is F.batch_norm else func)(*args, **(kwargs or {}))


def _batch_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if not training or running_mean is not None or weight is None or bias is None:
        return F.batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps)
    return _Norm.apply(x, weight, bias, eps)


_EVERY = [True, True, True]


class _Norm(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        y, mean, rstd = torch.native_batch_norm(x, weight, bias, None, None, True, 0.0, eps)
        ctx.save_for_backward(x, weight, mean, rstd)
        ctx.eps = eps
        return y

    @staticmethod
    def backward(ctx: Any, u: Tensor) -> Any:
        return *_NormGradient.apply(u, *ctx.saved_tensors, ctx.eps), None


class _NormGradient(Function):
    @staticmethod
    def forward(
        ctx: Any, u: Tensor, x: Tensor, weight: Tensor, mean: Tensor, rstd: Tensor, eps: float
    ) -> Any:
        dx, dw, db = _gradient(u, x, weight, mean, rstd, eps)
        ctx.save_for_backward(u, x, weight, mean, rstd, dw, db)
        ctx.eps = eps
        return dx, dw, db

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, v: Tensor, vw: Tensor, vb: Tensor) -> Any:
        u, x, weight, mean, rstd, u_xhat, u_sum = ctx.saved_tensors
        n = x.numel() // x.shape[1]
        dv, v_xhat, v_sum = _gradient(v, x, weight, mean, rstd, ctx.eps)
        uv = torch.linalg.vecdot(u.flatten(2), v.flatten(2)).sum(0) if x.dim() > 2 else (u * v).sum(0)
        cross = uv - u_sum * v_sum / n - u_xhat * v_xhat / n
        au = rstd * (vw - weight * rstd * v_xhat / n)
        ax = -weight * rstd.square() * cross / n - au * u_xhat / n

        def channels(of: Tensor) -> Tensor:
            return of.view(1, -1, *[1] * (x.dim() - 2))

        by_x = torch.addcmul(channels(-au * u_sum / n - ax * rstd * mean), u, channels(au))
        by_x.addcmul_(x, channels(ax * rstd)).addcmul_(dv, channels(-rstd * u_xhat / n))
        by_u = dv.addcmul_(x, channels(vw * rstd)).add_(channels(vb - vw * rstd * mean))
        return by_u, by_x, rstd * cross, None, None, None


def _gradient(u: Tensor, x: Tensor, weight: Tensor, mean: Tensor, rstd: Tensor, eps: float) -> Any:
    """By x, weight and bias."""
    return torch.ops.aten.native_batch_norm_backward(u, x, weight, None, None, mean, rstd, True, eps, _EVERY)
