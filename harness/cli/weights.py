"""`harness weights`: what a run has learned, for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import say, say_written
from harness.cli.options import ItsGrid, Results, path_option
from harness.common import places
from harness.common.errors import UserError
from harness.common.text import listed

if TYPE_CHECKING:
    from harness.methods.base import State
    from harness.records import Header


def weights(
    cell_id: Annotated[str, typer.Argument(help="Cell id, or enough of its beginning.")],
    out: Annotated[
        Path | None, path_option("out", help="The file to write.", show_default="<cell id>.safetensors")
    ] = None,
    iteration: Annotated[
        int | None,
        typer.Option(min=1, help="Those that a run ended with there.", show_default="the last"),
    ] = None,
    grid: ItsGrid = None,
    results: Results = places.RESULTS,
) -> None:
    """Write the meta-learned weights of a run to a file that any torch reads (safetensors).

    They are those that the losses of the run's last row are of, by the names of a torch.nn.Module; README
    shows one. A grid keeps them that says keep_weights: true.
    """
    from safetensors.torch import save

    from harness import grids
    from harness.cli.lookup import record_of
    from harness.common.files import write_whole
    from harness.records import checkpoints
    from harness.records.checkpoints import Checkpoints
    from harness.records.store import Store
    from harness.training.checkpoint import state_of
    from harness.training.weights import exported

    if grid is not None:
        grids.load(grid)
    folder = results.absolute()
    header = record_of(cell_id, folder).header
    known = Checkpoints(Store(folder)).weights_of(header.cell.cell_id)
    if iteration is None:
        iteration = max(known, default=header.iterations)
    if iteration not in known:
        there = f"there are those of iteration {listed([*map(str, known)])}"
        keep = f"write keep_weights: true in its grid, and {places.typed('sweep')} trains it again"
        what = f"cell {header.cell.cell_id}: no weights of iteration {iteration} are kept"
        raise UserError(f"{what}; {there if known else keep}")
    state = state_of(checkpoints.weights(known[iteration]), header.cell)
    content = save(exported(header.cell, state), _about(header, state, iteration))
    path = out or Path(f"{header.cell.cell_id}.safetensors")
    write_whole(path, lambda file: file.write_bytes(content))
    say_written([path])
    of = f", of the {header.iterations} of its record" * (iteration != header.iterations)
    say(f"{header.cell.describe()}, after {iteration} iterations{of}")


def _about(header: Header, state: State, iteration: int) -> dict[str, str]:
    """The file's metadata: texts by name."""
    from harness.training.weights import single_rate

    cell, origin, rate = header.cell, header.provenance, single_rate(state)
    return {
        "cell_id": cell.cell_id,
        "cell": cell.model_dump_json(),
        "method": cell.method,
        "protocol": cell.protocol.label,
        "iterations": str(iteration),
        "inner_steps": str(cell.protocol.inner_steps),
        **({"inner_rate": repr(rate)} if rate is not None else {}),
        "finished": str(origin.get("finished", "")),
        "versions": json.dumps(origin.get("versions", {})),
        **({"dataset_sha256": data} if (data := origin.get("dataset_sha256")) else {}),
    }
