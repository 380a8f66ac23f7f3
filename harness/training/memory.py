"""How much memory a computation needs at its peak, so that a pack is split before it takes too much; and what
an error of too little memory is, after which it is split, too."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

MOST = 2 << 30
"""Bytes that a pack takes on a CPU for what it computes at once. On a GPU: a third of what its states leave
free."""
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


def size(tensors: Iterable[Tensor]) -> int:
    """Bytes of their numbers."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def free(device: torch.device) -> int | None:
    """Bytes that are free on a GPU, torch's reserve included; None: a CPU's memory is not asked."""
    if device.type != "cuda":
        return None
    reserve = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + reserve


def fits(held: int, device: torch.device) -> bool:
    """Whether so many bytes, held for good, leave enough to compute with."""
    most = free(device)
    return most is None or held <= 2 * most // 3


def room(device: torch.device, held: int = 0) -> int:
    """Bytes that a pack may compute with on this device. held: those that it keeps beside."""
    most = free(device)
    return MOST if most is None else max(0, most - held) // 3


_SIGNS = ("out of memory", "can't allocate memory", "STATUS_ALLOC_FAILED")
"""Of CUDA, of torch on a CPU, and of CUDA's libraries."""


def is_lack(error: BaseException) -> bool:
    """Whether an error says that memory does not suffice."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


def let_go(device: torch.device) -> None:
    """Give back what torch keeps in reserve: in small pieces it would be of no use."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


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
