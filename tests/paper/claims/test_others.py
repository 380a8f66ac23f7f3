"""C13 to C16 by hand: one that holds, one that fails, one that cannot be told."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.paper.claims import others
from harness.paper.claims.judged import Verdict
from harness.paper.reading import Facts
from tests.paper.claims.runs import BUDGET, NO_FACTS, TUNED, UNTUNED, records, run, verdicts

HOLDS, FAILS, OPEN = Verdict


def cost(passes=2, extra=1.0, interval=(0.99, 1.04)):
    return Facts(
        cost={
            "passes": {"maml": 2, "alpha-maml": passes},
            "memory": {"extra_in_theta": extra, "state_extra_in_theta": 1.0},
            "time": {"ratio_median": 1.02, "ratio_interval": list(interval)},
        },
        noise=None,
        data=None,
    )


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (cost(), (HOLDS, HOLDS)),
        (cost(extra=1.01, interval=(0.9, 1.05)), (HOLDS, HOLDS)),
        (cost(passes=3), (FAILS, FAILS)),
        (cost(extra=1.02), (FAILS, FAILS)),
        (cost(interval=(1.06, 1.1)), (FAILS, HOLDS)),
        (cost(interval=(1.0, 1.1)), (OPEN, HOLDS)),
        (cost(passes=3, interval=(1.0, 1.1)), (FAILS, FAILS)),
        (NO_FACTS, (OPEN, OPEN)),
    ],
)
def test_c13(facts, expected):
    assert verdicts(others.c13(records(), facts)) == expected


# C14


CURVE = [3.0 - 0.01 * i for i in range(BUDGET)]


def test_c14_equal_over_the_rows_that_both_have():
    """MAML ran on; the limit's last row has a validation and no beta, where MAML's has the contrary."""
    both = records(run(TUNED, losses=CURVE), run(TUNED, (0.0, 0.0), CURVE[:8]))
    judged = others.c14(both, NO_FACTS)
    assert judged.strict.verdict == HOLDS
    assert "8 rows" in judged.strict.why
    assert len(judged.cells) == 2
    assert judged.seeds == (0,)


def test_c14_one_bit_is_enough():
    other = [*CURVE[:4], math.nextafter(CURVE[4], 4), *CURVE[5:]]
    both = records(run(TUNED, losses=CURVE), run(TUNED, (0.0, 0.0), other))
    judged = others.c14(both, NO_FACTS)
    assert judged.strict.verdict == FAILS
    assert "train_loss of iteration 5" in judged.strict.why
    trial, rows = run(TUNED, (0.0, 0.0), CURVE[:8])
    for name, at in (("beta", 6), ("val_loss", 3), ("alpha", 7)):
        moved = [dict(row, **{name: 9.0}) if i == at else row for i, row in enumerate(rows)]
        judged = others.c14(records(run(TUNED, losses=CURVE), (trial, moved)), NO_FACTS)
        assert judged.strict.verdict == FAILS, name
        assert f"{name} of iteration {at + 1}" in judged.strict.why


def test_c14_of_a_run_that_its_grid_cut_at_the_budget():
    """It has as many rows as the limit, but its last one has its update and no validation."""
    limit = run(TUNED, (0.0, 0.0), CURVE[:8])
    trial, rows = run(TUNED, losses=CURVE)
    cut = (trial | {"iterations_run": 8}, rows[:8])
    assert others.c14(records(cut, limit), NO_FACTS).strict.verdict == HOLDS
    lost = (trial, [*rows[:7], rows[7] | {"train_loss": math.nan}])  # no end explains that
    judged = others.c14(records(lost, limit), NO_FACTS)
    assert judged.strict.verdict == FAILS
    assert "train_loss of iteration 8" in judged.strict.why


def test_c14_of_two_whole_runs_that_part_in_the_last_row():
    """Both have a validation there, so that both ended there explains no difference."""
    two = records(run(TUNED, losses=CURVE), run(TUNED, (0.0, 0.0), CURVE, val=9.0))
    judged = others.c14(two, NO_FACTS)
    assert judged.strict.verdict == FAILS
    assert f"val_loss of iteration {BUDGET}" in judged.strict.why


def test_c14_looks_within_each_grid_that_asks_for_the_limit():
    """MAML's longest run, the one that is pooled, was made elsewhere."""
    limit = run(TUNED, (0.0, 0.0), CURVE[:8])
    pooled = records(run(TUNED, losses=CURVE, device="cuda"), limit)
    own = records(run(TUNED, losses=CURVE[:8]), limit)
    assert others.c14(pooled, NO_FACTS).strict.verdict == OPEN
    parted = records(run(TUNED, losses=[*CURVE[:7], 9.0]), limit)  # whatever another grid says, they part
    for grids in ((own, parted), (parted, own)):
        assert others.c14(replace(pooled, limits=grids), NO_FACTS).strict.verdict == FAILS
    alone = records(limit)  # a grid that leaves MAML to others
    judged = others.c14(replace(pooled, limits=(alone, own, own)), NO_FACTS)
    assert judged.strict.verdict == HOLDS
    assert judged.strict.why == "1 of 1 runs equal MAML's bit for bit, in 8 rows"
    assert others.c14(replace(own, limits=(alone,)), NO_FACTS).strict.verdict == HOLDS


