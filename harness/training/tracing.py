"""A function of tensors as the plain list of operations that it does, recorded once for each set of shapes.

torch.func's transforms cost time in every call: for small networks as much as the arithmetic. Recorded, they
cost it once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

Function = Callable[..., Any]

_VIEWS_OF_THEMSELVES = (torch.ops.aten.detach.default, torch.ops.aten.alias.default)


FEW = 50
"""Calls with the same shapes that are made as they are: recording takes a second, as long as some 50
calls."""


def traced(function: Function) -> Function:
    """`function`, which is pure and does the same work for the same shapes, recorded after FEW calls with
    them, laid out alike in memory: what is recorded may hold for these strides alone.

    A function that writes into its tensors in place, as some modules do, or that cannot be recorded, is run
    as it is.
    """
    calls = Counter[tuple[Any, ...]]()
    kept: dict[tuple[Any, ...], Function] = {}

    def call(*inputs: Tensor) -> Any:
        laid_out = tuple((one.shape, one.stride(), one.dtype) for one in inputs)
        calls[laid_out] += 1
        if calls[laid_out] == FEW:
            kept[laid_out] = _recorded(function, inputs)
        return kept.get(laid_out, function)(*inputs)

    return call


def _recorded(function: Function, inputs: tuple[Tensor, ...]) -> Function:
    try:
        module: GraphModule = make_fx(function)(*inputs)
    except Exception:  # torch.compile in a user's module, say; if the function itself fails, it does so again
        return function
    if any(_writes(node.target) for node in module.graph.nodes):
        return function
    for node in list(module.graph.nodes):
        if node.target in _VIEWS_OF_THEMSELVES:
            node.replace_all_uses_with(node.args[0])
            module.graph.erase_node(node)
    module.graph.eliminate_dead_code()
    module.recompile()
    return torch.no_grad()(module)


def _writes(operation: Any) -> bool:
    return isinstance(operation, torch._ops.OpOverload) and operation._schema.is_mutable
