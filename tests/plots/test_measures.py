"""The figures of `harness sensitivity`, read off their axes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from harness.analysis import sensitivity
from harness.analysis.sensitivity.effects import grouped
from harness.plots import style
from harness.plots.measures import figures
from harness.plots.measures import shares as measures_shares
from tests.plots.legible import assert_legible
from tests.plots.measured import (
    BUDGET,
    COUNTS,
    ENVIRONMENTS,
    SHARED,
    WHOLE,
    both,
    drawn,
    lines,
    measured,
    said,
    table,
    value,
)

# --- performance


def test_the_plane_has_each_method_at_its_sensitivity_and_tuned_score_with_both_intervals():
    measures = both()
    fig, axes = drawn(figures.performance, measures)
    (ax,) = axes["plane"]
    marks = [tuple(line.get_xydata()[0]) for line in lines(ax, "method")]
    names = ("maml", "alpha-maml")
    wanted = [(value(measures, "sensitivity", name), value(measures, "tuned", name)) for name in names]
    assert marks == wanted
    assert wanted[0][0] > 0  # a = 1 is the best in one environment, 2 in the other
    bars = [tuple(np.ravel(line.get_xydata())) for line in ax.lines if len(line.get_xdata()) == 2]
    for name, (x, y) in zip(names, wanted, strict=True):
        low, high = (value(measures, "sensitivity", name, end) for end in ("low", "high"))
        assert (low, y, high, y) in bars
        low, high = (value(measures, "tuned", name, end) for end in ("low", "high"))
        assert (x, low, x, high) in bars
    assert {"MAML", "Alpha-MAML"} <= {text.get_text() for text in ax.texts}
    assert "bars: the middle 95 % of all 10 resamples of 3 seeds (too narrow, with so few seeds)" in said(fig)


def test_a_line_of_the_plane_has_one_default_score():
    (ax,) = drawn(figures.performance, both())[1]["plane"]
    found = lines(ax, "default")
    assert len(found) > 2
    for line in found:
        defaults = line.get_ydata() - line.get_xdata()
        assert defaults[0] == pytest.approx(defaults[1])
    right, high = ax.get_xlim()[1], ax.get_ylim()[1]
    numbers = {
        float(text.get_text().replace("−", "-")): text.xy
        for text in ax.texts
        if hasattr(text, "xy") and text.get_text()[-1].isdigit()
    }
    assert numbers
    for default, (x, y) in numbers.items():
        assert y - x == pytest.approx(default)
        assert x == right or y == high


@pytest.mark.parametrize("apart", [0, 1])
def test_sensitivities_are_never_drawn_below_0(apart):
    """Also where none is above: one method with the same best setting everywhere."""
    rows = table(1).copy()
    rows["loss"] = 1.0 + abs(rows["a"] - 1 - apart * (rows["environment"] == ENVIRONMENTS[1]))
    measures = measured(rows, **WHOLE)
    assert (value(measures, "sensitivity", "maml") > 0) == (apart == 1)
    left, right = drawn(figures.performance, measures)[1]["plane"][0].get_xlim()
    assert -0.06 * right < left < 0 < right


def test_a_method_without_a_sensitivity_is_named_with_the_reason():
    rows = table(3)
    rows = rows[(rows["method"] != "fomaml") | (rows["environment"] == ENVIRONMENTS[0])]
    fig, axes = drawn(figures.performance, measured(rows, **WHOLE))
    assert len(lines(axes["plane"][0], "method")) == 2
    assert f"Not drawn: FOMAML (not run in {ENVIRONMENTS[1]})." in said(fig)


def test_in_one_environment_the_best_stands_beside_the_mean():
    measures = measured(table(environments=1), **WHOLE)
    fig, axes = drawn(figures.performance, measures)
    (ax,) = axes[f"{ENVIRONMENTS[0]}|0"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["MAML", "Alpha-MAML"]
    for level, name in enumerate(("maml", "alpha-maml")):
        for what in ("best", "mean"):
            marks = [tuple(line.get_xydata()[0]) for line in lines(ax, what)]
            assert (value(measures, what, name), level) in marks
    # losses of maml: 1 + 0, 1 + 1/8, 2, 2 + 1/8, and 1/16 on average for the seeds
    assert "best 1.06, mean 1.62" in said(fig)
    assert ax.get_xlabel() == "validation loss (nats)"
    assert "Less is better" in said(fig)
    assert "No sensitivity: with one environment, the best setting" in said(fig)


def test_scores_of_counts_are_shown_as_iterations():
    _, axes = drawn(figures.performance, measured(table(environments=1), **COUNTS))
    (ax,) = axes[f"{ENVIRONMENTS[0]}|0"]
    (maml, alpha) = lines(ax, "best")
    assert maml.get_xdata()[0] == pytest.approx((10 * 11 * 12) ** (1 / 3))
    assert alpha.get_xdata()[0] == pytest.approx((11 * 12 * 13) ** (1 / 3))
    mean = lines(ax, "mean")[1].get_xdata()[0]  # half of alpha-maml's settings miss: the budget
    hits = np.log([11, 12, 13, 12, 13, 14])
    assert mean == pytest.approx(np.exp(hits.mean() / 2 + np.log(BUDGET) / 2))
    assert ax.get_xscale() == "log"
    interval = sorted(next(line.get_xdata() for line in ax.lines if line.get_linewidth() == 2.4))
    assert interval == pytest.approx([10, 12])  # one seed three times: 1 / 27 of the resamples, over 2.5%
    assert "geometric mean" in ax.get_xlabel()


# --- random search


def test_the_chance_of_a_hit_by_the_number_of_settings():
    fig, axes = drawn(figures.budget, both())
    assert len(axes["hit"]) == len(axes["budget"]) == 2
    ax = axes["hit"][0]
    assert " ".join(ax.get_title(loc="left").split()) == "paper-adam, inner_steps=5"
    (maml,), (alpha,) = lines(ax, "maml"), lines(ax, "alpha-maml")
    assert maml.get_xydata().tolist() == [[n, 1] for n in (1, 2, 3, 4)]
    # two of four settings hit: 1 - C(2, n) / C(4, n)
    assert alpha.get_ydata() == pytest.approx([1 / 2, 5 / 6, 1, 1])
    assert maml.get_color() == style.BASELINE
    assert "without replacement" in said(fig)
    assert "2 environments, all with target 2.5" in said(fig)


def test_the_expected_best_has_a_band_from_low_to_high():
    measures = both()
    ax = drawn(figures.budget, measures)[1]["budget"][1]
    curves = measures.curves
    own = curves[(curves["curve"] == "budget") & (curves["environment"] == ENVIRONMENTS[1])]
    for name, band in zip(("maml", "alpha-maml"), ax.collections, strict=True):
        rows = own[own["method"] == name]
        (line,) = lines(ax, name)
        assert line.get_ydata() == pytest.approx(rows["value"])
        edge = band.get_paths()[0].vertices
        for n, low, high in zip(rows["x"], rows["low"], rows["high"], strict=True):
            at = edge[np.isclose(edge[:, 0], n), 1]
            assert (at.min(), at.max()) == pytest.approx((low, high))


def test_one_setting_is_a_whole_number():
    rows = table(environments=1)
    rows = rows[(rows["a"] == 1) & (rows["b"] == 0)]
    ax = drawn(figures.budget, measured(rows, **WHOLE))[1]["budget"][0]
    low, high = ax.get_xlim()
    assert [tick for tick in ax.get_xticks() if low <= tick <= high] == [1]


def test_many_settings_have_a_logarithmic_axis():
    rows = pd.concat([table(environments=1, seeds=1).assign(c=c) for c in range(8)])
    runs = sensitivity.runs(rows, hyper=["a", "b", "c"], **WHOLE)
    assert drawn(figures.budget, sensitivity.measure(runs))[1]["budget"][0].get_xscale() == "log"
    assert drawn(figures.budget, both())[1]["budget"][0].get_xscale() == "linear"


def test_large_scores_are_short():
    rows = table(environments=2).assign(reward=lambda rows: -1e5 * rows["loss"])
    measures = measured(rows, **SHARED, score="reward")
    fig, axes = drawn(figures.budget, measures)
    assert "−150k" in [label.get_text() for label in axes["budget"][0].get_yticklabels()]
    assert_legible(fig)


def test_what_random_search_has_no_data_for_is_said():
    fig, axes = drawn(figures.budget, measured(**WHOLE))
    assert "hit" not in axes
    assert "No chance of a hit: the table has no target." in said(fig)
    fig, axes = drawn(figures.budget, measured(**COUNTS))
    assert "budget" not in axes
    assert "No expected best score: the table has counts alone" in said(fig)


# --- the cost of tuning


def test_a_cost_stands_at_its_value_with_its_interval():
    measures = both()
    fig, axes = drawn(figures.cost, measures)
    for column, unit in enumerate(("iterations", "gradient evaluations")):
        (ax,) = axes[f"{ENVIRONMENTS[0]}|{column}"]
        found = [tuple(line.get_xydata()[0]) for line in lines(ax, "cost")]
        where = {"environment": ENVIRONMENTS[0], "of": unit}
        wanted = [value(measures, "tuning_cost", name, **where) for name in ("maml", "alpha-maml")]
        assert found == [(wanted[0], 0), (wanted[1], 1)]
        bars = [tuple(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 2]
        assert bars[1] == tuple(
            value(measures, "tuning_cost", "alpha-maml", end, **where) for end in ("low", "high")
        )
    # alpha-maml: 2 of 4 hit, at 11 and 12 on the first seed: 2 / 3 x 100 + 11.5; 1 more on each seed after
    assert "79.2" in said(fig)


def test_an_infinite_cost_is_an_arrow_at_the_edge():
    fig, axes = drawn(figures.cost, measured(table(3), **COUNTS))
    (ax,) = axes[f"{ENVIRONMENTS[1]}|0"]
    assert len(lines(ax, "cost")) == 2
    arrows = [text for text in ax.texts if text.get_label() == "infinite"]
    assert [arrow.xy for arrow in arrows] == [(ax.get_xlim()[1], 2)]
    assert "no hit in 3 of 3 seeds" in said(fig)
    assert not [text for text in axes[f"{ENVIRONMENTS[0]}|0"][0].texts if text.get_label() == "infinite"]


def test_a_cost_that_is_infinite_on_one_seed_alone():
    """The interval begins where the seeds with a hit are."""
    rows = table(1, 1).copy()
    rows.loc[rows["seed"] == 0, "count"] = np.inf
    measures = measured(rows, **COUNTS)
    fig, axes = drawn(figures.cost, measures)
    (ax,) = axes[f"{ENVIRONMENTS[0]}|0"]
    assert "no hit in 1 of 3 seeds" in said(fig)
    low = value(measures, "tuning_cost", "maml", "low", of="iterations")
    assert np.isfinite(low)
    assert [tuple(line.get_xdata()) for line in ax.lines] == [(low, ax.get_xlim()[1])]


# --- shares


def test_a_bar_has_the_shares_one_after_the_other():
    measures = both()
    fig, axes = drawn(figures.shares, measures)
    (ax,) = axes[f"{ENVIRONMENTS[0]}|2"]  # the loss: additive, so without interactions
    bars = [patch for patch in ax.patches if round(patch.get_y() + patch.get_height() / 2) == 0]
    widths = {patch.get_label(): patch.get_width() for patch in bars}
    # variances: a 1/4, b 1/256, seed 2/3 / 256
    total = 1 / 4 + 1 / 256 + 2 / 768
    assert widths["a"] == pytest.approx(1 / 4 / total)
    assert widths["b"] == pytest.approx(1 / 256 / total)
    assert widths[measures_shares.OF_SEED] == pytest.approx(2 / 768 / total)
    assert [patch.get_x() for patch in bars] == pytest.approx([0, *np.cumsum([*widths.values()])[:-1]])
    colours = {
        (patch.get_label(), patch.get_facecolor())
        for one in fig.axes
        for patch in one.patches
        if patch.get_label() in ("a", "b")
    }
    assert len(colours) == 2  # the same all over the figure
    assert "all results are equal" in said(fig)  # maml reaches the target everywhere


def test_interactions_are_one_part_and_the_largest_is_named():
    effects = {"alpha0+beta0": 0.3, "rule": 0.1, "seed": 0.05, "alpha0+beta0:rule": 0.35, "rule:seed": 0.2}
    found = grouped(effects | {"alpha0+beta0:rule:seed": 0.0}, ["alpha0+beta0", "rule"])
    parts = measures_shares.parts(found)
    assert [*parts] == ["alpha0+beta0", "rule", measures_shares.INTERACTIONS, measures_shares.OF_SEED]
    assert [*parts.values()] == pytest.approx([0.3, 0.1, 0.35, 0.25])
    assert measures_shares.largest(found, 3) == r"$\alpha_0$+$\beta_0$ × rule 35 %"
    names = ["a_long_learning_rate", "another_long_one"]
    long = measures_shares.largest(grouped({":".join(names): 0.5}, names), 1.2)
    assert long.count("…") == 2  # both are cut
    assert long.endswith(" 50 %")
    small = grouped({"a": 0.99, "a:b": 0.001, "a:seed": 0.009}, ["a", "b"])
    assert measures_shares.largest(small, 3) == ""


def with_deviations(measures):
    """As if they were measured: 0.25 decades of the first method's counts."""
    row = dict.fromkeys(measures.values, None) | {"measure": "deviation", "method": "maml", "seeds": 3}
    row |= {"environment": ENVIRONMENTS[0], "of": "score", "unit": "nats", "value": 0.25, "low": np.nan}
    own = measures.values[measures.values["measure"] != "deviation"]
    columns = measures.values.columns
    values = pd.DataFrame([*own.to_dict("records"), row], columns=columns)
    return dataclasses.replace(measures, values=values)


