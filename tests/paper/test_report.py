"""The matrix as JSON and as a page."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from harness.paper import report
from harness.paper.claims import CLAIMS
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


def test_plain():
    given = {1: (np.int64(3), np.float64(math.inf)), "x": np.array([1.5, math.nan]), "y": True}
    assert report.plain(given) == {"1": [3, "miss"], "x": [1.5, None], "y": True}


def test_the_page(matrix):
    text = report.to_markdown(matrix, SOURCES)
    assert "| C1 " + CLAIMS[0].short + " | F (H) |  |  |" in text
    assert "- fig2: reference (185 of 185 cells run)" in text
    assert f"> {CLAIMS[0].sentence} (Figure 2)" in text
    one, two, last = (text[text.index(f"## C{k}:") :].split("\n## ")[0] for k in (1, 2, 16))
    assert one.endswith(
        "\n\nUnder paper-adam: **fails** (weak: holds; sustained: cannot be told): 31 of 36 cells. "
        "Weak: some do. Over the seeds: 0.25 to miss (share of the cells). "
        "With one edge of the hyper-rates left out: beta_hyperlr 1e-3: holds.\n"
    )
    assert two.endswith("\n\n- paper-sgd: **fails** (sustained: cannot be told): 31 of 36 cells\n")
    assert "\n\nUnder any reading: **fails** (sustained: cannot be told): 31 of 36 cells." in last
    assert "Over the seeds" not in last  # one seed has no range
    assert f"- **half**: {CLAIMS[1].meanings['half']}" in two


def test_a_page_that_a_person_reads(matrix):
    """No cells, no numbers seed by seed: ten readings of sixteen claims make some three hundred lines."""
    text = report.to_markdown(dict.fromkeys(matrix, TOLD), SOURCES)
    assert "abc" not in text
    lines, readings = len(text.splitlines()), 3
    assert lines < 100 + len(CLAIMS) * (10 + readings)


def test_the_weak_form_adds_only_what_the_strict_one_does_not_say(matrix):
    strict = replace(TOLD.strict, why="it holds in 0 of 5 seeds; seed 0: 30.5 more")
    weak = replace(TOLD.strict, why="it holds in 5 of 5 seeds; seed 0: 30.5 more")
    told = replace(TOLD, strict=strict, weak=weak, interval=(164.5, 164.5), numbers={})
    text = report.to_markdown(matrix | {("C1", MAIN): told}, SOURCES)
    assert (
        "it holds in 0 of 5 seeds; seed 0: 30.5 more. Weak: it holds in 5 of 5 seeds. "
        "Over the seeds: 164.5 (share of the cells).\n"
    ) in text
