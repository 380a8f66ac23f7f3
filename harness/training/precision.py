"""How float32 numbers are multiplied: a choice of the protocol, of which a device may not know all."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from harness.common.errors import UserError
from harness.problems import problem_of

if TYPE_CHECKING:
    from harness.cell import Protocol

TENSOR_CORES = ("tf32", "tf32x3")
"""Precisions that only a GPU has: one TF32 product, or three for near-float32 accuracy."""
CAPABILITY = (8, 0)
"""Of the first GPUs that multiply in TF32."""


def check(protocol: Protocol, device: str, ray_address: str | None = None) -> None:
    """UserError unless a pack of this protocol can be multiplied on the device as the protocol says. On a
    cluster's GPUs that is left to the workers."""
    precision = protocol.precision
    if precision not in TENSOR_CORES or device == "meta":
        return
    said = f"precision '{precision}':"
    if device == "cpu":
        raise UserError(f"{said} only a GPU multiplies so; train with DEVICE=cuda, or write float32")
    if precision == "tf32x3" and not _known(protocol):
        raise UserError(
            f"{said} only conv4 on images of 28 x 28 pixels in one channel is multiplied so; write float32 "
            "or tf32"
        )
    if ray_address is None:
        _check_gpu(precision, said)


def use(protocol: Protocol) -> None:
    """Have torch multiply matrices so, from now on in this process: in full float32, or in TF32. Three TF32
    products are not torch's; what they do not compute is in float32."""
    import torch

    torch.set_float32_matmul_precision("high" if protocol.precision == "tf32" else "highest")


def _known(protocol: Protocol) -> bool:
    """Whether the network's products are our own: those of the fast path for Conv-4."""
    from harness.training import conv4  # late: it loads torch

    return conv4.knows(protocol, problem_of(protocol).shape()[0])


def _check_gpu(precision: str, said: str) -> None:
    """UserError: one of the GPUs here is too old, or Triton is missing."""
    import torch

    for at in range(torch.cuda.device_count()):
        if (capability := torch.cuda.get_device_capability(at)) < CAPABILITY:
            raise UserError(
                f"{said} {torch.cuda.get_device_name(at)} has compute capability {_dotted(capability)}; GPUs "
                f"multiply so from {_dotted(CAPABILITY)} on; write float32"
            )
    if precision == "tf32x3" and find_spec("triton") is None:
        raise UserError(f"{said} needs Triton, which comes with torch for GPUs; write float32 or tf32")


def _dotted(capability: tuple[int, int]) -> str:
    return ".".join(map(str, capability))
