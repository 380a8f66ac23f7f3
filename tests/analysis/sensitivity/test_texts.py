"""Numbers, names and effects as a person reads them."""

from __future__ import annotations

import math

import pytest

from harness.analysis.sensitivity.effects import grouped
from harness.analysis.sensitivity.texts import interval, number, resampled, share, short_names

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.220359, "0.220"),
        (7.76, "7.76"),
        (9.999, "10.0"),
        (257.82, "258"),
        (1170.4, "1170"),
        (12375.4, "12,400"),
        (999999.0, "1,000,000"),
        (-0.5, "-0.500"),
        (0.000236, "0.000236"),
        (2.36e-7, "2.36e-07"),
        (0.0, "0"),
        (INF, "never"),
        (NAN, ""),
    ],
)
def test_a_number(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (257.82, 251.9, 262.8, "258 (252 to 263)"),
        (1170.0, 1166.4, 1173.2, "1170 (1166 to 1173)"),  # more digits, or all three were 1170
        (0.2, 0.2 - 1e-16, 0.2 + 1e-16, "0.200 (0.200 to 0.200)"),  # the same but for rounding
        (1.1e-16, -1.31, 1.31, "0 (-1.31 to 1.31)"),  # 0 but for rounding
        (0.5, -2e-17, INF, "0.500 (0 to never)"),
        (1e-9, -2e-9, 2e-9, "1e-09 (-2e-09 to 2e-09)"),  # small, and not beside anything large
        (5.0, NAN, NAN, "5.00"),
        (INF, 3.0, INF, "never"),
        (NAN, NAN, NAN, ""),
    ],
)
def test_an_interval(value: float, low: float, high: float, text: str) -> None:
    assert interval(value, low, high) == text


def test_a_share() -> None:
    assert [share(value) for value in (0.3622, 0.0, 1e-5, 1.0, NAN)] == ["0.362", "0", "0.000", "1.000", ""]


@pytest.mark.parametrize(
    ("names", "short", "common"),
    [
        (["a, target 2", "a, k=5, target 2"], ["a", "k=5"], "a, target 2"),
        (["a, target 2", "b, target 2"], ["a", "b"], "target 2"),
        (["a, b", "b, a"], ["a, b", "b, a"], ""),
        (["Ant", "Hopper"], ["Ant", "Hopper"], ""),
        (["a, b"], ["a, b"], ""),
    ],
)
def test_short_names(names: list[str], short: list[str], common: str) -> None:
    assert short_names(names) == (dict(zip(names, short, strict=True)), common)


@pytest.mark.parametrize(
    ("seeds", "words"),
    [
        ([1], "one seed: no intervals"),
        ([2], "the middle 95 % of all 3 resamples of 2 seeds (too narrow, with so few seeds)"),
        ([1, 5, 5], "the middle 95 % of all 126 resamples of 5 seeds (too narrow, with so few seeds)"),
        ([6], "the middle 95 % of all 462 resamples of 6 seeds"),
        ([8], "the middle 95 % of resamples of 8 seeds"),
        ([3, 5], "the middle 95 % of resamples of 3 to 5 seeds (too narrow, with so few seeds)"),
        ([3, 8], "the middle 95 % of resamples of 3 to 8 seeds (too narrow, with 5 or fewer seeds)"),
    ],
)
def test_resampled(seeds: list[int], words: str) -> None:
    assert resampled(seeds) == words


def test_effects_by_what_takes_part() -> None:
    effects = {"a": 0.3, "b": 0.1, "seed": 0.05, "a:b": 0.25, "a:seed": 0.2, "b:seed": 0.06, "a:b:seed": 0.04}
    found = grouped(effects, ["b", "a"])
    assert [*found.factors.items()] == [("b", 0.1), ("a", 0.3)]
    assert found.joint == {("a", "b"): 0.25}
    assert found.interactions == 0.25
    assert found.seed == pytest.approx(0.05 + 0.2 + 0.06 + 0.04)
    assert found.largest == (("a", "b"), 0.25)


def test_effects_of_one_factor_and_one_seed() -> None:
    found = grouped({"a": 1.0}, ["a"])
    assert (found.factors, found.joint, found.of_seed, found.largest) == ({"a": 1.0}, {}, {}, None)
    assert grouped({"a": 1.0, "b": 0.0, "a:b": 0.0}, ["a", "b"]).largest is None


def test_a_colon_in_the_name_of_a_factor() -> None:
    effects = {"opt:rate": 0.5, "b": 0.2, "opt:rate:b": 0.1, "opt:rate:seed": 0.2}
    found = grouped(effects, ["opt:rate", "b"])
    assert found.factors == {"opt:rate": 0.5, "b": 0.2}
    assert found.joint == {("opt:rate", "b"): 0.1}
    assert found.of_seed == {"opt:rate:seed": 0.2}
    assert grouped({"b:opt:rate": 0.1}, found.factors).joint == {("b", "opt:rate"): 0.1}
    own = grouped({"init:seed": 0.8, "seed": 0.05, "init:seed:seed": 0.15}, ["init:seed"])
    assert own.factors == {"init:seed": 0.8}
    assert own.seed == pytest.approx(0.2)
