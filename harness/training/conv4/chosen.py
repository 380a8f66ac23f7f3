"""Which of the tables of operators is used: one for each kind of machine."""

from __future__ import annotations

from torch import Tensor

from harness.cell import Protocol
from harness.training.conv4 import gpu, native
from harness.training.conv4.table import PLAIN, Operators


def operators_for(protocol: Protocol, on: Tensor) -> Operators:
    """The fastest there are for this network, on the device of a tensor and in its numbers."""
    if on.is_cuda:
        return gpu.operators(protocol.precision)
    if on.device.type == "cpu" and native.knows(protocol.filters, on.dtype):
        return native.NATIVE
    return PLAIN


def compiled(protocol: Protocol, on: Tensor) -> bool:
    """Whether `operators_for` gives those that are compiled from C."""
    return operators_for(protocol, on) is native.NATIVE
