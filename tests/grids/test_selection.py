"""Picking some of a grid's cells: by value, by shard, by seed."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import grids
from harness.common.errors import UserError
from harness.grids import selection
from harness.grids.matching import matches
from harness.methods import Hyper, maml
from tests.grids.test_grid import TRACES, read


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
        ("alpha0=.inf", "alpha0: .inf is not a finite number"),
        ("alpha0=true", "alpha0: 'true' is not a number"),
        ("alpha0=1e400", "alpha0: 1e400 is not a finite number"),
        ("alpha0=1e-400", "alpha0: 1e-400 is too small a number"),
        ("alpha0=" + "9" * 5000, "alpha0: 99999999999999999... is not a finite number"),
        ("a\nb=1", "where: 'a b' is not a column"),
        ("method=mamml", "'mamml' is not a method; did you mean maml"),
        ("seed=1.5", "'1.5' is not a seed"),
        ("alpha0", "not of the form key=value"),
        ("alpha0=1,", "not of the form key=value"),
    ],
)
def test_a_wrong_where(text: str, says: str) -> None:
    with pytest.raises(UserError, match=re.escape(says)) as error:
        grids.where(text)
    assert str(error.value).isprintable()


@pytest.mark.usefixtures("every_kind")
@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("msl=true", lambda hyper: hyper.msl),
        ("msl=false,steps=2", lambda hyper: not hyper.msl and hyper.steps == 2),
        ("rule=raw", lambda hyper: hyper.rule == "raw"),
        ("rule=raw,rule=update", lambda hyper: True),
        ("rate0=1", lambda hyper: hyper.rate0 == 1),
        ("steps=1", lambda hyper: hyper.steps == 1),
    ],
)
def test_where_of_every_kind(text: str, want: Any) -> None:
    """`true` does not select 1, nor 1 `true`."""
    lists = "rate0: [0, 1], steps: [1, 2], msl: [true, false], rule: [raw, update]"
    every = read(TRACES + f"  - {{method: every, {lists}}}\n").cells()[6:]
    assert [cell for cell in every if grids.where(text)(cell)] == [c for c in every if want(c.hyper)]


@pytest.mark.usefixtures("every_kind")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("msl=1", "where: msl: 1 is neither true nor false"),
        ("msl=yes", "where: msl: 'yes' is neither true nor false"),
        ("rule=rew", "where: rule: 'rew' is not one of 'raw' or 'update'"),
        ("steps=0", "where: steps: 0 is not >= 1"),
        ("steps=1.5", "where: steps: 1.5 is not a whole number"),
        ("steps=true", "where: steps: 'true' is not a number"),
        ("alpha0=-1", "where: alpha0: -1 is not >= 0"),
    ],
)
def test_a_where_that_no_method_accepts(text: str, says: str) -> None:
    with pytest.raises(UserError) as error:
        grids.where(text)
    assert str(error.value) == says


@pytest.mark.usefixtures("every_kind")
def test_a_value_that_one_of_the_methods_accepts() -> None:
    """Reptile takes any number of steps, `every` at most 99."""
    assert not any(
        map(grids.where("steps=100"), read(TRACES + "  - {method: every, rate0: 1}\n").cells()[6:])
    )


def test_matching_knows_true_from_1() -> None:
    for value, wanted in ((True, 1), (1, True), (1.0, True), (False, 0)):
        assert not matches({"x": [wanted]}, {"x": value})
        assert not matches({"x": frozenset([wanted])}, {"x": value})
    assert matches({"x": [1]}, {"x": 1.0})
    assert matches({"x": [0, False]}, {"x": False})


MORE = "MAML has no alpha_hyperlr, so 5 of its cells are selected too"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("alpha0=1e-1", None),
        ("alpha_hyperlr=1,method=alpha-maml", None),
        ("alpha_hyperlr=1,method=alpha-maml,method=maml", None),
        ("alpha_hyperlr=1", f"{MORE}; add method=alpha-maml to leave them out"),
        ("alpha_hyperlr=77", f"{MORE}; no other cell matches"),
        (
            "alpha0=0.1, alpha_hyperlr=1,beta_hyperlr=1e-6",
            "MAML has no alpha_hyperlr or beta_hyperlr, so 1 of its cells is selected too; "
            "add method=alpha-maml to leave them out",
        ),
    ],
)
def test_what_a_where_selects_besides(text: str, note: str | None) -> None:
    keep = grids.where(text)
    selected = [cell for cell in grids.load("fig2").cells() if keep(cell)]
    said = grids.where_note(text, selected)
    assert said == (None if note is None else said and f"{said.split(': ')[0]}: {note}")
    assert said is None or said.startswith("where 'alpha")


def test_a_where_that_no_method_lacks_needs_no_note() -> None:
    maml = [cell for cell in grids.load("fig2").cells() if cell.method == "maml"]
    assert grids.where_note("alpha0=1e-1", maml) is None
    assert grids.where_note("alpha_hyperlr=1", []) is None


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


@pytest.mark.parametrize(
    "text", ["0/3", "4/3", "1/0", "1", "a/b", "1/2/3", "-1/3", "", "1/50001", f"1/{10**30}"]
)
def test_a_wrong_shard(text: str) -> None:
    with pytest.raises(UserError, match="write i/n"):
        grids.shard(text)


def test_seeds() -> None:
    assert grids.parse_seeds("0,2, 5-7") == (0, 2, 5, 6, 7)
    assert grids.parse_seeds(str(2**63 - 1)) == (2**63 - 1,)
    for text in ("", "a", "-1", "3-1", "0,,1", "1.5", str(2**63)):
        with pytest.raises(UserError, match="write whole numbers"):
            grids.parse_seeds(text)
    with pytest.raises(UserError, match="6 is listed twice"):
        grids.parse_seeds("5-7,6")


def test_more_seeds_than_a_grid_may_have() -> None:
    quick = grids.load("quick")
    assert len(grids.parse_seeds("0-3570", [quick])) == 3571
    with pytest.raises(UserError, match="quick: 14 cells x 3,572 seeds are 50,008; at most 50,000 are"):
        grids.parse_seeds("0-3571", [quick])


def test_many_seeds() -> None:
    assert grids.parse_seeds("0-49999") == tuple(range(50_000))
    assert len(grids.parse_seeds(",".join(map(str, range(20_000))))) == 20_000
    for text, count in [("0-99999", "100,000"), ("0-29999,5-29999", "59,995"), (f"0-{10**18}", "1,0")]:
        with pytest.raises(UserError, match=f"{count}.* seeds; at most 50,000 are allowed"):
            grids.parse_seeds(text)


@pytest.mark.parametrize(
    ("seeds", "text"),
    [((0,), "0"), ((0, 1), "0-1"), ((0, 1, 2, 7, 9, 10), "0-2,7,9-10"), ((), "")],
)
def test_seeds_as_people_write_them(seeds: tuple[int, ...], text: str) -> None:
    assert selection.seed_ranges(seeds) == text
    assert not seeds or grids.parse_seeds(text) == seeds


def test_a_choice_is_a_text_whatever_it_looks_like() -> None:
    """As one that is in quotes in a grid's file."""

    class Odd(Hyper):
        rule: Literal["true", "5"]

    class Mine(maml.MAML):
        name = "mine"
        Hyper = Odd

    assert [grids.hyper_parameter(Mine(), "rule", text) for text in ("true", "5")] == ["true", "5"]
    with pytest.raises(ValueError, match="'6' is not one of 'true' or '5'"):
        grids.hyper_parameter(Mine(), "rule", "6")
