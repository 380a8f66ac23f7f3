"""`harness publish`: the reference results, made from the records of a results folder."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.console import say, say_written, short
from harness.cli.options import Dataset, Results
from harness.common import places
from harness.common.text import counted

DATA, PAGE = "omniglot", "page"
"""What `publish` makes besides grids."""


def publish(
    names: Annotated[
        list[str], typer.Argument(help=f"Grids; {DATA}: the data set; {PAGE}: the pages in docs/ and README.")
    ],
    seeds: Annotated[
        str | None, typer.Option(help="Such as 0-4. Default: those with at least half of their cells.")
    ] = None,
    in_parts: Annotated[
        bool, typer.Option(help="Compact tables, a folder for each method, for a large grid.")
    ] = False,
    dataset: Dataset = None,
    results: Results = places.RESULTS,
) -> None:
    """Make results/reference/ from the records in the results folder, and from its meta-tests.

    What is there already and the folder has no records of stays.
    """
    from harness import grids
    from harness.analysis.meta_test import in_markdown
    from harness.records import publishing
    from harness.study import league

    places.checkout("publish")
    for name in names:
        if name == DATA:
            say_written([publishing.describe_data()])
        elif name == PAGE:
            from harness.paper.page import reproduction
            from harness.study import accuracy, page

            say_written([*reproduction.write(), *page.write(), *accuracy.write()])
        else:
            one = grids.load(name, dataset=dataset)
            chosen = grids.parse_seeds(seeds, [one]) if seeds else ()
            target = league.known_target(one.name)
            new: list[int] = []
            path = publishing.publish(
                one, results.absolute(), chosen, in_parts, target, new.append, in_markdown
            )
            say(f"published {short(path)}: {counted(new[0], 'new record')}")
