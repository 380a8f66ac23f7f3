"""Which cells a part of Figure 1 shows, and how its lines are told apart."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from harness.plots import style
from harness.plots.lines import DASHED, DASHES, compared, lines_of, matches, worded
from tests.plots import synthetic
from tests.readings import reading


def test_where_ignores_what_a_method_lacks():
    trials = synthetic.trials(synthetic.figure1_cells())
    shown = trials[matches(trials, {"alpha0": [1e-4], "beta_hyperlr": 1e-6})]
    assert (shown["method"] == "maml").sum() == 1
    assert set(shown["beta_hyperlr"].dropna()) == {1e-6}
    assert set(shown["alpha0"]) == {1e-4}
    assert not matches(trials, {"method": "none"}).any()


def test_a_protocol_is_found_by_its_preset_and_changes():
    """Whatever the tables' label says."""
    plain = synthetic.trials(synthetic.figure1_cells())
    other = plain.assign(**reading("paper-adam, meta_batch=8, k_shot=5"))
    both = pd.concat([plain, other], ignore_index=True).assign(protocol="a label is not read")
    assert matches(both, {"protocol": "paper-adam"}).tolist() == [True] * len(plain) + [False] * len(other)
    named = matches(both, {"protocol": ["paper-adam, k_shot=5, meta_batch=8"]})  # in the order of the fields
    assert named.tolist() == [False] * len(plain) + [True] * len(other)


def column(cells):
    """The lines of a column of these cells, without a reference."""
    shown, wording = worded(synthetic.trials(cells))
    return lines_of(shown, shown.iloc[:0], wording)


def alpha(count):
    return [("alpha-maml", 0.1, 1e-3, 0.01 * k, 1e-6) for k in range(1, count + 1)]


@pytest.mark.parametrize("count", range(1, 21))
def test_lines_have_a_colour_or_dashes_of_their_own(count):
    """Colours that are told apart are at least a sixth of the ramp from each other."""
    lines = column(alpha(count))
    places = np.linspace(0, 1, count)
    assert [to_hex(line.colour) for line in lines] == [to_hex(colour) for colour in style.sequence(count)]
    for (one, a), (other, b) in itertools.combinations(zip(places, lines, strict=True), 2):
        assert a.dash != b.dash or abs(one - other) >= 1 / 6 - 1e-9
    if count <= style.TOLD_APART:
        assert {line.dash for line in lines} == {"-"}


def test_methods_at_the_same_rates_share_colours_and_differ_in_dashes():
    frame = synthetic.trials(alpha(10))
    parts = [frame.assign(method=name, cell_id=frame["cell_id"] + name) for name in ("one", "two")]
    shown, wording = worded(pd.concat(parts, ignore_index=True))
    lines = lines_of(shown, shown.iloc[:0], wording)
    assert len(lines) == 20
    assert len({to_hex(line.colour) for line in lines}) == 10
    assert len({(to_hex(line.colour), line.dash) for line in lines}) == 20


def test_many_methods_at_one_point_have_colours_of_their_own():
    (first,) = alpha(1)
    frame = synthetic.trials([first] * 6)
    shown, wording = worded(frame.assign(method=[f"m{k}" for k in range(6)]))
    lines = lines_of(shown, shown.iloc[:0], wording)
    assert len({to_hex(line.colour) for line in lines}) == 6


def test_baselines_are_told_apart_and_are_not_the_reference():
    cells = [("maml", 0.1 + 0.01 * k, 1e-3, NONE, NONE) for k in range(9)]
    lines = column([*cells, *alpha(2)])[:9]
    assert len({(line.colour, line.dash) for line in lines}) == 9
    assert DASHED not in DASHES


NONE = synthetic.NONE
NEAR, FAR = (rf"$\alpha_0$ = $10^{{{a}}}$, $\beta_0$ = $10^{{{b}}}$" for a, b in ((-1, -3), (-4, -6)))


def test_one_line_alone_says_all_its_rates():
    (line,) = column([("maml", 0.1, 1e-3, NONE, NONE)])
    assert line.label == f"MAML, {NEAR}"


def test_a_baseline_says_all_its_rates():
    baseline, *others = column([("maml", 1e-4, 1e-6, NONE, NONE), *alpha(2)])
    assert baseline.label == f"MAML, {FAR}"
    assert [line.label for line in others] == [
        rf"$\alpha_{{\mathrm{{hyperlr}}}}$ = {text}" for text in ("$10^{-2}$", "0.02")
    ]


def test_runs_are_compared_with_those_of_the_same_seed():
    """Under two readings; the plain one is the other's partner."""
    plain = synthetic.trials(synthetic.figure1_cells(), seeds=2)
    other = plain.assign(**reading("paper-adam, k_shot=5"), cell_id="k" + plain["cell_id"])
    both = pd.concat([other, plain], ignore_index=True)
    pairs = compared(both, {"protocol": ["paper-adam"]})
    assert pairs == {f"k{cell_id}": cell_id for cell_id in plain["cell_id"]}


def test_a_method_is_compared_with_another_at_the_same_rates():
    trials = synthetic.trials([("maml", 0.1, 1e-3, NONE, NONE), ("maml", 0.2, 1e-3, NONE, NONE), *alpha(1)])
    maml, _, own = trials["cell_id"]
    assert compared(trials, {"method": ["maml"]}) == {own: maml}
