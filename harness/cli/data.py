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
    import numpy as np
    from torch import Tensor

    from harness.problems.datasets import Dataset


def _names(beginning: str) -> list[str]:
    """What a shell may complete a data set to."""
    from harness import grids

    return [name for name in grids.datasets() if name.startswith(beginning)]


def data(
    name: Annotated[
        str, typer.Argument(help="omniglot, glyphs, or one that a plug-in brings.", autocompletion=_names)
    ] = "glyphs",
    plugin: Annotated[
        list[str] | None, typer.Option(help="A plug-in, a .py file or a module; may be given again.")
    ] = None,
    resize: Annotated[str, typer.Option(help="lanczos or nearest (Omniglot only).")] = "lanczos",
    sheet: Annotated[Path | None, path_option("sheet", help="Draw some episodes into this PNG file.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The seed of the sheet's episodes.")] = 0,
) -> None:
    """Fetch, verify, describe and draw a data set.

    It is fetched only if it is missing. With --sheet, a PNG shows what a learner sees.
    """
    from harness.common import plugins
    from harness.grids.mistakes import suggest
    from harness.problems import datasets

    for one in plugin or ():
        plugins.load(one, Path())
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
    """Two tasks of iteration 1, as the data set wants them."""
    import torch
    from pydantic import ValidationError

    from harness.cell import protocol_of
    from harness.grids.mistakes import words
    from harness.plots.sheet import sheet
    from harness.problems import episodes, problem_of
    from harness.problems.few_shot import images_of

    try:
        protocol = protocol_of(dataset=name, resize=resize, meta_batch=2)
    except ValidationError as error:
        raise UserError(f"data set '{name}': {words(error.errors()[0])}") from None
    problem = problem_of(protocol)
    problem.check()
    drawn = episodes.training(protocol, seed, 1, dataset)
    images = images_of(dataset, torch.device("cpu"))
    support, query = _shown(*episodes.gather(drawn, images, protocol.k_shot, torch.float64))
    names = [[_short(dataset.characters[i]) for i in task] for task in drawn.characters]
    title = f"{name}: two tasks of seed {seed}, iteration 1 ({protocol.n_way}-way, {protocol.k_shot}-shot)"
    support, query = (part.reshape(2, protocol.n_way, -1, *part.shape[2:]) for part in (support, query))
    sheet(support, query, names, title, path, ink=dataset.counts is None)


def _shown(support: Tensor, query: Tensor) -> list[np.ndarray]:
    """Images [..., channels] as uint8: with three colours, or grey and without channels. Numbers beyond
    0 ... 1 are brought into it."""
    import torch

    parts = [part if part.shape[-1] == 3 else part.mean(-1) for part in (support, query)]
    least = min(0.0, *(part.min().item() for part in parts))
    most = max(1.0, *(part.max().item() for part in parts))
    return [((part - least) / (most - least) * 255).round().to(torch.uint8).numpy() for part in parts]


def _short(character: str) -> str:
    """A name that fits over a column: `Inuktitut_(Canadian_...)/character02` -> `Inuktitut 02`."""
    return re.sub(r"_?\([^)]*\)", "", character).replace("/character", " ").replace("_", " ")
