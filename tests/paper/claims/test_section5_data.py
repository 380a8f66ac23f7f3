"""C16: the data set's description."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.paper.claims import section5_data
from harness.paper.claims.section5_data import C16
from harness.paper.judging.verdict import Verdict
from tests.paper.claims.runs import NO_FACTS, records

c16 = C16.judge
HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, HOLDS), ({"alphabets": 49}, FAILS), ({"in_both": 1}, FAILS), ({"in_both": None}, OPEN)],
)
def test_c16(change, expected):
    facts = replace(NO_FACTS, data=section5_data.DATA | {"name": "omniglot"} | change)
    assert c16(records(), facts).strict.verdict == expected


def test_c16_without_a_description_of_the_data():
    assert c16(records(), NO_FACTS).strict.verdict == OPEN
