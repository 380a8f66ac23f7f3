"""`harness claims`: the paper's sentences, judged by the records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from harness.cli.console import out, say, say_written, working
from harness.cli.layout import Columns
from harness.cli.options import Results
from harness.common import places
from harness.common.text import clean

if TYPE_CHECKING:
    from harness.paper.judging.verdict import Form
    from harness.paper.matrix import Matrix

COLOURS = {"holds": "green", "fails": "red", "cannot be told": "dim"}
INDENT = 4
FORMS = ("strict", "weak", "sustained")


def claims(
    reference: Annotated[
        bool, typer.Option("--reference", help="Judge by the reference records alone, without your own.")
    ] = False,
    results: Results = places.RESULTS,
) -> None:
    """Judge which sentences of the paper hold, under which reading.

    Writes claims.json, a page and a figure into the results folder.
    """
    with working("reading the records and judging the sentences"):
        from harness.common.files import figures, whole_files
        from harness.paper import evidence, report
        from harness.paper import matrix as judging
        from harness.plots import claims as figure

        folder = results.absolute()
        known = evidence.gather(folder, reference)
        matrix = judging.matrix(known.records, known.facts)
    for grid, source in known.sources.items():
        say(f"{grid}: {source}")
    say()
    say(f"{report.INTRODUCTION}.", indent=0)
    say(f"{_legend()}.", indent=0)
    say()
    for line, indent in under_the_first(matrix):
        say(line, indent=indent)
    say()
    say("every claim under every reading: the strict form, then the weak one")
    out.print(under_all(matrix))
    data = json.dumps(report.to_json(matrix, known.sources), indent=1, allow_nan=False)
    page = report.to_markdown(matrix, known.sources)
    paths = [folder / "claims.json", folder / "claims.md"]
    with whole_files(paths, made_from=figures(folder / "claims")) as files:
        for file, text in zip(files, (data, page), strict=True):
            file.write_text(text, "utf-8")
    with working("drawing"):
        drawn = figure.render(judging.verdicts(matrix), judging.notes(matrix), folder / "claims")
    say_written([*paths, *drawn])


def _legend() -> str:
    """What the marks mean."""
    from harness.paper.report import MARKS

    return (
        ", ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items())
        + ", blank: not asked, or no such form"
    )


def _mark(form: Form | None) -> str:
    from harness.paper.report import MARKS

    return "" if form is None else MARKS[form.verdict]


def under_the_first(matrix: Matrix) -> Iterator[tuple[Text, int]]:
    """Each claim under the first reading, and why it is judged so: two lines, and how far what they are
    wrapped to is indented."""
    from harness.paper.claims import CLAIMS
    from harness.paper.matrix import columns
    from harness.paper.reading import labels

    asked = columns(matrix)
    yield Text(f"the paper's sentences under {clean(labels(asked)[0])}"), 0
    yield Text(" " * INDENT + " ".join(FORMS), "bold"), 0
    for claim in CLAIMS:
        judged = matrix[claim.key, asked[0] if claim.everywhere else None]
        if judged is None:
            continue
        line = Text(f"{claim.key:<{INDENT}}")
        for name in FORMS:
            form = judged.forms[name]
            line.append(f"{_mark(form):<{len(name) + 1}}", COLOURS[form.verdict] if form else "")
        yield line + clean(claim.short), len(line)
        yield Text(" " * INDENT + clean(judged.strict.why), "dim"), INDENT


def under_all(matrix: Matrix) -> Columns:
    """A row for each reading, a column for each claim; it fits a terminal of 80 columns."""
    from harness.paper.claims import CLAIMS
    from harness.paper.matrix import columns
    from harness.paper.reading import short_labels

    asked = columns(matrix)
    table = Columns(("", *(claim.key for claim in CLAIMS)), wrap=("",))
    for column, name in zip(asked, short_labels(asked), strict=True):
        row = (matrix[claim.key, column] for claim in CLAIMS)
        table.add_row(name, *(_mark(one.strict) + _mark(one.weak) if one else "" for one in row))
    return table
