"""All tables as one text."""

from __future__ import annotations

import pandas as pd

from harness.analysis import sensitivity
from harness.analysis.sensitivity.summary import footnotes, heading, tables
from tests.analysis.sensitivity.test_summary import TWO, made


def test_a_report_has_every_table() -> None:
    measured = made(TWO)
    text = sensitivity.report(measured)
    lines = text.splitlines()
    assert lines[0] == heading(measured)
    for table in tables(measured):
        at = lines.index(table.title)
        if len(table.frame):
            assert lines[at + 1].split() == " ".join(table.frame.columns).split()
            cells = [" ".join(row).split() for row in table.frame.itertuples(index=False)]
            assert [line.split() for line in lines[at + 2 : at + 2 + len(cells)]] == cells
    whole = " ".join(text.split())
    for note in [*footnotes(measured, in_files=False), *(n for one in tables(measured) for n in one.notes)]:
        assert note in whole
    assert max(map(len, lines)) <= 100


def test_columns_are_aligned() -> None:
    lines = sensitivity.report(made(TWO)).splitlines()
    at = lines.index("Tuning cost")
    assert lines[at + 1 : at + 4] == [
        "environment  method  iterations  ratio to maml",
        "x            maml          60.0",
        "x            other         12.5          0.208",
    ]


def test_notes_of_the_table_are_said() -> None:
    rows = pd.DataFrame({"method": "maml", "a": [0, 1], "count": [1.0, 2.0]})
    measured = sensitivity.measure(sensitivity.runs(rows, hyper=["a"], count="count").noting(["2 left out"]))
    assert sensitivity.report(measured).splitlines()[:2] == ["environment: all", "2 left out"]


def test_latex() -> None:
    text = sensitivity.latex(made(TWO))
    shown = sum(len(table.frame) > 0 for table in tables(made(TWO)))
    assert text.count(r"\toprule") == text.count(r"\end{tabular}") == shown
    assert r"x & maml & 60.0 &  \\" in text
    assert text.startswith("% Needs ")
    assert sensitivity.latex(made(TWO), {"fig2": "my records\n"}).startswith("% fig2: my records \n% Needs ")
    assert text.splitlines()[-1] == f"% {footnotes(made(TWO), in_files=False)[-1]}"
