"""Your records beside the reference, on tables of a few cells."""

import math
from dataclasses import replace

import pandas as pd
import pytest

from harness.analysis.comparison import EQUAL, OUTCOME, OUTSIDE, WITHIN, compare
from harness.analysis.rounding import Interval, Rounding
from harness.common.errors import UserError
from tests.analysis.tables import table, trial
from tests.readings import reading

FIRST = Interval(low=-5, high=5, low_share=-0.1, high_share=0.1)
YARDSTICK = Rounding(first=FIRST, sustained=None, runs=4, one_missed=0, points=pd.DataFrame())
REFERENCE = table(
    trial("a", 100, 110),
    trial("b", 50, 60),
    trial("c", 50, 60),
    trial("d", "budget"),
    trial("e", "budget"),
    trial("f", 30, 40),
    trial("g", None),
    trial("h", 20, 30),
    trial("s", 77, 87, seed=1),
)
MINE = table(
    trial("a", 100, 110),
    trial("b", 55, 60),
    trial("c", 44, 60),
    trial("d", "budget"),
    trial("e", "diverged"),
    trial("f", "budget"),
    trial("g", 12, 25),
    trial("h", "failed"),
    trial("x", 9, 20),
    trial("t", 70, 80, seed=7),
)


def test_cell_by_cell():
    cells = compare(MINE, REFERENCE, YARDSTICK).cells.set_index("cell_id")
    assert list(cells.index) == ["a", "b", "c", "d", "e", "f", "g", "h", "x"]  # seeds 1 and 7 are not shared
    assert cells["first_agreement"].dropna().to_dict() == {
        "a": EQUAL, "b": WITHIN, "c": OUTSIDE, "d": EQUAL, "e": OUTCOME, "f": OUTCOME,
    }  # fmt: skip
    assert cells["first_difference"].dropna().to_dict() == {"a": 0, "b": 5, "c": -6}
    assert cells.loc["e", ["outcome_mine", "outcome_reference"]].tolist() == ["diverged", "budget"]
    assert math.isnan(cells.loc["f", "first_mine"])
    assert cells.loc["x", "method"] == "maml"


def test_seed_by_seed():
    first, sustained = compare(MINE, REFERENCE, YARDSTICK).seeds.to_dict("records")
    assert first == {
        "seed": 0, "passage": "first", "in_both": 6, "equal": 2, "within": 1, "outside": 1,
        "other_outcome": 2, "median_difference": 5, "only_mine": 2, "only_reference": 1,
    }  # fmt: skip
    assert sustained["passage"] == "sustained"
    assert (sustained["equal"], sustained["other_outcome"], sustained["median_difference"]) == (4, 2, 0)


def test_without_a_yardstick_counts_that_differ_are_outside():
    cells = compare(MINE, REFERENCE, None).cells.set_index("cell_id")
    assert cells.loc[["a", "b"], "first_agreement"].tolist() == [EQUAL, OUTSIDE]
    assert compare(MINE, REFERENCE, replace(YARDSTICK, first=None)).seeds["within"].tolist() == [0, 0]


def test_notes_name_other_seeds_machines_and_versions():
    assert compare(MINE, REFERENCE, YARDSTICK).notes == (
        "seed 7 is not in the reference, so it is not compared",
    )
    mine = MINE[MINE["seed"] == 0].assign(device="cuda", torch="2.12", numerics=2)
    assert compare(mine, REFERENCE, YARDSTICK).notes == (
        "numerics: yours 2, the reference's 1",
        "device: yours cuda, the reference's cpu",
        "torch: yours 2.12, the reference's 2.13",
    )
    only_elsewhere = MINE.assign(device=["cpu"] * 6 + ["cuda"] * 4)  # of cells that are not compared
    assert len(compare(only_elsewhere, REFERENCE, YARDSTICK).notes) == 1


def test_a_note_where_rounding_was_not_measured():
    points = pd.DataFrame([reading("paper-adam"), reading("paper-adam, k_shot=5")])
    measured = replace(YARDSTICK, points=points)
    note = "rounding was measured under paper-adam; k_shot=5 alone"
    assert note not in compare(MINE, REFERENCE, measured).notes
    elsewhere = [trials.assign(**reading("paper-sgd")) for trials in (MINE, REFERENCE)]
    assert note in compare(*elsewhere, measured).notes
    assert compare(*elsewhere, None).notes == compare(MINE, REFERENCE, None).notes


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"dataset": "glyphs"}, "data set: yours is glyphs, the reference's omniglot"),
        (reading("paper-sgd"), "protocol: yours is paper-sgd, the reference's paper-adam"),
        ({"target_loss": 2.99}, "target: yours is 2.99, the reference's 2.5"),
        ({"max_iterations": 100}, "budget: yours is 100, the reference's 500"),
    ],
)
def test_another_question_is_refused(change, says):
    with pytest.raises(UserError, match=says):
        compare(MINE.assign(**change), REFERENCE, YARDSTICK)


def test_labels_are_not_compared():
    """Two tables may give one protocol different labels, and different protocols the same one."""
    named = compare(MINE.assign(protocol="a"), REFERENCE.assign(protocol="b"), YARDSTICK)
    assert named.seeds["in_both"].tolist() == [6, 6]
    other = reading("paper-sgd") | {"protocol": "paper-adam"}
    with pytest.raises(UserError, match="protocol: yours is paper-sgd, the reference's paper-adam"):
        compare(MINE.assign(**other), REFERENCE, YARDSTICK)


def test_some_readings_of_several_can_be_compared():
    more = table(trial("a", 100, 110), trial("k", 5, 15, **reading("paper-adam, k_shot=5")))
    assert compare(more, REFERENCE, YARDSTICK).seeds["in_both"].tolist() == [1, 1]


def test_nothing_to_compare():
    with pytest.raises(UserError, match="nothing to compare"):
        compare(table(trial("a", None), trial("g", 3)), REFERENCE, YARDSTICK)
    with pytest.raises(UserError, match="nothing to compare"):
        compare(MINE[MINE["seed"] == 7], REFERENCE, YARDSTICK)
    with pytest.raises(UserError, match="has no target"):
        compare(MINE, REFERENCE.assign(target_loss=math.nan), YARDSTICK)


def test_columns_that_only_one_side_has_are_null_on_the_other():
    """An older reference has hyper-rates that MAML lacks; a grid without data sets has no column of them."""
    newer = MINE.drop(columns=["alpha_hyperlr", "beta_hyperlr"]).assign(steps=5)
    cells = compare(newer, REFERENCE, YARDSTICK).cells
    assert cells["alpha_hyperlr"].isna().all()
    assert cells.set_index("cell_id")["steps"].dropna().to_dict() == {"x": 5}  # the others are named there
    neither = [trials.drop(columns=["dataset", "n_way"]) for trials in (MINE, REFERENCE)]
    assert compare(*neither, YARDSTICK).seeds["in_both"].tolist() == [6, 6]
    with pytest.raises(UserError, match="data set: yours is none, the reference's omniglot"):
        compare(neither[0], REFERENCE, YARDSTICK)
