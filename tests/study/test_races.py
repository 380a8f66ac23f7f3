"""The races on docs/sensitivity.md: their numbers from the records again, and what the page says of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.common import places
from harness.common.errors import UserError
from harness.records import reference, tables
from harness.study import league, league_tables, races
from harness.study.league import LEAGUE, TARGETS
from harness.study.page import PAGE, README
from harness.study.race import contenders, headline
from harness.study.race.contenders import (
    ANY_PAIR,
    ASHA,
    COARSE,
    DEFAULT,
    LOG_DEFAULT,
    PBT,
    RANDOM,
    SEARCHED,
    TITLES,
    TPE,
)
from harness.study.standings import REPORT

KEY = ["measure", "racer", "other", "of"]


@pytest.mark.parametrize("grid", LEAGUE)
def test_what_needs_no_repeats_comes_out_again(grid: str, tmp_path: Path) -> None:
    """Everything but TPE, ASHA and PBT is a sum over the reference records."""
    given = contenders.Given(
        grid=grid,
        target=TARGETS[grid],
        fine=tables.read(reference.find(league.fine(grid))),
        coarse=league_tables.read(grid),
        others={name: league_tables.read(name) for name in league.others(grid)},
        folder=tmp_path,
        repeats={},
    )
    again = contenders.run(given)
    kept = races.raced(grid)
    assert (again.seeds, again.axis.budget) == (REPORT, kept.budget)
    assert again.chosen == kept.chosen
    found = headline.numbers(again)
    wanted = kept.numbers.merge(found[KEY], on=KEY)
    assert len(wanted) == len(found) > 20
    columns = ["value", "low", "high"]
    both = (frame.sort_values(KEY)[columns].to_numpy(float) for frame in (wanted, found))
    np.testing.assert_allclose(*both, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("grid", LEAGUE)
def test_everybody_ran(grid: str) -> None:
    numbers = races.raced(grid).numbers
    assert {*numbers["racer"]} == {*TITLES}
    assert {*numbers["seeds"]} == {len(REPORT)}


def worths(racer: str, other: str = RANDOM) -> dict[str, pd.Series]:
    found = {}
    for grid in LEAGUE:
        rows = races.raced(grid).numbers
        same = (rows["measure"] == "worth_by_loss") & (rows["racer"] == racer) & (rows["other"] == other)
        (found[grid],) = (row for _, row in rows[same].iterrows())
    return found


WORDS, FIRST_SCREEN = (" ".join(path.read_text().split()) for path in (PAGE, README))


def test_what_is_said_of_one_run() -> None:
    alpha, log = worths(DEFAULT), worths(LOG_DEFAULT)
    assert [np.isneginf(row["value"]) for row in alpha.values()] == [False, True, True]
    said = f"{alpha[LEAGUE[0]]['value']:.3g}"
    assert f"is worth {said} runs of MAML on `league-5way`, and less than one on the other two grids" in WORDS
    first, second, third = (f"{row['value']:.3g}" for row in log.values())
    assert f"one run is worth {first}, {second} and {third} runs of MAML by random search" in WORDS
    assert f"as low as the best of {first}, {second} and {third} runs of MAML by random search" in WORDS
    assert f"is worth {said} runs on one problem, and less than one on the other two" in WORDS
    assert f"by random search: {first}, {second} and {third} with that knob" in FIRST_SCREEN
    assert f"chosen likewise, {said} on one problem and less than one on the other two" in FIRST_SCREEN


def test_what_is_said_of_asha_and_of_blind_choices() -> None:
    asha = [float(row["value"]) for row in worths(LOG_DEFAULT, ASHA).values()]
    assert f"between {min(asha):.2f} and {max(asha):.2f} by ASHA" in WORDS
    ratios = {name: [cost(grid, name, RANDOM) for grid in LEAGUE] for name in (ASHA, TPE, PBT, COARSE)}
    assert f"{min(ratios[ASHA]):.2f} to {max(ratios[ASHA]):.2f} of what random search does" in WORDS
    for at, best in enumerate(ratios[ASHA]):
        assert best == min(own[at] for own in ratios.values())
    for grid in LEAGUE:
        assert single_loss(grid, SEARCHED) < single_loss(grid, DEFAULT)
        rows = races.raced(grid).numbers
        gains = rows[(rows["measure"] == "gain_by_search") & rows["of"].isin(["4", "16"])]
        assert {*gains["other"]} == {DEFAULT, ANY_PAIR}
        assert (gains["high"] < 0).all()
    assert [np.isinf(cost(grid, DEFAULT)) for grid in LEAGUE] == [False, True, True]


def cost(grid: str, racer: str, other: str | None = None) -> float:
    rows = races.raced(grid).numbers
    beside = rows["other"].isna() if other is None else rows["other"] == other
    (value,) = rows[(rows["measure"] == "tuning_cost") & (rows["racer"] == racer) & beside]["value"]
    return float(value)


def single_loss(grid: str, racer: str) -> float:
    """Of a run with a pair of hyper-rates drawn blindly: that of all four searched."""
    rows = races.raced(grid).numbers
    (value,) = rows[(rows["measure"] == "single_loss") & (rows["racer"] == racer)]["value"]
    return float(value)


@pytest.mark.parametrize("make", [races.in_short, lambda: races.draw(LEAGUE[0])], ids=["text", "figure"])
def test_a_race_that_was_not_kept(
    make: Callable[[], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "REFERENCE", tmp_path)
    races.raced.cache_clear()
    says = rf"races/{LEAGUE[0]}/\w+\.parquet: not there; harness race {LEAGUE[0]} --keep makes it$"
    with pytest.raises(UserError, match=says):
        make()
