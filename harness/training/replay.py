"""A function of trees of tensors as a CUDA graph: recorded once for each set of shapes, then replayed.

A replay launches all kernels of an iteration at once. With few cells in a pack the host would take longer to
launch them one by one than the device takes to run them. A graph reads and writes the same memory each time,
so its inputs are copied in and its outputs are copied out.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Tree = Any
"""A tensor, or a dict, tuple or named tuple of trees."""
Function = Callable[..., Tree]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A function recorded on these inputs: `replay` reads them and writes the outputs anew."""

    inputs: Tree
    outputs: Tree
    replay: Callable[[], None]


def graphed(function: Function, record: Callable[[Function, Tree], Recording] | None = None) -> Function:
    """`function`, which is pure and does the same work for the same shapes, replayed from its second call on.

    The first call with new shapes runs as it is: it is also the warm-up that a recording needs. Only the
    last shapes are kept: a pack never grows back. record: how to make a recording; a CUDA graph if None.
    """
    kept: dict[tuple, Recording | None] = {}

    def call(*inputs: Tree) -> Tree:
        shapes = tuple(part.shape for part in leaves(inputs))
        if shapes not in kept:
            kept.clear()  # frees the memory of the last recording
            kept[shapes] = None
            return function(*inputs)
        recording = kept[shapes] = kept[shapes] or (record or cuda_graph)(function, inputs)
        copy(inputs, recording.inputs)
        recording.replay()
        outputs = each(torch.empty_like, recording.outputs)
        copy(recording.outputs, outputs)
        return outputs

    return call


def cuda_graph(function: Function, inputs: Tree) -> Recording:
    """Record `function` on copies of `inputs`."""
    copies = each(torch.clone, inputs)
    graph = torch.cuda.CUDAGraph()
    lacking = None
    with _nothing_collected(), torch.cuda.graph(graph):
        try:
            outputs = function(*copies)
        except torch.OutOfMemoryError as error:  # kept until the recording has ended as it should
            lacking = error.with_traceback(None)
    if lacking is not None:
        raise lacking
    return Recording(inputs=copies, outputs=outputs, replay=graph.replay)


def copy(source: Tree, target: Tree) -> None:
    """Write all tensors of a tree over those of another, in one launch for each type of number."""
    pairs: dict[torch.dtype, tuple[list[Tensor], list[Tensor]]] = {}
    for given, own in zip(leaves(source), leaves(target), strict=True):
        of_type = pairs.setdefault(own.dtype, ([], []))
        of_type[0].append(given)
        of_type[1].append(own)
    for some, others in pairs.values():
        torch._foreach_copy_(others, some)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """No garbage collection: an old graph that is freed while a new one is recorded spoils the recording."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def each(function: Callable[[Tensor], Tensor], tree: Tree) -> Tree:
    """The same tree with `function` applied to every tensor."""
    if isinstance(tree, Tensor):
        return function(tree)
    if isinstance(tree, dict):
        return {key: each(function, part) for key, part in tree.items()}
    parts = [each(function, part) for part in _parts(tree)]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)


def leaves(tree: Tree) -> list[Tensor]:
    """All tensors of a tree, in order."""
    if isinstance(tree, Tensor):
        return [tree]
    return [leaf for part in _parts(tree) for leaf in leaves(part)]


def _parts(tree: Tree) -> Iterable[Tree]:
    """What a tree that is no tensor is made of. TypeError: it is no tree."""
    if isinstance(tree, dict):
        return tree.values()
    if not isinstance(tree, tuple | list):
        raise TypeError(f"a state is made of tensors; it has {tree!r}")
    return tree


def named(tree: Tree, prefix: str = "") -> dict[str, Tensor]:
    """All tensors of a tree by their places in it, in the order of `leaves`: `weights`, `optimizer.0`."""
    if isinstance(tree, Tensor):
        return {prefix.removesuffix("."): tree}
    keys = tree if isinstance(tree, dict) else getattr(tree, "_fields", range(len(tree)))
    named_parts = (named(part, f"{prefix}{key}.") for key, part in zip(keys, _parts(tree), strict=True))
    return {name: tensor for one in named_parts for name, tensor in one.items()}
