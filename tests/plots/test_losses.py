"""The figure of losses, read off its axes."""

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import LogNorm

from harness.plots import losses, squares, style
from tests.plots import synthetic, zoo
from tests.plots.test_heatmap import by_label, hatches, texts


def drawn(trials, curves, **figure):
    with style.applied():
        return losses.draw(trials, curves, synthetic.grid("losses", "Losses", **figure))


def words(fig):
    return " ".join(t.get_text() for t in fig.texts).replace("\n", " ")


def axes(ax):
    """Name and labels of y, then of x."""
    pairs = ((ax.get_ylabel(), ax.get_yticklabels()), (ax.get_xlabel(), ax.get_xticklabels()))
    return [(name, [label.get_text() for label in labels]) for name, labels in pairs]


def maml(*ends, seeds=1):
    """MAML over two alpha0 (rows) by two beta0, whose runs end so, seed by seed: a loss or an outcome."""
    trials, curves = zoo.tables(zoo.ONE, seeds)
    for row, end in zip(trials.index, ends, strict=True):
        number = isinstance(end, float)
        trials.loc[row, ["outcome", "ending"]] = "budget" if number else end
        trials.loc[row, "final_val_loss"] = end if number else None
    return trials, curves


def test_each_method_has_axes_of_its_own():
    fig = drawn(*zoo.tables(zoo.METHODS))
    found = {ax.get_title(loc="left").replace("\n", " "): axes(ax) for ax in by_label(fig, "panel")}
    assert len(found) == 14
    assert "MAML, LSLR msl: false" in found
    assert r"Alpha-MAML median over $\alpha_{\mathrm{hyperlr}}$, $\beta_{\mathrm{hyperlr}}$" in found
    (_, (name, labels)) = found["Reptile median over steps"]
    assert (name, labels[0]) == (r"$\epsilon_0$", "$10^{-4}$")
    ((up, rows), (right, columns)) = found["La-MAML"]
    assert (up, right) == (r"$\alpha_0$", r"$\eta$")
    assert rows == [f"$10^{{{k}}}$" for k in (1, 0, -1, -2, -3)]
    assert columns == [f"$10^{{{k}}}$" for k in range(-5, 0)]


def test_a_method_with_one_rate_is_a_row_and_one_without_a_square():
    fig = drawn(
        *zoo.tables({"maml-dog": {"alpha0": [1.0], "r0": [1e-4, 1e-3, 1e-2]}, "maml": {"alpha0": [1.0]}})
    )
    row, square = by_label(fig, "panel")
    assert axes(row) == [("", []), ("r0", ["$10^{-4}$", "$10^{-3}$", "$10^{-2}$"])]
    assert axes(square) == [("", []), ("", [])]
    assert (row.get_xlim(), row.get_ylim()) == ((0, 3), (1, 0))
    assert len(square.texts) == 1


def test_a_square_says_its_loss_and_how_many_runs_are_behind_it():
    ends = (0.5, 0.61, 0.7, "diverged", 0.5, "diverged", None, "diverged", 0.5, 0.63, None, "diverged")
    fig = drawn(*maml(*ends, seeds=3))
    (panel,) = by_label(fig, "panel")
    assert texts(panel) == {
        (0, 1, "0.50"),
        (1, 1, "0.63"), (1, 1, "×"),  # of 0.61, 0.63 and 1.61
        (0, 0, "0.70"), (0, 0, "1/3"),
        (1, 0, "×"),
    }  # fmt: skip
    assert hatches(panel) == {(1, 0): squares.MARKS["diverged"].hatch}
    (key,) = by_label(fig, "key")
    said = " ".join(t.get_text() for t in key.texts)
    for meaning in ("half of the runs diverged", "counts as its loss at iteration 1", "k of n runs"):
        assert meaning in said
    assert "not run" not in said
    assert "median over seeds of the validation loss after 300 iterations" in words(fig)


def test_what_has_no_result_is_marked():
    (panel,) = by_label(drawn(*maml(0.5, "failed", None, "diverged")), "panel")
    marks = squares.MARKS
    assert hatches(panel) == {
        (1, 1): marks["failed"].hatch, (0, 0): marks["not run"].hatch, (1, 0): marks["diverged"].hatch,
    }  # fmt: skip
    assert texts(panel) == {(0, 1, "0.50"), (1, 1, "!"), (0, 0, "·"), (1, 0, "×")}