def test_c14_a_pair_that_fails_outweighs_one_that_cannot_be_compared():
    equal = (run(TUNED, losses=CURVE), run(TUNED, (0.0, 0.0), CURVE))
    alone = run(UNTUNED, (0.0, 0.0), CURVE)
    assert others.c14(records(*equal), NO_FACTS).strict.verdict == HOLDS
    assert others.c14(records(*equal, alone), NO_FACTS).strict.verdict == OPEN
    parted = (run(UNTUNED, losses=CURVE[::-1]), alone)
    assert others.c14(records(*equal, *parted), NO_FACTS).strict.verdict == FAILS
    not_run = run(UNTUNED, losses=None)
    assert others.c14(records(*equal, not_run, alone), NO_FACTS).strict.verdict == OPEN


@pytest.mark.parametrize("name", others.SAME_RUN)
def test_c14_runs_of_another_machine_say_nothing(name):
    other = run(TUNED, (0.0, 0.0), CURVE[::-1], **{name: 4})
    judged = others.c14(records(run(TUNED, losses=CURVE), other), NO_FACTS)
    assert judged.strict.verdict == OPEN
    assert name in judged.strict.why


def test_c14_is_of_the_same_pair_and_seed_and_of_both_hyper_rates():
    elsewhere = [run(TUNED, losses=CURVE, seed=1), run(UNTUNED, losses=CURVE)]
    assert others.c14(records(*elsewhere, run(TUNED, (0.0, 0.0), CURVE)), NO_FACTS).strict.verdict == OPEN
    one_zero = run(TUNED, (0.0, 1e-6), CURVE)
    assert others.c14(records(run(TUNED, losses=CURVE), one_zero), NO_FACTS).cells == ()


# C15


def counted(losses, first, sustained, outcome="reached", target=2.5, **more):
    counts = {"iterations_to_target": first, "iterations_to_target_sustained": sustained}
    return run(TUNED, losses=losses, target_loss=target, outcome=outcome, **counts, **more)


PASSING = [3.0] * 4 + [2.4] + [3.0] * 5 + [2.0] * 10
"""First at 5. The mean of 5 ... 14 is (2.4 + 5 x 3 + 4 x 2) / 10 = 2.54, that of 6 ... 15 is 2.5."""


def test_c15_counts_as_the_losses_say():
    assert others.c15(records(counted(PASSING, 5, 15)), NO_FACTS).strict.verdict == HOLDS
    assert (
        others.c15(records(counted([3.0] * BUDGET, None, None, "budget")), NO_FACTS).strict.verdict == HOLDS
    )


@pytest.mark.parametrize(
    ("one", "what"),
    [
        (counted(PASSING, 6, 15), "iterations_to_target is 6"),
        (counted(PASSING, None, 15), "iterations_to_target is None"),
        (counted(PASSING, 5, 14), "iterations_to_target_sustained is 14"),
        (counted([3.0] * BUDGET, 20, None, "budget"), "None by the trajectory"),
        (counted([3.0] * BUDGET, None, None), "outcome is reached"),
        (counted(PASSING, 5, 15, iterations_run=19), "iterations_run is 19"),
        (counted(PASSING, 5, 15, target=math.nan), "outcome is reached"),
    ],
)
def test_c15_a_table_that_says_otherwise(one, what):
    judged = others.c15(records(one, run(UNTUNED)), NO_FACTS)
    assert judged.strict.verdict == FAILS
    assert what in judged.strict.why
    assert judged.cells == (one[0]["cell_id"],)


def test_c15_a_higher_target_passed_later(monkeypatch):
    """No losses can do that: it would be the fault of the passages."""
    monkeypatch.setattr(others, "first_passage", lambda losses, target: 5 if target == 2.5 else 6)
    judged = others.c15(records(counted(PASSING, 5, 15)), NO_FACTS)
    assert judged.strict.verdict == FAILS
    assert "first passage of 2.99 after that of 2.5" in judged.strict.why


def test_c15_what_is_not_run_tells_nothing():
    nothing = others.c15(records(run(TUNED, losses=None)), NO_FACTS)
    assert nothing.strict.verdict == OPEN
    assert nothing.cells
    failed = run(UNTUNED, losses=[], ending="failed", outcome="failed")
    assert others.c15(records(failed), NO_FACTS).strict.verdict == OPEN


# C16


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, HOLDS), ({"alphabets": 49}, FAILS), ({"in_both": 1}, FAILS), ({"in_both": None}, OPEN)],
)
def test_c16(change, expected):
    facts = replace(NO_FACTS, data=others.DATA | {"name": "omniglot"} | change)
    assert others.c16(records(), facts).strict.verdict == expected


def test_c16_not_described():
    assert others.c16(records(), NO_FACTS).strict.verdict == OPEN
