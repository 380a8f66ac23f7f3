"""How much memory a computation needs at its peak, so that a pack is split before it takes too much."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

MOST = 2 << 30
"""Bytes that a pack takes on a CPU for what it computes at once. On a GPU: a third of what is free."""
SCRATCH = 2
"""What the operators themselves need beside the tensors that can be seen, as a factor: measured 1.3 to
1.7."""


def peak(compute: Callable[[], Any], device: torch.device) -> int:
    """Bytes that `compute` needs at its peak, found by running it once."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        compute()
        return torch.cuda.max_memory_allocated(device) - before
    with _Peak() as seen:
        compute()
    return SCRATCH * seen.most


def room(device: torch.device) -> int:
    """Bytes that a pack may take on this device."""
    return torch.cuda.mem_get_info(device)[0] // 3 if device.type == "cuda" else MOST


class _Peak(TorchDispatchMode):
    """Counts the bytes of all tensors that operators make, from when they are made until they are freed."""

    def __init__(self) -> None:
        super().__init__()
        self.most = self._live = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self._take((args, kwargs), made=False)
        out = func(*args, **(kwargs or {}))
        self._take(out, made=True)
        return out

    def _take(self, tree: Any, made: bool) -> None:
        """Count what is seen for the first time; what was there before counts for nothing."""
        for tensor in tree_leaves(tree):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                self._count(storage, storage.nbytes() if made else 0)

    def _count(self, storage: torch.UntypedStorage, size: int) -> None:
        key = storage._cdata
        if key in self._seen:
            return
        self._seen.add(key)
        self._live += size
        self.most = max(self.most, self._live)
        weakref.finalize(storage, self._freed, key, size)

    def _freed(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self._live -= size
