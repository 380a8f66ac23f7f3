"""Which runs of a table with gaps are measured."""

from __future__ import annotations

import pandas as pd

from tests.analysis.sensitivity.test_runs import read


def test_as_many_runs_count_as_have_the_same_seeds() -> None:
    """Of seeds 0 to 3, settings 1 to 4 have all; 0, 1, 2; 0, 1, 2; and 0 alone: three times three runs."""
    seeds = {1: [0, 1, 2, 3], 2: [0, 1, 2], 3: [0, 1, 2], 4: [0]}
    frame = pd.DataFrame([("a", rate, seed, 1.0) for rate, some in seeds.items() for seed in some])
    frame.columns = ["method", "rate", "seed", "loss"]
    found = read(frame)
    assert found.has_seed.tolist() == [[True, True, True, False]]
    assert found.methods[0].table["rate"].tolist() == [1, 2, 3]
    assert found.notes == (
        "all: seed 3 and 1 setting left out (2 runs): seeds are paired, so only settings that have the same "
        "ones are measured",
    )
    other = pd.concat([frame, pd.DataFrame([("b", 1, 5, 1.0)], columns=frame.columns)])
    found = read(other)  # no seed in common
    assert [one.name for one in found.methods] == ["a"]
    assert found.notes[1:] == ("all: nothing is left of b",)


def test_a_few_gaps_cost_no_seed() -> None:
    """One setting of ten lacks one seed, another lacks another: eight times five runs stay, and not ten times
    three."""
    rows = [("a", rate, seed, 1.0) for rate in range(10) for seed in range(5) if (rate, seed) not in GAPS]
    found = read(pd.DataFrame(rows, columns=["method", "rate", "seed", "loss"]))
    assert found.has_seed.all()
    assert found.methods[0].table["rate"].tolist() == [0, 1, 2, 4, 5, 6, 8, 9]


GAPS = {(3, 0), (7, 4)}


def test_no_method_goes_for_the_sake_of_runs() -> None:
    """b's one setting lacks seed 4: without that seed both methods stay, 40 runs and 4, in place of 50."""
    rows = [("a", rate, seed, 1.0) for rate in range(10) for seed in range(5)]
    rows += [("b", 0, seed, 1.0) for seed in range(4)]
    found = read(pd.DataFrame(rows, columns=["method", "rate", "seed", "loss"]))
    assert [one.name for one in found.methods] == ["a", "b"]
    assert found.has_seed.tolist() == [[True, True, True, True, False]]