def test_the_standard_deviation_stands_before_its_bar():
    """Where it is known, in the row of its method and the column of its result."""
    fig, axes = drawn(figures.shares, with_deviations(both()))
    found = {
        (label, text.xy[1], text.get_text())
        for label, some in axes.items()
        for ax in some
        for text in ax.texts
        if text.get_label() == "sd"
    }
    assert found == {(f"{ENVIRONMENTS[0]}|2", 0, "0.25")}
    assert "sd: standard deviation over settings and seeds" in said(fig)
    assert_legible(fig)
    own = both().values
    without = dataclasses.replace(both(), values=own[own["measure"] != "deviation"])
    assert "sd:" not in said(drawn(figures.shares, without)[0])


def test_environments_are_named_alike_in_notes_and_panels():
    rows = table(3)
    rows = rows[(rows["method"] != "fomaml") | (rows["environment"] == ENVIRONMENTS[0])]
    rows = rows[(rows["method"] != "alpha-maml") | (rows["a"] == 1) | (rows["b"] == 0)]
    text = said(drawn(figures.shares, measured(rows, **WHOLE))[0])
    assert "Not drawn: FOMAML in sinusoid, a rather long name for one (not run there)." in text
    places = "paper-adam, inner_steps=5 and sinusoid, a rather long name for one"
    assert f"Not drawn: Alpha-MAML in {places} (its settings are no full factorial)." in text


def test_more_factors_than_colours_are_told_apart():
    looks = measures_shares.fills([f"knob{k}" for k in range(20)])
    assert len(set(looks.values())) == 20


# --- targets


def test_targets_reached_and_profiles_are_steps():
    measures = both()
    fig, axes = drawn(figures.ecdf, measures)
    assert len(axes["ecdf"]) == len(axes["profile"]) == 2
    (alpha,) = lines(axes["ecdf"][0], "alpha-maml")
    assert alpha.get_drawstyle() == "steps-post"
    assert alpha.get_ydata()[-1] == pytest.approx(1 / 2)  # half of its settings miss both targets
    assert axes["ecdf"][0].get_xscale() == axes["profile"][0].get_xscale() == "log"
    assert "2 targets" in said(fig)


def test_without_passages_the_profile_stands_alone():
    fig, axes = drawn(figures.ecdf, measured(**COUNTS))
    assert "ecdf" not in axes
    assert len(axes["profile"]) == 2
    assert "Targets reached not drawn: the table has no iterations to several targets." in said(fig)
