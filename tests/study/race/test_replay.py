"""Optuna's tuners on a table: what they reduce to when they know nothing."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import optuna
import pytest

from harness.common.errors import UserError
from harness.study.race import racers, replay
from harness.study.race.racers import PARTS, Axis
from tests.study.race.made import BUDGET, EVERY, searched

KNOWN = searched(levels=(3, 3))


def test_a_random_sampler_comes_to_random_search() -> None:
    """A setting that is asked for again costs nothing, so its order is that of search without replacement."""
    repeats = 100
    tried = [
        replay.replay(KNOWN, 0, optuna.samplers.RandomSampler(seed=number), trials=60)
        for number in range(repeats)
    ]
    assert np.mean([len(one.settings) == 9 for one in tried]) > 0.95
    axis = Axis(budget=BUDGET, runs=9)
    one_seed = KNOWN.of_seeds([0])
    mean = racers.by_repeats("a", [[racers.of_tried(one, one_seed, 0) for one in tried]], axis)
    exact = racers.by_random_search("b", [one_seed], axis)
    whole = np.arange(1, 10) * PARTS
    spread = 4 * float(np.std(one_seed.loss)) / np.sqrt(repeats)
    np.testing.assert_allclose(mean.best[whole], exact.best[whole], atol=spread)
    np.testing.assert_allclose(mean.chance, exact.chance, atol=4 * 0.5 / np.sqrt(repeats))
    np.testing.assert_allclose(mean.told[whole], exact.told[whole], atol=4 * 0.5 / np.sqrt(repeats))
    assert mean.cost == pytest.approx(exact.cost, rel=0.2)


def test_halving_that_never_gives_up_is_the_order_itself() -> None:
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=10**6)
    order = [4, 0, 8, 2]
    tried = replay.replay(KNOWN, 1, optuna.samplers.RandomSampler(), pruner, order=order)
    assert [*tried.settings] == order
    assert [*tried.iterations] == KNOWN.ran[order, 1].tolist()


def test_halving_gives_up_all_but_the_best_quarter_at_each_rung() -> None:
    """By hand: the first goes on, as the best so far; later ones if they are among the best quarter."""
    known = searched(levels=(4, 4), diverged=0)
    tried = replay.asha(known, 0, 5)
    assert sorted(tried.settings) == [*range(16)]
    seen: dict[int, list[float]] = {}
    for at, ran in zip(tried.settings, tried.iterations, strict=True):
        wanted = BUDGET
        for rung in (EVERY,):  # the next, 100, is the budget
            loss = known.validation[at, 0, known.steps.tolist().index(rung)]
            rivals = sorted([*seen.setdefault(rung, []), loss])
            seen[rung].append(loss)
            if loss > rivals[max(len(rivals) // 4, 1) - 1]:
                wanted = rung
                break
        assert ran == wanted
    assert EVERY in tried.iterations


def test_a_run_without_a_number_at_a_rung_is_judged_by_its_next() -> None:
    """The worst of all is given up one validation later than it would be, and not let off."""
    known = searched(levels=(4, 4), seeds=1, diverged=0)
    worst = int(known.validation[:, 0, 1].argmax())
    order = [*(at for at in range(16) if at != worst), worst]
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=EVERY, reduction_factor=4)
    known.validation[worst, 0, 2:] = 9.0
    for seen, given_up in ((known.validation[worst, 0, 1], EVERY), (np.nan, 2 * EVERY)):
        known.validation[worst, 0, 1] = seen
        tried = replay.replay(known, 0, optuna.samplers.RandomSampler(), pruner, order=order)
        assert (tried.settings[-1], tried.iterations[-1]) == (worst, given_up)


def test_what_a_halved_run_has_told() -> None:
    known = searched(levels=(4, 4), diverged=0)
    path = racers.of_tried(replay.Tried(settings=(3, 5), iterations=(EVERY, BUDGET)), known, 0)
    assert path.spent.tolist() == [EVERY, EVERY + BUDGET]
    assert path.told.tolist() == [known.validation[3, 0, 1], known.loss[5, 0]]
    capped = replace(known, worst=0.5)  # what untrained weights have
    assert racers.of_tried(replay.Tried(settings=(3,), iterations=(EVERY,)), capped, 0).told.tolist() == [0.5]


@pytest.mark.parametrize("tuner", [replay.tpe, replay.asha])
def test_the_same_seed_the_same_runs(tuner: object) -> None:
    assert callable(tuner)
    assert tuner(KNOWN, 0, 7) == tuner(KNOWN, 0, 7)
    assert tuner(KNOWN, 0, 7) != tuner(KNOWN, 0, 8)


def test_tpe_learns() -> None:
    """On a bowl it is better than random search after half of the settings."""
    known = searched(levels=(9, 9), seeds=1, diverged=0)
    places = np.indices((9, 9)).reshape(2, -1)
    known.loss[:, 0] = ((places - np.array([[6], [3]])) ** 2).sum(0)
    axis = Axis(budget=BUDGET, runs=81)
    paths = [racers.of_tried(replay.tpe(known, 0, number), known, 0) for number in range(2)]
    assert (
        racers.by_repeats("tpe", [paths], axis).best[25 * PARTS]
        < racers.by_random_search("random", [known], axis).best[25 * PARTS]
    )


def test_no_full_grid() -> None:
    with pytest.raises(UserError, match="its 8 settings are no full grid"):
        replay.asha(KNOWN.only([*range(8)]), 0, 0)


def test_without_optuna_there_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UserError, match=r"^the race needs Optuna: python -m pip install optuna==\d"):
        replay.optuna()


def test_the_version_is_the_pinned_one() -> None:
    assert optuna.__version__ == replay.VERSION
