"""The matrix as a terminal's tables, as JSON and as a page."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from harness.cli import claims
from harness.paper import report
from harness.paper.claims import CLAIMS
from harness.paper.judging.verdict import MOST_CELLS, Form, Judged, Verdict
from harness.paper.reading import MAIN
from tests.paper.claims.tables import changing

SGD = changing("paper-sgd")
SOURCES = {"fig2": "reference (185 of 185 cells run)"}
TOLD = Judged(
    strict=Form(verdict=Verdict.FAILS, why="31 of 36 cells"),
    weak=Form(verdict=Verdict.HOLDS, why="some do"),
    sustained=Form(verdict=Verdict.OPEN, why="not run"),
    numbers={
        "first": {"0": {"share": [0.5, math.nan], "maml": 12}},
        "edges": {"alpha_hyperlr 1e-3": "fails"},
    },
    cells=("abc",),
    seeds=(0, 1),
    statistic="share of the cells",
    interval=(0.25, math.inf),
)


@pytest.fixture
def matrix():
    empty = {(claim.key, column): None for claim in CLAIMS for column in (MAIN, SGD, None)}
    alone = replace(TOLD, interval=None, seeds=(0,), weak=None)
    return empty | {("C1", MAIN): TOLD, ("C2", SGD): alone, ("C16", None): alone}


def test_marks():
    assert report.mark(TOLD) == "F (H)"
    assert report.mark(replace(TOLD, weak=None)) == "F"
    assert report.mark(None) == ""


def test_the_terminal_shows_the_first_reading_and_all_in_a_hundred_columns(matrix):
    console = Console(width=100, file=StringIO(), color_system=None)
    for table in claims.tables(matrix):
        console.print(table)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    (first, small) = (line.split() for line in lines if line.startswith("C1 "))
    assert {"fails", "holds", "?", "31"} <= set(first)
    assert small == ["C1", "F", "(H)"]
    assert [line.split() for line in lines if line.startswith("C2 ")] == [["C2", "F"]]  # not in the first
    assert sum(line.startswith("C16") for line in lines) == 2


def test_the_head_of_a_reading_is_what_it_changes_broken_at_the_sign(matrix):
    five = changing(k_shot=5)
    asked = matrix | {(claim.key, five): None for claim in CLAIMS} | {("C1", five): TOLD}
    _, small = claims.tables(asked)
    assert small.columns[-1].header == "k_shot=\n5"


def test_json_is_strict(matrix):
    found = json.loads(json.dumps(report.to_json(matrix, SOURCES), allow_nan=False))
    assert found["readings"] == ["paper-adam", "paper-sgd", "any reading"]
    assert found["sources"] == SOURCES
    assert found["definitions"]["miss"]
    first = found["claims"][0]
    assert (first["key"], first["sentence"]) == ("C1", CLAIMS[0].sentence)
    assert "judge" not in first
    (label,) = first["judged"]
    judged = first["judged"][label]
    assert label == "paper-adam"
    assert judged["strict"] == {"verdict": "fails", "why": "31 of 36 cells"}
    assert judged["sustained"]["verdict"] == "cannot be told"
    assert judged["numbers"]["first"] == {"0": {"share": [0.5, None], "maml": 12}}
    assert judged["interval"] == [0.25, "miss"]
    assert found["claims"][1]["judged"]["paper-sgd"]["weak"] is None


def test_the_page_says_that_it_names_the_first_cells_alone(matrix):
    many = replace(TOLD, cells=tuple(f"c{i}" for i in range(MOST_CELLS)))
    text = report.to_markdown(matrix | {("C1", MAIN): many}, SOURCES)
    assert "<summary>the first 40 cells</summary>" in text


def test_plain():
    given = {1: (np.int64(3), np.float64(math.inf)), "x": np.array([1.5, math.nan]), "y": True}
    assert report.plain(given) == {"1": [3, "miss"], "x": [1.5, None], "y": True}


def test_the_page(matrix):
    text = report.to_markdown(matrix, SOURCES)
    assert "| C1 " + CLAIMS[0].short + " | F (H) |  |  |" in text
    assert "- fig2: reference (185 of 185 cells run)" in text
    assert f"> {CLAIMS[0].sentence} (Figure 2)" in text
    one, two = (text[text.index(f"## C{k}:") : text.index(f"## C{k + 1}:")] for k in (1, 2))
    assert "- strict: **fails**: 31 of 36 cells" in one
    assert "- share of the cells: 0.25 to miss over the seeds" in one
    assert "- share of the cells: no interval, fewer than two seeds" in two
    assert "alpha_hyperlr 1e-3: fails" in one
    assert "share: [0.5, not known]; maml: 12" in one
    assert "<details><summary>cells</summary>\n\n`abc`\n" in one
    assert "Not asked under any reading." in text[text.index("## C3:") : text.index("## C4:")]
