"""The sixteen claims under several readings at once."""

from __future__ import annotations

import pytest

from harness.paper import matrix as judging
from harness.paper.claims import CLAIMS, section5_data
from harness.paper.judging.verdict import Verdict
from harness.paper.reading import MAIN, Facts
from tests.paper.claims.tables import DIAGONAL, HYPERS, MISS, board, cell, changing, records

FIVE_SHOT = changing(k_shot=5)
FACTS = Facts(cost=None, noise=None, data=dict(section5_data.DATA))


@pytest.fixture(scope="module")
def matrix():
    maml = dict(zip(DIAGONAL, (20, 40, MISS, MISS, MISS), strict=True))
    whole = records(*board(maml, lambda pair, hyper: 5))
    few = records(cell(DIAGONAL[3], HYPERS[0], 30), reading=FIVE_SHOT)
    for one in (whole, few):
        one.trials["iterations_run"] = 60  # board's and cell's budget
    return judging.matrix([whole, few], FACTS)


def test_sixteen_claims_in_order():
    assert [claim.key for claim in CLAIMS] == [f"C{k}" for k in range(1, 17)]


def test_every_claim_by_every_reading_and_once(matrix):
    assert judging.columns(matrix) == [MAIN, FIVE_SHOT, None]
    assert list(matrix) == [(claim.key, column) for claim in CLAIMS for column in judging.columns(matrix)]


def test_what_no_reading_changes_is_judged_once(matrix):
    for claim in CLAIMS:
        assert (matrix[claim.key, None] is None) == claim.everywhere
    assert matrix["C16", None].strict.verdict == Verdict.HOLDS
    assert matrix["C13", None].strict.verdict == Verdict.OPEN
    assert matrix["C16", MAIN] is None


def test_none_if_no_cell_of_the_claim_was_asked_for(matrix):
    assert matrix["C1", MAIN].strict.verdict == Verdict.HOLDS
    assert matrix["C1", FIVE_SHOT] is None  # its cell is three decades off, C1's are two
    assert matrix["C2", FIVE_SHOT] is not None
    assert matrix["C14", MAIN] is None


def test_a_weak_form_is_judged_if_the_claim_has_one(matrix):
    for claim in CLAIMS:
        for column in judging.columns(matrix):
            if judged := matrix[claim.key, column]:
                assert (judged.weak is None) == (claim.weak is None), claim.key
