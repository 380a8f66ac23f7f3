"""`harness data`: a data set fetched, verified, described and drawn."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.console import say, say_facts
from harness.cli.options import path_option
from harness.common.errors import UserError

if TYPE_CHECKING:
    from harness.problems.datasets import Dataset


def _names(beginning: str) -> list[str]:
    """What a shell may complete a data set to."""
    from harness import grids

    return [name for name in grids.datasets() if name.startswith(beginning)]


def data(
    name: Annotated[str, typer.Argument(help="omniglot or glyphs.", autocompletion=_names)] = "glyphs",
    resize: Annotated[str, typer.Option(help="lanczos or nearest (Omniglot only).")] = "lanczos",
    sheet: Annotated[Path | None, path_option("sheet", help="Draw some episodes into this PNG file.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The seed of the sheet's episodes.")] = 0,
) -> None:
    """Fetch, verify, describe and draw a data set.

    It is fetched only if it is missing. With --sheet, a PNG shows what a learner sees.
    """
    from harness.grids.mistakes import suggest
    from harness.problems import datasets

    if name not in datasets.DATASETS:
        raise UserError(f"data set '{name}': unknown; {suggest(name, datasets.DATASETS.known())}")
    if sheet is not None and sheet.suffix != ".png":
        raise UserError(f"sheet {sheet}: its name must end in .png")
    if name == "omniglot":
        _fetch_omniglot()
    dataset = datasets.load(name, resize)
    facts: dict[str, object] = {**datasets.facts(dataset)}
    if sheet is not None:
        _draw_sheet(dataset, name, resize, sheet, seed)
        facts["sheet"] = sheet
    say_facts(facts.items())


def _fetch_omniglot() -> None:
    """Fetch Omniglot, if some of it is missing."""
    from harness.problems.datasets import omniglot

    try:
        for part in omniglot.PARTS:
            omniglot.find(part)
    except UserError:
        say("Omniglot is missing; fetching it (14 MB)")
        omniglot.fetch()


def _draw_sheet(dataset: Dataset, name: str, resize: str, path: Path, seed: int) -> None:
    """Two tasks of iteration 1."""
    import torch

    from harness.cell import PRESETS, protocol_of
    from harness.plots.sheet import sheet
    from harness.problems import episodes

    preset = PRESETS["paper-adam"].model_dump()
    protocol = protocol_of(**preset | {"dataset": name, "resize": resize, "meta_batch": 2})
    drawn = episodes.training(protocol, seed, iteration=1)
    images = episodes.gather(drawn, torch.tensor(dataset.images), protocol.k_shot, torch.float64)
    shape = (protocol.meta_batch, protocol.n_way, -1, 28, 28)
    support, query = ((part * 255).round().to(torch.uint8).reshape(shape).numpy() for part in images)
    names = [[_short(dataset.characters[i]) for i in task] for task in drawn.characters]
    title = f"{name}: two tasks of seed {seed}, iteration 1 ({protocol.n_way}-way, {protocol.k_shot}-shot)"
    sheet(support, query, names, title, path)


def _short(character: str) -> str:
    """A name that fits over a column: `Inuktitut_(Canadian_...)/character02` -> `Inuktitut 02`."""
    return re.sub(r"_?\([^)]*\)", "", character).replace("/character", " ").replace("_", " ")
