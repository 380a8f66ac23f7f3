"""C10 and C11 on a small Figure 1: one that holds, one that fails, one that cannot be told."""

from __future__ import annotations

import math

import pytest

from harness.paper.claims import figure1
from harness.paper.judging.verdict import Verdict
from harness.paper.reading import Reading
from tests.paper.claims.runs import BUDGET, NO_FACTS, TUNED, UNTUNED, records, run, verdicts

c10, c11 = figure1.C10.judge, figure1.C11.judge
HOLDS, FAILS, OPEN = Verdict
BY_BETA = [(1e-1, bh) for bh in (1e-7, 1e-6, 1e-5)]
BY_ALPHA = [(ah, 1e-6) for ah in (1e-2, 1.0)]
"""Five cells in the two columns of untuned rates; (1e-1, 1e-6) is in both."""


@pytest.fixture(autouse=True)
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure1, "BUDGET", BUDGET)


def ends(*levels, tuned=1.0, baseline=3.0, seed=0):
    """Figure 1 with these final losses of untuned Alpha-MAML, in the order of the cells; None: not run."""
    pairs = zip([*BY_BETA, *BY_ALPHA], levels, strict=True)
    return [
        run(TUNED, losses=level(tuned), seed=seed),
        run(UNTUNED, losses=level(baseline), seed=seed),
        *(run(UNTUNED, hyper, level(end), seed=seed) for hyper, end in pairs),
    ]


def level(loss):
    return None if loss is None else [3.0] * (BUDGET - 10) + [loss] * 10


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((1.0, 1.05, 0.95, 1.09, 0.91), (HOLDS, HOLDS)),
        ((1.0, 1.0, 1.0, 1.0, 0.8), (FAILS, HOLDS)),  # lower is not similar
        ((0.5, 0.5, 0.5, 1.2, 1.2), (FAILS, HOLDS)),
        ((0.5, 0.5, 1.2, 1.2, 1.2), (FAILS, FAILS)),
        ((1.0, 1.0, 1.0, 1.0, None), (OPEN, HOLDS)),
        ((1.0, 1.0, None, 1.2, 1.2), (FAILS, OPEN)),
    ],
)
def test_c10_over_the_cells(levels, expected):
    assert verdicts(c10(records(*ends(*levels)), NO_FACTS)) == expected


def test_c10_needs_a_bad_case_and_a_good_one():
    good = (1.0,) * 5
    assert verdicts(c10(records(*ends(*good, baseline=1.05)), NO_FACTS)) == (FAILS, FAILS)
    assert verdicts(c10(records(*ends(*good, baseline=0.5)), NO_FACTS)) == (HOLDS, FAILS)
    assert verdicts(c10(records(*ends(*good, baseline=None)), NO_FACTS)) == (OPEN, OPEN)
    assert verdicts(c10(records(*ends(*good, tuned=None)), NO_FACTS)) == (OPEN, OPEN)


def test_c10_compares_the_last_ten_losses_and_the_validation_loss():
    tuned, baseline = ends(*(1.0,) * 5)[:2]
    cells = [(hyper, level(1.0)) for hyper in (*BY_BETA, *BY_ALPHA)]
    early = [run(UNTUNED, hyper, [*losses[:10], 1.9, *losses[11:]], val=1.0) for hyper, losses in cells]
    # One loss 0.9 higher moves the mean of ten by 0.09.
    assert c10(records(tuned, baseline, *early), NO_FACTS).strict.verdict == HOLDS
    worse = [run(UNTUNED, hyper, losses, val=1.2) for hyper, losses in cells]
    assert verdicts(c10(records(tuned, baseline, *worse), NO_FACTS)) == (FAILS, FAILS)


