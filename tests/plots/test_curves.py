"""Where a curve of Figure 1 leaves its axes, and which others it covers."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from harness.plots import curves, style
from harness.plots.curves import Curve, covered
from harness.plots.lines import Line
from harness.plots.scales import Scale

NAN = np.nan
UP_TO_5 = Scale(kind="linear", low=0, high=5)
LOG = Scale(kind="log", low=1e-3, high=10)


def curve(y, x=None, low=None, high=None, thin=(), on_top=False, colour="red"):
    y = np.array(y, float)
    line = Line(cells=pd.DataFrame(), label="a", colour=colour, dash="-", on_top=on_top)
    return Curve(
        line=line,
        x=np.arange(1, len(y) + 1) if x is None else np.array(x),
        y=y,
        low=y if low is None else np.array(low, float),
        high=y if high is None else np.array(high, float),
        thin=tuple(np.array(one, float) for one in thin),
        whole=np.full(len(y), True),
    )


def test_it_leaves_where_it_crosses_the_edge():
    """From 3 at iteration 2 to 7 at 3: half way; again from 4 at 5 to 9 at 6: after a fifth."""
    one = curve([1, 3, 7, 9, 4, 9])
    assert one.leaves(UP_TO_5, True, 0) == pytest.approx([2.5, 5.2])
    assert one.leaves(UP_TO_5, False, 0) == []
    assert one.leaves(UP_TO_5, True, 3) == [2.5]  # the second is near the first


def test_it_starts_outside():
    assert curve([9, 9, 1]).leaves(UP_TO_5, True, 0) == [1]
    assert curve([NAN, -1, 1, -3]).leaves(UP_TO_5, False, 0) == pytest.approx([2, 3.25])


def test_band_and_thin_lines_leave_too():
    assert curve([1, 1, 1], high=[1, 9, 1]).leaves(UP_TO_5, True, 0) == pytest.approx([1.5])
    assert curve([1, 1, 1], low=[1, -1, 1]).leaves(UP_TO_5, False, 0) == pytest.approx([1.5])
    assert curve([NAN, 1, 1], thin=[[6, 1, 1]]).leaves(UP_TO_5, True, 0) == [1]


def test_a_rate_that_is_not_positive_leaves_a_log_axis():
    (at,) = curve([1, 1, -0.5, 1]).leaves(LOG, False, 0)
    assert at == pytest.approx(2, abs=0.1)


def counts(*found, scale=UP_TO_5):
    return [[len(one) for one in each] for each in covered(found, scale, 1.3)]


def test_lines_that_coincide():
    """The reference and the baselines are over the others, the later over the earlier."""
    line = [1, 2, 3, 4]
    assert counts(curve(line), curve(line), curve([4, 3, 2, 1])) == [[4], [], []]
    assert counts(curve(line, on_top=True), curve(line)) == [[], [4]]
    assert counts(curve(line), curve(line), curve(line)) == [[4, 4], [4], []]


def test_only_where_both_have_a_value():
    one, other = curve([1, 2, 3, NAN]), curve([NAN, 2, 3, 4])
    (shared,), none = covered([one, other], UP_TO_5, 1.3)
    assert (shared.tolist(), none) == ([2, 3], [])
    far = curve([NAN, NAN, 3, 4])  # they meet at one of two: that is a crossing
    assert counts(curve([1, 2, 3, NAN]), far) == [[], []]


def test_less_than_half_a_line_apart_is_the_same():
    """Half a line is 0.65 points, of 93.6 points for 5."""
    half = 0.65 / 93.6 * 5
    assert counts(curve([1, 1]), curve([1 + 0.9 * half] * 2)) == [[2], []]
    assert counts(curve([1, 1]), curve([1, 1 + 1.1 * half])) == [[], []]


@pytest.fixture
def axes():
    with style.applied():
        ax = style.axes_at(Figure(figsize=(3, 2)), 0.5, 0.3, 2, 1.3)
    ax.set(xlim=(1, 101), ylim=(0, 5))
    return ax


def test_a_triangle_at_the_edge_in_the_colour_of_the_line(axes):
    drawn = [curve([9] * 3, colour="red"), curve([9] * 3, colour="blue"), curve([1, -9, -9], colour="green")]
    curves.mark(axes, drawn, UP_TO_5, 2, 1.3)
    found = [(to_hex(m.get_color()), m.get_marker(), *m.get_xdata(), *m.get_ydata()) for m in axes.lines]
    down, first, second = found
    assert down == (to_hex("green"), "v", pytest.approx(1.1), pytest.approx(2.25 / 93.6))
    assert first == (to_hex("red"), "^", 1, pytest.approx(1 - 2.25 / 93.6))
    assert second == (to_hex("blue"), "^", 1, pytest.approx(1 - 6.75 / 93.6))  # beneath the first
    assert all(m.get_transform() == axes.get_xaxis_transform() for m in axes.lines)


def test_what_is_covered_is_wide_and_pale_where_it_is(axes):
    curves.draw(
        axes, curve([1, 2, 3]), dots=False, banded=False, faint=True, beneath=[np.array([2, 3])], most=1
    )
    wide, line = sorted(axes.lines, key=lambda one: one.get_zorder())
    assert wide.get_xdata().tolist() == [2, 3]
    assert wide.get_linewidth() == curves.WIDTH + curves.WIDER
    assert to_hex(wide.get_color()) == "#ff8080"
    assert (line.get_xdata().tolist(), to_hex(line.get_color())) == ([1, 2, 3], "#ff0000")


def test_twenty_that_coincide_do_not_fill_the_axes(axes):
    most = [np.array([1, 2])] * 19
    curves.draw(axes, curve([1, 1]), dots=False, banded=False, faint=True, beneath=most, most=19)
    assert max(line.get_linewidth() for line in axes.lines) < 10


def test_a_band_that_reaches_below_a_log_axis_ends_at_its_edge(axes):
    LOG.apply(axes, 1.3)
    one = curve([1, 1, 1], low=[1, -1, 1], high=[1, 2, 1])
    curves.draw(axes, one, dots=False, banded=True, faint=False, beneath=[], most=0)
    (band,) = axes.collections
    lowest = min(path.vertices[:, 1].min() for path in band.get_paths())
    assert lowest == pytest.approx(1e-3)
