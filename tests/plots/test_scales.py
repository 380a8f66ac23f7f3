"""Where the axes of Figure 1 end, and what can be read off them."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from harness.plots import scales, style, texts
from harness.plots.scales import Scale

HEIGHT = 1.3
RISING = np.geomspace(1e-4, 20, 500)


def only(*curves):
    """Curves without a band."""
    return [(np.array(values, float), np.array(values, float)) for values in curves]


def applied(scale):
    with style.applied():
        fig = Figure(figsize=(3, 2))
        ax = style.axes_at(fig, 0.5, 0.3, 2, HEIGHT)
        scale.apply(ax, HEIGHT)
        fig.draw_without_rendering()
    return ax


def labelled(ax):
    """The ticks with a label that are drawn."""
    low, high = ax.get_ylim()
    labels = [label.get_text() for label in ax.get_yticklabels()]
    return {tick: label for tick, label in zip(ax.get_yticks(), labels, strict=True) if low <= tick <= high}


def with_spikes(values, share, to):
    """The same curve, this share of it somewhere else."""
    values = np.array(values, float)
    values[:: round(1 / share)][1:] = to
    return values


@pytest.mark.parametrize(
    "scale",
    [
        Scale(kind="linear", low=-1, high=4),
        Scale(kind="log", low=1e-5, high=30),
        Scale(kind="symlog", low=-2, high=500, turns=1e-2),
    ],
)
def test_places_are_those_of_the_axes(scale):
    ax = applied(scale)
    values = np.array([scale.low, 1e-3, 0.5, 2, scale.high, scale.high * 3])
    shown = ax.transAxes.inverted().transform(ax.transData.transform([(0, value) for value in values]))[:, 1]
    assert scale.places(values) == pytest.approx(shown)
    assert scale.places(values)[[0, 4]] == pytest.approx([0, 1])


def test_what_a_log_axis_cannot_show_is_below_it():
    assert np.all(Scale(kind="log", low=1e-5, high=1).places(np.array([0.0, -3.0])) < 0)


@pytest.mark.parametrize("to", [-1.0, 0.0, 1e6, -1e6])
def test_a_spike_does_not_take_the_height(to):
    scale = scales.rates(only(with_spikes(RISING, 0.05, to)))
    assert scale.kind == "log"
    assert scale.low == pytest.approx(0.5e-4)
    assert 20 < scale.high < 41
    assert np.ptp(scale.places(np.quantile(RISING, [0.05, 0.95]))) > 0.7


def test_what_lingers_is_shown():
    """Three in ten iterations below 0; a constant of 0; a curve that ends elsewhere."""
    turned = scales.rates(only(with_spikes(RISING, 1 / 3, -0.5)))
    assert turned.kind == "symlog"
    assert turned.low <= -0.5
    flat = scales.rates(only(RISING, np.zeros(500)))
    assert flat.kind == "symlog"
    assert flat.places(np.array([0.0])) > 0.01  # off the edge
    assert flat.places(np.array([1e-4])) < 0.25  # and below 0 there is no room to speak of
    last = scales.rates(only([1.0] * 90 + [1e-9] * 10))
    assert (last.kind, last.low) == ("log", 0.5e-9)
    start = scales.rates(only([1e-9] + [1.0] * 99))
    assert start.low == 0.5e-9


def test_what_is_rare_but_near_is_shown_too():
    values = with_spikes(RISING, 0.05, 100)  # another 0.7 of 5.3 decades
    assert scales.rates(only(values)).high == 200


def test_the_band_counts():
    assert scales.rates([(np.full(9, 1e-6), np.full(9, 1.0))]).low == 0.5e-6


def test_twenty_can_be_read_off_the_axis():
    ax = applied(scales.rates(only(RISING)))
    assert labelled(ax) == {10.0**k: texts.number(10.0**k) for k in range(-4, 2)}
    assert {2.0, 5.0, 20.0} <= set(ax.yaxis.get_minorticklocs())


def test_zero_has_a_tick():
    ticks = labelled(applied(scales.rates(only([0.0] * 50 + [1e-3] * 50))))
    assert ticks[0.0] == "0"
    assert 1e-3 in ticks


@pytest.mark.parametrize(
    "values",
    [
        [0.0],
        [1e-300, 1.0, 1e300],
        [0.0, 1e-300, 1e300],
        [-1e300, 1e300],
        [3.0],
        [1e-9, 1e-8, 1],
        [-5.0, -1e-4, 0, 1e-4, 5],
        [5e-324, 1.0],
        [0.07],
        [-2.0],
    ],
)
def test_labels_never_meet(values):
    scale = scales.rates(only(np.repeat(values, 50)))
    ticks = labelled(applied(scale))
    assert ticks
    apart = np.diff(scale.places(np.array(sorted(ticks)))) * HEIGHT
    assert np.all(apart >= texts.size("$10^{-1}$", style.TICK)[1])
    assert np.all((scale.places(np.array(values)) > -1e-9) & (scale.places(np.array(values)) < 1 + 1e-9))


def test_nothing_to_show():
    assert scales.rates([]).kind == "log"
    assert scales.losses([], 3.0).low < 3 < scales.losses([], 3.0).high


FALLING = np.linspace(3, 0.5, 100)


def test_a_loss_that_overshoots_is_cut_off():
    usual = scales.losses(only(FALLING), 3.0)
    assert (usual.low, usual.high) == pytest.approx((0.35, 3.15))
    assert scales.losses(only(with_spikes(FALLING, 0.05, 3.9)), 3.0) == usual
    near = scales.losses(only(with_spikes(FALLING, 0.05, 3.5)), 3.0)
    assert near.high == pytest.approx(3.5 + 0.06 * 3)
    lingers = scales.losses(only(FALLING, FALLING, [50.0] * 100), 3.0)
    assert 1.3 * 3 < lingers.high < 1.3 * 3 * 1.1


def test_chance_is_in_the_figure():
    assert scales.losses(only([1.0] * 20), 3.0).high > 3
    assert scales.losses(only([5.0] * 20), 3.0).low < 3
