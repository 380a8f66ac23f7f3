"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.common.errors import UserError

Results = Annotated[Path, typer.Option(help="The results folder.", show_default="results/")]
Dataset = Annotated[
    str | None, typer.Option(help="omniglot or glyphs, in place of the grid's; also in the folder's name.")
]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]


def check_device(device: str, ray_address: str | None = None) -> None:
    """UserError unless torch can train on the device. On a cluster, that is left to Ray."""
    if device not in ("cpu", "cuda"):
        raise UserError(f"device '{device}': write cpu or cuda")
    if device == "cpu" or ray_address:
        return
    import torch

    if not torch.cuda.is_available():
        raise UserError("device 'cuda': torch sees no CUDA device here; DEVICE=cpu trains without one")
