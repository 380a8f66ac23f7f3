"""The matrix as JSON and as a page."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from harness.paper import report
from harness.paper.claims import CLAIMS
from harness.paper.judging.verdict import MOST_CELLS
from harness.paper.matrix import Matrix
from harness.paper.reading import MAIN
from tests.paper.matrices import TOLD, made

SOURCES = {"fig2": "reference (185 of 185 cells run)"}


@pytest.fixture
def matrix() -> Matrix:
    return made()


def test_marks():
    assert report.mark(TOLD) == "F (H)"
    assert report.mark(replace(TOLD, weak=None)) == "F"
    assert report.mark(None) == ""


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


def test_the_page_says_that_it_names_only_the_first_cells(matrix):
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
    assert "- share of the cells: no interval: fewer than two seeds" in two
    assert "alpha_hyperlr 1e-3: fails" in one
    assert "share: [0.5, not known]; maml: 12" in one
    assert "<details><summary>cells</summary>\n\n`abc`\n" in one
    assert "Not asked under any reading." in text[text.index("## C3:") : text.index("## C4:")]
