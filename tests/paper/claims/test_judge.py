"""The sixteen claims under several readings at once."""

from __future__ import annotations

import pytest

from harness.paper.claims import judge, others
from harness.paper.claims.boards import Facts
from harness.paper.claims.judged import Verdict
from harness.paper.claims.sentences import CLAIMS
from tests.paper.claims.tables import DIAGONAL, HYPERS, MISS, board, cell, reading

FACTS = Facts(cost=None, noise=None, data=dict(others.DATA))


@pytest.fixture(scope="module")
def matrix():
    maml = dict(zip(DIAGONAL, (20, 40, MISS, MISS, MISS), strict=True))
    whole = reading(*board(maml, lambda pair, hyper: 5))
    few = reading(cell(DIAGONAL[3], HYPERS[0], 30), label="paper-adam, k_shot=5")
    for one in (whole, few):
        one.trials["iterations_run"] = 60  # board's and cell's budget
    return judge.matrix([whole, few], FACTS)


def test_sixteen_claims_in_order():
    assert [claim.key for claim in CLAIMS] == [f"C{k}" for k in range(1, 17)]


def test_every_claim_by_every_reading_and_once(matrix):
    assert judge.labels(matrix) == ["paper-adam", "paper-adam, k_shot=5", judge.ONCE]
    assert list(matrix) == [(claim.key, label) for claim in CLAIMS for label in judge.labels(matrix)]


def test_what_no_reading_changes_is_judged_once(matrix):
    for claim in CLAIMS:
        assert (matrix[claim.key, judge.ONCE] is None) == claim.everywhere
    assert matrix["C16", judge.ONCE].strict.verdict == Verdict.HOLDS
    assert matrix["C13", judge.ONCE].strict.verdict == Verdict.OPEN
    assert matrix["C16", "paper-adam"] is None


def test_none_where_no_cell_of_the_claim_was_asked(matrix):
    few = "paper-adam, k_shot=5"
    assert matrix["C1", "paper-adam"].strict.verdict == Verdict.HOLDS
    assert matrix["C1", few] is None  # its cell is three decades off, C1's are two
    assert matrix["C2", few] is not None
    assert matrix["C14", "paper-adam"] is None


def test_a_weak_form_is_judged_where_the_claim_says_one(matrix):
    for claim in CLAIMS:
        for label in judge.labels(matrix):
            if judged := matrix[claim.key, label]:
                assert (judged.weak is None) == (claim.weak is None), claim.key
