"""Where the panels of a heatmap stand, their headers, the mark of the tuned rates: read off the figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from harness.plots import cells, heatmap, panels, style
from tests.plots import synthetic
from tests.readings import reading

AHS, BHS = [1e-3, 0.01, 0.1], [1e-8, 1e-7, 1e-6]
READINGS = ("paper-adam", "paper-adam, k_shot=5", "paper-adam, meta_batch=8")
BY_READING = ["protocol", "alpha0", "beta0"]
RATES = [rf"$\alpha_0$ = $10^{{-{k}}}$, $\beta_0$ = $10^{{-{k + 2}}}$" for k in range(1, 6)]


def under(trials: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """The trials under each of these readings."""
    parts = [trials.assign(**reading(label), cell_id=label + trials["cell_id"]) for label in labels]
    return pd.concat(parts, ignore_index=True)


def pairs(count: int, seeds: int = 1) -> pd.DataFrame:
    return synthetic.trials(synthetic.panels(synthetic.PAIRS[:count], AHS, BHS), seeds)


def drawn(trials: pd.DataFrame, **figure: Any) -> Figure:
    with style.applied():
        fig = heatmap.draw(trials.assign(protocol="a label is not read"), synthetic.grid("heatmap", **figure))
        fig.draw_without_rendering()
    return fig


def by_label(fig: Figure, label: str) -> list[Axes]:
    return [ax for ax in fig.axes if ax.get_label() == label]


def titles(fig: Figure) -> list[str]:
    return [ax.get_title(loc="left") for ax in by_label(fig, "panel")]


def headers(fig: Figure) -> list[str]:
    """What is written outside of the axes besides title and subtitle: of the columns, then of the rows."""
    return [text.get_text() for text in fig.texts[2:]]


def rows(fig: Figure) -> list[int]:
    """How many panels stand in each row, from top to bottom."""
    tops = [round(ax.get_position().y1, 6) for ax in by_label(fig, "panel")]
    return [tops.count(top) for top in sorted(set(tops), reverse=True)]


def side(fig: Figure) -> float:
    """Of a square in inches, in a panel of three columns."""
    return by_label(fig, "panel")[0].get_position().width * float(fig.get_size_inches()[0]) / 3


def test_a_table_has_a_header_for_each_row_and_each_column_and_no_titles() -> None:
    fig = drawn(under(pairs(4), READINGS), panels=BY_READING)
    assert titles(fig) == [""] * 12
    assert headers(fig) == [*RATES[:4], "paper-adam", "k_shot=5", "meta_batch=8"]
    assert rows(fig) == [4, 4, 4]


def test_each_panel_stands_below_the_header_of_its_column_and_of_its_row() -> None:
    """All counts of a panel tell where it belongs: 203 is the second reading and the third pair."""
    trials = under(pairs(4), READINGS)
    row = trials["changes"].map({change: k for k, change in enumerate(trials["changes"].unique(), 1)})
    column = -np.log10(trials["alpha0"]).round().astype(int)
    trials["outcome"], trials["iterations_to_target"] = "reached", 100 * row + column
    fig = drawn(pd.concat([trials[:1], trials[:0:-1]]), panels=BY_READING)  # in hardly any order
    names = dict(zip(headers(fig), fig.texts[2:], strict=True))
    lines = ["paper-adam", "k_shot=5", "meta_batch=8"]
    for ax in by_label(fig, "panel"):
        box = ax.get_window_extent()
        at_row, at_column = divmod(int(ax.texts[0].get_text()), 100)
        above = names[RATES[at_column - 1]].get_window_extent()
        assert (above.x0, above.y0 > box.y1) == (pytest.approx(box.x0, abs=2), True)
        heights = {line: names[line].get_window_extent().y0 for line in lines}
        assert min((y, line) for line, y in heights.items() if y > box.y1)[1] == lines[at_row - 1]


def test_methods_are_columns_beside_readings_with_what_is_theirs_alone() -> None:
    plane = synthetic.trials(synthetic.landscape([1e-2, 0.1], [1e-4, 1e-3]))
    fig = drawn(under(plane, READINGS), x="beta0", y="alpha0", panels=["protocol", "method"])
    own = r"$\alpha_{\mathrm{hyperlr}}$ = $10^{-1}$, $\beta_{\mathrm{hyperlr}}$ = $10^{-6}$"
    assert headers(fig)[:2] == ["MAML", f"Alpha-MAML\n{own}"]
    assert rows(fig) == [2, 2, 2]


def test_a_third_method_has_a_column_of_its_own_and_the_same_baselines() -> None:
    trials = synthetic.third_method(synthetic.trials(synthetic.panels(synthetic.PAIRS[:4], [0.1], [1e-6])))
    fig = drawn(trials)
    assert headers(fig) == ["Alpha-MAML", "gamma-maml\nknob = 0.5", *RATES[:4]]
    assert rows(fig) == [2] * 4
    assert len(by_label(fig, "baseline")) == 8


def test_a_method_s_name_is_no_formula() -> None:
    trials = synthetic.third_method(pairs(2)).replace({"method": {"gamma-maml": "a $5$ method"}})
    assert r"a \$5\$ method" in headers(drawn(trials))[1]


def test_the_name_of_a_box_beside_a_flat_panel_is_below_the_row_s_header() -> None:
    flat = synthetic.trials(synthetic.panels(synthetic.PAIRS[:3], [0.1], BHS))
    fig = drawn(under(flat, READINGS[:2]), panels=BY_READING)
    patches = [one for one in fig.get_children() if isinstance(one, Rectangle) and one is not fig.patch]
    bands = [patch.get_window_extent() for patch in patches]
    assert len(bands) == 2
    for box in by_label(fig, "baseline"):
        assert box.title.get_window_extent().count_overlaps(bands) == 0


def test_panels_that_fill_no_table_have_titles() -> None:
    whole = under(pairs(3), READINGS)
    one = (whole["changes"] == whole["changes"].iloc[-1]) & (whole["alpha0"] == 1e-3)
    fig = drawn(whole[~one], panels=BY_READING)
    assert headers(fig) == []
    assert titles(fig)[:4] == [*(f"{rates}\npaper-adam" for rates in RATES[:3]), f"{RATES[0]}\nk_shot=5"]
    assert titles(drawn(pairs(5))) == RATES  # alpha0 and beta0 side by side


def test_a_table_is_turned_if_its_columns_do_not_fit() -> None:
    """Four columns beside their baselines fit with smaller squares, five do not."""
    found = []
    for count in (3, 4, 5):
        fig = drawn(under(pairs(count), READINGS[:2]), panels=BY_READING)
        found.append((rows(fig), round(side(fig), 3)))
    assert found == [([3, 3], 0.45), ([4, 4], panels.SQUEEZED), ([2] * 5, panels.SQUEEZED)]
    assert headers(fig) == ["paper-adam", "k_shot=5", *RATES]


def test_a_high_table_has_the_smallest_squares() -> None:
    labels = [f"paper-adam, meta_batch={k}" for k in range(1, 9)]
    assert side(drawn(under(pairs(3), labels), panels=BY_READING)) == pytest.approx(panels.SIDES[0], abs=0.02)


def set_maml(trials: pd.DataFrame, *counts: int | None) -> pd.DataFrame:
    """The trials with MAML's counts from these pairs; None: a miss."""
    trials = trials.copy()
    for (alpha0, _), count in zip(synthetic.PAIRS, counts, strict=False):
        rows = (trials["method"] == "maml") & (trials["alpha0"] == alpha0)
        trials.loc[rows, "outcome"] = "reached" if count else "budget"
        trials.loc[rows, ["iterations_to_target", "iterations_to_target_sustained"]] = count or pd.NA
    return trials


