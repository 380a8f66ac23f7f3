"""Picking some of a grid's cells: by value, by shard, by seed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import grids
from harness.common.errors import UserError
from harness.grids import selection


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("method=maml", lambda c: c.method == "maml"),
        ("alpha0=1e-4, method=alpha-maml", lambda c: c.hyper.alpha0 == 1e-4 and c.method == "alpha-maml"),
        ("alpha0=0.1,alpha0=0.01", lambda c: c.hyper.alpha0 in (0.1, 0.01)),
        ("seed=1", lambda c: c.seed == 1),
        ("beta_hyperlr=1e-8", lambda c: c.method == "maml" or c.hyper.beta_hyperlr == 1e-8),
        ("alpha0=77", lambda c: False),
    ],
)
def test_where(text: str, want: Any) -> None:
    cells = grids.load("fig2").cells([0, 1])
    assert [c for c in cells if grids.where(text)(c)] == [c for c in cells if want(c)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("alpah0=1", "'alpah0' is not a column; did you mean alpha0?"),
        ("alpha0=big", "alpha0: 'big' is not a number"),
        ("alpha0=.inf", "alpha0: '.inf' is not a number"),
        ("alpha0=true", "alpha0: 'true' is not a number"),
        ("method=mamml", "'mamml' is not a method; did you mean maml"),
        ("seed=1.5", "'1.5' is not a seed"),
        ("alpha0", "not of the form key=value"),
        ("alpha0=1,", "not of the form key=value"),
    ],
)
def test_a_wrong_where(text: str, says: str) -> None:
    with pytest.raises(UserError, match=re.escape(says)):
        grids.where(text)


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 40), st.randoms(use_true_random=False))
def test_shards_partition_the_cells_evenly(n: int, random: Any) -> None:
    cells = grids.load("quick").cells([0, 1])
    shards = [grids.select_shard(cells, f"{i}/{n}") for i in range(1, n + 1)]
    assert sorted(c.cell_id for s in shards for c in s) == sorted(c.cell_id for c in cells)
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    assert all(list(s) == [c for c in cells if c in s] for s in shards)  # their order stays
    shuffled = random.sample(cells, len(cells))
    assert {c.cell_id for c in grids.select_shard(shuffled, f"1/{n}")} == {c.cell_id for c in shards[0]}


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0", "1", "a/b", "1/2/3", "-1/3", ""])
def test_a_wrong_shard(text: str) -> None:
    with pytest.raises(UserError, match="write i/n"):
        grids.shard(text)


def test_seeds() -> None:
    assert grids.parse_seeds("0,2, 5-7") == (0, 2, 5, 6, 7)
    assert grids.parse_seeds(str(2**63 - 1)) == (2**63 - 1,)
    for text in ("", "a", "-1", "3-1", "0,,1", "1.5", str(2**63), "0-999999999999"):
        with pytest.raises(UserError, match="write whole numbers"):
            grids.parse_seeds(text)
    with pytest.raises(UserError, match="6 is listed twice"):
        grids.parse_seeds("5-7,6")


@pytest.mark.parametrize(
    ("seeds", "text"),
    [((0,), "0"), ((0, 1), "0-1"), ((0, 1, 2, 7, 9, 10), "0-2,7,9-10"), ((), "")],
)
def test_seeds_as_people_write_them(seeds: tuple[int, ...], text: str) -> None:
    assert selection.seed_ranges(seeds) == text
    assert not seeds or grids.parse_seeds(text) == seeds
