"""Options that several commands have."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.common import places
from harness.common.errors import UserError
from harness.common.text import bytes_of


def path_option(what: str, **more: Any) -> Any:
    """An option that takes a path: `~` is a home folder, and what is relative is relative to the folder that
    one is in. `what` names it in messages; `more`: typer.Option's own."""
    return typer.Option(metavar="<path>", parser=lambda text: places.path(str(text), what), **more)


Results = Annotated[Path, path_option("results", help="The results folder.", show_default="results/")]
Dataset = Annotated[
    str | None,
    typer.Option(help="In place of the grid's: omniglot, glyphs or your own; also in the folder's name."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="For programs: JSON on standard output, and nothing else.")
]
ItsGrid = Annotated[
    str | None, typer.Option(help="A grid whose plug-ins are to be loaded.", show_default=False)
]
"""Of a command about a cell."""
Device = Annotated[str, typer.Option(help="cpu or cuda.")]


def room(text: str) -> int:
    """The bytes of --checkpoints. UserError: it is no size."""
    try:
        return bytes_of(text)
    except ValueError:
        raise UserError(f"checkpoints '{text}': write a size such as 2GiB or 500MB, or 0 for none") from None


def check_target(target: float | None) -> None:
    """UserError: it is no training loss. None: not given."""
    if target is not None and not (math.isfinite(target) and target > 0):
        raise UserError(f"target {target:g}: write a number > 0")


def grid_names(beginning: str) -> list[str]:
    """What a shell may complete a grid to: names of sweeps/, and files here. Nothing is read."""
    grids = (path.stem for path in places.SWEEPS.glob("*.yaml"))
    here = (str(path) for path in Path().glob("*.yaml"))
    return sorted(name for name in (*grids, *here) if name.startswith(beginning))