def marked(fig: Figure) -> list[int]:
    """Which panels have the frame of the tuned rates; their boxes say so too."""
    framed = [
        k for k, ax in enumerate(by_label(fig, "panel")) if ax.spines["top"].get_linewidth() == heatmap.TUNED
    ]
    boxes = by_label(fig, "baseline")
    assert framed == [k for k, ax in enumerate(boxes) if ax.get_xlabel() == cells.TUNED]
    said = [text.get_text() for ax in by_label(fig, "key") for text in ax.texts]
    assert (cells.TUNED in said) == ("MAML is fastest from these rates" in said) == bool(framed)
    return framed


@pytest.mark.parametrize(
    ("counts", "tuned"),
    [((172, None, None), [0]), ((300, 20, None), [1]), ((2, 86, 2), [0, 2]), ((None, None, None), [])],
)
def test_the_panel_from_whose_rates_maml_is_fastest_is_marked(counts: Any, tuned: list[int]) -> None:
    assert marked(drawn(set_maml(pairs(3), *counts))) == tuned


def test_each_reading_has_a_tuned_panel_of_its_own() -> None:
    one, other = (
        under(set_maml(pairs(2), *counts), [label])
        for counts, label in (((30, 200), READINGS[0]), ((400, 60), READINGS[1]))
    )
    assert marked(drawn(pd.concat([one, other], ignore_index=True), panels=BY_READING)) == [0, 3]


def test_a_panel_without_fixed_rates_is_not_tuned() -> None:
    """MAML's box has an alpha0, the panel's squares have others."""
    rates = [("maml", 0.1, 1e-3, synthetic.NONE, synthetic.NONE)]
    rates += [("alpha-maml", a, 1e-3, ah, 1e-6) for a in (0.1, 0.01) for ah in AHS]
    assert marked(drawn(set_maml(synthetic.trials(rates), 20), x="alpha0", panels=["beta0"])) == []


def test_another_method_s_count_tunes_nothing() -> None:
    trials = set_maml(pairs(2), 30, None)
    trials["method"] = trials["method"].replace({"maml": "fomaml"})
    assert marked(drawn(trials)) == []


@pytest.mark.parametrize("figure", [{"panels": []}, {}])
def test_a_single_panel_and_its_baseline(figure: dict[str, Any]) -> None:
    grid = synthetic.grid("heatmap")
    grid["figure"] = {"kind": "heatmap", "x": "beta_hyperlr", "y": "alpha_hyperlr"} | figure
    with style.applied():
        fig = heatmap.draw(set_maml(pairs(1), 44), grid)
    (panel,), (box,) = by_label(fig, "panel"), by_label(fig, "baseline")
    assert panel.get_title(loc="left") == RATES[0]
    assert "44" in {text.get_text() for text in box.texts}
