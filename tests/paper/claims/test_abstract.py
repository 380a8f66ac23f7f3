"""C14: Alpha-MAML with hyper-rates of 0 beside MAML."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.paper.claims import abstract
from harness.paper.claims.abstract import C14
from harness.paper.judging.verdict import Verdict
from tests.paper.claims.runs import BUDGET, NO_FACTS, TUNED, UNTUNED, records, run

c14 = C14.judge
HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN


CURVE = [3.0 - 0.01 * i for i in range(BUDGET)]


def test_c14_equal_over_the_rows_that_both_have():
    """MAML ran on: the limit's last row has a validation and no beta, MAML's row the reverse."""
    both = records(run(TUNED, losses=CURVE), run(TUNED, (0.0, 0.0), CURVE[:8]))
    judged = c14(both, NO_FACTS)
    assert judged.strict.verdict == HOLDS
    assert "8 rows" in judged.strict.why
    assert len(judged.cells) == 2
    assert judged.seeds == (0,)


def test_c14_one_bit_is_enough():
    other = [*CURVE[:4], math.nextafter(CURVE[4], 4), *CURVE[5:]]
    both = records(run(TUNED, losses=CURVE), run(TUNED, (0.0, 0.0), other))
    judged = c14(both, NO_FACTS)
    assert judged.strict.verdict == FAILS
    assert "train_loss at iteration 5" in judged.strict.why
    trial, rows = run(TUNED, (0.0, 0.0), CURVE[:8])
    for name, at in (("beta", 6), ("val_loss", 3), ("alpha", 7)):
        moved = [dict(row, **{name: 9.0}) if i == at else row for i, row in enumerate(rows)]
        judged = c14(records(run(TUNED, losses=CURVE), (trial, moved)), NO_FACTS)
        assert judged.strict.verdict == FAILS, name
        assert f"{name} at iteration {at + 1}" in judged.strict.why


def test_c14_with_a_run_cut_at_its_grids_budget():
    """It has as many rows as the limit, but its last one has an update and no validation."""
    limit = run(TUNED, (0.0, 0.0), CURVE[:8])
    trial, rows = run(TUNED, losses=CURVE)
    cut = (trial | {"iterations_run": 8}, rows[:8])
    assert c14(records(cut, limit), NO_FACTS).strict.verdict == HOLDS
    lost = (trial, [*rows[:7], rows[7] | {"train_loss": math.nan}])  # no end explains that
    judged = c14(records(lost, limit), NO_FACTS)
    assert judged.strict.verdict == FAILS
    assert "train_loss at iteration 8" in judged.strict.why


def test_c14_with_two_whole_runs_that_differ_in_the_last_row():
    """Both have a validation there, so ending there does not explain a difference."""
    two = records(run(TUNED, losses=CURVE), run(TUNED, (0.0, 0.0), CURVE, val=9.0))
    judged = c14(two, NO_FACTS)
    assert judged.strict.verdict == FAILS
    assert f"val_loss at iteration {BUDGET}" in judged.strict.why


def test_c14_compares_within_each_grid_that_has_hyper_rates_of_zero():
    """MAML's longest run, the pooled one, was made elsewhere."""
    limit = run(TUNED, (0.0, 0.0), CURVE[:8])
    pooled = records(run(TUNED, losses=CURVE, device="cuda"), limit)
    own = records(run(TUNED, losses=CURVE[:8]), limit)
    assert c14(pooled, NO_FACTS).strict.verdict == OPEN
    parted = records(run(TUNED, losses=[*CURVE[:7], 9.0]), limit)  # whatever another grid says, they part
    for grids in ((own, parted), (parted, own)):
        assert c14(replace(pooled, limits=grids), NO_FACTS).strict.verdict == FAILS
    alone = records(limit)  # a grid that leaves MAML to others
    judged = c14(replace(pooled, limits=(alone, own, own)), NO_FACTS)
    assert judged.strict.verdict == HOLDS
    assert judged.strict.why == "1 of 1 runs equal MAML's bit for bit, over 8 rows"
    assert c14(replace(own, limits=(alone,)), NO_FACTS).strict.verdict == HOLDS


def test_c14_a_pair_that_fails_outweighs_one_that_cannot_be_compared():
    equal = (run(TUNED, losses=CURVE), run(TUNED, (0.0, 0.0), CURVE))
    alone = run(UNTUNED, (0.0, 0.0), CURVE)
    assert c14(records(*equal), NO_FACTS).strict.verdict == HOLDS
    assert c14(records(*equal, alone), NO_FACTS).strict.verdict == OPEN
    parted = (run(UNTUNED, losses=CURVE[::-1]), alone)
    assert c14(records(*equal, *parted), NO_FACTS).strict.verdict == FAILS
    not_run = run(UNTUNED, losses=None)
    assert c14(records(*equal, not_run, alone), NO_FACTS).strict.verdict == OPEN


@pytest.mark.parametrize("name", abstract.SAME_RUN)
def test_c14_runs_on_different_machines_cannot_be_compared(name):
    other = run(TUNED, (0.0, 0.0), CURVE[::-1], **{name: 4})
    judged = c14(records(run(TUNED, losses=CURVE), other), NO_FACTS)
    assert judged.strict.verdict == OPEN
    assert name in judged.strict.why


def test_c14_needs_the_same_pair_and_seed_and_both_hyper_rates_zero():
    elsewhere = [run(TUNED, losses=CURVE, seed=1), run(UNTUNED, losses=CURVE)]
    assert c14(records(*elsewhere, run(TUNED, (0.0, 0.0), CURVE)), NO_FACTS).strict.verdict == OPEN
    one_zero = run(TUNED, (0.0, 1e-6), CURVE)
    assert c14(records(run(TUNED, losses=CURVE), one_zero), NO_FACTS).cells == ()
