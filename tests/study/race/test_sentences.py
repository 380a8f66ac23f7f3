"""A race in plain sentences, from numbers by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from harness.study.race.contenders import ANY_PAIR, ASHA, DEFAULT, LOG_DEFAULT, PBT, RANDOM, SEARCHED, TPE
from harness.study.race.headline import COLUMNS
from harness.study.race.sentences import headline, in_short
from harness.study.race.written import Raced
from tests.study.race.test_headline import came_to

INF = math.inf


def row(measure: str, racer: str, other: str | None, value: float, **more: Any) -> dict[str, Any]:
    """Of a race.parquet; without an interval, unless it is said."""
    known = {"of": "", "unit": "", "low": math.nan, "high": math.nan, "first": 1.0, "last": 169.0, "seeds": 3}
    return {"measure": measure, "racer": racer, "other": other, "value": value, "why": "", **known, **more}


def raced(*rows: dict[str, Any], **chosen: dict[str, float]) -> Raced:
    names = {name.replace("_", "-"): values for name, values in chosen.items()}
    frame = pd.DataFrame([*rows], columns=[*COLUMNS])
    return replace(came_to(frame), grid="league-5way", chosen=names)


def worth(racer: str, value: float, low: float = math.nan, high: float = math.nan) -> dict[str, Any]:
    return row("worth_by_loss", racer, RANDOM, value, low=low, high=high)


CHOSEN = {"alpha_maml_default": {"alpha_hyperlr": 0.1}, "alpha_maml_log_default": {"eta": 0.5}}
OTHERS = "chosen on the league's other grids"
OURS = f"On league-5way, one run of Alpha-MAML at random initial rates, with hyper-rates {OTHERS}"
LOG = f"Alpha-MAML in logs at random initial rates, with its one knob {OTHERS}"
END = "of MAML by random search, by the loss it ends with."


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((6.2, 4.1, 9.9), "6.20 runs (4.10 to 9.90)"),
        ((6.2, 4.1, INF), "6.20 runs (4.10 to over 169)"),
        ((6.2,), "6.20 runs"),
        ((1.5, -INF, 2.0), "1.50 runs (under 1 to 2.00)"),
        ((INF, 12.0, INF), "over 169 runs (12.0 to over 169)"),
        ((INF, INF, INF), "over 169 runs"),
        ((-INF, -INF, 2.0), "less than one run (under 1 to 2.00)"),
        ((-INF, -INF, -INF), "less than one run"),
    ],
)
def test_the_headline(numbers: tuple[float, ...], words: str) -> None:
    found = headline(raced(worth(DEFAULT, *numbers), worth(ANY_PAIR, 3.0), **CHOSEN))
    assert found == f"{OURS}, is worth {words} {END}"


@pytest.mark.parametrize(
    ("racers", "who"),
    [
        ((ANY_PAIR, LOG_DEFAULT), "Alpha-MAML at random initial rates, with hyper-rates drawn at random too"),
        ((LOG_DEFAULT,), LOG),
    ],
)
def test_where_the_default_did_not_run(racers: tuple[str, ...], who: str) -> None:
    found = headline(raced(*(worth(name, 2.5) for name in racers), **CHOSEN))
    assert found == f"On league-5way, one run of {who}, is worth 2.50 runs {END}"


def test_where_there_was_nothing_to_choose() -> None:
    assert "with hyper-rates as the grid has them, is" in headline(
        raced(worth(DEFAULT, 2.5), alpha_maml_default={})
    )


def test_where_alpha_maml_did_not_run() -> None:
    (only,) = in_short(raced(row("tuning_cost", RANDOM, None, 900.0)))
    assert only == "On league-5way, Alpha-MAML did not run, so this race does not say what its run is worth."


def test_what_goes_with_it() -> None:
    tuners = {TPE: (4.0, 0.1), ASHA: (-INF, 0.1), PBT: (INF, 0.1)}
    rows = [
        *(
            row("worth_by_loss", DEFAULT, name, value, first=first, last=33.1)
            for name, (value, first) in tuners.items()
        ),
        row("tuning_cost", DEFAULT, None, 300.0),
        row("tuning_cost", DEFAULT, RANDOM, 0.25, low=0.2, high=0.3),
        row("gain_by_search", SEARCHED, DEFAULT, -0.1, of="1"),
        row("gain_by_search", SEARCHED, DEFAULT, 0.2, of="4"),
        row("gain_by_search", SEARCHED, ANY_PAIR, 0.3, of="16"),
    ]
    _, *others = in_short(raced(worth(DEFAULT, 6.2), worth(LOG_DEFAULT, 25.0), *rows, **CHOSEN))
    assert others == [
        "It is worth 4.00 runs of MAML by TPE, less than 0.1 runs by ASHA and over 33.1 runs by PBT.",
        "Until it reaches a training loss of 0.9, random search over its initial rates is expected to spend "
        "300 iterations, 0.250 (0.200 to 0.300) of what it takes over MAML's.",
        "Drawing its hyper-rates anew for each run as well changes the expected best loss after 4 budgets by "
        "0.200.",
        f"On league-5way, one run of {LOG}, is worth 25.0 runs {END}",
    ]


@pytest.mark.parametrize(
    ("why", "verb"),
    [("never in 1 of 3 seeds", "never reaches"), ("not always in 1 of 3 seeds", "does not always reach")],
)
def test_a_target_that_is_never_reached(why: str, verb: str) -> None:
    cost = row("tuning_cost", ANY_PAIR, None, INF, why=why)
    words = f"Random search over its initial rates {verb} a training loss of 0.9 in 1 of 3 seeds."
    assert in_short(raced(worth(ANY_PAIR, 2.0), cost))[1:] == (words,)


def test_a_target_that_maml_never_reaches() -> None:
    why = "random search over MAML's rates reaches it never in 2 of 3 seeds"
    costs = [row("tuning_cost", DEFAULT, None, 300.0), row("tuning_cost", DEFAULT, RANDOM, math.nan, why=why)]
    theirs = in_short(raced(worth(DEFAULT, 2.0), *costs, **CHOSEN))
    assert theirs[1].endswith(f"is expected to spend 300 iterations; {why}.")


def test_one_tuner_alone() -> None:
    ended = row("worth_by_loss", DEFAULT, TPE, math.nan, why="no run has ended")
    found = in_short(raced(worth(DEFAULT, 2.0), ended, row("worth_by_loss", DEFAULT, PBT, 3.0), **CHOSEN))
    assert found[1:] == ("It is worth 3.00 runs of MAML by PBT.",)


def test_a_grid_of_ones_own_is_not_of_the_league() -> None:
    numbers = row("worth_by_loss", DEFAULT, RANDOM, 3.0)
    ours = raced(numbers, **{DEFAULT: {"alpha_hyperlr": 0.1}})
    assert "chosen on the league's other grids" in headline(ours)
    assert "chosen on the league's grids" in headline(replace(ours, grid="mine"))
