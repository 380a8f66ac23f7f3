"""`harness claims`: the paper's sentences, judged by the records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from harness.cli.console import out, say_written
from harness.cli.options import Results
from harness.common import places

if TYPE_CHECKING:
    from harness.paper.matrix import Matrix

COLOURS = {"holds": "green", "fails": "red", "cannot be told": "dim"}


def claims(
    reference: Annotated[
        bool, typer.Option("--reference", help="Judge by the reference records alone, without your own.")
    ] = False,
    results: Results = places.RESULTS,
) -> None:
    """Judge which sentences of the paper hold, under which reading.

    Writes claims.json, a page and a figure into the results folder.
    """
    from harness.common.files import whole_files
    from harness.paper import evidence, report
    from harness.paper import matrix as judging
    from harness.plots import claims as figure

    folder = results.absolute()
    known = evidence.gather(folder, reference)
    matrix = judging.matrix(known.records, known.facts)
    for grid, source in known.sources.items():
        out.print(f"{grid}: {source}", soft_wrap=True, markup=False)
    out.print(f"\n{report.INTRODUCTION}.", soft_wrap=True)
    for table in tables(matrix):
        out.print()
        out.print(table)
    data = json.dumps(report.to_json(matrix, known.sources), indent=1, allow_nan=False)
    page = report.to_markdown(matrix, known.sources)
    paths = [folder / "claims.json", folder / "claims.md"]
    figures = [folder / "claims.png", folder / "claims.svg"]
    with whole_files(paths, made_from=figures) as files:
        for file, text in zip(files, (data, page), strict=True):
            file.write_text(text, "utf-8")
    drawn = figure.render(judging.verdicts(matrix), judging.notes(matrix), folder / "claims")
    say_written([*paths, *drawn])


def tables(matrix: Matrix) -> list[Table]:
    """For a terminal of 100 columns: each claim under the first reading, then every claim under every one."""
    from harness.paper.claims import CLAIMS
    from harness.paper.matrix import columns
    from harness.paper.reading import labels, short_labels
    from harness.paper.report import LEGEND, mark

    asked = columns(matrix)
    main = _table(f"the paper's sentences under {labels(asked)[0]}")
    for name in ("", "sentence", "strict", "weak", "sustained", "why"):
        ratio = {"sentence": 3, "why": 5}.get(name)
        main.add_column(name, ratio=ratio, no_wrap=ratio is None)
    for claim in CLAIMS:
        judged = matrix[claim.key, asked[0] if claim.everywhere else None]
        if judged is not None:
            words = (None if form is None else str(form.verdict) for form in judged.forms.values())
            main.add_row(claim.key, claim.short, *map(_word, words), judged.strict.why)
    small = _table("every claim under every reading", LEGEND)
    for name in ("", *short_labels(asked)):
        small.add_column(name.replace("=", "=\n"), overflow="fold")
    for claim in CLAIMS:
        row = [matrix[claim.key, column] for column in asked]
        small.add_row(
            claim.key, *(Text(mark(one), COLOURS[one.strict.verdict] if one else "") for one in row)
        )
    return [main, small]


def _table(title: str, caption: str | None = None) -> Table:
    return Table(title=title, caption=caption, title_justify="left", box=None, padding=(0, 1, 0, 0))


def _word(verdict: str | None) -> Text:
    if verdict is None:
        return Text("-", style="dim")
    return Text("?" if verdict == "cannot be told" else verdict, style=COLOURS[verdict])
