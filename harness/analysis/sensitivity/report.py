"""All tables as one text: to print in a notebook, or for a paper."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from harness.analysis.sensitivity.measure import Measures
from harness.analysis.sensitivity.summary import footnotes, heading, tables
from harness.analysis.sensitivity.texts import Table
from harness.common.text import clean

GAP = "  "
"""Between the columns of a plain table."""
LINE = 100
"""Characters of a line of notes."""


def report(measures: Measures) -> str:
    """Every table of what was measured as plain text, for `print`: title, aligned columns, and what they are;
    at last how the intervals are made. Without an end of line at the end."""
    blocks = [[heading(measures), *measures.runs.notes]]
    blocks += [_plain(one) for one in tables(measures)]
    blocks.append(_wrapped(footnotes(measures, in_files=False)))
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def _plain(table: Table) -> list[str]:
    """The lines of one table."""
    return [table.title, *(_columns(table) if len(table.frame) else []), *_wrapped(table.notes)]


def _columns(table: Table) -> list[str]:
    """The heads and the rows: words to the left, numbers to the right."""
    names = [str(name) for name in table.frame]
    rows = [names, *([clean(cell) for cell in row] for row in table.frame.itertuples(index=False))]
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        GAP.join(
            cell.ljust(room) if name in table.words else cell.rjust(room)
            for cell, room, name in zip(row, wide, names, strict=True)
        ).rstrip()
        for row in rows
    ]


def _wrapped(lines: Sequence[str]) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(line, LINE, subsequent_indent="    ")]


def latex(measures: Measures, sources: Mapping[str, str] = {}) -> str:
    r"""The tables as LaTeX, for the package booktabs: \toprule and so on. What they are is in comments.

    `sources`: name -> where its numbers come from, in words, for the first lines.
    """
    return in_latex(tables(measures), footnotes(measures, in_files=False), sources)


def in_latex(tables: Sequence[Table], footnotes: Sequence[str], sources: Mapping[str, str]) -> str:
    """The same, of tables that are there already."""
    parts = [f"% {clean(name)}: {clean(source)}" for name, source in sources.items()]
    parts.append(r"% Needs \usepackage{booktabs}.")
    for one in tables:
        parts += ["", f"% {clean(one.title)}"]
        if len(one.frame):
            layout = "".join("l" if name in one.words else "r" for name in one.frame)
            cells = one.frame.map(clean)
            parts.append(cells.to_latex(index=False, escape=True, column_format=layout).rstrip())
        parts += [f"% {clean(note)}" for note in one.notes]
    parts += ["", *(f"% {clean(line)}" for line in footnotes)]
    return "\n".join(parts) + "\n"
