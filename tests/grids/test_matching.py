"""Which cells are compared with each other."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.grids.matching import matches, partners

MAML = {"method": "maml", "protocol": "p", "alpha0": 0.1, "seed": 0}
ALPHA = MAML | {"method": "alpha-maml", "hyperlr": 1.0}


def test_the_same_but_for_what_is_named() -> None:
    rows = [MAML, MAML | {"protocol": "p, k=1"}, MAML | {"protocol": "p, k=1", "alpha0": 0.2}]
    assert partners({"protocol": ["p"]}, rows) == [[0], [0], []]


def test_of_the_same_seed() -> None:
    rows = [ALPHA | {"seed": 1}, MAML, MAML | {"seed": 1}]
    assert partners({"method": ["maml"]}, rows) == [[2], [1], [2]]


def test_what_one_of_the_two_lacks_does_not_count() -> None:
    assert partners({"method": ["maml"]}, [MAML, ALPHA]) == [[0], [0]]
    assert partners({"hyperlr": [0.0]}, [MAML, ALPHA]) == [[0], []]  # the methods differ
    assert partners({"hyperlr": [0.0]}, [ALPHA | {"hyperlr": 0.0}, ALPHA]) == [[0], [0]]


def test_more_than_one() -> None:
    rows = [ALPHA | {"hyperlr": 2.0}, ALPHA, MAML]
    assert partners({"method": ["alpha-maml"]}, rows) == [[0], [1], [0, 1]]


def naive(minus: dict[str, Any], rows: list[dict[str, Any]]) -> list[list[int]]:
    """By its definition, over all pairs."""
    found: list[list[int]] = [[] for _ in rows]
    for at, other in itertools.product(range(len(rows)), repeat=2):
        if matches(minus, rows[at]):
            found[at] = [at]
        elif matches(minus, rows[other]):
            shared = [key for key in rows[at] if key in rows[other] and key not in minus]
            if all(rows[at][key] == rows[other][key] for key in shared):
                found[at].append(other)
    return found


ROWS = st.lists(
    st.fixed_dictionaries(
        {"method": st.sampled_from("ab"), "seed": st.integers(0, 1)},
        optional={"x": st.integers(0, 2), "y": st.integers(0, 1)},
    ),
    max_size=12,
)


@pytest.mark.parametrize("minus", [{"method": ["a"]}, {"x": [0, 1]}, {"method": ["b"], "y": [1]}])
@given(rows=ROWS)
def test_by_its_definition(minus: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    assert partners(minus, rows) == naive(minus, rows)
