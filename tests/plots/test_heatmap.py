"""The heatmap, read off its axes."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from harness.plots import cells, heatmap, style
from tests.plots import synthetic
from tests.readings import reading

AHS, BHS = [0.01, 1e-3, 0.1], [1e-6, 1e-8, 1e-7]  # unsorted on purpose
PAIRS = synthetic.PAIRS[:2]


def drawn(trials, measured=False, **figure):
    with style.applied():
        fig = heatmap.draw(trials.assign(protocol="a label is not read"), synthetic.grid("heatmap", **figure))
        if measured:
            fig.draw_without_rendering()
    return fig


def by_label(fig, label):
    return [ax for ax in fig.axes if ax.get_label() == label]


def texts(ax):
    return {(int(x), int(y), t.get_text()) for t in ax.texts for x, y in [t.get_position()]}


def hatches(ax):
    """Hatch of each cell that has a mark: {(column, row): hatch}."""
    marks = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    return {(int(patch.get_x()), int(patch.get_y())): patch.get_hatch() for patch in marks}


def put(trials, pair, ah, bh, *counts, lag=5):
    """Set the results of a cell's seeds: a count, or the outcome; None: not run.

    lag: from the first to the sustained passage; None: there is no sustained one.
    """
    rows = (trials["alpha0"] == PAIRS[pair][0]) & (
        trials["alpha_hyperlr"].isna() if ah is None else trials["alpha_hyperlr"] == ah
    )
    rows &= trials["beta_hyperlr"].isna() if bh is None else trials["beta_hyperlr"] == bh
    for index, count in zip(trials.index[rows], counts, strict=True):
        number = isinstance(count, int)
        trials.loc[index, ["outcome", "ending"]] = "reached" if number else count
        trials.loc[index, "iterations_to_target"] = count if number else pd.NA
        sustained = count + lag if number and lag is not None else pd.NA
        trials.loc[index, "iterations_to_target_sustained"] = sustained


@pytest.fixture(scope="module")
def one_seed():
    trials = synthetic.trials(synthetic.panels(PAIRS, AHS, BHS))
    for k, (ah, bh) in enumerate((a, b) for a in sorted(AHS) for b in sorted(BHS)):
        put(trials, 0, ah, bh, 10 * k + 20, lag=None if k == 5 else 5)
        put(trials, 1, ah, bh, 500)
    put(trials, 0, 1e-3, 1e-8, "budget")
    put(trials, 0, 1e-3, 1e-7, "diverged")
    put(trials, 0, 1e-3, 1e-6, "failed")
    put(trials, 0, 0.1, 1e-6, None)
    put(trials, 0, None, None, 151)
    put(trials, 1, None, None, "budget")
    return drawn(trials, measured=True)


@pytest.fixture(scope="module")
def three_seeds():
    trials = synthetic.trials(synthetic.panels(PAIRS, AHS, BHS), seeds=3)
    put(trials, 0, 0.1, 1e-6, 30, "budget", 34)
    put(trials, 0, 0.1, 1e-7, 30, "diverged", "diverged")
    put(trials, 0, 0.1, 1e-8, 30, None, None)
    put(trials, 0, 0.01, 1e-8, "budget", "budget", "budget")
    put(trials, 0, 0.01, 1e-7, 40, 44, None)
    return drawn(trials, measured=True)


def test_axes_are_numeric_decades(one_seed):
    first, second = by_label(one_seed, "panel")
    assert [t.get_text() for t in first.get_xticklabels()] == ["$10^{-8}$", "$10^{-7}$", "$10^{-6}$"]
    assert [t.get_text() for t in first.get_yticklabels()] == ["$10^{-1}$", "$10^{-2}$", "$10^{-3}$"]
    assert first.get_ylim() == (3, 0)  # so that the first label, the largest, is on top
    assert first.get_xlabel() == r"$\beta_{\mathrm{hyperlr}}$"
    assert first.get_ylabel() == r"$\alpha_{\mathrm{hyperlr}}$"
    assert [t.get_text() for t in second.get_yticklabels()] == []
    assert first.get_title(loc="left") == r"$\alpha_0$ = $10^{-1}$, $\beta_0$ = $10^{-3}$"


def test_a_count_stands_in_its_cell_and_every_miss_has_its_mark(one_seed):
    first, second = by_label(one_seed, "panel")
    assert texts(first) == {
        (0, 0, "80"), (1, 0, "90"), (2, 0, "·"),
        (0, 1, "50"), (1, 1, "60"), (2, 1, "70"),
        (1, 2, "×"), (2, 2, "!"),
        (0, 0, "85"), (1, 0, "95"), (0, 1, "55"), (1, 1, "65"), (2, 1, cells.NEVER),  # sustained
    }  # fmt: skip
    marks = {name: cells.MARKS[name].hatch for name in cells.MARKS}
    assert hatches(first) == {
        (0, 2): marks["budget"], (1, 2): marks["diverged"],
        (2, 2): marks["failed"], (2, 0): marks["not run"],
    }  # fmt: skip
    assert hatches(second) == {}
    assert marks["budget"]
    assert marks["diverged"]


def test_marks_are_told_apart_without_colour():
    assert len({(mark.hatch, mark.sign) for mark in cells.MARKS.values()}) == len(cells.MARKS)


def test_a_miss_has_no_colour(one_seed):
    first, _ = by_label(one_seed, "panel")
    (mesh,) = first.collections
    blank = np.ma.getmaskarray(mesh.get_array()).reshape(3, 3)
    assert blank.tolist() == [[False, False, True], [False] * 3, [True] * 3]


def test_maml_stands_beside_its_panel(one_seed):
    beside = by_label(one_seed, "baseline")
    assert [ax.get_title() for ax in beside] == ["MAML", "MAML"]
    assert [texts(ax) for ax in beside] == [{(0, 0, "151"), (0, 0, "156")}, set()]
    assert hatches(beside[1]) == {(0, 0): cells.MARKS["budget"].hatch}
    for panel, box in zip(by_label(one_seed, "panel"), beside, strict=True):
        assert panel.get_position().x1 < box.get_position().x0
        assert panel.get_position().y0 < box.get_position().y0 < panel.get_position().y1


def test_one_colour_scale_for_all(one_seed):
    scales = [ax.collections[0].norm for label in ("panel", "baseline") for ax in by_label(one_seed, label)]
    (bar,) = by_label(one_seed, "colour bar")
    assert all(scale is scales[0] for scale in scales)
    assert bar.get_xlim() == pytest.approx((1, 500))
    labels = [t.get_text() for t in bar.get_xticklabels()]
    assert labels == ["1", "2", "5", "10", "20", "50", "100", "200", "500"]
    box = by_label(one_seed, "baseline")[0].collections[0]
    colour = mpl.colormaps[style.COUNTS](scales[0](151))
    assert to_hex(box.to_rgba(box.get_array()).reshape(-1, 4)[0]) == to_hex(colour)


def test_the_key_names_the_marks_in_use_and_no_other(one_seed, three_seeds):
    (key,) = by_label(one_seed, "key")
    said = " ".join(t.get_text() for t in key.texts)
    assert all(word in said for word in ("not reached in 500 iterations", "diverged", "failed", "not run"))
    assert "median" not in said
    said = " ".join(t.get_text() for t in by_label(three_seeds, "key")[0].texts)
    assert "median" in said
    assert "failed" not in said


def test_with_seeds_the_median_and_the_share_where_they_disagree(three_seeds):
    found = texts(by_label(three_seeds, "panel")[0])
    assert not [text for _, _, text in found if text in ("3/3", "0/3")]
    said = [t.get_text() for t in by_label(three_seeds, "key")[0].texts]
    assert "without: all seeds did (hatched: none)" in said
    assert {(2, 0, "34"), (2, 0, "2/3")} <= found  # of 30, 34 and a miss
    assert {(1, 0, "×"), (1, 0, "1/3")} <= found
    assert {(0, 0, "30"), (0, 0, "1/1")} <= found  # two seeds are not run yet
    assert {(1, 1, "42"), (1, 1, "2/2")} <= found
    assert not [text for column, row, text in found if (column, row) == (0, 1)]


def test_medians_keep_their_halves():
    trials = synthetic.trials(synthetic.panels(PAIRS[:1], AHS, BHS), seeds=2)
    put(trials, 0, 0.1, 1e-6, 60, 61, lag=0)
    put(trials, 0, 0.1, 1e-7, 60, 62, lag=3)
    found = texts(by_label(drawn(trials), "panel")[0])
    assert {text for column, row, text in found if (column, row) == (2, 0)} == {"60.5"}
    assert {text for column, row, text in found if (column, row) == (1, 0)} == {"61", "64"}


def test_labels_are_rotated_where_they_would_overlap():
    wide = [1.5e-6, 2.5e-6, 3.5e-6]
    turned = [
        {label.get_rotation() for label in by_label(drawn(trials), "panel")[0].get_xticklabels()}
        for trials in (
            synthetic.trials(synthetic.panels(PAIRS[:1], AHS, wide)),
            synthetic.trials(synthetic.panels(PAIRS[:1], AHS, BHS)),
        )
    ]
    assert turned == [{90}, {0}]


def test_squares_grow_with_their_counts():
    sides = []
    for times in (1, 10_000):
        trials = synthetic.trials(synthetic.panels(PAIRS[:1], AHS, BHS), budget=9_000_000)
        trials[["iterations_to_target"]] *= times
        fig = drawn(trials)
        sides.append(by_label(fig, "panel")[0].get_position().width * fig.get_size_inches()[0] / 3)
    assert sides[0] == pytest.approx(0.45)
    assert sides[1] > 0.5


def test_no_count_is_infinite_or_nan(one_seed, three_seeds):
    for fig in (one_seed, three_seeds):
        words = [t.get_text() for ax in fig.axes for t in ax.texts]
        assert not [word for word in words if word in ("nan", "inf")]


def test_the_heading_names_what_was_measured(one_seed, three_seeds):
    said = " ".join(t.get_text() for t in one_seed.texts)
    for word in ("Iterations to the target", "Omniglot", "20-way", "paper-adam", "≤ 2.5", "500", "seed 0"):
        assert word in said
    assert "Alpha-MAML in the panels, MAML beside them" in said
    assert "seeds 0 to 2" in " ".join(t.get_text() for t in three_seeds.texts)


def heading(fig):
    return " ".join(fig.texts[1].get_text().split())


@pytest.mark.parametrize(
    ("n_way", "target", "says"),
    [
        (20, 2.99, "The target lies 0.0057 nats below chance (ln 20 = 2.996)"),
        (20, 2.5, "The target lies 0.5 nats below chance (ln 20 = 2.996)"),
        (5, 1.7, "The target lies 0.091 nats above chance (ln 5 = 1.609)"),
    ],
)
def test_the_heading_says_how_far_from_chance_the_target_is(n_way, target, says):
    trials = synthetic.trials(synthetic.panels(PAIRS, AHS, BHS), target=target, n_way=n_way)
    assert heading(drawn(trials)).endswith(says)


def test_with_several_numbers_of_classes_it_says_it_of_the_least_and_the_most():
    plain = synthetic.trials(synthetic.panels(PAIRS, AHS, BHS), target=2)
    parts = [plain.assign(n_way=n, **reading(f"paper-adam, n_way={n}")) for n in (20, 5, 10)]
    fig = drawn(pd.concat(parts, ignore_index=True), panels=["protocol", "alpha0", "beta0"])
    says = "lies 0.39 nats above chance (ln 5 = 1.609) to 1 nats below chance (ln 20 = 2.996)"
    assert heading(fig).endswith(says)


def test_a_figure_of_one_method_names_it():
    trials = synthetic.trials(synthetic.panels(PAIRS, AHS, BHS))
    said = " ".join(t.get_text() for t in drawn(trials[trials["method"] == "alpha-maml"]).texts)
    assert "Alpha-MAML: first iteration with training loss" in said.replace("\n", " ")


def test_nothing_is_outside_the_figure_and_no_panel_text_overlaps(one_seed, three_seeds):
    long = "paper-adam, train_characters=800, n_way=5, k_shot=5, filters=16, validation_every=10, layers=3"
    small = synthetic.trials(synthetic.panels(PAIRS[:1], [0.1], [1e-6]), **reading(long))
    wide = small.assign(dataset="x" * 120)
    for fig in (one_seed, three_seeds, drawn(small, measured=True), drawn(wide, measured=True)):
        page = fig.bbox
        for text in [*fig.texts, *(t for ax in fig.axes for t in [*ax.texts, ax.title, ax._left_title])]:
            box = text.get_window_extent()
            assert page.x0 <= box.x0, text
            assert box.x1 <= page.x1, text
            assert page.y0 <= box.y0, text
            assert box.y1 <= page.y1, text
        heads = [ax._left_title.get_window_extent() for ax in by_label(fig, "panel")]
        names = [ax.title.get_window_extent() for ax in by_label(fig, "baseline")]
        for k, box in enumerate(heads):
            assert box.count_overlaps([*heads[:k], *names, fig.texts[-1].get_window_extent()]) == 0


def test_nothing_run():
    fig = drawn(synthetic.not_run(synthetic.trials(synthetic.panels(PAIRS, AHS, BHS))))
    for ax in [*by_label(fig, "panel"), *by_label(fig, "baseline")]:
        assert {t.get_text() for t in ax.texts} == {"·"}
    assert len(by_label(fig, "panel")[0].texts) == 9


def test_landscape_has_a_panel_for_each_method():
    a0s, b0s = [1e-2, 0.1, 1.0, 10.0], [1e-4, 1e-3]
    fig = drawn(synthetic.trials(synthetic.landscape(a0s, b0s)), x="beta0", y="alpha0", panels=["method"])
    maml, alpha = by_label(fig, "panel")
    assert maml.get_title(loc="left") == "MAML"
    assert alpha.get_title(loc="left").startswith("Alpha-MAML\n")
    assert [t.get_text() for t in maml.get_yticklabels()] == [f"$10^{{{k}}}$" for k in (1, 0, -1, -2)]
    assert by_label(fig, "baseline") == []


def test_a_reading_has_panels_and_baselines_of_its_own():
    plain = synthetic.trials(synthetic.panels(PAIRS[:1], AHS, BHS))
    put(plain, 0, None, None, 151)
    other = plain.assign(**reading("paper-adam, k_shot=5"), cell_id="k" + plain["cell_id"])
    put(other, 0, None, None, 33)
    put(other, 0, 0.1, 1e-6, 12)
    fig = drawn(pd.concat([plain, other], ignore_index=True), panels=["protocol", "alpha0", "beta0"])
    panels = by_label(fig, "panel")
    rates = r"$\alpha_0$ = $10^{-1}$, $\beta_0$ = $10^{-3}$"
    assert [ax.get_title(loc="left") for ax in panels] == [f"{rates}\npaper-adam", f"{rates}\nk_shot=5"]
    assert (2, 0, "12") in texts(panels[1]) - texts(panels[0])
    counts = [{t for _, _, t in texts(ax)} & {"151", "33"} for ax in by_label(fig, "baseline")]
    assert counts == [{"151"}, {"33"}]
    assert "paper-adam; k_shot=5" in " ".join(t.get_text() for t in fig.texts)


def test_a_point_that_the_grid_lacks_stays_empty():
    trials = synthetic.trials(synthetic.panels(PAIRS, AHS, BHS))
    put(trials, 0, 0.1, 1e-6, 77)
    gone = (trials["alpha0"] == 0.1) & (trials["alpha_hyperlr"] == 0.01) & (trials["beta_hyperlr"] == 1e-7)
    panel = by_label(drawn(trials[~gone]), "panel")[0]
    assert (2, 0, "77") in texts(panel)
    assert (1, 1) not in {(column, row) for column, row, _ in texts(panel)} | set(hatches(panel))


@pytest.mark.parametrize(("budget", "low"), [(500, 1), (2, 1), (1, 0.5)])
def test_figures_of_one_budget_have_one_scale(budget, low):
    norms = []
    for target in (2.5, 2.99):
        trials = synthetic.trials(synthetic.panels(PAIRS, AHS, BHS), budget=budget, target=target)
        trials[["iterations_to_target"]] //= 1 + (target > 2.5) * 9
        norms.append(by_label(drawn(trials), "panel")[0].collections[0].norm)
    assert [(norm.vmin, norm.vmax) for norm in norms] == [(low, budget)] * 2
