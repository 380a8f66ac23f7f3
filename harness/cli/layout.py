"""Lines and tables that fit a width: broken between words, and no number is ever cut."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from harness.common.text import clean

LEAST = 16
"""Columns that a column of text is left with, at least, if it is as long."""


def wrapped(line: Text, width: int, indent: int = 4) -> Text:
    """The line, broken between words; what follows the first break is indented. A word that is longer than
    the width, such as a path, stays whole."""
    breaks: list[int] = []
    begin, room, empty = 0, width, True
    for word in re.finditer(r"\S+", line.plain):
        if not empty and cell_len(line.plain[begin : word.end()]) > room:
            breaks.append(word.start())
            begin, room = word.start(), width - indent
        empty = False
    parts = line.divide(breaks)
    for part in parts:
        part.rstrip()
    return Text("\n" + " " * indent).join(parts)


class Columns:
    """A table without lines. It is set with wide gaps if it fits so, else with narrow ones and folded heads
    and names; if that is too wide too, each row becomes a line of `head=value` that is wrapped."""

    def __init__(self, heads: Sequence[str], right: Collection[str] = (), wrap: Collection[str] = ()) -> None:
        """right: the columns of numbers; wrap: those of text that may take several lines."""
        self._heads = [clean(head) for head in heads]
        self._right = [head in right for head in heads]
        self._wrap = [head in wrap for head in heads]
        self._rows: list[list[str]] = []

    def add_row(self, *cells: str) -> None:
        """A cell for each column."""
        self._rows.append([clean(cell) for cell in cells])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for fold_heads, fold_names, gap in ((False, False, 2), (True, False, 2), (True, True, 1)):
            heads = [_folded(head) if fold_heads else head for head in self._heads]
            rows = [self._names_folded(row) if fold_names else row for row in self._rows]
            if self._least(heads, rows) + gap * (len(heads) - 1) <= options.max_width:
                yield self._table(heads, rows, gap)
                return
        yield from self._as_lines(options.max_width)

    def _names_folded(self, row: Sequence[str]) -> list[str]:
        plain = zip(row, self._right, self._wrap, strict=True)
        return [cell if right or wrap else _name_folded(cell) for cell, right, wrap in plain]

    def _least(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
        """The fewest columns that all cells need, without the gaps."""
        total = 0
        for place, wrap in enumerate(self._wrap):
            cells = [heads[place], *(row[place] for row in rows)]
            longest = max(cell_len(line) for cell in cells for line in cell.split("\n"))
            if wrap:
                words = max((cell_len(word) for cell in cells for word in cell.split()), default=0)
                longest = max(words, min(longest, LEAST))
            total += longest
        return total

    def _table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], gap: int) -> Table:
        table = Table(box=None, header_style="bold", padding=(0, gap, 0, 0), pad_edge=False)
        for head, right, wrap in zip(heads, self._right, self._wrap, strict=True):
            table.add_column(
                Text(head), justify="right" if right else "left", no_wrap=not wrap, vertical="top"
            )
        for row in rows:
            table.add_row(*map(Text, row))
        return table

    def _as_lines(self, width: int) -> Iterator[Text]:
        named = not self._right[0]  # by its first cell
        for row in self._rows:
            name, *_ = row if named else [""]
            cells = list(zip(self._heads, row, strict=True))[named:]
            more = ", ".join(f"{head}={cell}" for head, cell in cells if cell)
            line = wrapped(Text("  ".join(filter(None, [name, more]))), width)
            line.no_wrap, line.overflow = True, "ignore"
            yield line


def _folded(head: str) -> str:
    """`alpha_hyperlr` on two lines."""
    return re.sub(r"(?<=_)(?=\S)|(?<=\S) (?=\S)", "\n", head)


def _name_folded(name: str) -> str:
    """`head_init=normal` and `alpha-maml` on two lines, but `1e-05` on one."""
    return re.sub(r"(?<==)(?=\S)|(?<=\S) (?=\S)|(?<=-)(?=[^\W\d])", "\n", name)