def test_one_scale_from_the_best_to_untrained_weights():
    fig = drawn(*maml(0.5, 0.7, 1.2, 50.0))
    (panel,), (bar,) = by_label(fig, "panel"), by_label(fig, "colour bar")
    (mesh,) = panel.collections
    assert (mesh.norm.vmin, mesh.norm.vmax) == (0.5, 1.61)
    assert mesh.get_array().reshape(2, 2).tolist() == [[1.2, 1.61], [0.5, 0.7]]  # 50 has the last colour
    assert bar.get_xlim() == (0.5, 1.61)
    assert bar.get_title(loc="left") == "validation loss (nats)"
    assert "untrained weights have, 1.61 nats" in words(fig)
    others = drawn(*zoo.tables(zoo.METHODS))
    assert len({id(ax.collections[0].norm) for ax in by_label(others, "panel")}) == 1


NONE = math.nan


@pytest.mark.parametrize(
    ("ends", "untrained", "scale", "log"),
    [
        ([0.5, 1.0], 1.6, (0.5, 1.6), False),
        ([0.5, 1.0, 1e9], 1.6, (0.5, 1.6), False),
        ([0.1, 1.0], 1.6, (0.1, 1.6), True),
        ([-3.0, 1.0], 1.6, (-3.0, 1.6), False),
        ([2.0, 3.0, 5.0], 1.6, (2.0, 3.0), False),  # nothing was learned
        ([1.6, 1.6], 1.6, (0.8, 2.4), False),
        ([math.inf, NONE], 1.6, (0.8, 2.4), False),
        ([0.0], 0.0, (-5e-13, 5e-13), False),
        ([], NONE, (-5e-13, 5e-13), False),
    ],
)
def test_the_scale(ends, untrained, scale, log):
    norm = squares.scale(np.array(ends), untrained)
    assert (norm.vmin, norm.vmax) == pytest.approx(scale)
    assert isinstance(norm, LogNorm) == log


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (0.416, "0.42"), (1.605, "1.60"), (9.994, "9.99"), (9.999, "10"), (23.4, "23"), (999.4, "999"),
        (999.6, "1e3"), (3.2e5, "3e5"), (0.0951, "0.10"), (0.0949, "9e-2"), (0.0, "0"), (-0.5, "-0.50"),
        (1e300, "1e300"), (math.inf, "∞"),
    ],
)  # fmt: skip
def test_a_loss_in_few_characters(loss, text):
    assert squares.said(loss) == text


def test_losses_are_left_out_where_they_do_not_fit():
    wide = {"maml": {"alpha0": list(np.linspace(1, 2, 30)), "beta0": list(np.linspace(1, 2, 30))}}
    trials, curves = zoo.tables(wide)
    trials.loc[trials.index[:2], "final_val_loss"] = [-1e-200, -1e-200]
    (panel,) = by_label(drawn(trials, curves), "panel")
    assert not {(0, 29), (1, 29)} & {(column, row) for column, row, _ in texts(panel)}
    assert (5, 29) in {(column, row) for column, row, _ in texts(panel)}


def test_the_best_is_named_as_such():
    cells = {"alpha-maml-log": zoo.METHODS["alpha-maml-log"]}
    middle, best = (drawn(*zoo.tables(cells), rest=rest) for rest in ("median", "best"))
    assert r"best of $\eta$" in by_label(best, "panel")[0].get_title(loc="left")
    assert "then the least over" in words(best)
    assert "then the median over" in words(middle)


def test_each_protocol_has_panels_and_begins_a_row():
    two = {name: zoo.METHODS[name] for name in ("maml", "fomaml")}
    labels = ("paper-adam", "paper-adam, k_shot=5")
    trials, curves = zip(*(zoo.tables(two, label=label) for label in labels), strict=True)
    found = by_label(drawn(pd.concat(trials, ignore_index=True), pd.concat(curves)), "panel")
    titles = [ax.get_title(loc="left") for ax in found]
    assert titles == ["MAML\npaper-adam", "FOMAML\npaper-adam", "MAML\nk_shot=5", "FOMAML\nk_shot=5"]
    tops = [round(ax.get_position().y1, 6) for ax in found]
    assert tops[0] == tops[1] > tops[2] == tops[3]


def test_with_a_target_the_runs_end_at_it():
    said = words(drawn(*zoo.tables(zoo.ONE, target_loss=2.5)))
    assert "or at the target" in said
    assert ",." not in said
    assert "target" not in words(drawn(*zoo.tables(zoo.ONE, target_loss=NONE)))


def test_the_league_fits_a_page():
    width, height = drawn(*zoo.tables(zoo.METHODS)).get_size_inches()
    assert width < 8.6
    assert height < 11