def test_c10_a_diverged_run_is_not_similar_and_one_stopped_early_is_unknown():
    tuned, baseline, *cells = ends(*(1.0,) * 5)
    blown = run(UNTUNED, BY_ALPHA[-1], [3.0, math.nan], ending="diverged")
    short = run(UNTUNED, BY_ALPHA[-1], [1.0] * (BUDGET - 1), ending="stopped")
    judged = c10(records(tuned, baseline, *cells[:-1], blown), NO_FACTS)
    assert verdicts(judged) == (FAILS, HOLDS)
    assert judged.numbers["0"]["alpha_hyperlr 1, beta_hyperlr 1e-6"] == ["diverged", "diverged"]
    assert verdicts(c10(records(tuned, baseline, *cells[:-1], short), NO_FACTS)) == (OPEN, HOLDS)
    only_blown = [run(UNTUNED, h, [3.0, math.nan], ending="diverged") for h in (*BY_BETA, *BY_ALPHA)]
    bad = run(TUNED, losses=[3.0, math.nan], ending="diverged")
    assert verdicts(c10(records(bad, baseline, *only_blown), NO_FACTS)) == (FAILS, FAILS)


def test_c10_over_seeds():
    both = records(*ends(*(1.0,) * 5), *ends(1.0, 1.06, 1.02, 1.04, 1.08, seed=1))
    judged = c10(both, NO_FACTS)
    assert judged.strict.verdict == HOLDS
    assert judged.seeds == (0, 1)
    assert judged.interval == pytest.approx((0, 0.04))  # medians over the cells
    parted = records(*ends(*(1.0,) * 5), *ends(*(2.0,) * 5, seed=1))
    judged = c10(parted, NO_FACTS)
    assert verdicts(judged) == (OPEN, OPEN)
    assert "1 of 2 seeds" in judged.strict.why
    assert c10(records(*ends(*(1.0,) * 5)), NO_FACTS).interval is None


def test_figure_1_is_judged_if_both_its_columns_have_cells():
    few = [run(UNTUNED, hyper) for hyper in ((1e-1, 1e-6), (1e-1, 1e-5))]
    for judge in (c10, c11):
        assert judge(records(*few), NO_FACTS).cells == ()
        assert len(judge(records(*few, run(UNTUNED, (1e-2, 1e-6))), NO_FACTS).cells) == 3
        # Elsewhere under paper-sgd, and at other hyper-rates.
        assert judge(records(*ends(*(1.0,) * 5), reading=Reading(preset="paper-sgd")), NO_FACTS).cells == ()
    away = run(UNTUNED, (1.0, 1e-3), level(2.9))
    assert c10(records(*ends(*(1.0,) * 5), away), NO_FACTS).strict.verdict == HOLDS


def climbed(*rises, **more):
    """Untuned cells whose (alpha, beta) end at these multiples of their start; None: not run."""
    return [
        run(UNTUNED, hyper, None)
        if rise is None
        else run(UNTUNED, hyper, alpha=UNTUNED[0] * rise[0], beta=UNTUNED[1] * rise[1], **more)
        for hyper, rise in zip([*BY_BETA, *BY_ALPHA], rises, strict=True)
    ]


UP, FLAT, HALF_UP = (2.0, 1.5), (1.0, 1.0), (2.0, 0.5)


@pytest.mark.parametrize(
    ("rises", "expected"),
    [
        ((UP,) * 5, (HOLDS, HOLDS)),
        ((UP, UP, UP, HALF_UP, FLAT), (FAILS, HOLDS)),
        ((UP, UP, HALF_UP, HALF_UP, FLAT), (FAILS, FAILS)),
        ((UP, UP, UP, UP, None), (OPEN, HOLDS)),
        ((UP, UP, None, FLAT, FLAT), (FAILS, OPEN)),
    ],
)
def test_c11(rises, expected):
    judged = c11(records(*climbed(*rises)), NO_FACTS)
    assert verdicts(judged) == expected
    assert len(judged.cells) == 5


def test_c11_rates_that_made_a_run_diverge_have_not_adapted():
    cells = climbed(*(UP,) * 5)[:-1]
    blown = run(UNTUNED, BY_ALPHA[-1], [3.0, math.nan], ending="diverged", alpha=9.0, beta=9.0)
    assert verdicts(c11(records(*cells, blown), NO_FACTS)) == (FAILS, HOLDS)
