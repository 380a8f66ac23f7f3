"""`harness claims`: the paper's sentences, put to the records."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from harness.cli.console import out, say_written
from harness.cli.options import Results
from harness.common import places


def claims(
    reference: Annotated[
        bool, typer.Option("--reference", help="By the reference records alone, not your own.")
    ] = False,
    results: Results = places.RESULTS,
) -> None:
    """Say which sentences of the paper hold, under which reading.

    Writes claims.json, a page and a figure into the results folder.
    """
    from harness.common.files import write_whole
    from harness.paper import evidence
    from harness.paper.claims import judge, report
    from harness.plots import claims as figure

    folder = results.absolute()
    found = evidence.gather(folder, reference)
    matrix = judge.matrix(found.records, found.facts)
    for grid, source in found.sources.items():
        out.print(f"{grid}: {source}", soft_wrap=True, markup=False)
    for table in report.tables(matrix):
        out.print()
        out.print(table)
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps(report.to_json(matrix, found.sources), indent=1, allow_nan=False)
    page = report.to_markdown(matrix, found.sources)
    paths = [folder / "claims.json", folder / "claims.md"]
    write_whole(paths[0], lambda path: path.write_text(data))
    write_whole(paths[1], lambda path: path.write_text(page))
    say_written([*paths, *figure.render(judge.verdicts(matrix), judge.notes(matrix), folder / "claims")])
