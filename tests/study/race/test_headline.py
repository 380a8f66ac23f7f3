"""How many runs one is worth, by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.analysis.sensitivity.resamples import resamples
from harness.analysis.sensitivity.searching import tuning_cost
from harness.study.race import headline, racers
from harness.study.race.contenders import ANY_PAIR, DEFAULT, PBT, RANDOM, SEARCHED, TITLES, Race
from harness.study.race.racers import Axis
from harness.study.race.summary import runs, tables
from harness.study.race.written import Raced
from tests.study.race.made import BUDGET, searched

X = [1, 2, 3]


def came_to(numbers: pd.DataFrame) -> Raced:
    """A race on grid `a`."""
    return Raced(grid="a", target=0.9, seeds=(2, 3, 4), budget=200, unit="nats", numbers=numbers, chosen={})


@pytest.mark.parametrize(
    ("value", "n"),
    [(3.0, 1), (2.5, 1.25), (1.0, 2), (0.75, 2.5), (0.5, 3), (0.4, np.inf), (3.5, -np.inf)],
)
def test_where_a_curve_reaches_a_value(value: float, n: float) -> None:
    assert headline.worth(value, X, [3.0, 1.0, 0.5]) == n


def test_a_curve_that_has_not_begun() -> None:
    assert headline.worth(2.0, X, [np.inf, 3.0, 1.0]) == 2.5
    assert headline.worth(4.0, X, [np.inf, 3.0, 1.0]) == -np.inf


def test_each_resample_has_its_own() -> None:
    curve = np.array([[3.0, 3.0], [1.0, 2.0], [0.5, 1.0]])
    assert headline.worth([2.0, 2.0], X, curve).tolist() == [1.5, 2.0]


def test_rounding_does_not_make_it_under_one() -> None:
    assert headline.worth(3.0 + 1e-13, X, [3.0, 1.0, 0.5]) == 1


def race() -> Race:
    """MAML's four runs have losses 4, 3, 2, 1 with seed 0, of which the last hits; the default's two have 2
    and 1.5, and one hits."""
    maml = searched(levels=(2, 2), seeds=1)
    maml = replace(
        maml,
        loss=np.array([[4.0], [3.0], [2.0], [1.0]]),
        passage=np.array([[np.inf], [np.inf], [np.inf], [50.0]]),
        ran=np.full((4, 1), float(BUDGET)),
    )
    ours = maml.only([0, 1])
    ours = replace(ours, loss=np.array([[2.0], [1.5]]), passage=np.array([[40.0], [np.inf]]))
    axis = Axis(budget=BUDGET, runs=4)
    found = (racers.by_random_search(RANDOM, [maml], axis), racers.by_random_search(DEFAULT, [ours], axis))
    given = SimpleNamespace(grid="a", target=0.9, folder=Path())
    return Race(given=given, seeds=(0,), axis=axis, racers=found, chosen={}, notes=())  # type: ignore[arg-type]


def test_the_headline_by_hand() -> None:
    """Expected best of n of 4, 3, 2, 1: 2.5, 10/6, 1.25, 1. The default's mean is 1.75, between the first
    two."""
    rows = headline.numbers(race())
    by = {(row.measure, row.other): row for row in rows.itertuples() if row.racer == DEFAULT}
    n = by["worth_by_loss", RANDOM]
    assert n.value == pytest.approx(1 + (2.5 - 1.75) / (2.5 - 10 / 6))
    assert (n.first, n.last) == (1, 4)
    # Half of its runs hit; of n of MAML's four runs a quarter, a half, ...
    assert by["worth_by_hit", RANDOM].value == pytest.approx(2)
    spent = rows[(rows["measure"] == "tuning_cost") & (rows["unit"] == "iterations")]
    costs = dict(zip(spent["racer"], spent["value"], strict=True))
    assert costs == pytest.approx({RANDOM: 3 / 2 * 100 + 50, DEFAULT: 1 / 2 * 100 + 40})
    assert by["tuning_cost", RANDOM].value == pytest.approx(90 / 200)


def test_never_and_not_always() -> None:
    """Where no setting hits it is never reached; where some of a tuner's repeats miss, they are paid by those
    that hit; where some hyper-rates have no hit, not always. Two seeds."""
    axis = Axis(budget=BUDGET, runs=2)
    misses = replace(searched(levels=(2, 1)), passage=np.full((2, 2), np.inf))
    paths = [
        [racers.Path(spent=np.array([90.0]), told=np.array([1.0]), hit=hit, end=hit) for hit in hits]
        for hits in ((50.0, np.inf), (60.0, 70.0))
    ]
    hits = replace(misses, passage=np.full((2, 2), 60.0))
    found = (
        racers.by_random_search(RANDOM, [misses], axis),
        racers.by_repeats(PBT, paths, axis),
        racers.by_random_search(ANY_PAIR, [misses, hits], axis),
    )
    rows = headline.numbers(replace(race(), seeds=(0, 1), axis=axis, racers=found))
    costs = rows[(rows["measure"] == "tuning_cost") & rows["other"].isna()].set_index("racer")
    whys = {RANDOM: "never in 2 of 2 seeds", PBT: "", ANY_PAIR: "not always in 2 of 2 seeds"}
    assert costs["why"].to_dict() == whys
    assert costs["value"][PBT] == pytest.approx(((50 + 90) / 1 + (60 + 70) / 2) / 2)


@pytest.mark.parametrize(
    ("value", "low", "high", "words"),
    [
        (2.0, 1.5, 3.0, "2.00 (1.50 to 3.00)"),
        (np.inf, 12.0, np.inf, "over 169 (12.0 to over 169)"),
        (-np.inf, -np.inf, 2.0, "under 1 (under 1 to 2.00)"),
        (np.inf, np.inf, np.inf, "over 169"),
        (2.0, np.nan, np.nan, "2.00"),
    ],
)
def test_in_words(value: float, low: float, high: float, words: str) -> None:
    row = SimpleNamespace(value=value, low=low, high=high, first=1.0, last=169.0)
    assert runs(row) == words


def test_over_and_under_in_a_race() -> None:
    one = race()
    for losses, words in (([0.5, 0.5], "over 4"), ([9.0, 9.0], "under 1")):
        single = replace(one.racers[1].single, loss=np.array([losses]).T)  # type: ignore[type-var]
        changed = replace(one, racers=(one.racers[0], replace(one.racers[1], single=single)))
        numbers = headline.numbers(changed)
        (table, *_) = tables(came_to(numbers))
        assert table.frame["by loss"].tolist() == [words]


@pytest.mark.parametrize(
    ("chance", "n"),
    [(0.0, -np.inf), (0.2, -np.inf), (0.25, 1), (0.4, 1.6), (1.0, 4), ([0.5, 0.0], [2, -np.inf])],
)
def test_where_a_chance_is_reached(chance: float, n: float) -> None:
    """One of four settings hits: a quarter, a half, three quarters, one."""
    curve = np.array([0.25, 0.5, 0.75, 1.0])
    found = headline.worth_by_hit(chance, [1, 2, 3, 4], curve[:, None] if np.ndim(chance) else curve)
    assert found.tolist() == pytest.approx(n)


def test_chances_of_which_one_is_none() -> None:
    never = np.zeros(4)
    assert headline.worth_by_hit(0.5, [1, 2, 3, 4], never) == np.inf
    assert np.isnan(headline.worth_by_hit(0.0, [1, 2, 3, 4], never))
    late = [0.0, 0.0, 0.5, 1.0]  # of a tuner that is told step by step
    assert headline.worth_by_hit(0.0, [1, 2, 3, 4], late) == -np.inf
    assert headline.worth_by_hit(0.25, [1, 2, 3, 4], late) == 2.5


def by_hit(ours: list[float], theirs: list[float], seeds: int = 1) -> tuple[Any, str]:
    """The row of worth_by_hit and its text, with these passages: [B] of each seed alike, or [B * seeds]."""
    axis, rows = Axis(budget=BUDGET, runs=4), []
    for name, passages in ((RANDOM, theirs), (DEFAULT, ours)):
        shaped = np.broadcast_to(np.reshape(passages, (4, -1)), (4, seeds))
        known = replace(searched(levels=(2, 2), seeds=seeds, diverged=0), passage=shaped)
        rows.append(racers.by_random_search(name, [known], axis))
    one = replace(race(), seeds=tuple(range(seeds)), axis=axis, racers=tuple(rows))
    found = headline.numbers(one)
    (row,) = found[found["measure"] == "worth_by_hit"].itertuples()
    (table, *_) = tables(came_to(found))
    (text,) = table.frame["by hit"]
    return row, text


NO = np.inf


@pytest.mark.parametrize(
    ("ours", "theirs", "value", "text"),
    [
        ([50, 50, NO, NO], [50, NO, NO, NO], 2, "2.00"),
        ([NO] * 4, [50, NO, NO, NO], -np.inf, "under 1"),
        ([50, NO, NO, NO], [NO] * 4, np.inf, "over 4"),
        ([NO] * 4, [NO] * 4, np.nan, "neither reaches it"),
    ],
)
def test_by_hit_where_some_never_do(ours: list[float], theirs: list[float], value: float, text: str) -> None:
    row, shown = by_hit(ours, theirs)
    assert row.value == pytest.approx(value, nan_ok=True)
    assert shown == text


def test_by_hit_where_some_never_do_in_a_seed() -> None:
    """Two seeds; ours hit twice in the first alone, a mean of 1/4. Theirs once in each: 1/4, ...: n = 1, and
    from under 1 to 2 over the resamples. Theirs once in the first alone, 1/8, ...: n = 2, but in a resample
    of the second alone neither does."""
    ours = [50, NO, 50, NO, NO, NO, NO, NO]
    row, text = by_hit(ours, [50, 50, *[NO] * 6], seeds=2)
    assert (row.value, row.low, row.high) == (1, -np.inf, 2)
    assert text == "1.00 (under 1 to 2.00)"
    row, text = by_hit(ours, [50, *[NO] * 7], seeds=2)
    assert row.value == pytest.approx(2)
    assert np.isnan([row.low, row.high]).all()
    assert row.why == "no interval: in some resamples neither reaches it"
    assert text == "2.00"


def test_a_ratio_to_what_never_comes() -> None:
    """It is none, and not 0."""
    axis = Axis(budget=BUDGET, runs=2)
    misses = replace(searched(levels=(2, 1)), passage=np.full((2, 2), np.inf))
    hits = replace(misses, passage=np.full((2, 2), 60.0))
    both = {RANDOM: misses, DEFAULT: hits}
    found = tuple(racers.by_random_search(name, [known], axis) for name, known in both.items())
    rows = headline.numbers(replace(race(), seeds=(0, 1), axis=axis, racers=found))
    (row,) = rows[(rows["measure"] == "tuning_cost") & (rows["other"] == RANDOM)].itertuples()
    assert np.isnan(row.value)
    assert row.why == "random search over MAML's rates reaches it never in 2 of 2 seeds"


def test_a_tuner_that_is_over_before_it_is_told_anything() -> None:
    """All diverge in the second of a hundred iterations, in one of two repeats."""
    one = race()
    paths = [
        [racers.Path(spent=np.array([spent]), told=np.array([1.0]), hit=NO, end=NO) for spent in (2.0, 90.0)]
    ]
    found = replace(one, racers=(*one.racers, racers.by_repeats(PBT, paths, one.axis)))
    rows = headline.numbers(found).set_index(["measure", "other"])
    assert rows.loc[("worth_by_loss", PBT), "why"] == "no run has ended"


def test_intervals_are_over_training_seeds() -> None:
    """By the definition: each resample of the seeds has a curve and a mean of its own."""
    maml, ours = searched(levels=(4, 4), seeds=3), searched(levels=(3, 3), seeds=3, rng=5)
    axis = Axis(budget=BUDGET, runs=16)
    found = (racers.by_random_search(RANDOM, [maml], axis), racers.by_random_search(DEFAULT, [ours], axis))
    one = replace(race(), seeds=(0, 1, 2), axis=axis, racers=found)
    row = next(headline.numbers(one).query("measure == 'worth_by_loss'").itertuples())
    sample = resamples(np.ones(3, bool))
    alone = []
    for weights in sample.weights:
        picked = np.repeat(np.arange(3), np.rint(weights * 3).astype(int))
        curve = np.mean(
            [headline.expected_best(maml.loss[:, k], more_is_better=False) for k in picked], axis=0
        )
        alone.append(float(headline.worth(ours.loss[:, picked].mean(), np.arange(1, 17), curve)))
    assert row.value == pytest.approx(alone[0])
    assert (row.low, row.high) == pytest.approx(sample.interval(np.array(alone)))


def test_after_one_run_any_and_all_four_are_alike() -> None:
    """Their difference is 0, and not what rounding leaves."""
    known = searched(levels=(3, 3, 3, 1), method="alpha-maml", seeds=3, diverged=0)
    own = known.table["alpha_hyperlr"]
    axis = Axis(budget=BUDGET, runs=9)
    found = (
        racers.by_random_search(ANY_PAIR, [known.only(own == value) for value in own.unique()], axis),
        racers.by_random_search(SEARCHED, [known], axis),
    )
    rows = headline.numbers(replace(race(), seeds=(0, 1, 2), axis=axis, racers=found))
    gains = rows[rows["measure"] == "gain_by_search"].set_index("of")
    assert gains.loc["1", ["value", "low", "high"]].tolist() == [0, 0, 0]
    assert gains.loc["4", "value"] < 0


def test_searching_all_four_beside_one_pair() -> None:
    """Any pair that is kept: each is as likely, and the cost is the mean of theirs."""
    known = searched(levels=(2, 2, 2, 1), method="alpha-maml")
    pairs = [
        known.only(known.table["alpha_hyperlr"] == value) for value in known.table["alpha_hyperlr"].unique()
    ]
    axis = Axis(budget=BUDGET, runs=8)
    anyone = racers.by_random_search("any", pairs, axis)
    each = [racers.by_random_search("one", [pair], axis) for pair in pairs]
    np.testing.assert_allclose(anyone.best, np.mean([one.best for one in each], axis=0))
    np.testing.assert_allclose(anyone.cost, np.mean([tuning_cost(p.cost, p.hit) for p in pairs], axis=0))
    searched_all = racers.by_random_search(SEARCHED, [known], axis)
    first = racers.PARTS
    np.testing.assert_allclose(searched_all.told[first], anyone.told[first])  # one run of either is the same


def test_every_racer_has_a_title() -> None:
    assert len({*TITLES.values()}) == len(TITLES) == 10
