"""A table that a paper would print, with signs that mean something to LaTeX and to Markdown."""

from __future__ import annotations

import pandas as pd

from harness.records.export.asked import Asked, Printed
from tests.records.export.made_up import asked, made, square

ODD = r"50% of $x_1$ & {a} #3 ~ ^ \b * `c` <i>|"


def paper(rows: int = 2) -> Asked:
    table = pd.DataFrame(
        {
            "method": [ODD, *["MAML"] * (rows - 1)],
            "alpha0": [1e-3 * (i + 1) for i in range(rows)],
            "rule_of": [None, *["raw_x"] * (rows - 1)],
            "reached": [f"{i}/9" for i in range(rows)],
            "first passage": ["–", *map(str, range(1, rows))],
        }
    )
    shown = Printed(caption=f"A caption: {ODD}.", rows=table, hyper=("alpha0", "rule_of"))
    plain = asked(made(*square()))
    return Asked(name="made-up", source=plain.source, tables=plain.tables, printed=shown)
