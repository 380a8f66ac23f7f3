"""The table that a paper would print, in LaTeX with booktabs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from harness.common import symbols
from harness.common.text import one_line, written
from harness.records.export.asked import Asked, Printed, Value, not_run

ON_A_PAGE = 40
"""More rows go on over several pages."""
_SIGNS = {
    **{sign: rf"\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "–": "--",
    "×": r"$\times$",
    "≤": r"$\le$",
    "·": r"$\cdot$",
}
"""What means something else in LaTeX, or needs a command in older ones."""


def write(asked: Asked, folder: Path) -> list[str]:
    r"""<grid>.tex, to be read with \input: see records.export.Format."""
    printed = asked.printed
    assert printed is not None
    heads, rows = printed.laid_out(escaped, _name, _values)
    caption = escaped(printed.caption)
    long = len(rows) > ON_A_PAGE
    table = pd.DataFrame(rows, columns=[*map(_stacked, heads)]).to_latex(
        index=False,
        escape=False,  # names and numbers are formulas: the rest is escaped above
        column_format=_columns(printed, len(heads)),
        longtable=long,
        caption=caption,
        label=f"tab:{asked.name}",
        position=None if long else "tbp",
    )
    again = rf"\multicolumn{{{len(heads)}}}{{l}}{{\tablename\ \thetable{{}}, continued}}"
    table = table.replace(rf"\caption[]{{{caption}}}", again)
    packages = ["booktabs", *["longtable"] * long]
    head = f"% In the preamble: \\usepackage{{{','.join(packages)}}}\n"
    (folder / f"{asked.name}.tex").write_text(head + table, "utf-8")
    return not_run(asked.tables.trials)


def _columns(printed: Printed, count: int) -> str:
    """Words to the left, numbers to the right; hyper-parameters that share a column in lines that fit."""
    words = "l" * printed.words
    return words + r"p{0.3\linewidth}" * printed.shared + "r" * (count - printed.words - printed.shared)


def _stacked(head: str) -> str:
    """A word a line, so that heads are not wider than their numbers."""
    lines = r"\\".join(head.split())
    return rf"\shortstack[r]{{{lines}}}" if " " in head else head


def escaped(text: str) -> str:
    """A text in which nothing is a command."""
    return "".join(_SIGNS.get(sign, sign) for sign in one_line(text))


def _name(hyper_parameter: str) -> str:
    symbol = symbols.name(hyper_parameter)
    return escaped(symbol) if symbol == hyper_parameter else symbol


def _values(values: Iterable[Value]) -> dict[Value, str]:
    known = list(values)
    rates = symbols.numbers(value for value in known if isinstance(value, float))
    return {value: rates[value] if isinstance(value, float) else escaped(written(value)) for value in known}
