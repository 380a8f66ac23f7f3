"""Figure 1, read off its axes."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from harness.plots import style, trajectories
from tests.plots import synthetic
from tests.readings import reading

LENGTH = 60
ROWS = ("alpha", "beta", "train_loss", "val_loss")
MIDDLE = synthetic.FIG1 | {"columns": synthetic.FIG1["columns"][1:2]}


def drawn(trials, curves, figure=synthetic.FIG1, measured=False):
    trials = trials.assign(protocol="a label is not read")
    with style.applied():
        fig = trajectories.draw(trials, curves, synthetic.grid("trajectories", **figure))
        if measured:
            fig.draw_without_rendering()
    return fig


def row(fig, label):
    return [ax for ax in fig.axes if ax.get_label() == label]


def named(ax):
    """The lines with a name: {label: line}."""
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def legends(fig):
    return [[t.get_text() for t in ax.texts] for ax in row(fig, "legend")]


@pytest.fixture(scope="module")
def tables():
    return synthetic.figure1(iterations=LENGTH)


@pytest.fixture(scope="module")
def one_seed(tables):
    trials, curves = tables
    return drawn(trials.assign(target_loss=2.99), curves, measured=True)


@pytest.fixture(scope="module")
def three_seeds():
    return drawn(*synthetic.figure1(seeds=3, iterations=LENGTH))


def test_four_rows_of_three_columns(one_seed):
    assert [len(row(one_seed, name)) for name in ROWS] == [3] * 4
    assert [ax.get_yscale() for ax in row(one_seed, "alpha") + row(one_seed, "beta")] == ["log"] * 6
    assert [ax.get_yscale() for ax in row(one_seed, "train_loss")] == ["linear"] * 3
    for name in ROWS:
        assert len({(ax.get_xlim(), ax.get_ylim()) for ax in row(one_seed, name)}) == 1


def test_a_line_for_each_reading():
    trials, curves = synthetic.figure1(diverged=None, iterations=LENGTH)
    parts = []
    for draw, label in enumerate(("paper-adam", "paper-adam, perturbation=1", "paper-adam, perturbation=2")):
        parts.append(trials[:2].assign(**reading(label), cell_id=[f"{draw}{k}" for k in "ab"]))
    drawn_of = dict(zip(trials["cell_id"][:2], "ab", strict=True))
    curves = curves[curves["cell_id"].isin(drawn_of)]
    shaken = [curves.assign(cell_id=f"{draw}" + curves["cell_id"].map(drawn_of)) for draw in range(3)]
    column = {"title": "Draws", "where": {"method": ["alpha-maml"]}}
    reference = {"method": ["maml"], "protocol": ["paper-adam"]}
    fig = drawn(
        pd.concat(parts, ignore_index=True),
        pd.concat(shaken, ignore_index=True),
        {"columns": [column], "reference": reference},
    )
    (legend,) = legends(fig)
    assert legend[1:] == ["paper-adam", "perturbation=1", "perturbation=2"]
    said = " ".join(t.get_text() for t in fig.texts).replace("\n", " ")
    assert "paper-adam; perturbation=1; perturbation=2" in said
    lines = named(row(fig, "train_loss")[0])
    assert len({to_hex(lines[name].get_color()) for name in legend[1:]}) == 3


def test_baselines_that_differ_name_their_rates_and_the_head_those_of_the_coloured_lines():
    """Under another reading, so that the reference names its own too; and the legends do not overlap."""
    trials, curves = synthetic.figure1(diverged=None, iterations=LENGTH)
    keep = (trials["method"] == "maml") | ((trials["alpha0"] == 1e-4) & (trials["alpha_hyperlr"] == 0.1))
    trials = trials[keep]
    parts, rows = [], []
    for label in ("paper-adam", "paper-adam, k_shot=5"):
        parts.append(trials.assign(**reading(label), cell_id=trials["cell_id"] + label))
        own = curves[curves["cell_id"].isin(trials["cell_id"])]
        rows.append(own.assign(cell_id=own["cell_id"] + label))
    columns = [{"title": "5 shots", "where": {"protocol": "paper-adam, k_shot=5"}}] * 2
    reference = {"method": "maml", "alpha0": 0.1, "protocol": "paper-adam"}
    fig = drawn(
        pd.concat(parts), pd.concat(rows), {"columns": columns, "reference": reference}, measured=True
    )
    legend, _ = legends(fig)
    far, near = (rf"$\alpha_0$ = $10^{{{a}}}$, $\beta_0$ = $10^{{{b}}}$" for a, b in ((-4, -6), (-1, -3)))
    assert legend[0].replace("\n", ", ") == f"MAML, paper-adam, {near}"
    assert legend[1:3] == [f"MAML, {far}", f"MAML, {near}"]
    assert legend[3:] == [rf"$\beta_{{\mathrm{{hyperlr}}}}$ = $10^{{{k}}}$" for k in (-7, -6, -5, -4)]
    head = row(fig, "alpha")[0].get_title(loc="left").split("\n")
    assert head[:3] == ["5 shots", "Alpha-MAML", far]
    first, second = row(fig, "legend")
    assert all(t.get_window_extent().x1 < second.get_window_extent().x0 for t in first.texts)


def test_lines_and_colours_of_each_column(one_seed):
    reference = r"MAML, $\alpha_0$ = $10^{-1}$, $\beta_0$ = $10^{-3}$"
    tuned, beta, alpha = legends(one_seed)
    rates = reference.removeprefix("MAML, ")
    name = r"$\beta_{\mathrm{hyperlr}}$ = "
    alone = rf"Alpha-MAML, {rates}, $\alpha_{{\mathrm{{hyperlr}}}}$ = $10^{{-1}}$, {name}$10^{{-6}}$"
    assert [words.replace("\n", ", ") for words in tuned] == [reference, alone]
    untuned = r"MAML, $\alpha_0$ = $10^{-4}$, $\beta_0$ = $10^{-6}$"
    assert beta == [reference, untuned, *(f"{name}$10^{{{k}}}$" for k in (-7, -6, -5, -4))]
    assert len(alpha) == 6
    for name in ROWS:
        lines = named(row(one_seed, name)[1])
        assert list(lines) == beta
        assert lines[untuned].get_color() == "black"
        assert (lines[reference].get_color(), lines[reference].get_linestyle()) == (style.REFERENCE, "--")
        lightness = [np.dot(line.get_color()[:3], (0.2, 0.7, 0.1)) for line in list(lines.values())[2:]]
        assert lightness == sorted(lightness)


def test_the_curves_are_the_records(one_seed, tables):
    trials, curves = tables
    cell = trials[(trials["alpha_hyperlr"] == 1.0)]["cell_id"].item()
    mine = curves[curves["cell_id"] == cell]
    line = named(row(one_seed, "alpha")[2])[r"$\alpha_{\mathrm{hyperlr}}$ = $10^{0}$"]
    assert np.array_equal(line.get_xdata(), mine["iteration"])
    assert np.array_equal(line.get_ydata(), mine["alpha"])
    losses = mine["train_loss"].to_numpy()
    smooth = named(row(one_seed, "train_loss")[2])[r"$\alpha_{\mathrm{hyperlr}}$ = $10^{0}$"]
    assert smooth.get_xdata()[0] == 10
    assert smooth.get_ydata()[0] == pytest.approx(losses[:10].mean())
    raw = [ax_line for ax_line in row(one_seed, "train_loss")[2].lines if len(ax_line.get_xdata()) == LENGTH]
    assert any(np.array_equal(thin.get_ydata(), losses) for thin in raw)
    checks = named(row(one_seed, "val_loss")[2])[r"$\alpha_{\mathrm{hyperlr}}$ = $10^{0}$"]
    assert checks.get_xdata().tolist() == [1, 25, 50, 60]


def test_target_and_chance_are_named_lines(one_seed, three_seeds):
    last = row(one_seed, "train_loss")[-1]
    assert {t.get_text(): t.get_position()[1] for t in last.texts} == {
        "ln 20": pytest.approx(np.log(20)),
        "target 2.99": 2.99,
    }
    boxes = [t.get_window_extent() for t in last.texts]
    assert boxes[0].count_overlaps(boxes[1:]) == 0
    assert [t.get_text() for t in row(three_seeds, "train_loss")[-1].texts] == ["ln 20"]
    assert [t.get_text() for t in row(one_seed, "val_loss")[-1].texts] == ["ln 20"]


def test_a_diverged_end_has_a_cross(one_seed, tables):
    trials, curves = tables
    cell = trials.loc[trials["outcome"] == "diverged", "cell_id"].item()
    last = curves[(curves["cell_id"] == cell)].dropna(subset="train_loss").iloc[-1]
    crosses = [line for line in row(one_seed, "train_loss")[1].lines if line.get_marker() == "x"]
    assert [(c.get_xdata().item(), c.get_ydata().item()) for c in crosses] == [(39, last["train_loss"])]
    assert not [line for line in row(one_seed, "alpha")[0].lines if line.get_marker() == "x"]


def test_a_diverging_run_does_not_flatten_the_rest(tables):
    trials, curves = tables
    cell = trials.loc[trials["outcome"] == "diverged", "cell_id"].item()
    wild = curves.copy()
    wild.loc[(wild["cell_id"] == cell) & (wild["iteration"] > 30), ["train_loss", "alpha"]] = 1e30
    fig = drawn(trials, wild, MIDDLE)
    assert row(fig, "train_loss")[0].get_ylim()[1] < 7
    assert row(fig, "alpha")[0].get_ylim()[1] < 10
    cross = next(line for line in row(fig, "train_loss")[0].lines if line.get_marker() == "x")
    assert cross.get_ydata().item() == row(fig, "train_loss")[0].get_ylim()[1]


def test_bands_over_seeds(one_seed, three_seeds):
    assert [len(ax.collections) for ax in row(one_seed, "alpha")] == [0, 0, 0]
    assert [len(ax.collections) for ax in row(three_seeds, "alpha")] == [2, 6, 6]
    dotted = [line for line in row(three_seeds, "alpha")[1].lines if line.get_linestyle() == ":"]
    assert dotted[-1].get_xdata()[0] == 41 or dotted[0].get_xdata()[0] == 41


def test_a_rate_that_is_not_positive_makes_its_row_symlog(tables):
    trials, curves = tables
    turned = curves.copy()
    late = turned["cell_id"].str.startswith(f"{4:012d}") & (turned["iteration"] > 50)
    turned.loc[late, "alpha"] = -0.05
    fig = drawn(trials, turned, MIDDLE)
    assert {ax.get_yscale() for ax in row(fig, "alpha")} == {"symlog"}
    assert {ax.get_yscale() for ax in row(fig, "beta")} == {"log"}
    assert row(fig, "alpha")[0].get_ylim()[0] < -0.05


def test_nothing_run(tables):
    trials, curves = tables
    fig = drawn(synthetic.not_run(trials), curves.iloc[:0])
    assert {t.get_text() for ax in row(fig, "alpha") for t in ax.texts} == {"not run yet"}
    assert all(label.endswith("(not run)") for column in legends(fig) for label in column)


def test_a_third_method_has_its_own_dashes(tables):
    trials, _ = tables
    more = synthetic.third_method(trials)
    lines = named(row(drawn(more, synthetic.trajectories(more, LENGTH), MIDDLE), "beta")[0])
    ours, theirs = (
        next(line for label, line in lines.items() if label.startswith(name))
        for name in ("Alpha-MAML", "gamma-maml")
    )
    assert to_hex(ours.get_color()) == to_hex(theirs.get_color())
    assert ours.get_linestyle() != theirs.get_linestyle()


def test_nothing_is_outside_the_figure_and_no_legend_meets_the_next(one_seed):
    said = [*one_seed.texts, *(t for ax in one_seed.axes for t in [*ax.texts, ax._left_title])]
    for text in said:
        box = text.get_window_extent()
        assert one_seed.bbox.x0 <= box.x0 <= box.x1 <= one_seed.bbox.x1, text
        assert one_seed.bbox.y0 <= box.y0 <= box.y1 <= one_seed.bbox.y1, text
    keys = row(one_seed, "legend")
    for ax, following in pairwise(keys):
        assert all(t.get_window_extent().x1 < following.get_window_extent().x0 for t in ax.texts)
    heads = [ax._left_title.get_window_extent() for ax in row(one_seed, "alpha")]
    assert (
        heads[1].count_overlaps([heads[0], heads[2], *(t.get_window_extent() for t in one_seed.texts)]) == 0
    )


def said(fig):
    return " ".join(text.get_text() for text in fig.texts).replace("\n", " ")


TRIANGLES = ("^", "v")


def triangles(ax):
    return [line for line in ax.lines if line.get_marker() in TRIANGLES]


def test_a_rate_that_turns_negative_for_some_iterations_keeps_its_axis_and_is_marked(one_seed, tables):
    """Two of sixty iterations: the axis is that of the other fifty-eight."""
    trials, curves = tables
    turned = curves.copy()
    where = turned["cell_id"].str.startswith(f"{4:012d}") & turned["iteration"].isin([30, 31])
    turned.loc[where, "alpha"] = -7.0
    fig = drawn(trials, turned)
    before, after = (row(one, "alpha")[1] for one in (one_seed, fig))
    assert after.get_yscale() == "log"
    assert after.get_ylim() == before.get_ylim()
    (mark,) = triangles(after)
    line = named(after)[r"$\beta_{\mathrm{hyperlr}}$ = $10^{-6}$"]
    assert (mark.get_marker(), mark.get_color()) == ("v", line.get_color())
    assert mark.get_xdata() == pytest.approx(29, abs=0.1)
    assert "▲▼: a line or its band leaves the axis" in said(fig)
    assert "▲▼" not in said(one_seed)
    assert not any(triangles(ax) for ax in one_seed.axes)


def test_lines_that_coincide_are_both_seen(tables):
    """The limit: Alpha-MAML with hyper-rates 0 is MAML, under another name."""
    trials, curves = tables
    cells = synthetic.trials(
        [("maml", 0.1, 1e-3, *[synthetic.NONE] * 2), ("alpha-maml", 0.1, 1e-3, 0.0, 0.0)],
        target=synthetic.NONE,
    )
    cells = cells.assign(outcome="budget", ending="budget")
    ids = cells["cell_id"].tolist()
    run = curves[curves["cell_id"] == trials["cell_id"].iloc[0]]
    other = run.assign(**{name: run[name] * 1.5 for name in ROWS})
    column = {"columns": [{"title": "Limit", "where": {"alpha0": 0.1}}]}
    fig, apart = (
        drawn(cells, pd.concat([run.assign(cell_id=ids[0]), mine.assign(cell_id=ids[1])]), column)
        for mine in (run, other)
    )
    ((maml, own),) = legends(fig)
    assert maml == r"MAML, $\alpha_0$ = $10^{-1}$, $\beta_0$ = $10^{-3}$"
    for name in ROWS:
        (ax,) = row(fig, name)
        over, under = (named(ax)[words] for words in (maml, own.replace("\n", ", ")))
        (wide,) = (line for line in ax.lines if line.get_linewidth() > 2 * over.get_linewidth())
        assert np.array_equal(wide.get_ydata(), under.get_ydata())
        assert wide.get_zorder() < under.get_zorder() < over.get_zorder()
    assert "Where lines coincide, those beneath are drawn wide and pale." in said(fig)
    assert "coincide" not in said(apart)


def test_the_head_names_the_method_that_its_lines_share(one_seed):
    heads = [ax.get_title(loc="left").split("\n") for ax in row(one_seed, "alpha")]
    assert heads[0] == ["tuned"]  # one line alone: the legend says all
    assert [head[-3] for head in heads[1:]] == ["Alpha-MAML"] * 2
